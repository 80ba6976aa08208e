#include "broker/batch.hpp"

#include "broker/service_imports.hpp"

namespace hawser::broker {

void Batch::add(const Message& message, std::uint64_t serial, const routing::SubscriptionPtr& to, std::uint32_t leg) {
  if (last_serial_ != serial) {
    letters_.push_back({.from = message.from,
                        .hops = message.hops != nullptr,
                        .at = arena_.size(),
                        .subject = static_cast<std::uint32_t>(message.subject.size()),
                        .reply = static_cast<std::uint32_t>(message.reply.size()),
                        .headers = static_cast<std::uint32_t>(message.headers.size()),
                        .body = message.body.size()});
    arena_.append(message.subject).append(message.reply).append(message.body);
    last_serial_ = serial;
  }
  hold(to);
  deliveries_.push_back({static_cast<Subscription*>(to.get()), static_cast<std::uint32_t>(letters_.size() - 1), leg});
}

// Once is enough: each holder more is a write to a count that the threads pass to and fro.
void Batch::hold(const routing::SubscriptionPtr& to) {
  constexpr std::uintptr_t kLine = 64;
  const auto place = reinterpret_cast<std::uintptr_t>(to.get()) / kLine % held_lately_.size();
  if (held_lately_[place] != to.get()) {
    held_lately_[place] = to.get();
    held_.push_back(to);
  }
}

void Batch::clear() noexcept {
  arena_.clear();
  letters_.clear();
  deliveries_.clear();
  held_.clear();
  held_lately_.fill(nullptr);
  last_serial_ = 0;
}

Message Batch::message(const Letter& letter) const {
  static constexpr ServiceHop kElsewhere{};
  const std::string_view all = arena_;
  const std::string_view body = all.substr(letter.at + letter.subject + letter.reply, letter.body);
  return {.subject = all.substr(letter.at, letter.subject),
          .reply = all.substr(letter.at + letter.subject, letter.reply),
          .headers = body.substr(0, letter.headers),
          .body = body,
          .from = letter.from,
          .hops = letter.hops ? &kElsewhere : nullptr};
}

Batch BatchPool::take() {
  const std::lock_guard lock(mutex_);
  if (batches_.empty()) {
    return {};
  }
  Batch batch = std::move(batches_.back());
  batches_.pop_back();
  return batch;
}

void BatchPool::give(Batch batch) {
  const bool keep = batch.bytes() <= 2 * Batch::kEnough;  // not one that a single large message has made large
  batch.clear();
  const std::lock_guard lock(mutex_);
  if (keep && batches_.size() < kMost) {
    batches_.push_back(std::move(batch));
  }
}

void BatchPool::let_go() {
  std::vector<Batch> batches;  // destroyed outside the lock
  const std::lock_guard lock(mutex_);
  batches.swap(batches_);
}

}  // namespace hawser::broker
