#include "net/reactor.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "net/stream.hpp"

namespace hawser::net {
namespace {
constexpr Duration kLongestWait = std::chrono::hours(1);
}  // namespace

void Timer::start(Duration delay) { start_at(reactor_.now() + delay); }

void Timer::start_at(Time at) {
  at_ = std::max(at, reactor_.now() + std::chrono::nanoseconds(1));  // never in the turn that set it
  if (slot_ == kNone) {
    reactor_.timers_.push_back(this);
    slot_ = static_cast<std::uint32_t>(reactor_.timers_.size() - 1);
  }
  reactor_.sift_up(slot_);
  reactor_.sift_down(slot_);
}

void Timer::stop() noexcept {
  if (slot_ == kNone) {
    return;
  }
  const std::uint32_t slot = std::exchange(slot_, kNone);
  Timer* last = reactor_.timers_.back();
  reactor_.timers_.pop_back();
  if (last != this) {
    reactor_.place(slot, last);
    reactor_.sift_up(slot);
    reactor_.sift_down(last->slot_);
  }
}

void Reactor::place(std::uint32_t slot, Timer* timer) noexcept {
  timers_[slot] = timer;
  timer->slot_ = slot;
}

void Reactor::sift_up(std::uint32_t slot) noexcept {
  Timer* timer = timers_[slot];
  while (slot > 0) {
    const std::uint32_t parent = (slot - 1) / 2;
    if (timers_[parent]->at_ <= timer->at_) {
      break;
    }
    place(slot, timers_[parent]);
    slot = parent;
  }
  place(slot, timer);
}

void Reactor::sift_down(std::uint32_t slot) noexcept {
  Timer* timer = timers_[slot];
  const auto size = static_cast<std::uint32_t>(timers_.size());
  while (true) {
    std::uint32_t child = slot * 2 + 1;
    if (child >= size) {
      break;
    }
    if (child + 1 < size && timers_[child + 1]->at_ < timers_[child]->at_) {
      ++child;
    }
    if (timer->at_ <= timers_[child]->at_) {
      break;
    }
    place(slot, timers_[child]);
    slot = child;
  }
  place(slot, timer);
}

Result<std::unique_ptr<Reactor>> Reactor::create() {
  Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  Fd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll || !wake) {
    return fail(Errc::out_of_descriptors, std::string("making an event loop: ") + std::strerror(errno));
  }
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
  if (epoll_ctl(epoll.value(), EPOLL_CTL_ADD, wake.value(), &event) != 0) {
    return fail(Errc::internal_error, std::string("watching the wake-up descriptor: ") + std::strerror(errno));
  }
  return std::unique_ptr<Reactor>(new Reactor(std::move(epoll), std::move(wake)));
}

Reactor::Reactor(Fd epoll, Fd wake) : epoll_(std::move(epoll)), wake_(std::move(wake)) {}

Reactor::~Reactor() {
  posted_.clear();  // not run: what they point to may be gone by now
  bury();
}

Result<void> Reactor::watch(int fd, Watched& watched) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = &watched}};
  if (epoll_ctl(epoll_.value(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return fail(Errc::internal_error, std::string("watching a socket: ") + std::strerror(errno));
  }
  return {};
}

void Reactor::unwatch(int fd) noexcept { epoll_ctl(epoll_.value(), EPOLL_CTL_DEL, fd, nullptr); }

void Reactor::forget(Watched& watched) noexcept {
  std::replace(again_.begin(), again_.end(), &watched, static_cast<Watched*>(nullptr));
  for (Stream*& stream : dirty_) {
    if (stream == &watched) {
      stream = nullptr;
    }
  }
}

void Reactor::retire(std::unique_ptr<Retirable> object) {
  if (object) {
    retired_.push_back(std::move(object));
  }
}

void Reactor::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.value(), &one, sizeof one);  // full means already awake
}

void Reactor::stop() noexcept {
  const int number = errno;  // of what a signal interrupted
  stopping_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.value(), &one, sizeof one);
  errno = number;
}

void Reactor::run() {
  while (!stopping_.load(std::memory_order_acquire)) {
    turn(kLongestWait);
  }
  stopping_.store(false, std::memory_order_release);
  run_posted();
  write_dirty();
  bury();
}

void Reactor::turn(Duration at_most) {
  // Work left by the caller between two turns must not wait for an event.
  write_dirty();
  bury();
  now_ = hawser::now();
  Duration wait = again_.empty() && dirty_.empty() ? std::clamp<Duration>(at_most, Duration::zero(), kLongestWait)
                                                   : Duration::zero();
  if (!timers_.empty()) {
    wait = std::min(wait, std::max(Duration::zero(), timers_.front()->at_ - now_));
  }
  if (chunks_.surplus()) {
    wait = std::min(wait, kTrimEvery);
  }
  // Rounded up: waking before a timer's time would spin.
  const auto ms = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count());

  std::array<epoll_event, 256> events;
  const int n = epoll_wait(epoll_.value(), events.data(), static_cast<int>(events.size()), ms);
  now_ = hawser::now();

  std::vector<Watched*> again;
  again.swap(again_);
  called_again_ = again.size();
  shook_hands_ = {};
  for (Watched* watched : again) {  // first, so that nobody waits for ever behind those who come anew
    if (watched != nullptr) {
      watched->on_ready(0);
    }
  }
  bool woken = false;
  for (int i = 0; i < n; ++i) {
    if (events[static_cast<std::size_t>(i)].data.ptr == nullptr) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto size = ::read(wake_.value(), &count, sizeof count);
      woken = true;
      continue;
    }
    static_cast<Watched*>(events[static_cast<std::size_t>(i)].data.ptr)
        ->on_ready(events[static_cast<std::size_t>(i)].events);
  }
  if (woken) {
    run_posted();
  }
  run_timers();
  write_dirty();
  bury();
  if (chunks_.surplus() && now_ >= trim_at_) {
    chunks_.trim(kChunksKept);
    trim_at_ = now_ + kTrimEvery;
  }
}

void Reactor::run_posted() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (Task& task : tasks) {
    task();
  }
}

void Reactor::run_timers() {
  while (!timers_.empty() && timers_.front()->at_ <= now_) {
    Timer* timer = timers_.front();
    timer->stop();
    timer->task_();
  }
}

void Reactor::write_dirty() {
  // By index, since writing can close a stream, whose owner can write to another one. What is added here waits for the next
  // turn, so that a stream which is written to whenever it was written does not keep the others from their turn.
  const std::size_t count = dirty_.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (Stream* stream = dirty_[i]) {
      stream->write_out();
    }
  }
  dirty_.erase(dirty_.begin(), dirty_.begin() + static_cast<std::ptrdiff_t>(count));
}

void Reactor::bury() {
  while (!retired_.empty()) {
    std::vector<std::unique_ptr<Retirable>> dead;
    dead.swap(retired_);
  }
}

}  // namespace hawser::net
