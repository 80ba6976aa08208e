#include "publisher.hpp"

#include <utility>

namespace hawser::load {
namespace {

constexpr auto kWarmPeriod = std::chrono::milliseconds(20);
constexpr auto kRetryPeriod = std::chrono::milliseconds(1);
constexpr auto kFlushLimit = std::chrono::milliseconds(30000);

bool falls_on(std::uint64_t n, std::uint64_t every) { return every != 0 && n % every == 0; }

Clock::duration period_of(double rate) {
  return rate > 0 ? std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1.0 / rate))
                  : Clock::duration::zero();
}

}  // namespace

Publisher::Publisher(const Options& options, std::uint32_t index, Connection connection)
    : options_(options),
      index_(index),
      connection_(std::move(connection)),
      heartbeat_subject_(options.run + ".hb.p" + std::to_string(index)),
      swapped_(options.subjects),
      numbered_(options.subjects) {
  for (std::uint32_t s = 0; s < options.subjects; ++s) subjects_.push_back(options.run + ".m.s" + std::to_string(s));
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

bool Publisher::stop() {
  if (!thread_.joinable()) return true;
  thread_.request_stop();
  thread_.join();
  return connection_.flush(kFlushLimit);
}

std::vector<std::uint64_t> Publisher::numbered() const { return {numbered_.begin(), numbered_.end()}; }

void Publisher::run(const std::stop_token& stop) {
  warm_up(stop);
  const auto period = period_of(options_.rate);
  const auto heartbeat_period = period_of(options_.heartbeat_rate);
  auto next = Clock::now();
  auto next_heartbeat = next;
  for (std::uint64_t n = 0; !stop.stop_requested() && (options_.count == 0 || n < options_.count); ++n) {
    if (options_.heartbeat_rate > 0 && next_heartbeat <= Clock::now()) {
      send_heartbeat(stop);
      next_heartbeat += heartbeat_period;
    }
    if (period > Clock::duration::zero()) std::this_thread::sleep_until(next);
    // The scheduled time, not the present one: a publisher that was held up must show how long.
    send_numbered(stop, n, period > Clock::duration::zero() ? next : Clock::now());
    next += period;
  }
  for (std::uint32_t s = 0; s < options_.subjects; ++s) {
    if (!swapped_[s].empty()) send(stop, subjects_[s], swapped_[s], false);
  }
  finished_ = true;
}

void Publisher::warm_up(const std::stop_token& stop) {
  while (!counting_ && !stop.stop_requested()) {
    for (std::uint32_t s = 0; s < options_.subjects; ++s) {
      write_payload(payload_, {index_, s, 0, Clock::now()}, 0);
      send(stop, subjects_[s], payload_, false);
    }
    if (options_.heartbeat_rate > 0) send(stop, heartbeat_subject_, payload_, false);
    std::this_thread::sleep_for(kWarmPeriod);
  }
}

void Publisher::send_numbered(const std::stop_token& stop, std::uint64_t n, Clock::time_point scheduled) {
  const auto s = static_cast<std::uint32_t>(n % options_.subjects);
  const std::uint64_t sequence = numbered_[s] + 1;
  const auto& faults = options_.faults;
  write_payload(payload_, {index_, s, sequence, scheduled}, options_.size_bytes);
  numbered_[s] = sequence;
  if (falls_on(sequence, faults.drop_every)) return;
  if (falls_on(sequence, faults.swap_every) && swapped_[s].empty()) {
    swapped_[s] = payload_;
    return;
  }
  if (falls_on(sequence, faults.corrupt_every)) payload_.back() = static_cast<char>(payload_.back() ^ 1);
  send(stop, subjects_[s], payload_, options_.headers && n % 2 == 1);
  if (falls_on(sequence, faults.duplicate_every)) send(stop, subjects_[s], payload_, false);
  if (!swapped_[s].empty()) send(stop, subjects_[s], std::exchange(swapped_[s], {}), false);
}

void Publisher::send_heartbeat(const std::stop_token& stop) {
  const std::uint64_t n = ++heartbeats_;
  if (falls_on(n, options_.faults.heartbeat_drop_every)) return;
  send(stop, heartbeat_subject_, {}, false);
  if (falls_on(n, options_.faults.heartbeat_duplicate_every)) send(stop, heartbeat_subject_, {}, false);
}

void Publisher::send(const std::stop_token& stop, const std::string& subject, const std::string& payload,
                     bool with_header) {
  const auto began = Clock::now();
  const auto gives_up = [&] { return stop.stop_requested() && Clock::now() - began > kFlushLimit; };
  while (hand_over(subject, payload, with_header) != NATS_OK && !gives_up()) {
    ++refused_;
    std::this_thread::sleep_for(kRetryPeriod);
  }
  const std::chrono::nanoseconds took = Clock::now() - began;
  if (took.count() > longest_call_ns_) longest_call_ns_ = took.count();
}

natsStatus Publisher::hand_over(const std::string& subject, const std::string& payload, bool with_header) {
  const auto size = static_cast<int>(payload.size());
  if (!with_header) return natsConnection_Publish(connection_.raw(), subject.c_str(), payload.data(), size);
  natsMsg* message = nullptr;
  natsStatus s = natsMsg_Create(&message, subject.c_str(), nullptr, payload.data(), size);
  if (s == NATS_OK) s = natsMsgHeader_Set(message, "Load", "numbered");
  if (s == NATS_OK) s = natsConnection_PublishMsg(connection_.raw(), message);
  natsMsg_Destroy(message);
  return s;
}

}  // namespace hawser::load
