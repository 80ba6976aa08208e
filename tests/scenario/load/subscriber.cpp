#include "subscriber.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace hawser::load {
namespace {

constexpr std::size_t kExamples = 8;  // for each subscription, in the report

// The index at the end of a subject's last token: 12 of "run.m.s12".
std::uint32_t last_index(std::string_view subject) {
  const auto digits = subject.find_last_not_of("0123456789") + 1;
  std::uint32_t index = UINT32_MAX;
  std::from_chars(subject.data() + digits, subject.data() + subject.size(), index);
  return index;
}

}  // namespace

Judgement::Judgement(std::string name, std::uint32_t publishers, std::uint32_t subject_count,
                     std::vector<std::uint32_t> subjects, bool ordered, std::uint32_t unheard)
    : name_(std::move(name)),
      publishers_(publishers),
      subject_count_(subject_count),
      subjects_(std::move(subjects)),
      ordered_(ordered),
      unheard_(unheard),
      streams_(std::size_t{publishers} * subject_count),
      heartbeat_warm_(publishers) {}

void Judgement::take(std::string_view subject, std::string_view payload, Clock::time_point now) {
  const std::scoped_lock lock(mutex_);
  if (payload.empty() && counts_heartbeats()) {
    ++heartbeats_;
    return;
  }
  const auto stamp = read_payload(payload);
  const bool known = stamp && stamp->publisher < publishers_ && stamp->publisher != unheard_ &&
                     (counts_heartbeats() || (stamp->subject < subject_count_ && stamp->subject == last_index(subject)));
  if (!known) {
    ++corrupted_;
    note(fmt::format("{}: {} bytes on {} are not what was sent to it", name_, payload.size(), subject));
    return;
  }
  if (stamp->sequence == 0) {
    if (counts_heartbeats()) heartbeat_warm_[stamp->publisher] = true;
    else stream(stamp->publisher, stamp->subject).warm = true;
    return;
  }
  ++received_;
  const auto arrival = stream(stamp->publisher, stamp->subject).tracker.see(stamp->sequence);
  if (arrival == Arrival::duplicate || (arrival == Arrival::late && ordered_)) {
    note(fmt::format("{}: {} number {} of publisher {} on {}, {:.1f} ms after it was sent", name_,
                     arrival == Arrival::duplicate ? "repeated" : "late", stamp->sequence, stamp->publisher, subject,
                     std::chrono::duration<double, std::milli>(now - stamp->sent).count()));
  }
  window_.latency.record(now - stamp->sent);
  if (last_arrival_ != Clock::time_point{}) window_.longest_gap = std::max(window_.longest_gap, now - last_arrival_);
  last_arrival_ = now;
}

void Judgement::note(std::string text) {
  if (examples_.size() < kExamples) examples_.push_back(std::move(text));
}

bool Judgement::warm() const {
  const std::scoped_lock lock(mutex_);
  if (counts_heartbeats()) return std::ranges::all_of(heartbeat_warm_, [](bool w) { return w; });
  bool all = true;
  for_each_stream([&](const Stream& s, std::uint32_t, std::uint32_t) { all = all && s.warm; });
  return all;
}

bool Judgement::complete(const Published& published) const {
  const std::scoped_lock lock(mutex_);
  bool all = true;
  for_each_stream([&](const Stream& s, std::uint32_t publisher, std::uint32_t subject) {
    all = all && s.tracker.complete(published.numbered[publisher][subject]);
  });
  std::uint64_t heartbeats = 0;
  for (const auto n : published.heartbeats) heartbeats += n;
  return all && (!counts_heartbeats() || heartbeats_ >= heartbeats);
}

StreamCounts Judgement::counts(const Published& published) const {
  const std::scoped_lock lock(mutex_);
  StreamCounts sum;
  for_each_stream([&](const Stream& s, std::uint32_t publisher, std::uint32_t subject) {
    sum += s.tracker.counts(published.numbered[publisher][subject]);
  });
  return sum;
}

std::vector<std::string> Judgement::examples(const Published& published) const {
  const std::scoped_lock lock(mutex_);
  auto result = examples_;
  for_each_stream([&](const Stream& s, std::uint32_t publisher, std::uint32_t subject) {
    const auto all = published.numbered[publisher][subject];
    const auto missing = s.tracker.first_missing(all);
    if (missing != 0 && result.size() < 2 * kExamples) {
      result.push_back(fmt::format("{}: number {} (of {}) of publisher {} on subject {} never came", name_, missing, all,
                                   publisher, subject));
    }
  });
  return result;
}

std::uint64_t Judgement::received() const {
  const std::scoped_lock lock(mutex_);
  return received_;
}

std::uint64_t Judgement::heartbeats_received() const {
  const std::scoped_lock lock(mutex_);
  return heartbeats_;
}

std::uint64_t Judgement::corrupted() const {
  const std::scoped_lock lock(mutex_);
  return corrupted_;
}

Window Judgement::window(bool restart) {
  const std::scoped_lock lock(mutex_);
  Window result = window_;
  if (restart) {
    total_.latency += window_.latency;
    total_.longest_gap = std::max(total_.longest_gap, window_.longest_gap);
    window_ = Window{};
  }
  return result;
}

Window Judgement::total() const {
  const std::scoped_lock lock(mutex_);
  Window result = total_;
  result.latency += window_.latency;
  result.longest_gap = std::max(result.longest_gap, window_.longest_gap);
  return result;
}

std::expected<std::unique_ptr<Subscription>, std::string> Subscription::open(natsConnection* connection,
                                                                             const std::string& subject,
                                                                             const std::string& queue,
                                                                             std::shared_ptr<Judgement> judgement) {
  std::unique_ptr<Subscription> result(new Subscription(std::move(judgement)));
  natsStatus s = queue.empty()
                     ? natsConnection_Subscribe(&result->subscription_, connection, subject.c_str(), on_message, result.get())
                     : natsConnection_QueueSubscribe(&result->subscription_, connection, subject.c_str(), queue.c_str(),
                                                     on_message, result.get());
  if (s == NATS_OK) s = natsSubscription_SetPendingLimits(result->subscription_, -1, -1);
  if (s != NATS_OK) return std::unexpected("cannot subscribe to " + subject + ": " + natsStatus_GetText(s));
  return result;
}

Subscription::~Subscription() { natsSubscription_Destroy(subscription_); }

void Subscription::on_message(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
  const auto now = Clock::now();
  auto& self = *static_cast<Subscription*>(closure);
  self.judgement_->take(natsMsg_GetSubject(message),
                        {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))}, now);
  natsMsg_Destroy(message);
}

}  // namespace hawser::load
