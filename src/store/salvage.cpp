#include "store/salvage.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <fcntl.h>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "store/leaf_scan.hpp"

namespace hawser::store {
namespace {

constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kCommitEvery = 64;  // rows of the new file
constexpr std::int64_t kHighest = INT64_MAX;

// The new file cannot be written: not to be taken for a damaged place.
struct CannotWrite {
  SqlFault fault;
};

// One table of a damaged database, of which any row may be unreadable.
class Walk {
 public:
  // `take` is given a row whose first column is its id; what it throws is an unreadable row.
  using Take = std::function<void(Statement& row)>;

  Walk(Database& database, const std::string& columns, const std::string& table, Take take)
      : up_(database, "SELECT " + columns + " FROM " + table + " WHERE id > ? AND id < ? ORDER BY id"),
        down_(database, "SELECT " + columns + " FROM " + table + " WHERE id > ? AND id < ? ORDER BY id DESC"),
        take_(std::move(take)) {}

  // How many stretches could not be read.
  std::uint64_t run() {
    std::uint64_t unreadable = 0;
    std::int64_t from = 0;
    while (true) {
      const Reach up = read(up_, from, kHighest);
      if (up.whole) {
        return unreadable;
      }
      ++unreadable;
      const std::int64_t reached = std::max(from, up.last);
      const std::optional<std::int64_t> beyond = find_beyond(reached);
      if (!beyond) {
        return unreadable;
      }
      (void)read(down_, reached, *beyond);  // back towards the bad place, as far as it goes
      from = *beyond - 1;
    }
  }

 private:
  struct Reach {
    std::int64_t last = 0;  // the last id that was read
    bool whole = false;     // to the end
  };

  Reach read(Statement& row, std::int64_t above, std::int64_t below) {
    Reach reach;
    row.bind(1, above).bind(2, below);
    try {
      while (row.step()) {
        reach.last = row.integer(0);
        take_(row);
      }
      reach.whole = true;
    } catch (const SqlFault&) {
      row.reset();
    }
    return reach;
  }

  // An id from which reading up works again, each try twice as far as the one before.
  std::optional<std::int64_t> find_beyond(std::int64_t reached) {
    for (int doubled = 0; doubled < 62 && (std::int64_t{1} << doubled) < kHighest - reached; ++doubled) {
      up_.bind(1, reached + (std::int64_t{1} << doubled) - 1).bind(2, kHighest);
      try {
        const bool found = up_.step();
        const std::int64_t id = found ? up_.integer(0) : 0;
        const bool readable = found && !up_.bytes(1).empty();
        up_.reset();
        if (!found) {
          return std::nullopt;
        }
        if (readable) {
          return id;
        }
      } catch (const SqlFault&) {
        up_.reset();
      }
    }
    return std::nullopt;
  }

  Statement up_;
  Statement down_;
  Take take_;
};

class Salvage {
 public:
  explicit Salvage(QueueFile& fresh) : fresh_(&fresh) { fresh_->database().run("BEGIN IMMEDIATE"); }

  // By way of SQLite.
  void walk(const std::filesystem::path& damaged) {
    Database old(damaged, Open::existing);
    old.keep_wal_at_close();
    old.run("PRAGMA writable_schema=ON");  // so that a file that is too short is opened all the same
    Walk batches(old, "id, data", "batch_data", [this](Statement& row) { take_batch(row); });
    done_.unreadable += batches.run();
    Walk dead(old, "id, frame, batch, position, client, arrived_ms, died_ms, payload, subject, reason", "dead",
              [this](Statement& row) { take_letter(row); });
    done_.unreadable += dead.run();
    try {
      used_ = static_cast<Ticket>(old.number("SELECT value FROM meta WHERE name = 'used'"));
    } catch (const SqlFault&) {
      ++done_.unreadable;
    }
  }

  // Page by page; not what is known to have been removed before.
  void scan(const std::filesystem::path& damaged) {
    scan_leaves(damaged, [this](const Batch& batch) {
      if (batch.id > used_) {
        take(batch);
      }
    });
  }

  [[nodiscard]] Salvaged finish() {
    write([&] {
      fresh_->set_used(used_);
      fresh_->database().run("COMMIT");
    });
    return done_;
  }

 private:
  template <class Change>
  void write(Change&& change) {
    try {
      change();
      if (++changes_ % kCommitEvery == 0 && fresh_->database().in_transaction()) {
        fresh_->database().run("COMMIT");
        (void)fresh_->checkpoint();
        fresh_->database().run("BEGIN IMMEDIATE");
      }
    } catch (SqlFault& fault) {
      throw CannotWrite{std::move(fault)};
    }
  }

  void take(const Batch& batch) {
    if (!taken_.insert(batch.id).second) {
      return;
    }
    PackedBatch packed(batch.id);
    for (const Run& run : batch.runs) {
      packed.add(run);
    }
    packed.seal();
    write([&] { fresh_->insert(packed); });
    ++done_.batches;
    done_.messages += batch.messages;
  }

  void take_batch(Statement& row) {
    const auto batch = unpack(row.count(0), std::string(row.bytes(1)));
    if (batch) {
      take(*batch);
    } else {
      ++done_.unreadable;
    }
  }

  void take_letter(Statement& row) {
    DeadLetter letter;
    letter.frame = row.bytes(1);
    letter.batch = row.count(2);
    letter.index = static_cast<std::uint32_t>(row.count(3));
    letter.client = row.count(4);
    letter.arrived_ms = row.integer(5);
    letter.died_ms = row.integer(6);
    letter.payload_bytes = static_cast<std::uint32_t>(row.count(7));
    letter.subject = row.bytes(8);
    letter.reason = row.bytes(9);
    write([&] { done_.dead_letters += fresh_->bury(letter) ? 1U : 0U; });
  }

  QueueFile* fresh_;
  std::set<Ticket> taken_;
  Ticket used_ = 0;
  std::uint64_t changes_ = 0;
  Salvaged done_;
};

bool has_tables(const std::filesystem::path& path) {
  try {
    Database database(path, Open::existing);
    database.keep_wal_at_close();
    database.run("PRAGMA writable_schema=ON");
    (void)database.number("SELECT count(*) FROM batch_data WHERE id = 0");
    return true;
  } catch (const SqlFault&) {
    return false;
  }
}

// The first page of `model` instead of that of `target`, but for how many pages there are; and no free ones.
bool give_first_page(const std::filesystem::path& model, const std::filesystem::path& target) {
  std::array<unsigned char, kPageBytes> page{};
  const int from = ::open(model.c_str(), O_RDONLY | O_CLOEXEC);
  const bool read = from >= 0 && ::pread(from, page.data(), page.size(), 0) == static_cast<ssize_t>(page.size());
  ::close(from);
  const int to = ::open(target.c_str(), O_WRONLY | O_CLOEXEC);
  struct stat status{};
  if (!read || to < 0 || ::fstat(to, &status) != 0) {
    ::close(to);
    return false;
  }
  const auto pages = static_cast<std::uint64_t>(status.st_size) / kPageBytes;
  for (std::size_t i = 0; i < 4; ++i) {
    page.at(28 + i) = static_cast<unsigned char>(pages >> (8U * (3 - i)));
  }
  std::fill(page.begin() + 32, page.begin() + 40, static_cast<unsigned char>(0));
  const bool written = ::pwrite(to, page.data(), page.size(), 0) == static_cast<ssize_t>(page.size());
  ::close(to);
  return written;
}

void copy_if_there(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code failed;
  std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing, failed);
}

void remove_with_sides(const std::filesystem::path& path) {
  for (const char* end : {"", "-wal", "-shm"}) {
    ::unlink((path.string() + end).c_str());
  }
}

}  // namespace

Salvaged salvage(const std::filesystem::path& damaged, const std::filesystem::path& fresh) {
  auto file = QueueFile::open(fresh, Use::owner, Sync::full);
  if (!file) {
    throw SqlFault{Trouble::other, file.error().doing};
  }
  const std::filesystem::path patched = damaged.string() + ".copy";
  const bool use_copy = !has_tables(damaged);
  if (use_copy) {
    remove_with_sides(patched);
    copy_if_there(damaged, patched);
    copy_if_there(damaged.string() + "-wal", patched.string() + "-wal");
  }
  const bool has_trees = !use_copy || (give_first_page(fresh, patched) && has_tables(patched));
  Salvaged done;
  try {
    Salvage salvage(**file);
    if (has_trees) {
      salvage.walk(use_copy ? patched : damaged);
    }
    salvage.scan(damaged);
    done = salvage.finish();
  } catch (CannotWrite& cannot) {
    remove_with_sides(patched);
    throw std::move(cannot.fault);
  } catch (...) {
    remove_with_sides(patched);
    throw;
  }
  remove_with_sides(patched);
  done.unreadable += use_copy ? 1 : 0;
  return done;
}

}  // namespace hawser::store
