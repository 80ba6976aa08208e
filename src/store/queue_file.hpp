// The queue's database: its tables, and what is done with them. It decides nothing.
//
// One connection, for one thread. What changes something is called within a Transaction; everything but open() throws
// SqlFault (database.hpp), and Trouble::damaged then means that recovery.hpp is due.
//
//   batches     id, messages, bytes, first_ms, largest: small, so that millions of messages are counted in a moment
//   batch_data  id, data: the blob of batch.hpp, which says the same and has a checksum
//   dead        dead letters, each named by batch and position
//   meta        used: no batch gets this id or a lower one again
//
//   auto file = QueueFile::open(path, Use::owner, Sync::full);
//   Transaction transaction((*file)->database()); (*file)->insert(batch); transaction.commit();
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "store/batch.hpp"
#include "store/database.hpp"
#include "store/dead_letter.hpp"
#include "store/fault_point.hpp"

namespace hawser::store {

inline constexpr int kSchemaVersion = 1;
inline constexpr int kApplicationId = 0x48775351;  // "HwSQ"

enum class Sync : std::uint8_t {
  full,    // each commit waits for fdatasync
  normal,  // a power cut may take back the last commits; a crash of the process none
};
enum class Use : std::uint8_t {
  owner,    // holds the OwnerLock
  visitor,  // may run beside the owner; leaves the file's upkeep to it
};

struct QueueTotals {
  std::uint64_t batches = 0;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;     // of blobs
  Ticket first = 0;            // ids; 0: there are no batches
  Ticket last = 0;             // the highest id ever used that is known
  std::int64_t oldest_ms = 0;  // arrival of the first message; 0: none
  std::uint64_t dead_letters = 0;
  std::uint64_t dead_bytes = 0;  // of frames
};

// What a removal took away.
struct Removed {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  Ticket through = 0;
};

class QueueFile {
 public:
  // Makes an empty, complete database under this name; what was there is gone. Throws SqlFault.
  static void create(const std::filesystem::path& path);
  // Errors: queue_missing, queue_schema_newer (nothing was changed), queue_damaged, queue_cannot_open.
  [[nodiscard]] static Result<std::unique_ptr<QueueFile>> open(const std::filesystem::path& path, Use use, Sync sync);
  ~QueueFile();

  [[nodiscard]] Database& database() noexcept { return database_; }

  // Counts; a moment for each million of batches.
  [[nodiscard]] QueueTotals totals();
  // Another connection has changed something since this was last asked.
  [[nodiscard]] bool changed_by_others();
  [[nodiscard]] std::int64_t oldest_ms();

  void insert(const PackedBatch& batch);
  // Batches with id > after, in order, until they have max_bytes together; at least one if there is any.
  [[nodiscard]] std::vector<Batch> read(Ticket after, std::uint64_t max_bytes);
  Removed remove_through(Ticket through);
  // The oldest ones, until that many messages and bytes are gone.
  Removed remove_oldest(std::uint64_t messages, std::uint64_t bytes);
  void remove(Ticket id);
  void set_used(Ticket id);

  // Whether it is a new one: one of the same name stays as it is.
  bool bury(const DeadLetter& letter);
  // The oldest dead letters, until that many bytes of frames are gone.
  Removed drop_dead(std::uint64_t bytes);

  // Within a transaction: occupies the disk space that its pages will need in the file, so that checkpoints, and with
  // them deletions, work on a full disk. Throws Trouble::full.
  void reserve_space();
  // Bytes of the WAL that are in use, as of the last commit.
  [[nodiscard]] std::uint64_t wal_bytes() const noexcept;
  // Moves the WAL's content into the database, so that the next commit starts it again; false: somebody still reads.
  bool checkpoint();
  // Gives back some free pages to the file system, when most pages are free; false: nothing to do. Outside of
  // transactions.
  bool shrink();
  [[nodiscard]] std::uint64_t file_bytes();

 private:
  struct Statements;
  explicit QueueFile(const std::filesystem::path& path);
  void check_schema();
  void check_length();

  // The file once more, to occupy room in it. It is closed after the database: before, that would take its locks away.
  class Room {
   public:
    explicit Room(int fd) noexcept : fd_(fd) {}
    ~Room();
    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;
    [[nodiscard]] int value() const noexcept { return fd_; }

   private:
    int fd_;
  };

  std::filesystem::path path_;
  Room room_;
  Database database_;
  std::unique_ptr<Statements> statements_;
  std::int64_t data_version_ = 0;
  int wal_frames_ = 0;
};

}  // namespace hawser::store
