#include "agent/client_spool.hpp"

#include <algorithm>

#include "agent/local_mark.hpp"
#include "base/clock.hpp"
#include "wire/headers.hpp"
#include "wire/parser.hpp"
#include "wire/writer.hpp"

namespace hawser::agent {
namespace {

constexpr std::size_t kRunBytes = 256UL << 10U;
constexpr std::size_t kMarkRoom = 512;                   // for the header that says who had a message
constexpr std::uint64_t kUncommittedBytes = 8UL << 20U;  // of all clients, before they are held up
constexpr std::uint64_t kNearlyClearBytes = 512UL << 10U;

std::int64_t milliseconds_now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(wall_now().time_since_epoch()).count();
}

}  // namespace

ClientSpool::ClientSpool(Outage& outage, Metrics& metrics, SpoolOwner& owner, std::uint64_t client)
    : outage_(outage), metrics_(metrics), owner_(owner), client_(client) {
  if (outage_.queue != nullptr) {
    // A client that comes back on another connection stands behind what it published on the one before.
    behind_ = outage_.queue->last();
    if (!clear()) {
      owner_.await_progress();
    }
  }
}

std::size_t ClientSpool::put(std::string_view frames, Why why) {
  wire::Parser parser(wire::Peer::client);
  wire::Frame frame;
  std::size_t taken = 0;  // and on its way to the disk, or settled
  std::size_t seen = 0;
  forget_run();
  while (seen < frames.size() && parser.next(frames.substr(seen), frame) == wire::Parser::Status::frame) {
    seen += frame.raw.size();
    if (decide(frame, why) == Fate::queued) {
      keep(frame);
    }
    if (run_.size() >= kRunBytes || seen == frames.size()) {
      if (!commit()) {
        break;
      }
      taken = seen;
    }
  }
  return taken;
}

ClientSpool::Fate ClientSpool::decide(const wire::Frame& frame, Why why) {
  mark_.clear();
  if (outage_.fallback.mode == FallbackMode::fail) {
    metrics_.refused_in_outage.add();
    owner_.on_publish_refused(frame.subject, "no server can be reached, and fallback.mode is fail");
    return Fate::settled;
  }
  if (outage_.fallback.mode == FallbackMode::drop || outage_.queue == nullptr) {
    metrics_.dropped_in_outage.add();
    return Fate::settled;
  }
  const bool request = !frame.reply.empty() && !outage_.fallback.queue_requests;
  const bool offered = why == Why::away && outage_.delivers_locally() && offer(frame);
  if (!request) {
    return Fate::queued;
  }
  if (offered) {  // somebody here answers it; to queue it would be to ask a second time
    metrics_.requests_answered_locally.add();
    return Fate::settled;
  }
  if (owner_.answer_no_responders(frame)) {
    metrics_.requests_refused.add();
    return Fate::settled;
  }
  return Fate::queued;
}

// Whether a local client gets it. What they get is kept until the message is in the queue.
bool ClientSpool::offer(const wire::Frame& frame) {
  if (frame.headers.size() + frame.payload.size() + kMarkRoom > owner_.max_body_with_headers()) {
    return false;  // it could not carry the mark, and would be delivered twice
  }
  const std::uint64_t number = outage_.routes.offer(frame.subject, route_);
  const bool own = owner_.wants_echo();
  LocalMark mark;
  mark.agent = outage_.routes.agent_id();
  mark.number = number;
  mark.sum = message_sum(frame.subject, frame.payload);
  if (!own && owner_.subscribes_to(frame.subject)) {
    mark.publisher = client_;
  }
  std::string groups;
  std::shared_ptr<const LocalMessage> message;
  const auto deliver = [&](const routing::SubscriptionPtr& subscription) {
    auto to = std::static_pointer_cast<LocalSubscription>(subscription);
    if (to->client == client_ && !own) {
      return false;
    }
    if (!message) {
      message =
          std::make_shared<const LocalMessage>(LocalMessage{std::string(frame.subject), std::string(frame.reply),
                                                            std::string(frame.headers), std::string(frame.payload)});
    }
    deliveries_[to->thread].push_back({std::move(to), message});
    return true;
  };
  for (const routing::SubscriptionPtr& subscription : route_.plain) {
    deliver(subscription);
  }
  for (const routing::QueueGroup& group : route_.groups) {
    const std::size_t members = group.members.size();
    for (std::size_t i = 0; i < members; ++i) {
      if (deliver(group.members[(number + i) % members])) {
        (groups += groups.empty() ? "" : " ") += group.name;
        break;
      }
    }
  }
  if (message || mark.publisher != 0) {
    mark.groups = groups;
    mark_ = mark_value(mark);
  }
  return message != nullptr;
}

void ClientSpool::keep(const wire::Frame& frame) {
  const std::size_t before = run_.size();
  if (mark_.empty() || (!frame.headers.empty() && !wire::looks_like_headers(frame.headers))) {
    run_ += frame.raw;
  } else {
    wire::append_pub_with_header(run_, frame, kLocalMark, mark_);
  }
  const std::size_t body = frame.headers.size() + frame.payload.size() + (run_.size() - before - frame.raw.size());
  largest_ = std::max(largest_, static_cast<std::uint32_t>(body));
  ++count_;
}

bool ClientSpool::commit() {
  if (count_ > 0) {
    const auto ticket = outage_.queue->append({.client = client_,
                                               .arrived_ms = milliseconds_now(),
                                               .count = count_,
                                               .largest_payload = largest_,
                                               .frames = run_});
    owner_.await_progress();
    full_ = !ticket;
    if (!ticket) {
      forget_run();
      return false;
    }
    last_ = behind_ = *ticket;
    outage_.catch_up.put(run_.size());
  }
  for (auto& [worker, deliveries] : deliveries_) {
    outage_.deliver(worker, std::exchange(deliveries, {}));
  }
  forget_run();
  return true;
}

void ClientSpool::forget_run() {
  run_.clear();
  count_ = 0;
  largest_ = 0;
  deliveries_.clear();
}

bool ClientSpool::safe(std::uint64_t mark) const {
  return outage_.queue == nullptr || outage_.queue->committed() >= mark;
}

bool ClientSpool::clear() const {
  return outage_.queue == nullptr || !outage_.fallback.drain || outage_.queue->drained() >= behind_;
}

bool ClientSpool::nearly_clear() const { return clear() || outage_.queue->stats().bytes <= kNearlyClearBytes; }

std::string_view ClientSpool::server_id() const {
  server_ = outage_.drain_server();
  return *server_;
}

bool ClientSpool::accepts(Why why) const {
  if (outage_.queue == nullptr) {
    return true;
  }
  const bool yes = !full_ && outage_.queue->writable() && outage_.queue->uncommitted_bytes() < kUncommittedBytes &&
                   (why == Why::away || nearly_clear() || outage_.catch_up.allows_more());
  if (!yes) {
    owner_.await_progress();
  }
  return yes;
}

}  // namespace hawser::agent
