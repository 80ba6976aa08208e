#include "agent/drain.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "wire/parser.hpp"

namespace hawser::agent {

using namespace std::chrono_literals;

namespace {

constexpr Duration kGatherWithin = 2s;
constexpr Duration kGatherLook = 10ms;
constexpr Duration kGatherSettle = 50ms;  // a server's SUBs of one connection beside PUBs of another

constexpr std::string_view kPublishViolation = "Permissions Violation for Publish to \"";

// The subject that the server's words are about; empty: none.
std::string_view refused_subject(std::string_view words) {
  if (!words.starts_with(kPublishViolation)) {
    return {};
  }
  words.remove_prefix(kPublishViolation.size());
  return words.substr(0, words.rfind('"'));
}

// Errors after which the connection is gone, and which a message may have caused.
bool may_be_a_message(const Error& error) { return error.code == Errc::server_error; }

}  // namespace

Drain::Drain(net::Reactor& reactor, Outage& outage, Metrics& metrics, std::function<void()> renew)
    : reactor_(reactor),
      outage_(outage),
      metrics_(metrics),
      renew_(std::move(renew)),
      gather_(reactor, [this] { gather(); }),
      look_(reactor, [this] {
        queue_progressed();
        look_.start(1s);
      }) {
  look_.start(Duration::zero());
}

Drain::~Drain() { *alive_ = false; }

void Drain::use(session::Session* session) {
  session_ = session;
  up_ = false;
  gathering_ = false;
  gather_.stop();
  start_over();
}

// Whatever was on its way is read again: it is still in the queue.
void Drain::start_over() {
  ++generation_;
  reading_ = false;
  waiting_.clear();
  sent_.clear();
  refused_.clear();
  read_through_ = outage_.queue->drained();
}

void Drain::on_up(const wire::ServerInfo& info) {
  max_body_ = static_cast<std::size_t>(std::max<std::int64_t>(info.max_payload, 0));
  outage_.drains_to(info.server_id);
  if (!std::exchange(up_, true)) {
    outage_.catch_up.begins();
    shared_errors_through_ = sent_.empty() ? 0 : sent_.back().token;
    const store::QueueStats stats = outage_.queue->stats();
    if (stats.messages > 0 && outage_.fallback.drain) {
      log::info("draining the disk queue", {{"messages", stats.messages}, {"bytes", stats.bytes}});
    }
    gathering_ = true;
    gathers_from_ = reactor_.now() + outage_.fallback.drain_delay;
    gathers_until_ = std::max(gathers_from_, reactor_.now() + kGatherWithin);
    gather();
  }
  send_more();
}

void Drain::gather() {
  if (!gathering_) {
    return;
  }
  const Time now = reactor_.now();
  const bool all_back = metrics_.session.sessions_up.value() > metrics_.clients.value();  // and this session
  if (const Time settled = std::max(now + kGatherSettle, gathers_from_); all_back && gathers_until_ > settled) {
    gathers_until_ = settled;
  }
  if (now >= gathers_until_ || outage_.queue->last() == outage_.queue->drained()) {
    gathering_ = false;
    send_more();
    return;
  }
  gather_.start(all_back ? gathers_until_ - now : std::min(kGatherLook, gathers_until_ - now));
}

void Drain::on_down(const Error& error) {
  if (!std::exchange(up_, false)) {
    return;
  }
  gathering_ = false;
  gather_.stop();
  if (sent_.empty() || !may_be_a_message(error)) {
    return;  // the session keeps what is not confirmed, and sends it again
  }
  const Sent& first = sent_.front();
  if (first.batch->id <= careful_through_ && sent_.size() == 1 && first.last == first.first + 1) {
    const std::vector<Message> messages = messages_of(*first.batch);
    bury(*first.batch, first.first, messages[first.first], Errc::queued_refused, error.doing);
    dead_.emplace_back(first.batch->id, first.first);
  }
  careful_through_ = sent_.back().batch->id;
  log::warn("the server ended the connection while the disk queue was drained; its messages are sent one by one now",
            {{"reason", error.doing}});
  // From outside of the session's own call.
  reactor_.post([this, alive = alive_] {
    if (*alive) {
      renew_();
    }
  });
}

void Drain::queue_progressed() {
  show();
  send_more();
}

// ---- reading
// ----------------------------------------------------------------------------------------------------------

void Drain::read_more() {
  if (reading_ || waiting_.size() >= kUnsentBatches || outage_.queue->committed() <= read_through_) {
    return;
  }
  reading_ = true;
  outage_.queue->read(read_through_, kReadBytes,
                      [this, alive = alive_, generation = generation_](Result<std::vector<store::Batch>> batches) {
                        auto shared = std::make_shared<Result<std::vector<store::Batch>>>(std::move(batches));
                        reactor_.post([this, alive, generation, shared] {
                          if (*alive && generation == generation_) {
                            on_read(std::move(*shared));
                          }
                        });
                      });
}

void Drain::on_read(Result<std::vector<store::Batch>> batches) {
  reading_ = false;
  if (!batches) {
    log::write(log::Level::error, "cannot read the disk queue", batches.error());
    return;  // the next look tries again
  }
  for (store::Batch& batch : *batches) {
    if (batch.id > read_through_) {
      read_through_ = batch.id;
      waiting_.push_back(std::make_shared<const store::Batch>(std::move(batch)));
    }
  }
  send_more();
}

// ---- sending
// ----------------------------------------------------------------------------------------------------------

void Drain::send_more() {
  if (!up_ || gathering_ || session_ == nullptr || !outage_.fallback.drain) {
    return;
  }
  while (!waiting_.empty() && session_->accepts()) {
    const bool careful = waiting_.front()->id <= careful_through_;
    if (careful && !sent_.empty()) {
      break;  // one at a time
    }
    const std::shared_ptr<const store::Batch> batch = std::move(waiting_.front());
    waiting_.pop_front();
    if (careful || batch->largest_payload > max_body_) {
      send_singly(batch);
    } else {
      send_whole(batch);
    }
  }
  read_more();
}

void Drain::send_whole(const std::shared_ptr<const store::Batch>& batch) {
  for (const store::Run& run : batch->runs) {
    session_->publish(run.frames, run.count);
  }
  sent_.push_back({next_token_, batch, 0, static_cast<std::size_t>(batch->messages), true});
  session_->flush(next_token_++);
}

// What is too large for the server goes to the dead letters unsent, since the server would end the connection. With
// care, each message has a flush of its own, and the next is sent when it is answered.
void Drain::send_singly(const std::shared_ptr<const store::Batch>& batch) {
  const bool careful = batch->id <= careful_through_;
  const std::vector<Message> messages = messages_of(*batch);
  std::size_t from = 0;
  if (careful) {  // go on behind what was confirmed of it
    from = careful_next_;
  }
  for (std::size_t i = from; i < messages.size(); ++i) {
    const Message& message = messages[i];
    if (std::ranges::find(dead_, std::pair(batch->id, i)) != dead_.end()) {
      continue;
    }
    wire::Parser parser(wire::Peer::client);
    wire::Frame frame;
    if (parser.next(message.frame, frame) != wire::Parser::Status::frame ||
        frame.headers.size() + frame.payload.size() > max_body_) {
      bury(*batch, i, message, Errc::queued_too_large, "Maximum Payload Violation");
      continue;
    }
    session_->publish(message.frame, 1);
    if (careful) {
      careful_next_ = i + 1;
      sent_.push_back({next_token_, batch, i, i + 1, false});
      session_->flush(next_token_++);
      return;
    }
  }
  careful_next_ = 0;
  sent_.push_back({next_token_, batch, 0, messages.size(), true});
  session_->flush(next_token_++);
}

void Drain::on_flushed(std::uint64_t token) {
  while (!sent_.empty() && sent_.front().token <= token) {
    const Sent sent = std::move(sent_.front());
    sent_.pop_front();
    bury_refused(sent);
    if (sent.token >= shared_errors_through_) {
      refused_.clear();
    }
    if (sent.ends_batch) {
      outage_.catch_up.drained(sent.batch->data.size());
      metrics_.queue_drained.add(sent.batch->messages);
      outage_.queue->confirm(sent.batch->id);
      std::erase_if(dead_, [&](const auto& entry) { return entry.first <= sent.batch->id; });
    } else {
      waiting_.push_front(sent.batch);  // its next message
    }
  }
  send_more();
}

// ---- dead letters
// -----------------------------------------------------------------------------------------------------

void Drain::on_client_error(std::string_view words) {
  const std::string_view subject = refused_subject(words);
  if (subject.empty()) {
    log::warn("the server complained while the disk queue was drained", {{"words", words}});
    return;
  }
  refused_.insert_or_assign(std::string(subject), std::string(words));
}

void Drain::bury_refused(const Sent& sent) {
  if (refused_.empty()) {
    return;
  }
  const std::vector<Message> messages = messages_of(*sent.batch);
  for (std::size_t i = sent.first; i < sent.last && i < messages.size(); ++i) {
    wire::Parser parser(wire::Peer::client);
    wire::Frame frame;
    if (parser.next(messages[i].frame, frame) != wire::Parser::Status::frame) {
      continue;
    }
    if (const auto refused = refused_.find(std::string(frame.subject)); refused != refused_.end()) {
      bury(*sent.batch, i, messages[i], Errc::queued_refused, refused->second);
    }
  }
}

void Drain::bury(const store::Batch& batch, std::size_t index, const Message& message, Errc code,
                 std::string_view words) {
  wire::Parser parser(wire::Peer::client);
  wire::Frame frame;
  const bool readable = parser.next(message.frame, frame) == wire::Parser::Status::frame;
  const std::string subject(readable ? frame.subject : std::string_view{});
  log::write(log::Level::warn, "a queued message went to the dead letters", Error{code, std::string(words)},
             {{"subject", subject}, {"hint", info(code).hint}});
  metrics_.messages_buried(code);
  outage_.queue->bury({store::DeadLetter{
      .batch = batch.id,
      .index = static_cast<std::uint32_t>(index),
      .client = message.client,
      .arrived_ms = message.arrived_ms,
      .died_ms = 0,
      .payload_bytes = readable ? static_cast<std::uint32_t>(frame.headers.size() + frame.payload.size()) : 0,
      .subject = subject,
      .reason = std::string(words),
      .frame = std::string(message.frame)}});
}

std::vector<Drain::Message> Drain::messages_of(const store::Batch& batch) {
  std::vector<Message> messages;
  messages.reserve(batch.messages);
  wire::Parser parser(wire::Peer::client);
  wire::Frame frame;
  for (const store::Run& run : batch.runs) {
    std::string_view rest = run.frames;
    while (!rest.empty() && parser.next(rest, frame) == wire::Parser::Status::frame) {
      messages.push_back({run.client, run.arrived_ms, frame.raw});
      rest.remove_prefix(frame.raw.size());
    }
  }
  return messages;
}

// ---- metrics
// ----------------------------------------------------------------------------------------------------------

void Drain::show() {
  const store::QueueStats stats = outage_.queue->stats();
  metrics_.queue_messages.set(static_cast<double>(stats.messages));
  metrics_.queue_bytes.set(static_cast<double>(stats.bytes));
  metrics_.dead_letters.set(static_cast<double>(stats.dead_letters));
  metrics_.queue_shed.add(stats.shed_messages - std::exchange(shed_shown_, stats.shed_messages));
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(wall_now().time_since_epoch()).count();
  const bool any = stats.messages > 0 && stats.oldest_ms > 0;
  metrics_.queue_oldest.set(any ? static_cast<double>(std::max<std::int64_t>(now - stats.oldest_ms, 0)) / 1000.0 : 0.0);
}

}  // namespace hawser::agent
