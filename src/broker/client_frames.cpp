// What a client says once it is known: publishing, subscribing, and what comes back.
#include <fmt/format.h>

#include "base/log.hpp"
#include "broker/client.hpp"
#include "broker/worker.hpp"
#include "wire/subject.hpp"

namespace hawser::broker {
namespace {

constexpr std::string_view kReservedReplies = "_R_.";
constexpr std::string_view kReservedGatewayReplies = "_GR_.";
constexpr std::size_t kMostTraced = 4096;
constexpr Duration kRest = std::chrono::milliseconds(2);
constexpr Duration kLongestRest = std::chrono::milliseconds(10);  // as nats-server's, and then the reader is cut off
constexpr std::size_t kMostSubscriptions = 4U << 20U;             // of one client, whatever the configuration allows
constexpr std::size_t kWriteEarly = 48UL << 10U;  // bytes for one client; more of them would leave the cache unsent
constexpr std::string_view kNoResponders = "NATS/1.0 503\r\n\r\n";

}  // namespace

void Client::on_frame(const wire::Frame& frame) {
  if (worker_.tracing()) [[unlikely]] {
    trace_heard(frame);
  }
  if (phase_ != Phase::serving && frame.op != wire::Op::connect && frame.op != wire::Op::info) [[unlikely]] {
    on_other_before_connect();
    if (phase_ != Phase::serving) {
      return;
    }
  }
  switch (frame.op) {
    case wire::Op::pub:
    case wire::Op::hpub: on_publish(frame); break;
    case wire::Op::ping: answer(wire::kPong); break;
    case wire::Op::pong: on_pong(); break;
    case wire::Op::sub: on_subscribe(frame); break;
    case wire::Op::unsub: on_unsubscribe(frame); break;
    case wire::Op::connect: on_connect(frame.payload); break;
    default:  // INFO means nothing from a client; the parser lets nothing else pass
      break;
  }
}

void Client::on_publish(const wire::Frame& frame) {
  const std::size_t bytes = frame.headers.size() + frame.payload.size();
  ++traffic_.in_msgs;
  traffic_.in_bytes += bytes;
  ++view_->traffic.in_msgs;
  view_->traffic.in_bytes += bytes;
  if (!frame.headers.empty() && !headers_) [[unlikely]] {
    log::error("message headers not supported", {{"client", peer_.text()}, {"cid", id_}});
    end(CloseReason::message_header_violation);
    return;
  }
  if (view_->rules->mappings.empty()) [[likely]] {
    publish(frame, frame.subject);
  } else {
    std::string scratch;
    const std::string_view subject = worker_.mapped(*view_, frame.subject, scratch);
    if (subject != frame.subject && log::enabled(log::Level::trace)) {
      trace(fmt::format("<<- [MAPPING {} -> {}]", frame.subject, subject));
    }
    publish(frame, subject);
  }
}

// Rights are those to where it goes, as nats-server has it. `subject` may be empty: it goes nowhere.
void Client::publish(const wire::Frame& frame, std::string_view subject) {
  if (rights_ != nullptr && !subject.empty() && !may_publish(subject)) [[unlikely]] {
    refuse_publish(subject, fmt::format("Permissions Violation for Publish to \"{}\"", subject));
    return;
  }
  if (!frame.reply.empty() && frame.reply.front() == '_' &&
      (frame.reply.starts_with(kReservedReplies) || frame.reply.starts_with(kReservedGatewayReplies))) [[unlikely]] {
    refuse_publish(frame.subject, fmt::format("Permissions Violation for Publish with Reply of \"{}\"", frame.reply));
    return;
  }
  if (pedantic_ && !wire::passes_pedantic_publish(frame.subject)) [[unlikely]] {
    say_error("Invalid Publish Subject");  // a complaint, no more: `a.*` goes where it would go without it
  }
  if (verbose_) [[unlikely]] {
    confirm();  // before the message, should it come back to this client
  }
  // The parser has only just stored these: what is empty, as it mostly is, is not waited for.
  const Message message{.subject = subject,
                        .reply = frame.reply.empty() ? std::string_view{} : frame.reply,
                        .headers = frame.headers.empty() ? std::string_view{} : frame.headers,
                        .body = wire::body(frame),
                        .from = id_};
  if (!worker_.route(*view_, message) && no_responders_ && !message.reply.empty()) {
    answer_no_responders(message);
  }
}

bool Client::may_publish(std::string_view subject) {
  return rights_->publish.permits_publish(subject, *memo_) ||
         (replies_ != nullptr && replies_->use(subject, worker_.reactor().now()));
}

void Client::refuse_publish(std::string_view subject, std::string_view text) {
  worker_.hub().counters.denied_publishes.add();
  log::error("Publish Violation", {{"client", peer_.text()},
                                   {"cid", id_},
                                   {"user", grant_.user},
                                   {"account", view_->account.name},
                                   {"subject", subject}});
  say_error(text);
}

// Only to a requester that listens for the answer itself, and not in a queue group: the 503 is for it alone.
void Client::answer_no_responders(const Message& message) {
  for (const routing::SubscriptionPtr& one : worker_.look_up(*view_, message.reply).plain) {
    if (one->thread != worker_.index()) {
      continue;  // another thread's to look at
    }
    auto& subscription = static_cast<Subscription&>(*one);
    if (subscription.client != this || subscription.imported) {
      continue;
    }
    std::string frame;
    wire::append_hmsg(frame, message.reply, subscription.sid, {}, kNoResponders, {});
    answer(frame);
    ++traffic_.out_msgs;
    traffic_.out_bytes += kNoResponders.size();
    if (++subscription.delivered == subscription.max) {
      unsubscribe(std::static_pointer_cast<Subscription>(one));
    }
    return;
  }
}

bool Client::deliver(Subscription& to, Fanout& fanout) {
  if (phase_ == Phase::leaving) [[unlikely]] {
    return false;  // it has not forgotten all its subscriptions yet
  }
  if (to.imported) [[unlikely]] {
    return deliver_import(*to.imported, fanout);
  }
  const Message& message = fanout.message();
  if (message.from == id_ && !echo_) {
    return false;
  }
  if (to.checks_delivery && rights_ != nullptr && !rights_->subscribe.permits_delivery(message.subject)) {
    return false;
  }
  if (worker_.tracing()) [[unlikely]] {
    trace_delivered(message, to.sid);
  }
  const std::size_t bytes = fanout.write(stream_.output(), to.sid, headers_);
  stream_.touch();
  ++traffic_.out_msgs;
  traffic_.out_bytes += bytes;
  ++view_->traffic.out_msgs;
  view_->traffic.out_bytes += bytes;
  if (replies_ != nullptr && !message.reply.empty()) {
    replies_->remember(message.reply, worker_.reactor().now());
  }
  if (++to.delivered == to.max) {
    if (const auto at = subscriptions_.find(to.sid); at != subscriptions_.end()) {
      unsubscribe(SubscriptionPtr(at->second));
    }
  }
  const std::size_t unsent = stream_.output().unsent_bytes();
  if (unsent > worker_.configuration()->settings->limits.max_pending / 2) [[unlikely]] {
    fall_behind();
  } else if (unsent >= kWriteEarly) {
    stream_.write_full_chunks();  // it may end, as above
  }
  return true;
}

// What it was sent in this turn may be all that it has not read: it goes out before anything is said against it.
void Client::fall_behind() {
  stream_.write_early();
  const std::size_t pending = stream_.output().unsent_bytes();
  const std::size_t most = settings().limits.max_pending;
  if (phase_ == Phase::leaving || pending <= most / 2) {
    return;
  }
  if (pending <= most) {  // the nearer to the end, the longer the rest
    worker_.note_pressure(kRest + (kLongestRest - kRest) * static_cast<std::int64_t>(pending - most / 2) /
                                      static_cast<std::int64_t>(most / 2 + 1));
    return;
  }
  worker_.hub().counters.slow_pending.add();
  if (view_ != nullptr) {
    view_->account.slow_consumers.add();
  }
  log::warn("Slow Consumer Detected",
            {{"client", peer_.text()}, {"cid", id_}, {"reason", "max_pending"}, {"pending_bytes", pending}});
  end(CloseReason::slow_consumer_pending_bytes);
}

void Client::on_subscribe(const wire::Frame& frame) {
  if (wire::subscribe_fault(frame.subject) != wire::SubjectFault::none) {
    say_error("Invalid Subject");
    return;
  }
  const Limits& limits = settings().limits;
  if (limits.max_subscription_tokens != 0 && wire::token_count(frame.subject) > limits.max_subscription_tokens) {
    refuse_subscribe(frame, ", too many tokens");
    return;
  }
  if (rights_ != nullptr && !rights_->subscribe.permits_subscribe(frame.subject, frame.queue)) {
    refuse_subscribe(frame, frame.queue.empty() ? std::string() : fmt::format(" using queue \"{}\"", frame.queue));
    return;
  }
  if (subscriptions_.contains(frame.sid)) {
    confirm();
    return;
  }
  if ((limits.max_subscriptions != 0 && subscriptions_.size() >= limits.max_subscriptions) ||
      subscriptions_.size() >= kMostSubscriptions || has_all_it_may() || account_is_full()) {
    log::error("maximum subscriptions exceeded", {{"client", peer_.text()}, {"cid", id_}, {"user", grant_.user}});
    say_error("maximum subscriptions exceeded");
    return;
  }
  auto subscription = std::make_shared<Subscription>();
  subscription->subject = frame.subject;
  subscription->queue = frame.queue;
  subscription->thread = worker_.index();
  subscription->sid = frame.sid;
  subscription->account = &view_->account;
  subscription->client = this;
  subscription->checks_delivery = rights_ != nullptr && rights_->subscribe.needs_delivery_check(frame.subject);
  subscriptions_.emplace(subscription->sid, subscription);
  view_->account.subscriptions.fetch_add(1);
  view_->account.sublist.insert(subscription);
  if (!view_->rules->streams.empty()) {
    listen_abroad(subscription);
  }
  confirm();
}

bool Client::account_is_full() const {
  const std::int64_t most = view_->rules->max_subscriptions;
  return most >= 0 && view_->account.subscriptions.load() >= most;
}

bool Client::has_all_it_may() const {
  return grant_.jwt != nullptr && grant_.jwt->max_subscriptions >= 0 &&
         subscriptions_.size() >= static_cast<std::size_t>(grant_.jwt->max_subscriptions);
}

void Client::refuse_subscribe(const wire::Frame& frame, std::string_view more) {
  worker_.hub().counters.denied_subscribes.add();
  log::error("Subscription Violation", {{"client", peer_.text()},
                                        {"cid", id_},
                                        {"user", grant_.user},
                                        {"account", view_->account.name},
                                        {"subject", frame.subject},
                                        {"queue", frame.queue}});
  say_error(fmt::format("Permissions Violation for Subscription to \"{}\"{}", frame.subject, more));
}

void Client::on_unsubscribe(const wire::Frame& frame) {
  const auto at = subscriptions_.find(frame.sid);
  if (at != subscriptions_.end()) {
    Subscription& subscription = *at->second;
    if (frame.max > subscription.delivered) {
      subscription.max = frame.max;
    } else {
      unsubscribe(SubscriptionPtr(at->second));
    }
  }
  confirm();
}

void Client::unsubscribe(const SubscriptionPtr& subscription) {
  subscription->client = nullptr;
  stop_listening_abroad(*subscription);
  subscription->account->sublist.remove(subscription);
  if (subscriptions_.erase(subscription->sid) != 0) {
    subscription->account->subscriptions.fetch_sub(1);
  }
}

void Client::on_pong() {
  pings_out_ = 0;
  if (ping_sent_ != Time{}) {
    rtt_ = std::max<Duration>(worker_.reactor().now() - ping_sent_, std::chrono::microseconds(1));
    ping_sent_ = Time{};
  }
}

void Client::say_error(std::string_view text) {
  std::string frame;
  wire::append_err(frame, text);
  answer(frame);
}

void Client::confirm() {
  if (verbose_) {
    answer(wire::kOk);
  }
}

void Client::answer(std::string_view frame) {
  unread_ = answered_ > stream_.output().sent() ? unread_ + frame.size() : frame.size();
  stream_.write(frame);
  answered_ = stream_.output().end();
  if (log::enabled(log::Level::trace)) [[unlikely]] {
    const std::string_view line = frame.substr(0, frame.find('\r'));
    trace(fmt::format("->> [{}]", line.starts_with('+') ? line.substr(1) : line));
  }
}

void Client::trace(std::string_view what) const { log::trace(what, {{"client", peer_.text()}, {"cid", id_}}); }

void Client::trace_heard(const wire::Frame& frame) const {
  const std::string_view line = frame.raw.substr(0, frame.raw.find_first_of("\r\n"));
  trace(fmt::format("<<- [{}]", frame.op == wire::Op::connect ? "CONNECT {…}" : line));  // it holds secrets
  if (frame.op == wire::Op::pub || frame.op == wire::Op::hpub) {
    const std::size_t most = settings().logging.max_traced_msg_len;
    const std::string_view payload = most == 0 ? frame.payload : frame.payload.substr(0, most);
    trace(fmt::format("<<- MSG_PAYLOAD: [\"{}\"]", payload.substr(0, kMostTraced)));
  }
}

void Client::trace_delivered(const Message& message, std::string_view sid) const {
  const bool headers = headers_ && !message.headers.empty();
  const std::size_t all = message.body.size() - 2;  // CRLF
  const std::string sizes =
      headers ? fmt::format("{} {}", message.headers.size(), all) : fmt::format("{}", all - message.headers.size());
  const std::string_view gap = message.reply.empty() ? "" : " ";
  trace(
      fmt::format("->> [{} {} {}{}{} {}]", headers ? "HMSG" : "MSG", message.subject, sid, gap, message.reply, sizes));
}

}  // namespace hawser::broker
