#include "request_load.hpp"

#include <string_view>

namespace hawser::load {
namespace {

constexpr auto kWarmPeriod = std::chrono::milliseconds(20);
constexpr auto kRetryPeriod = std::chrono::milliseconds(1);
constexpr auto kStopLimit = std::chrono::milliseconds(30000);

std::string_view data_of(natsMsg* message) {
  return {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))};
}

}  // namespace

Responder::Responder(natsConnection* connection, const Options& options) : requests_(options.requesters) {
  natsConnection_Subscribe(&subscription_, connection, (options.run + ".rq.*").c_str(), on_request, this);
  if (subscription_ != nullptr) natsSubscription_SetPendingLimits(subscription_, -1, -1);
}

void Responder::on_request(natsConnection* connection, natsSubscription*, natsMsg* message, void* closure) {
  auto& self = *static_cast<Responder*>(closure);
  const auto stamp = read_payload(data_of(message));
  if (stamp && stamp->publisher < self.requests_.size() && stamp->sequence != 0) {
    const std::scoped_lock lock(self.mutex_);
    self.requests_[stamp->publisher].see(stamp->sequence);
  }
  if (const char* reply = natsMsg_GetReply(message); reply != nullptr) {
    natsConnection_Publish(connection, reply, natsMsg_GetData(message), natsMsg_GetDataLength(message));
  }
  natsMsg_Destroy(message);
}

StreamCounts Responder::counts(const std::vector<std::uint64_t>& asked) const {
  const std::scoped_lock lock(mutex_);
  StreamCounts sum;
  for (std::size_t i = 0; i < requests_.size(); ++i) sum += requests_[i].counts(asked[i]);
  return sum;
}

Requester::Requester(const Options& options, std::uint32_t index, Connection connection)
    : options_(options),
      index_(index),
      connection_(std::move(connection)),
      subject_(options.run + ".rq.r" + std::to_string(index)) {
  natsInbox* inbox = nullptr;
  if (natsInbox_Create(&inbox) == NATS_OK) inbox_ = inbox;
  natsInbox_Destroy(inbox);
  natsConnection_Subscribe(&subscription_, connection_.raw(), (inbox_ + ".*").c_str(), on_reply, this);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Requester::~Requester() {
  stop_asking();
  natsSubscription_Destroy(subscription_);
}

void Requester::stop_asking() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  static_cast<void>(connection_.flush(kStopLimit));
}

void Requester::run(const std::stop_token& stop) {
  while (!counting_ && !stop.stop_requested()) {
    ask(stop, 0, Clock::now());
    std::this_thread::sleep_for(kWarmPeriod);
  }
  const std::chrono::duration<double> period(options_.request_rate > 0 ? 1.0 / options_.request_rate : 0.01);
  auto next = Clock::now();
  while (!stop.stop_requested()) {
    std::this_thread::sleep_until(next);
    ask(stop, ++asked_, next);
    next += std::chrono::duration_cast<Clock::duration>(period);
  }
}

void Requester::ask(const std::stop_token& stop, std::uint64_t sequence, Clock::time_point scheduled) {
  std::string payload;
  write_payload(payload, {index_, 0, sequence, scheduled}, options_.size_bytes);
  const auto reply = inbox_ + "." + std::to_string(sequence);
  const auto began = Clock::now();
  while (natsConnection_PublishRequest(connection_.raw(), subject_.c_str(), reply.c_str(), payload.data(),
                                       static_cast<int>(payload.size())) != NATS_OK) {
    if (stop.stop_requested() && Clock::now() - began > kStopLimit) return;
    std::this_thread::sleep_for(kRetryPeriod);
  }
}

void Requester::on_reply(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
  const auto now = Clock::now();
  auto& self = *static_cast<Requester*>(closure);
  const auto stamp = read_payload(data_of(message));
  const std::string_view subject = natsMsg_GetSubject(message);
  if (!stamp || stamp->publisher != self.index_ || !subject.ends_with("." + std::to_string(stamp->sequence))) {
    // While warming up the responder may not be there yet: the server then answers 503, with an empty payload.
    if (self.counting_ || !data_of(message).empty()) ++self.wrong_;
  } else if (stamp->sequence == 0) {
    self.warm_ = true;
  } else {
    const std::scoped_lock lock(self.mutex_);
    self.replies_.see(stamp->sequence);
    self.latency_.record(now - stamp->sent);
  }
  natsMsg_Destroy(message);
}

bool Requester::complete() const {
  const std::scoped_lock lock(mutex_);
  return replies_.complete(asked_);
}

StreamCounts Requester::counts() const {
  const std::scoped_lock lock(mutex_);
  return replies_.counts(asked_);
}

LatencyHistogram Requester::latency() const {
  const std::scoped_lock lock(mutex_);
  return latency_;
}

}  // namespace hawser::load
