#include "store/queue_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sqlite3.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/clock.hpp"

namespace hawser::store {
namespace {

// Small pages, since a commit writes each page that it touches whole, and most commits are a few messages.
constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kFreePagesKept = 2048;
constexpr int kGrowBytes = 1 << 20;
constexpr std::int64_t kBlockBytes = 512;  // of st_blocks, whatever the file system's are
constexpr const char* kSchema = R"(
PRAGMA page_size=4096;
PRAGMA auto_vacuum=INCREMENTAL;
BEGIN;
CREATE TABLE batches(id INTEGER PRIMARY KEY, messages INTEGER NOT NULL, bytes INTEGER NOT NULL, first_ms INTEGER NOT NULL,
                     largest INTEGER NOT NULL);
CREATE TABLE batch_data(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE dead(id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, position INTEGER NOT NULL, client INTEGER NOT NULL,
                  arrived_ms INTEGER NOT NULL, died_ms INTEGER NOT NULL, payload INTEGER NOT NULL, bytes INTEGER NOT NULL,
                  subject TEXT NOT NULL, reason TEXT NOT NULL, frame BLOB NOT NULL);
CREATE UNIQUE INDEX dead_by_place ON dead(batch, position);
CREATE INDEX dead_by_size ON dead(bytes);
CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES('used', 0);
PRAGMA application_id=1215779665;
PRAGMA user_version=1;
COMMIT;
PRAGMA journal_mode=WAL;
)";
static_assert(kApplicationId == 1215779665 && kSchemaVersion == 1 && kPageBytes == 4096);

int note_wal(void* frames, sqlite3* /*database*/, const char* /*name*/, int pages) {
  *static_cast<int*>(frames) = pages;
  return SQLITE_OK;
}

std::uint32_t big_endian_at(const std::array<unsigned char, 100>& header, std::size_t at) {
  return (static_cast<std::uint32_t>(header[at]) << 24U) | (static_cast<std::uint32_t>(header[at + 1]) << 16U) |
         (static_cast<std::uint32_t>(header[at + 2]) << 8U) | header[at + 3];
}

// From the bytes of the file, before SQLite, which may write to it, sees it. Zero: no such header.
Result<std::uint32_t> version_in_header(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return fail(errno == ENOENT ? Errc::queue_missing : Errc::queue_cannot_open,
                path.string() + ": " + std::strerror(errno));
  }
  std::array<unsigned char, 100> header{};
  const ssize_t size = ::pread(fd, header.data(), header.size(), 0);
  ::close(fd);
  if (size != static_cast<ssize_t>(header.size())) {
    return 0;
  }
  const bool ours = big_endian_at(header, 68) == static_cast<std::uint32_t>(kApplicationId);
  return ours ? big_endian_at(header, 60) : 0;
}

Error to_error(const SqlFault& fault, const std::filesystem::path& path) {
  return Error{fault.trouble == Trouble::damaged ? Errc::queue_damaged : Errc::queue_cannot_open,
               path.string() + ": " + fault.text};
}

}  // namespace

struct QueueFile::Statements {
  explicit Statements(Database& db) : database(&db) {}
  Database* database;
  Statement insert_row{*database, "INSERT INTO batches VALUES(?, ?, ?, ?, ?)"};
  Statement insert_data{*database, "INSERT INTO batch_data VALUES(?, ?)"};
  Statement read{*database, "SELECT id, data FROM batch_data WHERE id > ? ORDER BY id"};
  Statement count_after{*database, "SELECT 1 FROM batches WHERE id > ? LIMIT 1"};
  Statement sum_through{*database, "SELECT ifnull(sum(messages), 0), ifnull(sum(bytes), 0) FROM batches WHERE id <= ?"};
  Statement walk_rows{*database, "SELECT id, messages, bytes FROM batches ORDER BY id"};
  Statement delete_rows{*database, "DELETE FROM batches WHERE id <= ?"};
  Statement delete_data{*database, "DELETE FROM batch_data WHERE id <= ?"};
  Statement delete_row{*database, "DELETE FROM batches WHERE id = ?"};
  Statement delete_datum{*database, "DELETE FROM batch_data WHERE id = ?"};
  Statement use{*database, "UPDATE meta SET value = max(value, ?) WHERE name = 'used'"};
  Statement oldest{*database, "SELECT first_ms FROM batches ORDER BY id LIMIT 1"};
  Statement bury{*database, "INSERT OR IGNORE INTO dead VALUES(NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"};
  Statement drop_oldest_dead{*database, "DELETE FROM dead WHERE id = (SELECT min(id) FROM dead) RETURNING bytes"};
  Statement data_version{*database, "PRAGMA data_version"};
  Statement page_count{*database, "PRAGMA page_count"};
};

void QueueFile::create(const std::filesystem::path& path) {
  for (const char* end : {"", "-wal", "-shm", "-journal"}) {
    ::unlink((path.string() + end).c_str());
  }
  // SQLite gives its side files the mode of this one.
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0) {
    throw SqlFault{errno == ENOSPC ? Trouble::full : Trouble::other, std::strerror(errno)};
  }
  ::close(fd);
  Database database(path, Open::existing);
  database.run(kSchema);
}

QueueFile::QueueFile(const std::filesystem::path& path)
    : path_(path), room_(::open(path.c_str(), O_RDWR | O_CLOEXEC)), database_(path, Open::existing) {}

QueueFile::~QueueFile() = default;

QueueFile::Room::~Room() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

Result<std::unique_ptr<QueueFile>> QueueFile::open(const std::filesystem::path& path, Use use, Sync sync) {
  const auto version = version_in_header(path);
  if (!version) {
    return std::unexpected(version.error());
  }
  if (*version > static_cast<std::uint32_t>(kSchemaVersion)) {
    return fail(Errc::queue_schema_newer, path.string() + " has schema " + std::to_string(*version) +
                                              ", this version knows " + std::to_string(kSchemaVersion));
  }
  try {
    std::unique_ptr<QueueFile> file(new QueueFile(path));
    if (use == Use::visitor) {
      file->database_.keep_wal_at_close();
    }
    file->check_schema();
    if (file->database_.read_only()) {
      return fail(Errc::queue_cannot_open, path.string() + " may not be written");
    }
    file->database_.run(sync == Sync::full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
    file->database_.run(
        "PRAGMA secure_delete=OFF; PRAGMA cache_size=-4096; PRAGMA temp_store=MEMORY;"
        "PRAGMA journal_size_limit=16777216; PRAGMA wal_autocheckpoint=0");
    int grow = kGrowBytes;
    sqlite3_file_control(file->database_.handle(), "main", SQLITE_FCNTL_CHUNK_SIZE, &grow);
    sqlite3_wal_hook(file->database_.handle(), note_wal, &file->wal_frames_);
    file->statements_ = std::make_unique<Statements>(file->database_);
    if (use == Use::owner) {
      file->check_length();
    }
    (void)file->changed_by_others();
    return file;
  } catch (const SqlFault& fault) {
    return std::unexpected(to_error(fault, path));
  }
}

void QueueFile::check_schema() {
  const bool ours = database_.number("PRAGMA application_id") == kApplicationId &&
                    database_.number("PRAGMA user_version") == kSchemaVersion &&
                    database_.number(
                        "SELECT count(*) FROM sqlite_master WHERE name IN ('batches', 'batch_data', 'dead', "
                        "'dead_by_place', 'dead_by_size', 'meta')") == 6;
  if (!ours) {
    throw SqlFault{Trouble::damaged, "it does not have the tables of a queue"};
  }
}

// With everything moved out of the WAL, the file must be as long as it says.
void QueueFile::check_length() {
  if (!checkpoint()) {
    return;  // a visitor reads; what is missing is found when it is read
  }
  const auto pages = static_cast<std::uint64_t>(database_.number("PRAGMA page_count"));
  if (file_bytes() < pages * kPageBytes) {
    throw SqlFault{Trouble::damaged, "the file is shorter than it should be"};
  }
}

QueueTotals QueueFile::totals() {
  QueueTotals totals;
  Statement batches(
      database_, "SELECT count(*), ifnull(sum(messages), 0), ifnull(sum(bytes), 0), ifnull(min(id), 0) FROM batches");
  if (batches.step()) {
    totals.batches = batches.count(0);
    totals.messages = batches.count(1);
    totals.bytes = batches.count(2);
    totals.first = batches.count(3);
  }
  Statement last(database_,
                 "SELECT max(ifnull((SELECT max(id) FROM batches), 0), ifnull((SELECT max(id) FROM batch_data), 0), "
                 "(SELECT value FROM meta WHERE name = 'used'))");
  if (last.step()) {
    totals.last = last.count(0);
  }
  totals.oldest_ms = oldest_ms();
  Statement dead(database_,
                 "SELECT count(*), ifnull(sum(bytes), 0) FROM dead INDEXED BY dead_by_size WHERE bytes >= 0");
  if (dead.step()) {
    totals.dead_letters = dead.count(0);
    totals.dead_bytes = dead.count(1);
  }
  return totals;
}

bool QueueFile::changed_by_others() {
  Statement& version = statements_->data_version;
  const std::int64_t seen = version.step() ? version.integer(0) : 0;
  version.reset();
  return std::exchange(data_version_, seen) != seen;
}

std::int64_t QueueFile::oldest_ms() {
  const std::int64_t oldest = statements_->oldest.step() ? statements_->oldest.integer(0) : 0;
  statements_->oldest.reset();
  return oldest;
}

void QueueFile::insert(const PackedBatch& batch) {
  statements_->insert_row.bind(1, batch.id())
      .bind(2, batch.messages())
      .bind(3, batch.bytes())
      .bind(4, batch.first_ms())
      .bind(5, std::uint64_t{batch.largest_payload()})
      .run();
  statements_->insert_data.bind(1, batch.id()).bind_bytes(2, batch.blob()).run();
}

std::vector<Batch> QueueFile::read(Ticket after, std::uint64_t max_bytes) {
  std::vector<Batch> batches;
  Statement& row = statements_->read;
  row.bind(1, after);
  std::uint64_t bytes = 0;
  while ((batches.empty() || bytes < max_bytes) && row.step()) {
    const Ticket id = row.count(0);
    std::string data;
    try {
      data = row.bytes(1);
    } catch (...) {
      row.reset();
      throw;
    }
    bytes += data.size();
    auto batch = unpack(id, std::move(data));
    if (!batch) {
      row.reset();
      throw SqlFault{Trouble::damaged, to_text(id) + ": " + batch.error().doing};
    }
    batches.push_back(std::move(*batch));
  }
  row.reset();
  if (batches.empty()) {
    statements_->count_after.bind(1, after);
    const bool there_should_be_some = statements_->count_after.step();
    statements_->count_after.reset();
    if (there_should_be_some) {
      throw SqlFault{Trouble::damaged, "batches without their data"};
    }
  }
  return batches;
}

Removed QueueFile::remove_through(Ticket through) {
  Removed removed{.through = through};
  statements_->sum_through.bind(1, through);
  if (statements_->sum_through.step()) {
    removed.messages = statements_->sum_through.count(0);
    removed.bytes = statements_->sum_through.count(1);
  }
  statements_->sum_through.reset();
  statements_->delete_rows.bind(1, through).run();
  statements_->delete_data.bind(1, through).run();
  set_used(through);
  return removed;
}

Removed QueueFile::remove_oldest(std::uint64_t messages, std::uint64_t bytes) {
  Removed going;
  Statement& row = statements_->walk_rows;
  while ((going.messages < messages || going.bytes < bytes) && row.step()) {
    going.through = row.count(0);
    going.messages += row.count(1);
    going.bytes += row.count(2);
  }
  row.reset();
  return going.through != 0 ? remove_through(going.through) : going;
}

void QueueFile::remove(Ticket id) {
  statements_->delete_row.bind(1, id).run();
  statements_->delete_datum.bind(1, id).run();
  statements_->count_after.bind(1, id);
  const bool was_the_last = !statements_->count_after.step();
  statements_->count_after.reset();
  if (was_the_last) {
    set_used(id);
  }
}

void QueueFile::set_used(Ticket id) { statements_->use.bind(1, id).run(); }

bool QueueFile::bury(const DeadLetter& letter) {
  const std::int64_t now_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(wall_now().time_since_epoch()).count();
  statements_->bury.bind(1, letter.batch)
      .bind(2, std::uint64_t{letter.index})
      .bind(3, letter.client)
      .bind(4, letter.arrived_ms)
      .bind(5, letter.died_ms != 0 ? letter.died_ms : now_ms)
      .bind(6, std::uint64_t{letter.payload_bytes})
      .bind(7, static_cast<std::uint64_t>(letter.frame.size()))
      .bind_text(8, letter.subject)
      .bind_text(9, letter.reason)
      .bind_bytes(10, letter.frame)
      .run();
  return sqlite3_changes(database_.handle()) > 0;
}

Removed QueueFile::drop_dead(std::uint64_t bytes) {
  Removed dropped;
  Statement& oldest = statements_->drop_oldest_dead;
  while (dropped.bytes < bytes && oldest.step()) {
    dropped.bytes += oldest.count(0);
    ++dropped.messages;
    while (oldest.step()) {  // a DELETE that returns rows is done when there is no more
    }
  }
  return dropped;
}

void QueueFile::reserve_space() {
  Statement& count = statements_->page_count;
  sqlite3_int64 bytes = (count.step() ? count.integer(0) : 0) * static_cast<std::int64_t>(kPageBytes);
  count.reset();
  // Looked at each time, and by what is occupied: a checkpoint takes back what a transaction occupied that was rolled
  // back, and may leave the file longer than the room it has.
  struct stat status{};
  if (::fstat(room_.value(), &status) != 0 || std::int64_t{status.st_blocks} * kBlockBytes >= bytes) {
    return;
  }
  const off_t wanted = (bytes + kGrowBytes - 1) / kGrowBytes * kGrowBytes;
  if (::fallocate(room_.value(), 0, 0, wanted) != 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)) {
    throw SqlFault{Trouble::full, "the file cannot grow"};
  }
}

std::uint64_t QueueFile::wal_bytes() const noexcept {
  return static_cast<std::uint64_t>(wal_frames_) * (kPageBytes + 24);
}

bool QueueFile::checkpoint() {
  int frames = 0;
  int moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(database_.handle(), "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);
  if (code == SQLITE_BUSY) {
    return false;
  }
  if (code != SQLITE_OK) {
    database_.raise(code);
  }
  if (frames != moved) {
    return false;
  }
  wal_frames_ = 0;
  return true;
}

bool QueueFile::shrink() {
  const auto free_pages = static_cast<std::uint64_t>(database_.number("PRAGMA freelist_count"));
  const auto pages = static_cast<std::uint64_t>(database_.number("PRAGMA page_count"));
  // What lives at the end of the file is moved to its front: only worth it when that is little.
  if (free_pages < kFreePagesKept || free_pages < pages - pages / 8) {
    return false;
  }
  database_.run("PRAGMA incremental_vacuum(1024)");
  return true;
}

std::uint64_t QueueFile::file_bytes() {
  struct stat status{};
  return ::stat(path_.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

}  // namespace hawser::store
