#include "rotation/files.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "net/fd.hpp"

namespace hawser::rotation {
namespace {

using std::filesystem::path;

constexpr std::string_view kAbsent = ".absent";

struct Look {
  mode_t mode = S_IRUSR | S_IWUSR;
  uid_t user = 0;
  gid_t group = 0;
  bool there = false;
};

std::unexpected<Error> failed(Errc code, std::string_view doing, const path& file) {
  return fail(code, fmt::format("{} {}: {}", doing, file.string(), std::generic_category().message(errno)));
}

// What a symlink leads to, whether it is there or not.
path behind_links(const path& file) {
  std::error_code ignored;
  path found = std::filesystem::weakly_canonical(file, ignored);
  return found.empty() ? file : found;
}

Look look_at(const path& file) {
  struct stat about{};
  if (::stat(file.c_str(), &about) != 0) {
    return {.mode = S_IRUSR | S_IWUSR, .user = ::geteuid(), .group = ::getegid(), .there = false};
  }
  return {.mode = about.st_mode & 07777U, .user = about.st_uid, .group = about.st_gid, .there = true};
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return false;
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool sync_directory(const path& directory) {
  const net::Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd.value() >= 0 && ::fsync(fd.value()) == 0;
}

enum class Existing : std::uint8_t { replace, keep };

// In one step for whoever reads it, and on disk when it returns. With Existing::keep a file that is there stays.
Result<void> put(const path& file, std::string_view content, const Look& look, Existing existing, Errc code) {
  std::string temporary = file.string() + ".XXXXXX";
  const net::Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (fd.value() < 0) {
    return failed(code, "writing", file);
  }
  const bool same_owner = look.user == ::geteuid() && look.group == ::getegid();
  bool done = (same_owner || ::fchown(fd.value(), look.user, look.group) == 0) &&
              ::fchmod(fd.value(), look.mode) == 0 && write_all(fd.value(), content) && ::fsync(fd.value()) == 0;
  if (done && existing == Existing::keep) {
    done = ::link(temporary.c_str(), file.c_str()) == 0 || errno == EEXIST;
  } else if (done) {
    done = ::rename(temporary.c_str(), file.c_str()) == 0;
  }
  const int reason = errno;
  if (!done || existing == Existing::keep) {
    ::unlink(temporary.c_str());
  }
  errno = reason;
  return done && sync_directory(file.parent_path()) ? Result<void>() : failed(code, "writing", file);
}

path absent_path(const path& file, std::string_view mark) {
  return kept_path(file, mark).string() + std::string(kAbsent);
}

// Before anything is replaced; a second time it changes nothing.
Result<void> keep(const path& file, const Look& look, std::string_view mark) {
  if (is_kept(file, mark)) {
    return {};
  }
  if (!look.there) {
    return put(absent_path(file, mark), "", look, Existing::keep, Errc::rotation_delivery_failed);
  }
  const Result<Secret> before = read_secret_file(file, limits::kCrlFileBytes);
  if (!before) {
    return fail(Errc::rotation_delivery_failed, "keeping what is there: " + before.error().doing);
  }
  return put(kept_path(file, mark), before->reveal(), look, Existing::keep, Errc::rotation_delivery_failed);
}

}  // namespace

path kept_path(const path& file, std::string_view mark) {
  return fmt::format("{}.before-{}", behind_links(file).string(), mark);
}

bool is_kept(const path& file, std::string_view mark) {
  std::error_code ignored;
  return std::filesystem::exists(kept_path(file, mark), ignored) ||
         std::filesystem::exists(absent_path(file, mark), ignored);
}

Result<void> replace_file(const path& file, std::string_view content, std::string_view mark, const path& mode_like) {
  const path real = behind_links(file);
  Look look = look_at(real);
  if (Result<void> kept = keep(real, look, mark); !kept) {
    return kept;
  }
  if (!look.there) {
    look.mode = look_at(mode_like).mode & 0777U;
  }
  return put(real, content, look, Existing::replace, Errc::rotation_delivery_failed);
}

Result<void> bring_back(const path& file, std::string_view mark) {
  const path real = behind_links(file);
  std::error_code ignored;
  if (std::filesystem::exists(absent_path(real, mark), ignored)) {
    return ::unlink(real.c_str()) == 0 || errno == ENOENT ? Result<void>()
                                                          : failed(Errc::rotation_not_rolled_back, "removing", real);
  }
  const path kept = kept_path(real, mark);
  const Result<Secret> before = read_secret_file(kept, limits::kCrlFileBytes);
  if (!before) {
    return fail(Errc::rotation_not_rolled_back, before.error().doing);
  }
  return put(real, before->reveal(), look_at(kept), Existing::replace, Errc::rotation_not_rolled_back);
}

}  // namespace hawser::rotation
