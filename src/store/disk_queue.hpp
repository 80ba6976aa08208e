// The queue of messages that no server has taken yet, on disk: what is appended here survives the process.
//
// One process owns a directory, through one DiskQueue. Appending takes a copy and a ticket, at once; a thread of the
// queue's own writes what came together as one transaction (group commit), reads for the drainer and removes what was
// confirmed. What committed() covers is on disk and stays there until it is confirmed, whenever the process ends.
//
//   append() ──► in memory ──► committed() ──► read() ──► confirm() ──► drained()
//   last()                     on disk         sent       or buried, shed, purged: it has left the queue
//
// Lifetime: callbacks are called on the queue's thread, none after the destructor has returned. Not to be destroyed in
// one.
//
//   auto queue = DiskQueue::open({.directory = "/var/lib/hawser/queue"}, [&] { reactor.post(look_again); });
//   auto ticket = (*queue)->append({.client = 7, .arrived_ms = ms, .count = 1, .largest_payload = 5, .frames = frame});
//   … when ((*queue)->committed() >= *ticket) it is safe
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "store/batch.hpp"
#include "store/dead_letter.hpp"
#include "store/fault_point.hpp"
#include "store/owner_lock.hpp"
#include "store/queue_file.hpp"
#include "store/spare_room.hpp"

namespace hawser::store {

enum class WhenFull : std::uint8_t {
  reject,       // append() fails
  shed_oldest,  // the oldest messages go; stats() and the log say how many
};

struct QueueOptions {
  std::filesystem::path directory;  // made if it is not there, for the owner alone (0700)
  Sync sync = Sync::full;
  WhenFull when_full = WhenFull::reject;
  std::uint64_t max_bytes = 4UL << 30U;  // of packed messages; the file is somewhat larger
  std::uint64_t max_messages = 10'000'000;
  std::uint64_t max_dead_bytes = 256UL << 20U;  // of dead letters; beyond, the oldest go, counted
  FaultHook fault_hook = {};                    // for tests
};

struct QueueStats {
  std::uint64_t messages = 0;  // waiting, on disk or not yet
  std::uint64_t bytes = 0;     // of them, packed
  std::int64_t oldest_ms = 0;  // arrival of the oldest one on disk, since 1970; 0: none
  std::uint64_t dead_letters = 0;
  std::uint64_t dead_bytes = 0;
  // Since open():
  std::uint64_t drained_messages = 0;  // confirmed
  std::uint64_t shed_messages = 0;
  std::uint64_t dropped_dead_letters = 0;
  std::uint64_t recoveries = 0;     // from a damaged file
  std::uint64_t lost_messages = 0;  // known to have been in one, and not readable
};

class DiskQueue {
 public:
  // More that is not on disk than this is refused, in any mode; and this, while the disk does not take anything.
  static constexpr std::uint64_t kMaxUncommittedBytes = 64UL << 20U;
  static constexpr std::uint64_t kMaxBytesWhileFailing = 8UL << 20U;

  // Opens or makes the queue, takes over what former processes left (also out of a damaged file: logged as
  // queue_damaged), and starts the thread. `on_progress` is called on it after committed(), drained() or writable()
  // changed. Blocking. Errors: queue_in_use, naming the owner's PID; queue_schema_newer; queue_cannot_open.
  [[nodiscard]] static Result<std::unique_ptr<DiskQueue>> open(QueueOptions options, std::function<void()> on_progress);
  // Commits what is pending, with one try, and removes what was confirmed; reads that wait are dropped.
  ~DiskQueue();
  DiskQueue(const DiskQueue&) = delete;
  DiskQueue& operator=(const DiskQueue&) = delete;

  // ANY THREAD.

  // Copies the run into the batch that is being filled and returns that batch's ticket, without waiting. Runs of a
  // client stay in the order of the calls. Errors: queue_full; then nothing was taken.
  [[nodiscard]] Result<Ticket> append(const Run& run);
  // The ticket of the newest append, of former processes too; 0: there was none. last() == drained(): the queue is
  // empty.
  [[nodiscard]] Ticket last() const noexcept { return last_.load(); }
  // Everything up to this is on disk (Sync::full: has been fdatasync'ed).
  [[nodiscard]] Ticket committed() const noexcept { return committed_.load(); }
  // Everything up to this has left the queue: confirmed, buried, shed, purged, or lost with a damaged file.
  [[nodiscard]] Ticket drained() const noexcept { return drained_.load(); }
  [[nodiscard]] std::uint64_t uncommitted_bytes() const noexcept { return uncommitted_bytes_.load(); }
  // False while the disk is full or failing. The queue tries again by itself, after 100 ms to 2 s.
  [[nodiscard]] bool writable() const noexcept { return writable_.load(); }
  [[nodiscard]] QueueStats stats() const;

  // THE DRAINER, of which there is one; any thread.

  // Batches that are committed and come after `after` (and after drained()), in order, at least one if there is any, up
  // to about max_bytes. `done` is called on the queue's thread. Empty: there is nothing now. Errors: queue_read_failed;
  // a damaged file is recovered first, and what is lost is left out.
  using Done = std::function<void(Result<std::vector<Batch>>)>;
  void read(Ticket after, std::uint64_t max_bytes, Done done);
  // The server has everything up to `through`, which was read: it leaves the queue. drained() says so at once, the disk
  // follows within about 100 ms; after a crash in between it is read again.
  void confirm(Ticket through);
  // These go to the dead letters in the same transaction in which their batch goes: to be called before its confirm().
  // If that never comes, nothing has happened.
  void bury(std::vector<DeadLetter> letters);

 private:
  struct Read {
    Ticket after;
    std::uint64_t max_bytes;
    Done done;
  };
  // What the thread does in one round.
  struct Round {
    std::vector<PackedBatch> batches;
    std::vector<DeadLetter> letters;
    std::optional<Ticket> remove_through;
    std::deque<Read> reads;
    std::uint64_t shed_bytes = 0;  // to make room on a full disk
  };
  // What a transaction changed, for the counters.
  struct Change {
    Removed removed;
    Removed shed;
    Removed dropped;
    std::uint64_t letters = 0;
    std::uint64_t letter_bytes = 0;
    std::int64_t oldest_ms = 0;
    std::optional<QueueTotals> totals;  // when others had changed something: before this transaction's own changes
  };

  DiskQueue(QueueOptions options, std::function<void()> on_progress, OwnerLock lock, std::unique_ptr<QueueFile> file);

  // disk_queue.cpp, with mutex_ held
  [[nodiscard]] std::optional<Error> refusal(const Run& run) const;

  // disk_queue_writer.cpp, on the queue's thread; the first four with mutex_ held
  void work();
  [[nodiscard]] bool has_work(Time now) const;
  [[nodiscard]] Time next_look(Time now) const;
  [[nodiscard]] Round take_round(Time now);
  [[nodiscard]] bool write(Round& round);
  [[nodiscard]] Change transact(const Round& round);
  void shed(const Round& round, Change& change);
  void make_room(Round& round);
  void apply(const Round& round, const Change& change);
  void put_back(Round& round);
  void set_writable(bool writable, const std::string& why);
  void serve(Read& read);

  // disk_queue_upkeep.cpp, on the queue's thread
  void look_around(Time now);
  void checkpoint();
  void tell();
  void recount(const QueueTotals& totals);
  void on_fault(const SqlFault& fault, const char* doing);
  void open_file();
  void recover_file(const std::string& why);
  void log_shed(std::uint64_t messages);
  void reach(FaultPoint point) const;

  QueueOptions options_;
  std::function<void()> on_progress_;
  OwnerLock lock_;

  std::atomic<Ticket> last_{0};
  std::atomic<Ticket> committed_{0};
  std::atomic<Ticket> drained_{0};
  std::atomic<std::uint64_t> uncommitted_bytes_{0};
  std::atomic<bool> writable_{true};

  mutable std::mutex mutex_;  // of the following
  std::condition_variable wake_;
  std::deque<PackedBatch> pending_;
  std::uint64_t uncommitted_messages_ = 0;
  std::deque<Read> reads_;
  std::map<std::pair<Ticket, std::uint32_t>, DeadLetter> letters_;
  std::optional<Time> remove_at_;
  bool confirmed_ = false;  // since the callback was last called
  bool stopping_ = false;
  QueueStats on_disk_;  // messages and bytes without the uncommitted ones

  // of the queue's thread
  std::unique_ptr<QueueFile> file_;  // null: could not be opened again after a recovery
  SpareRoom spare_;
  bool progress_ = false;     // the callback is due
  bool recount_due_ = false;  // others have changed something
  bool full_ = false;         // what failed last, failed for lack of room
  Time retry_at_{};
  Duration back_off_{};
  Time look_at_{};  // for upkeep, and for what others have changed
  Time shed_logged_at_{};
  std::uint64_t shed_unlogged_ = 0;
  std::thread thread_;
};

}  // namespace hawser::store
