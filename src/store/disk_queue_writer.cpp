// The queue's thread: rounds of one transaction and some reads.
#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.hpp"
#include "store/disk_queue.hpp"
#include "store/raise.hpp"

namespace hawser::store {
namespace {

constexpr std::uint64_t kRoundBytes = 8UL << 20U;       // of one transaction
constexpr std::uint64_t kCheckpointBytes = 8UL << 20U;  // of the WAL
constexpr std::uint64_t kShedBytes = 4UL << 20U;        // at least, when the disk is full
constexpr Duration kFirstBackOff = std::chrono::milliseconds(100);
constexpr Duration kLastBackOff = std::chrono::seconds(2);

std::uint64_t run_bytes(const PackedBatch& batch) { return batch.bytes() - kBatchHeaderBytes; }

void subtract(std::uint64_t& from, std::uint64_t what) { from -= std::min(from, what); }

}  // namespace

void DiskQueue::work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const Time at = hawser::now();
    if (!has_work(at) && at < look_at_) {
      wake_.wait_until(lock, next_look(at));
      continue;
    }
    Round round = take_round(at);
    lock.unlock();
    (void)write(round);
    for (Read& read : round.reads) {
      serve(read);
    }
    if (at >= look_at_) {
      look_around(at);
    }
    tell();
    lock.lock();
  }
  retry_at_ = {};
  bool works = true;
  while (works && (!pending_.empty() || remove_at_)) {
    remove_at_ = remove_at_ ? std::optional(Time{}) : std::nullopt;
    Round round = take_round(hawser::now());
    lock.unlock();
    works = write(round);
    lock.lock();
  }
  reads_.clear();
  file_.reset();
}

bool DiskQueue::has_work(Time now) const {
  const bool changes = !pending_.empty() || (remove_at_ && *remove_at_ <= now);
  return !reads_.empty() || confirmed_ || (changes && now >= retry_at_);
}

Time DiskQueue::next_look(Time now) const {
  Time next = look_at_;
  if (remove_at_) {
    next = std::min(next, std::max(*remove_at_, retry_at_));
  }
  if (!pending_.empty()) {
    next = std::min(next, retry_at_);
  }
  return std::max(next, now);
}

DiskQueue::Round DiskQueue::take_round(Time now) {
  Round round;
  round.reads = std::exchange(reads_, {});
  if (now < retry_at_) {
    return round;
  }
  // On a full disk a little may fit where all does not.
  const std::uint64_t most = writable_.load() ? kRoundBytes : 1;
  for (std::uint64_t bytes = 0; !pending_.empty() && bytes < most; pending_.pop_front()) {
    bytes += pending_.front().bytes();
    round.batches.push_back(std::move(pending_.front()));
  }
  if (remove_at_ && (!round.batches.empty() || *remove_at_ <= now)) {
    remove_at_.reset();
    round.remove_through = drained_.load();
    const auto end = letters_.lower_bound({*round.remove_through + 1, 0});
    for (auto at = letters_.begin(); at != end; at = letters_.erase(at)) {
      round.letters.push_back(std::move(at->second));
    }
  }
  return round;
}

bool DiskQueue::write(Round& round) {
  if (round.batches.empty() && !round.remove_through) {
    return true;
  }
  try {
    if (!file_) {
      open_file();
      recount(file_->totals());
    }
    if (!writable_.load()) {
      make_room(round);
    }
    for (PackedBatch& batch : round.batches) {
      batch.seal();
    }
    apply(round, transact(round));
    set_writable(true, {});
    if (file_->wal_bytes() >= kCheckpointBytes) {
      checkpoint();
    }
    return true;
  } catch (const SqlFault& fault) {
    put_back(round);
    on_fault(fault, "writing");
    return false;
  }
}

DiskQueue::Change DiskQueue::transact(const Round& round) {
  Change change;
  Transaction transaction(file_->database());
  reach(FaultPoint::transaction_begun);
  recount_due_ = file_->changed_by_others() || recount_due_;
  if (recount_due_) {
    change.totals = file_->totals();
  }
  for (const DeadLetter& letter : round.letters) {
    if (file_->bury(letter)) {
      ++change.letters;
      change.letter_bytes += letter.frame.size();
    }
  }
  const std::uint64_t dead_bytes =
      (change.totals ? change.totals->dead_bytes : on_disk_.dead_bytes) + change.letter_bytes;
  if (dead_bytes > options_.max_dead_bytes) {
    change.dropped = file_->drop_dead(dead_bytes - options_.max_dead_bytes);
  }
  if (!round.letters.empty()) {
    reach(FaultPoint::letters_buried);
  }
  if (round.remove_through) {
    change.removed = file_->remove_through(*round.remove_through);
    reach(FaultPoint::batches_removed);
  }
  shed(round, change);
  for (const PackedBatch& batch : round.batches) {
    file_->insert(batch);
    reach(FaultPoint::batch_inserted);
  }
  if (!round.batches.empty() || !round.letters.empty()) {
    file_->reserve_space();
  }
  change.oldest_ms = file_->oldest_ms();
  reach(FaultPoint::before_commit);
  transaction.commit();
  reach(FaultPoint::after_commit);
  return change;
}

// on_disk_ is read without the lock here and above, since only this thread changes it.
void DiskQueue::shed(const Round& round, Change& change) {
  if (options_.when_full != WhenFull::shed_oldest) {
    return;
  }
  std::uint64_t messages = change.totals ? change.totals->messages : on_disk_.messages;
  std::uint64_t bytes = change.totals ? change.totals->bytes : on_disk_.bytes;
  subtract(messages, change.removed.messages);
  subtract(bytes, change.removed.bytes);
  for (const PackedBatch& batch : round.batches) {
    messages += batch.messages();
    bytes += batch.bytes();
  }
  const std::uint64_t too_many = messages - std::min(messages, options_.max_messages);
  const std::uint64_t too_much = bytes - std::min(bytes, options_.max_bytes);
  if (too_many > 0 || too_much > 0 || round.shed_bytes > 0) {
    change.shed = file_->remove_oldest(too_many, std::max(too_much, round.shed_bytes));
  }
}

// The disk took nothing: what frees space is tried by itself first, since it may succeed where more does not.
void DiskQueue::make_room(Round& round) {
  spare_.release();
  checkpoint();
  Round removal;
  removal.remove_through = std::exchange(round.remove_through, std::nullopt);
  removal.letters = std::exchange(round.letters, {});
  if (full_ && options_.when_full == WhenFull::shed_oldest) {
    removal.shed_bytes = std::max(kShedBytes, 2 * uncommitted_bytes_.load());
  }
  if (!removal.remove_through && removal.shed_bytes == 0) {
    return;
  }
  try {
    apply(removal, transact(removal));
  } catch (...) {
    round.remove_through = removal.remove_through;
    round.letters = std::move(removal.letters);
    throw;
  }
  checkpoint();
}

void DiskQueue::apply(const Round& round, const Change& change) {
  if (change.totals) {
    recount(*change.totals);
    recount_due_ = false;
  }
  {
    const std::lock_guard lock(mutex_);
    QueueStats& now = on_disk_;
    subtract(now.messages, change.removed.messages + change.shed.messages);
    subtract(now.bytes, change.removed.bytes + change.shed.bytes);
    now.drained_messages += change.removed.messages - std::min(change.removed.messages, change.letters);
    now.shed_messages += change.shed.messages;
    now.dead_letters += change.letters;
    now.dead_bytes += change.letter_bytes;
    subtract(now.dead_letters, change.dropped.messages);
    subtract(now.dead_bytes, change.dropped.bytes);
    now.dropped_dead_letters += change.dropped.messages;
    now.oldest_ms = change.oldest_ms;
    for (const PackedBatch& batch : round.batches) {
      now.messages += batch.messages();
      now.bytes += batch.bytes();
      uncommitted_messages_ -= batch.messages();
      uncommitted_bytes_ -= run_bytes(batch);
      raise(committed_, batch.id());
    }
    raise(drained_, change.shed.through);
  }
  progress_ = progress_ || !round.batches.empty() || change.shed.through != 0;
  log_shed(change.shed.messages);
}

void DiskQueue::put_back(Round& round) {
  const std::lock_guard lock(mutex_);
  pending_.insert(pending_.begin(), std::make_move_iterator(round.batches.begin()),
                  std::make_move_iterator(round.batches.end()));
  for (DeadLetter& letter : round.letters) {
    const std::pair place(letter.batch, letter.index);
    letters_.try_emplace(place, std::move(letter));
  }
  if (round.remove_through && !remove_at_) {
    remove_at_ = hawser::now();
  }
}

void DiskQueue::set_writable(bool writable, const std::string& why) {
  if (writable) {
    retry_at_ = {};
    back_off_ = {};
    full_ = false;
  } else {
    back_off_ = back_off_ == Duration{} ? kFirstBackOff : std::min(2 * back_off_, kLastBackOff);
    const std::lock_guard lock(mutex_);
    retry_at_ = hawser::now() + back_off_;
  }
  if (writable_.exchange(writable) == writable) {
    return;
  }
  progress_ = true;
  if (writable) {
    log::info("the disk queue can write again");
  } else {
    log::write(log::Level::error, "the disk queue cannot write", Error{Errc::queue_write_failed, why});
  }
}

void DiskQueue::serve(Read& read) {
  for (int tries = 0; tries < 2; ++tries) {
    try {
      if (!file_) {
        open_file();
        recount(file_->totals());
      }
      read.done(file_->read(std::max(read.after, drained_.load()), read.max_bytes));
      return;
    } catch (const SqlFault& fault) {
      if (fault.trouble == Trouble::damaged) {
        on_fault(fault, "reading");
        continue;
      }
      read.done(fail(Errc::queue_read_failed, fault.text));
      return;
    }
  }
  read.done(fail(Errc::queue_read_failed, "the file is damaged"));
}

}  // namespace hawser::store
