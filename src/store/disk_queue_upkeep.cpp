// What the queue's thread does beside writing and reading: moving the WAL into the file, giving space back, noticing
// what other processes did, telling.
#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "store/disk_queue.hpp"
#include "store/raise.hpp"

namespace hawser::store {
namespace {

constexpr auto kLookEvery = std::chrono::seconds(1);
constexpr auto kShrinkEvery = std::chrono::milliseconds(20);
constexpr auto kLogEvery = std::chrono::seconds(10);

}  // namespace

void DiskQueue::look_around(Time now) {
  look_at_ = now + kLookEvery;
  try {
    if (!file_) {
      open_file();
      recount(file_->totals());
    }
    if (file_->changed_by_others() || recount_due_) {
      recount_due_ = true;
      recount(file_->totals());
      recount_due_ = false;
    }
    if (writable_.load() && file_->shrink()) {
      reach(FaultPoint::shrunk);
      look_at_ = now + kShrinkEvery;
    }
    if (file_->wal_bytes() > 0) {
      checkpoint();
    }
  } catch (const SqlFault& fault) {
    on_fault(fault, "upkeep");
  }
  if (writable_.load() && !spare_.kept() && committed_.load() != drained_.load()) {
    spare_.keep();
  }
}

void DiskQueue::checkpoint() {
  reach(FaultPoint::checkpoint_begun);
  try {
    (void)file_->checkpoint();
  } catch (const SqlFault& fault) {
    if (fault.trouble == Trouble::damaged) {
      throw;
    }  // what is in the WAL is safe there; the next checkpoint tries again
  }
  reach(FaultPoint::checkpoint_ended);
}

void DiskQueue::tell() {
  {
    const std::lock_guard lock(mutex_);
    progress_ = std::exchange(confirmed_, false) || progress_;
  }
  if (std::exchange(progress_, false) && on_progress_) {
    on_progress_();
  }
}

void DiskQueue::recount(const QueueTotals& totals) {
  const std::lock_guard lock(mutex_);
  on_disk_.messages = totals.messages;
  on_disk_.bytes = totals.bytes;
  on_disk_.oldest_ms = totals.oldest_ms;
  on_disk_.dead_letters = totals.dead_letters;
  on_disk_.dead_bytes = totals.dead_bytes;
  raise(committed_, totals.last);
  raise(last_, totals.last);
  raise(drained_, totals.batches == 0 ? committed_.load() : totals.first - 1);
  progress_ = true;
}

void DiskQueue::on_fault(const SqlFault& fault, const char* doing) {
  if (fault.trouble != Trouble::damaged) {
    full_ = fault.trouble == Trouble::full;
    set_writable(false, std::string(doing) + ": " + fault.text);
    return;
  }
  try {
    recover_file(fault.text);
  } catch (const SqlFault& again) {
    file_.reset();
    set_writable(false, "recovering: " + again.text);
  }
}

void DiskQueue::log_shed(std::uint64_t messages) {
  shed_unlogged_ += messages;
  const Time at = hawser::now();
  if (shed_unlogged_ == 0 || at - shed_logged_at_ < kLogEvery) {
    return;
  }
  shed_logged_at_ = at;
  log::write(log::Level::warn, "the disk queue is full: the oldest messages were dropped",
             Error{Errc::queue_full, "when_full: shed_oldest"}, {{"messages", std::exchange(shed_unlogged_, 0)}});
}

void DiskQueue::reach(FaultPoint point) const {
  if (options_.fault_hook) {
    options_.fault_hook(point);
  }
}

}  // namespace hawser::store
