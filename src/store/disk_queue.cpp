#include "store/disk_queue.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <utility>

#include "base/log.hpp"
#include "base/quantity.hpp"
#include "store/raise.hpp"
#include "store/recovery.hpp"

namespace hawser::store {
namespace {

constexpr auto kRemoveWithin = std::chrono::milliseconds(100);

Result<void> make_directory(const std::filesystem::path& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory.parent_path(), failed);  // an empty path too: no harm
  if (::mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return fail(Errc::queue_cannot_open, directory.string() + ": " + std::strerror(errno));
  }
  return {};
}

Result<std::unique_ptr<QueueFile>> open_or_set_up(const QueueOptions& options) {
  if (auto finished = finish_recovery(options.directory, options.fault_hook); !finished) {
    return std::unexpected(finished.error());
  }
  const std::filesystem::path path = queue_path(options.directory);
  if (std::error_code failed; !std::filesystem::exists(path, failed) && !failed) {
    if (auto made = set_up(options.directory, options.fault_hook); !made) {
      return std::unexpected(made.error());
    }
  }
  return QueueFile::open(path, Use::owner, options.sync);
}

// Also tells the log.
Result<Recovered> recover_and_tell(const QueueOptions& options, const std::string& why) {
  auto recovered = recover(options.directory, options.fault_hook);
  if (recovered) {
    log::write(log::Level::error, "the disk queue was damaged", Error{Errc::queue_damaged, why},
               {{"set_aside", recovered->set_aside.string()},
                {"recovered_messages", recovered->messages},
                {"recovered_dead_letters", recovered->dead_letters},
                {"unreadable_places", recovered->unreadable}});
  }
  return recovered;
}

}  // namespace

Result<std::unique_ptr<DiskQueue>> DiskQueue::open(QueueOptions options, std::function<void()> on_progress) {
  if (auto made = make_directory(options.directory); !made) {
    return std::unexpected(made.error());
  }
  auto lock = OwnerLock::take(options.directory);
  if (!lock) {
    return std::unexpected(lock.error());
  }
  auto file = open_or_set_up(options);
  if (!file && file.error().code == Errc::queue_cannot_open) {
    SpareRoom(options.directory).release();  // it may be for lack of room
    file = open_or_set_up(options);
  }
  std::optional<QueueTotals> totals;
  std::uint64_t recoveries = 0;
  for (int tries = 0; tries < 2 && !totals; ++tries) {
    if (!file && file.error().code == Errc::queue_damaged) {
      if (auto recovered = recover_and_tell(options, file.error().doing); !recovered) {
        return std::unexpected(recovered.error());
      }
      ++recoveries;
      file = open_or_set_up(options);
    }
    if (!file) {
      return std::unexpected(file.error());
    }
    try {
      totals = (*file)->totals();
    } catch (const SqlFault& fault) {
      file = fail(fault.trouble == Trouble::damaged ? Errc::queue_damaged : Errc::queue_cannot_open, fault.text);
    }
  }
  if (!totals) {
    return fail(Errc::queue_cannot_open, file.error().doing);
  }
  std::unique_ptr<DiskQueue> queue(
      new DiskQueue(std::move(options), std::move(on_progress), std::move(*lock), std::move(*file)));
  queue->on_disk_.recoveries = recoveries;
  queue->recount(*totals);
  queue->thread_ = std::thread([raw = queue.get()] { raw->work(); });
  return queue;
}

DiskQueue::DiskQueue(QueueOptions options, std::function<void()> on_progress, OwnerLock lock,
                     std::unique_ptr<QueueFile> file)
    : options_(std::move(options)),
      on_progress_(std::move(on_progress)),
      lock_(std::move(lock)),
      file_(std::move(file)),
      spare_(options_.directory) {}

DiskQueue::~DiskQueue() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

std::optional<Error> DiskQueue::refusal(const Run& run) const {
  const std::uint64_t bytes = run.frames.size() + kRunHeaderBytes;
  const std::uint64_t uncommitted = uncommitted_bytes_.load();
  const std::uint64_t most = writable_.load() ? kMaxUncommittedBytes : kMaxBytesWhileFailing;
  if (uncommitted > 0 && uncommitted + bytes > most) {
    return Error{Errc::queue_full, format_size(uncommitted) + " wait for the disk"};
  }
  const bool sheds = options_.when_full == WhenFull::shed_oldest;
  const std::uint64_t all_bytes = bytes + (sheds ? 0 : on_disk_.bytes + uncommitted);
  const std::uint64_t all_messages = run.count + (sheds ? 0 : on_disk_.messages + uncommitted_messages_);
  if (all_bytes > options_.max_bytes) {
    return Error{Errc::queue_full,
                 "it has " + format_size(all_bytes - bytes) + " of " + format_size(options_.max_bytes)};
  }
  if (all_messages > options_.max_messages) {
    return Error{Errc::queue_full, "it has " + std::to_string(all_messages - run.count) + " of " +
                                       std::to_string(options_.max_messages) + " messages"};
  }
  return std::nullopt;
}

Result<Ticket> DiskQueue::append(const Run& run) {
  assert(run.count > 0 && run.frames.size() >= run.count &&
         run.frames.size() <= std::numeric_limits<std::uint32_t>::max());
  bool first = false;
  Ticket ticket = 0;
  {
    const std::lock_guard lock(mutex_);
    if (auto refused = refusal(run)) {
      return std::unexpected(std::move(*refused));
    }
    first = pending_.empty();
    if (first || pending_.back().full()) {
      last_.store((last_.load() / kTicketStride + 1) * kTicketStride);
      pending_.emplace_back(last_.load());
    }
    pending_.back().add(run);
    ticket = pending_.back().id();
    uncommitted_messages_ += run.count;
    uncommitted_bytes_ += run.frames.size() + kRunHeaderBytes;
  }
  reach(FaultPoint::appended);
  if (first) {
    wake_.notify_one();
  }
  return ticket;
}

void DiskQueue::read(Ticket after, std::uint64_t max_bytes, Done done) {
  {
    const std::lock_guard lock(mutex_);
    reads_.push_back(Read{after, max_bytes, std::move(done)});
  }
  wake_.notify_one();
}

void DiskQueue::confirm(Ticket through) {
  {
    const std::lock_guard lock(mutex_);
    raise(drained_, std::min(through, committed_.load()));
    if (!remove_at_) {
      remove_at_ = hawser::now() + kRemoveWithin;
    }
    confirmed_ = true;
  }
  wake_.notify_one();
}

void DiskQueue::bury(std::vector<DeadLetter> letters) {
  const std::lock_guard lock(mutex_);
  for (DeadLetter& letter : letters) {
    const std::pair place(letter.batch, letter.index);
    letters_.insert_or_assign(place, std::move(letter));
  }
}

QueueStats DiskQueue::stats() const {
  const std::lock_guard lock(mutex_);
  QueueStats all = on_disk_;
  all.messages += uncommitted_messages_;
  all.bytes += uncommitted_bytes_.load();
  return all;
}

void DiskQueue::recover_file(const std::string& why) {
  const std::uint64_t messages_before = on_disk_.messages;
  file_.reset();
  if (auto recovered = recover_and_tell(options_, why); !recovered) {
    throw SqlFault{Trouble::other, recovered.error().doing};
  }
  open_file();
  QueueTotals totals;
  {
    Transaction transaction(file_->database());
    file_->set_used(committed_.load());
    totals = file_->totals();
    transaction.commit();
  }
  recount(totals);
  const std::lock_guard lock(mutex_);
  ++on_disk_.recoveries;
  on_disk_.lost_messages += messages_before - std::min(messages_before, on_disk_.messages);
}

void DiskQueue::open_file() {
  auto file = open_or_set_up(options_);
  if (!file) {
    throw SqlFault{file.error().code == Errc::queue_damaged ? Trouble::damaged : Trouble::other, file.error().doing};
  }
  file_ = std::move(*file);
}

}  // namespace hawser::store
