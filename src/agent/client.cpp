#include "agent/client.hpp"

#include <algorithm>
#include <tuple>

#include "base/log.hpp"
#include "wire/connect.hpp"
#include "wire/headers.hpp"
#include "wire/subject.hpp"
#include "wire/writer.hpp"

namespace hawser::agent {
namespace {

constexpr std::size_t kChokeBytes = 1UL << 20U;  // waiting for a client: the session is paused
constexpr std::size_t kCalmBytes = 256UL << 10U;
constexpr std::string_view kMessageId = "Nats-Msg-Id";
constexpr std::string_view kFull = "Disk Queue Full";
constexpr std::string_view kWindowFull = "no server, and the window is full";

}  // namespace

Client::Client(WorkerContext& worker, std::uint64_t id, std::string ip)
    : worker_(worker),
      id_(id),
      ip_(std::move(ip)),
      stream_(worker.reactor, *this),
      parser_(wire::Peer::client),
      patience_(worker.reactor, [this] { give_up_waiting(); }) {}

Client::~Client() {
  if (session_) {
    session_->stop();
    worker_.reactor.retire(std::move(session_));
  }
}

Result<void> Client::adopt(net::Fd fd) {
  auto adopted = stream_.adopt(std::move(fd));
  if (adopted) {
    greet(*worker_.upstream);
  }
  return adopted;
}

void Client::greet(const wire::ServerInfo& upstream) {
  GreetingContext context = worker_.greeting;
  context.client_id = id_;
  context.client_ip = ip_;
  const wire::ServerInfo info = greeting(upstream, context);
  max_payload_ = info.max_payload;
  parser_.set_limits({.payload_bytes = static_cast<std::size_t>(max_payload_)});
  std::string line;
  wire::append_info(line, wire::to_json(info));
  stream_.write(line);
}

// ---- from the client ------------------------------------------------------------------------------------------------

std::size_t Client::on_data(net::Stream& /*stream*/, std::string_view bytes) {
  std::size_t used = 0;
  wire::Frame frame;
  while (used < bytes.size() && !leaving_ && !blocked()) {
    const auto status = parser_.next(bytes.substr(used), frame);
    if (status == wire::Parser::Status::more) {
      break;
    }
    if (status == wire::Parser::Status::error) {
      end_run();
      refuse(parser_.server_text(), parser_.error().message());
      return bytes.size();
    }
    used += frame.raw.size();
    if ((frame.op == wire::Op::pub || (frame.op == wire::Op::hpub && headers_)) && session_ && !rejecting_) {
      add_to_run(frame);
      if (verbose_) {
        stream_.write(wire::kOk);
      }
      continue;
    }
    end_run();
    on_control(frame);
  }
  end_run();
  if (used == bytes.size() && spool_ && !leaving_) {
    std::ignore = blocked();  // a full queue is told of, even if the client waits for the answer to a flush
  }
  return leaving_ ? bytes.size() : used;
}

// Whether the session takes no more now, or the client does not read our answers; then the rest of the input waits in the
// stream.
bool Client::blocked() {
  if (stream_.output().unsent_bytes() > worker_.limits.max_pending_bytes) {  // messages alone choke it before
    choke();
    deaf_ = true;
    stream_.pause();
    return true;
  }
  if (!session_ || (rejecting_ && !session_->flushes_full()) || run_count_ > 0 || session_->accepts()) {
    return false;
  }
  if (!waiting_) {
    waiting_ = true;
    stream_.pause();
    if (!choked_) {
      patience_.start(worker_.limits.reject_after);
    }
  }
  return true;
}

// Publishes pass as the bytes that they came in, unless they get a header.
void Client::add_to_run(const wire::Frame& frame) {
  if (!worker_.message_ids.empty() && worker_.upstream->headers) {
    if (frame.headers.empty() ||
        (wire::looks_like_headers(frame.headers) && !wire::find_header(frame.headers, kMessageId))) {
      const std::string id = worker_.message_ids + std::to_string(id_) + '-' + std::to_string(++messages_named_);
      wire::append_pub_with_header(written_run_, frame, kMessageId, id);
    } else {
      written_run_ += frame.raw;
    }
    run_ = written_run_;
  } else if (run_.data() + run_.size() == frame.raw.data()) {
    run_ = {run_.data(), run_.size() + frame.raw.size()};
  } else {
    end_run();
    run_ = frame.raw;
  }
  ++run_count_;
}

void Client::end_run() {
  if (run_count_ > 0) {
    const std::string_view frames = std::exchange(run_, {});
    session_->publish(frames, std::exchange(run_count_, 0));
    written_run_.clear();
  }
}

void Client::on_control(const wire::Frame& frame) {
  switch (frame.op) {
    case wire::Op::connect: on_connect(frame.payload); return;
    case wire::Op::ping:
      if (rejected_) {
        refuse_flush();
        return;
      }
      if (session_) {
        session_->flush(next_token_++);
      } else {
        stream_.write(wire::kPong);
      }
      return;
    case wire::Op::pong:
    case wire::Op::info: return;
    default: break;
  }
  // A server without authentication takes every verb without CONNECT.
  if (!session_ && !open_session({})) {
    return;
  }
  switch (frame.op) {
    case wire::Op::sub: on_sub(frame); break;
    case wire::Op::unsub:
      session_->unsubscribe(frame.sid, frame.max);
      if (frame.max == 0 || session_->subscriptions().find(frame.sid) == nullptr) {
        on_subscription_ended(frame.sid);
      }
      break;
    case wire::Op::hpub:
      if (!headers_) {
        refuse({}, "message headers without headers in CONNECT");
        return;
      }
      [[fallthrough]];
    case wire::Op::pub:
      if (rejecting_) {
        worker_.metrics.publishes_rejected.add();
        on_publish_refused(frame.subject, spool_ ? kFull : kWindowFull);
        return;
      }
      add_to_run(frame);
      end_run();
      break;
    default: return;
  }
  if (verbose_) {
    stream_.write(wire::kOk);
  }
}

void Client::on_connect(std::string_view json) {
  auto options = wire::parse_connect(json);
  if (!options) {
    refuse({}, options.error().message());
    return;
  }
  if (const auto text = wire::connect_refusal(*options, worker_.upstream->headers); !text.empty()) {
    refuse(text, "CONNECT asks for what does not go together");
    return;
  }
  verbose_ = options->verbose;
  headers_ = options->headers && worker_.upstream->headers;
  wants_info_ = options->protocol >= 1;
  name_ = options->name;
  echo_ = options->echo;
  no_responders_ = options->no_responders && headers_;
  // Credentials in it are the client's business: the agent has its own.
  if (!session_) {
    session::ConnectProfile profile;
    profile.name = options->name;
    profile.lang = options->lang.empty() ? profile.lang : options->lang;
    profile.version = options->version;
    profile.echo = options->echo;
    profile.pedantic = options->pedantic;
    profile.headers = options->headers;
    profile.no_responders = options->no_responders;
    if (!open_session(std::move(profile))) {
      return;
    }
  }
  if (verbose_) {
    stream_.write(wire::kOk);
  }
}

bool Client::open_session(session::ConnectProfile profile) {
  auto made = session::Session::make(worker_.reactor, worker_.resolver, static_cast<session::SessionUser&>(*this),
                                     worker_.access, std::move(profile), worker_.session_options,
                                     worker_.metrics.session);
  if (!made) {
    log::write(log::Level::error, "cannot open a session for a client", made.error(), {{"client", name_}});
    refuse("Authorization Violation", made.error().message());
    return false;
  }
  session_ = std::move(*made);
  if (worker_.outage != nullptr) {
    spool_ = std::make_unique<ClientSpool>(*worker_.outage, worker_.metrics, static_cast<SpoolOwner&>(*this), id_);
    session_->use(*spool_);
  }
  session_->start();
  return true;
}

void Client::on_sub(const wire::Frame& frame) {
  if (!wire::valid_subscribe_subject(frame.subject) || (!frame.queue.empty() && wire::queue_fault(frame.queue) != wire::SubjectFault::none)) {
    on_client_error("Invalid Subject");
    return;
  }
  session_->subscribe(frame.sid, frame.subject, frame.queue);
  if (worker_.outage != nullptr && worker_.outage->delivers_locally() && !local_.contains(std::string(frame.sid))) {
    local_.emplace(frame.sid, worker_.outage->routes.join(worker_.number, id_, frame.sid, frame.subject, frame.queue));
  }
}

void Client::on_subscription_ended(std::string_view sid) {
  if (const auto at = local_.find(std::string(sid)); at != local_.end()) {
    worker_.outage->routes.leave(at->second);
    local_.erase(at);
  }
}

// Says why, as nats-server would, and closes. Nobody else is touched.
void Client::refuse(std::string_view text, std::string_view reason) {
  worker_.metrics.protocol_errors.add();
  log::warn("a local client broke the protocol", {{"client", name_}, {"client_id", id_}, {"reason", reason}});
  if (!text.empty()) {
    on_client_error(text);
  }
  stream_.pause();
  stream_.close_when_written();
  leave();
}

void Client::on_publish_refused(std::string_view subject, std::string_view why) {
  rejected_ = true;
  untold_rejection_ = subject;
  why_rejected_ = why;
  const Time now = worker_.reactor.now();
  if (now - last_rejection_told_ >= std::chrono::seconds(1)) {  // each second and flush is told of, each message is counted
    last_rejection_told_ = now;
    tell_of_rejection();
  }
}

// Client libraries end the connection at any error that they do not know; this beginning they take for what it is, an
// error of one publish.
void Client::tell_of_rejection() {
  on_client_error("Permissions Violation for Publish to \"" + std::exchange(untold_rejection_, {}) + "\" (message rejected: " +
                  why_rejected_ + ")");
}

// A flush that was answered would say that what was rejected is safe; and one that is passed over would shift every later answer,
// since clients match them by their order. So the connection ends: the flush fails, and the client connects again.
void Client::refuse_flush() {
  if (!untold_rejection_.empty()) {
    tell_of_rejection();
  }
  log::warn("a client is disconnected, so that its flush does not cover publishes that were rejected",
            {{"client", name_}, {"why", why_rejected_}});
  stream_.pause();
  stream_.close_when_written();
  leave();
}

// ---- from the session -------------------------------------------------------------------------------------------------

void Client::on_messages(std::string_view frames, std::size_t /*count*/) {
  if (leaving_ || !stream_.is_open()) {
    return;
  }
  stream_.write(frames);
  const std::size_t pending = stream_.output().unsent_bytes();
  if (pending > std::min(kChokeBytes, worker_.limits.max_pending_bytes)) {
    choke();
  }
}

void Client::choke() {
  if (!std::exchange(choked_, true)) {
    last_written_ = worker_.reactor.now();
    patience_.start(worker_.limits.write_deadline);
    if (session_) {
      session_->pause();
    }
  }
}

void Client::hear_again() {
  if (!deaf_ && !waiting_ && !leaving_) {
    stream_.resume();
  }
}

void Client::on_written(net::Stream& /*stream*/) {
  if (choked_) {
    last_written_ = worker_.reactor.now();
    if (stream_.output().unsent_bytes() <= std::min(kCalmBytes, worker_.limits.max_pending_bytes / 2)) {
      choked_ = false;
      patience_.stop();
      if (waiting_) {
        patience_.start(worker_.limits.reject_after);
      }
      if (session_ && !leaving_) {
        session_->resume();
      }
      deaf_ = false;
      hear_again();
    }
  }
}

void Client::on_flushed(std::uint64_t token) {
  if (leaving_) {
    if (token == last_token_) {
      end_when_done();
    }
    return;
  }
  stream_.write(wire::kPong);
}

void Client::on_client_error(std::string_view text) {
  if (!leaving_ && stream_.is_open()) {
    std::string line;
    wire::append_err(line, text);
    stream_.write(line);
  }
}

void Client::on_up(const wire::ServerInfo& info) {
  worker_.heard_of_upstream(info);
  if (leaving_) {
    return;
  }
  const std::int64_t limit = payload_limit(info, worker_.greeting);
  if (limit != max_payload_) {
    if (wants_info_) {
      greet(info);
    }
    max_payload_ = limit;
    parser_.set_limits({.payload_bytes = static_cast<std::size_t>(limit)});
  }
}

void Client::on_down(const Error& /*error*/) {}  // the client stays; the session has logged it

void Client::on_relieved() {
  if (std::exchange(rejecting_, false)) {
    log::info("publishes are accepted again", {{"client", name_}});
  }
  if (std::exchange(waiting_, false)) {
    if (!choked_ && !leaving_) {
      patience_.stop();
    }
    hear_again();
  }
}

// ---- patience, and the end ------------------------------------------------------------------------------------------------

void Client::give_up_waiting() {
  const Time now = worker_.reactor.now();
  if (leaving_) {
    put_away();
    if (session_ && session_->unconfirmed_bytes() > 0) {
      log::warn("publishes of a client that is gone were not confirmed in time",
                {{"client", name_}, {"bytes", session_->unconfirmed_bytes()}});
    }
    gone();
  } else if (choked_) {
    if (now - last_written_ < worker_.limits.write_deadline) {
      patience_.start_at(last_written_ + worker_.limits.write_deadline);
      return;
    }
    disconnect_slow();
  } else if (waiting_ && session_ && !session_->up()) {
    rejecting_ = true;
    waiting_ = false;
    if (spool_ && reject_waiting()) {
      return;
    }
    log::warn(spool_ ? "the disk queue is full and no server is there: publishes are rejected"
                     : "the window is full and no server is there: publishes are rejected",
              {{"client", name_}});
    hear_again();
  } else if (waiting_) {
    patience_.start(worker_.limits.reject_after);  // the server is there, but slow
  }
}

// What the full queue did not take, or took and cannot write. True: a flush waited behind it, so that the client is disconnected.
bool Client::reject_waiting() {
  const session::Session::Dropped dropped = session_->drop_waiting();
  if (dropped.count == 0 && !session_->flushes_wait()) {
    return false;
  }
  worker_.metrics.publishes_rejected.add(dropped.count);
  on_publish_refused(dropped.count > 0 ? std::string_view(dropped.subject) : ">", kFull);
  if (session_->flushes_wait()) {
    refuse_flush();
    return true;
  }
  return false;
}

void Client::disconnect_slow() {
  worker_.metrics.slow_clients.add();
  log::warn("a slow client was disconnected", {{"client", name_}, {"pending_bytes", stream_.output().unsent_bytes()}});
  stream_.close();
  leave();
}

void Client::on_closed(net::Stream& /*stream*/, const Error& /*error*/) { leave(); }

// The client is gone, or is sent away: it gets no more messages, and what it published is seen through.
void Client::leave() {
  if (!leaving_) {
    end_run();
    leaving_ = true;
    patience_.start(worker_.limits.leave_within);
    if (session_) {
      session_->resume();
      session_->unsubscribe_all();
      for (const auto& [sid, subscription] : local_) {
        worker_.outage->routes.leave(subscription);
      }
      local_.clear();
      if (session_->unconfirmed_bytes() > 0) {
        last_token_ = next_token_++;
        session_->flush(last_token_);
      }
    }
  }
  end_when_done();
}

void Client::put_away() {
  if (session_ && spool_) {
    session_->put_away();
  }
}

void Client::end_when_done() {
  if (!stream_.is_open() && (!session_ || session_->unconfirmed_bytes() == 0)) {
    gone();
  }
}

void Client::stop_gently() {
  if (!leaving_) {
    stream_.pause();
    stream_.close_when_written();
    leave();
  }
}

void Client::gone() {
  if (std::exchange(gone_, true)) {
    return;
  }
  patience_.stop();
  stream_.close();
  if (session_) {
    session_->stop();
  }
  worker_.gone(*this);
}

void Client::take_up(session::AccessPtr access, Duration delay) {
  if (session_) {
    session_->take_up(std::move(access), delay);
  }
}

void Client::check_posture() {
  if (session_) {
    session_->check_posture();
  }
}

}  // namespace hawser::agent
