// What a client gets past the server: answers and messages of other local clients, while no server is there.
#include "agent/client.hpp"
#include "agent/local_mark.hpp"
#include "wire/headers.hpp"
#include "wire/subject.hpp"
#include "wire/writer.hpp"

namespace hawser::agent {
namespace {

constexpr std::string_view kNoRespondersBlock = "NATS/1.0 503\r\n\r\n";

}  // namespace

bool Client::answer_no_responders(const wire::Frame& request) {
  if (!no_responders_) {
    return false;
  }
  std::string answer;
  session_->subscriptions().for_each([&](const session::Subscription& subscription) {
    if (answer.empty() && wire::matches(subscription.subject, request.reply)) {
      wire::append_hmsg(answer, request.reply, subscription.sid, {}, kNoRespondersBlock, {});
      answered_sid_ = subscription.sid;
    }
  });
  if (answer.empty() || !session_->count_local(answered_sid_)) {
    return false;
  }
  on_messages(answer, 1);
  return true;
}

bool Client::subscribes_to(std::string_view subject) const {
  bool any = false;
  session_->subscriptions().for_each(
      [&](const session::Subscription& subscription) { any = any || wire::matches(subscription.subject, subject); });
  return any;
}

std::size_t Client::max_body_with_headers() const {
  return worker_.upstream->headers ? static_cast<std::size_t>(std::max<std::int64_t>(worker_.upstream->max_payload, 0)) : 0;
}

void Client::deliver(const LocalDelivery& delivery) {
  if (leaving_ || !session_ || !session_->count_local(delivery.to->sid)) {
    return;
  }
  const LocalMessage& message = *delivery.message;
  std::string frame;
  if (message.headers.empty() || !headers_) {
    wire::append_msg(frame, message.subject, delivery.to->sid, message.reply, message.payload);
  } else {
    wire::append_hmsg(frame, message.subject, delivery.to->sid, message.reply, message.headers, message.payload);
  }
  worker_.metrics.local_deliveries.add();
  on_messages(frame, 1);
  if (stream_.output().unsent_bytes() > worker_.limits.max_pending_bytes) {
    disconnect_slow();  // there is nobody to hold back
  }
}

bool Client::had_before(const wire::Frame& frame) {
  if (!spool_ || (local_.empty() && echo_)) {
    return false;
  }
  const auto value = wire::find_header(frame.headers, kLocalMark);
  const auto mark = value ? parse_mark(*value) : std::nullopt;
  if (!mark || mark->sum != message_sum(frame.subject, frame.payload)) {
    return false;
  }
  const bool from_here = mark->agent == worker_.outage->routes.agent_id();
  if (from_here && mark->publisher == id_) {
    return true;
  }
  const auto at = local_.find(std::string(frame.sid));
  if (at == local_.end()) {
    return false;
  }
  return at->second->queue.empty() ? from_here && mark->number > at->second->since : mark->has_group(at->second->queue);
}

void Client::queue_progressed() {
  if (!session_ || gone_) {
    return;
  }
  spool_->progressed();
  session_->spool_progressed();
  if (leaving_) {
    end_when_done();
    return;
  }
  std::ignore = blocked();  // the disk may have failed since
  if (!spool_->safe(spool_->mark()) || !spool_->clear()) {
    await_progress();
  }
}

}  // namespace hawser::agent
