#include "churner.hpp"

#include <algorithm>

#include "payload.hpp"

namespace hawser::load {
namespace {

constexpr auto kWhile = std::chrono::milliseconds(150);
constexpr std::int64_t kLookMs = 20;
constexpr int kMaximum = 100;
constexpr auto kMaximumLimit = std::chrono::seconds(20);

}  // namespace

Churner::Churner(const Options& options, Connection connection) : options_(options), connection_(std::move(connection)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Churner::~Churner() {
  stop();
  natsConnection_Close(connection_.raw());
  natsSubscription_Destroy(lasting_);
  for (auto* subscription : former_) natsSubscription_Destroy(subscription);
}

void Churner::stop() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
}

void Churner::keep_interest(const std::string& subject) {
  const auto ignore = [](natsConnection*, natsSubscription*, natsMsg* message, void*) { natsMsg_Destroy(message); };
  if (natsConnection_Subscribe(&lasting_, connection_.raw(), subject.c_str(), ignore, nullptr) != NATS_OK) return;
  natsSubscription_SetPendingLimits(lasting_, -1, -1);
}

void Churner::run(const std::stop_token& stop) {
  const auto subject = options_.run + ".m.>";
  keep_interest(subject);
  for (bool maximum = false; !stop.stop_requested(); maximum = !maximum) {
    natsSubscription* subscription = nullptr;
    if (natsConnection_SubscribeSync(&subscription, connection_.raw(), subject.c_str()) != NATS_OK) return;
    natsSubscription_SetPendingLimits(subscription, -1, -1);
    ++subscriptions_;
    Streams streams;
    maximum ? up_to_a_maximum(stop, subscription, streams) : for_a_while(subscription, streams);
    natsSubscription_Unsubscribe(subscription);  // fails when it ended by its maximum, and then there is nothing to do
    former_.push_back(subscription);
    for (const auto& [_, stream] : streams) {
      // Numbers before the first one were not this subscription's: only what lies between first and last is expected.
      auto counts = stream.tracker.counts(0);
      counts.expected = stream.last - stream.first + 1;
      counts.lost = counts.expected - std::min(counts.distinct, counts.expected);
      counts_ += counts;
    }
  }
}

void Churner::for_a_while(natsSubscription* subscription, Streams& streams) {
  for (const auto end = Clock::now() + kWhile; Clock::now() < end;) {
    natsMsg* message = nullptr;
    if (natsSubscription_NextMsg(&message, subscription, kLookMs) == NATS_OK) take(message, streams);
  }
}

void Churner::up_to_a_maximum(const std::stop_token& stop, natsSubscription* subscription, Streams& streams) {
  natsSubscription_AutoUnsubscribe(subscription, kMaximum);
  int given = 0;
  natsStatus status = NATS_OK;
  for (const auto end = Clock::now() + kMaximumLimit; Clock::now() < end && !stop.stop_requested();) {
    natsMsg* message = nullptr;
    status = natsSubscription_NextMsg(&message, subscription, kLookMs);
    if (status == NATS_OK) {
      ++given;
      take(message, streams);
    } else if (status != NATS_TIMEOUT) {
      break;
    }
  }
  // libnats itself stops at the maximum; fewer is what a path can do wrong. Cut short by stop() it proves nothing.
  if (given != kMaximum && !stop.stop_requested()) ++wrong_maximum_;
}

void Churner::take(natsMsg* message, Streams& streams) {
  const auto stamp = read_payload({natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))});
  natsMsg_Destroy(message);
  if (!stamp || stamp->sequence == 0) return;  // changed bytes are for the lasting subscriptions to report
  auto [at, fresh] = streams.try_emplace({stamp->publisher, stamp->subject},
                                         Stream{stamp->sequence, stamp->sequence, StreamTracker(stamp->sequence)});
  at->second.last = std::max(at->second.last, stamp->sequence);
  at->second.tracker.see(stamp->sequence);
}

}  // namespace hawser::load
