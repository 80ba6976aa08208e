#include "store/recovery.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/clock.hpp"
#include "store/salvage.hpp"

namespace hawser::store {
namespace {

namespace fs = std::filesystem;

fs::path with(const fs::path& directory, const char* end) { return queue_path(directory).string() + end; }

std::unexpected<Error> failed(const fs::path& path, std::string_view what) {
  return fail(Errc::queue_cannot_open, path.string() + ": " + std::string(what));
}

Result<void> give_name(const fs::path& from, const fs::path& to) {
  return ::rename(from.c_str(), to.c_str()) == 0 ? Result<void>() : failed(from, std::strerror(errno));
}

// New names are safe when their directory is.
Result<void> sync_directory(const fs::path& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  return synced ? Result<void>() : failed(directory, std::strerror(error));
}

void reach(const FaultHook& hook, FaultPoint point) {
  if (hook) {
    hook(point);
  }
}

fs::path set_aside_name(const fs::path& directory) {
  std::string time = to_rfc3339(wall_now());
  std::erase_if(time, [](char c) { return c == '-' || c == ':' || c == 'Z'; });
  fs::path name = with(directory, (".damaged-" + time).c_str());
  std::error_code ignored;
  for (int again = 2; fs::exists(name, ignored); ++again) {
    name = with(directory, (".damaged-" + time + "." + std::to_string(again)).c_str());
  }
  return name;
}

// The new database is whole as queue.db.recovered: gives both files their names.
Result<fs::path> exchange(const fs::path& directory, const FaultHook& hook) {
  const fs::path aside = set_aside_name(directory);
  // The WAL first: beside the new database, SQLite would take it for its own.
  if (auto moved = give_name(with(directory, "-wal"), aside.string() + "-wal"); !moved && errno != ENOENT) {
    return std::unexpected(moved.error());
  }
  ::unlink(with(directory, "-shm").c_str());
  if (auto moved = give_name(queue_path(directory), aside); !moved && errno != ENOENT) {
    return std::unexpected(moved.error());
  }
  reach(hook, FaultPoint::recovery_set_aside);
  if (auto moved = give_name(with(directory, ".recovered"), queue_path(directory)); !moved) {
    return std::unexpected(moved.error());
  }
  if (auto synced = sync_directory(directory); !synced) {
    return std::unexpected(synced.error());
  }
  reach(hook, FaultPoint::recovery_ended);
  return aside;
}

}  // namespace

fs::path queue_path(const fs::path& directory) { return directory / "queue.db"; }

Result<Recovered> recover(const fs::path& directory, const FaultHook& hook) {
  reach(hook, FaultPoint::recovery_begun);
  const fs::path fresh = with(directory, ".new");
  Salvaged salvaged;
  try {
    QueueFile::create(fresh);
    salvaged = salvage(queue_path(directory), fresh);
  } catch (const SqlFault& fault) {
    return failed(fresh, fault.text);
  }
  // Closing it has emptied its WAL, or there was no room to do so.
  if (std::error_code ignored; fs::exists(fresh.string() + "-wal", ignored)) {
    return failed(fresh, "could not be written completely");
  }
  reach(hook, FaultPoint::recovery_copied);
  if (auto named = give_name(fresh, with(directory, ".recovered")); !named) {
    return std::unexpected(named.error());
  }
  if (auto synced = sync_directory(directory); !synced) {
    return std::unexpected(synced.error());
  }
  auto aside = exchange(directory, hook);
  if (!aside) {
    return std::unexpected(aside.error());
  }
  return Recovered{.set_aside = std::move(*aside),
                   .batches = salvaged.batches,
                   .messages = salvaged.messages,
                   .dead_letters = salvaged.dead_letters,
                   .unreadable = salvaged.unreadable};
}

Result<void> finish_recovery(const fs::path& directory, const FaultHook& hook) {
  std::error_code ignored;
  if (!fs::exists(with(directory, ".recovered"), ignored)) {
    return {};
  }
  auto aside = exchange(directory, hook);
  return aside ? Result<void>() : std::unexpected(aside.error());
}

Result<void> set_up(const fs::path& directory, const FaultHook& hook) {
  const fs::path fresh = with(directory, ".new");
  reach(hook, FaultPoint::setup_begun);
  try {
    QueueFile::create(fresh);
  } catch (const SqlFault& fault) {
    return failed(fresh, fault.text);
  }
  reach(hook, FaultPoint::setup_schema_made);
  if (auto named = give_name(fresh, queue_path(directory)); !named) {
    return named;
  }
  auto synced = sync_directory(directory);
  reach(hook, FaultPoint::setup_named);
  return synced;
}

}  // namespace hawser::store
