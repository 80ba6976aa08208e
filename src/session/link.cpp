#include "session/link.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "wire/connect.hpp"
#include "wire/writer.hpp"

namespace hawser::session {

using namespace std::chrono_literals;

namespace {

posture::ServerUrl url_of(const Server& server) {
  posture::ServerUrl url;
  url.scheme = server.tls ? posture::Scheme::tls : posture::Scheme::nats;
  url.host = server.host;
  url.port = server.port;
  url.host_is_ipv6 = server.host.find(':') != std::string::npos;
  return url;
}

}  // namespace

Link::Link(net::Reactor& reactor, net::Resolver& resolver, LinkOwner& owner, AccessPtr access,
           const Server& server, const ConnectProfile& profile, posture::History history,
           const LinkOptions& options)
    : reactor_(reactor),
      resolver_(resolver),
      owner_(owner),
      access_(std::move(access)),
      server_(url_of(server)),
      tls_name_(server.server_name.empty() ? server.host : server.server_name),
      profile_(profile),
      options_(options),
      history_(history),
      stream_(reactor, *this),
      parser_(wire::Peer::server),
      deadline_(reactor, [this] { check_pulse(); }),
      confirm_(reactor, [this] {
        if (phase_ == Phase::live) {
          ask();
        }
      }) {
  stream_.keep_sent();
}

Link::~Link() { abandon(); }

void Link::start() {
  deadline_.start(options_.connect_timeout);
  if (auto allowed = posture::still_allowed(*access_->decision, server_.secure(), wall_now()); !allowed) {
    // Reported from the loop, so that the owner is never called back from its own call.
    refused_ = std::move(allowed.error());
    deadline_.start(Duration::zero());
    return;
  }
  dial_ = std::make_unique<net::Dial>(reactor_, resolver_,
                                      [this](Result<net::Fd> connected) { on_dialled(std::move(connected)); });
  dial_->start(server_.host, server_.port, options_.connect_timeout);
}

void Link::on_dialled(Result<net::Fd> connected) {
  reactor_.retire(std::move(dial_));
  if (!connected) {
    fail_with(std::move(connected.error()));
    return;
  }
  if (auto adopted = stream_.adopt(std::move(*connected)); !adopted) {
    fail_with(std::move(adopted.error()));
    return;
  }
  last_heard_ = reactor_.now();
  if (posture::must_handshake_first(*access_->decision, server_)) {
    start_tls(tls::Roots::material);
  } else {
    phase_ = Phase::greeting;
  }
}

std::size_t Link::on_data(net::Stream& /*stream*/, std::string_view bytes) {
  last_heard_ = reactor_.now();
  std::size_t used = 0;
  wire::Frame frame;
  while (used < bytes.size()) {
    const auto status = parser_.next(bytes.substr(used), frame);
    if (status == wire::Parser::Status::more) {
      break;
    }
    if (status == wire::Parser::Status::error) {
      owner_.on_batch_end(*this);
      if (phase_ != Phase::closed) {
        fail_with(parse_failure());
      }
      return used;
    }
    used += frame.raw.size();
    if (frame.op == wire::Op::msg || frame.op == wire::Op::hmsg) {
      if (phase_ == Phase::live || phase_ == Phase::closing) {
        owner_.on_message(*this, frame);
      }
      continue;
    }
    owner_.on_batch_end(*this);  // what came before this frame reaches the user before its effect does
    const Phase before = phase_;
    on_frame(frame);
    if (phase_ == Phase::closed || (phase_ == Phase::securing && before != Phase::securing)) {
      return used;
    }
  }
  owner_.on_batch_end(*this);
  return used;
}

Error Link::parse_failure() const {
  if (phase_ == Phase::greeting) {
    return Error{Errc::not_a_nats_server, server_.printable() + ": " + parser_.error().doing};
  }
  return Error{Errc::server_protocol_error, server_.printable() + ": " + parser_.error().message()};
}

void Link::on_frame(const wire::Frame& frame) {
  switch (frame.op) {
    case wire::Op::info: on_info_frame(frame); return;
    case wire::Op::ping: stream_.write(wire::kPong); return;
    case wire::Op::pong: on_pong_frame(); return;
    case wire::Op::err: on_err_frame(frame); return;
    default: return;  // +OK: we never ask for it, a proxy may say it
  }
}

void Link::on_info_frame(const wire::Frame& frame) {
  auto info = wire::parse_info(frame.payload);
  if (!info) {
    fail_with(Error{phase_ == Phase::greeting ? Errc::not_a_nats_server : Errc::server_protocol_error,
                    server_.printable() + ": " + info.error().message()});
    return;
  }
  info_ = std::move(*info);
  if (phase_ == Phase::greeting) {
    on_greeting();
  } else if (phase_ == Phase::live) {
    owner_.on_info(*this, info_);
  }
}

void Link::on_greeting() {
  if (stream_.secured()) {  // handshake_first
    send_connect();
    return;
  }
  auto decided = posture::decide_on_info(*access_->decision, server_,
                                         {.available = info_.tls_available, .required = info_.tls_required}, history_,
                                         wall_now());
  if (!decided) {
    fail_with(std::move(decided.error()));
    return;
  }
  if (decided->warning) {
    log::warn(decided->warning->message, {{"id", error_id(decided->warning->code)}, {"hint", decided->warning->hint}});
  }
  if (decided->use_tls) {
    start_tls(decided->roots);
  } else {
    send_connect();
  }
}

void Link::start_tls(tls::Roots roots) {
  phase_ = Phase::securing;
  const tls::ContextPtr& context = roots == tls::Roots::material_and_system ? access_->tls_upgraded : access_->tls;
  auto ssl = context->connect({.host = tls_name_, .session_key = server_.printable()});
  if (!ssl) {
    fail_with(std::move(ssl.error()));
    return;
  }
  stream_.start_tls(std::move(*ssl));
}

void Link::on_secured(net::Stream& /*stream*/) {
  if (posture::must_handshake_first(*access_->decision, server_)) {
    phase_ = Phase::greeting;
  } else {
    send_connect();
  }
}

void Link::send_connect() {
  auto proof = access_->credential->prove(info_.nonce);
  if (!proof) {
    fail_with(std::move(proof.error()));
    return;
  }
  wire::ConnectOptions options;
  options.verbose = false;
  options.pedantic = profile_.pedantic;
  options.echo = profile_.echo;
  options.headers = profile_.headers && info_.headers;
  options.no_responders = profile_.no_responders && options.headers;
  options.tls_required = stream_.secured();
  options.protocol = 1;
  options.name = profile_.name;
  options.lang = profile_.lang;
  options.version = profile_.version;
  options.user = std::move(proof->user);
  options.pass = std::move(proof->password);
  options.auth_token = std::move(proof->auth_token);
  options.jwt = std::move(proof->jwt);
  options.nkey = std::move(proof->nkey);
  options.sig = Secret::take(std::move(proof->signature));
  const Secret json = wire::to_json(options);
  connect_begin_ = stream_.output().end();
  stream_.write("CONNECT ");
  stream_.write(json.reveal());
  stream_.write("\r\n");
  phase_ = Phase::proving;
  ping(PingPurpose::keep_alive);
}

void Link::ask() {
  if (stream_.output().end() > asked_position_) {
    ping(PingPurpose::confirm);
  }
}

void Link::ping(PingPurpose purpose, std::uint64_t tag) {
  if (purpose == PingPurpose::flush && waits_for_pong() && pings_.back().purpose == PingPurpose::flush &&
      pings_.back().position == stream_.output().end()) {
    pings_.back().tag = tag;  // nothing was sent since: one PONG answers both
    return;
  }
  stream_.write(wire::kPing);
  ++pings_sent_;
  asked_position_ = stream_.output().end();
  pings_.push_back({tag, asked_position_, reactor_.now(), purpose});
}

void Link::on_pong_frame() {
  if (!waits_for_pong()) {
    return;  // a PONG that nobody asked for confirms nothing
  }
  const PendingPing answered = take_ping();
  ++pongs_heard_;
  window_.confirm(answered.position);
  if (phase_ == Phase::proving) {
    stream_.output().wipe_sent(connect_begin_, answered.position);
  }
  stream_.output().release(answered.position);
  if (phase_ == Phase::proving) {
    phase_ = Phase::live;
    deadline_.start(options_.ping_interval);
    owner_.on_live(*this);
    return;
  }
  if (phase_ == Phase::live || phase_ == Phase::closing) {
    owner_.on_pong(*this, answered.purpose, answered.tag);
  }
}

// The front, without moving the rest each time: a client may have thousands under way.
Link::PendingPing Link::take_ping() {
  const PendingPing first = pings_[answered_++];
  if (answered_ == pings_.size() || answered_ >= 64 + pings_.size() / 2) {
    pings_.erase(pings_.begin(), pings_.begin() + static_cast<std::ptrdiff_t>(answered_));
    answered_ = 0;
  }
  return first;
}

void Link::on_err_frame(const wire::Frame& frame) {
  const ServerErrorMeaning meaning = meaning_of(frame.payload);
  if (meaning.kind == ServerErrorKind::client) {
    if (phase_ == Phase::live || phase_ == Phase::closing) {
      owner_.on_client_error(*this, frame.payload);
    }
    return;
  }
  fail_with(Error{meaning.code, server_.printable() + " said '" + std::string(frame.payload) + "'"});
}

void Link::publish(std::string_view frames) {
  net::ByteQueue& output = stream_.output();
  const std::uint64_t begin = output.end();
  output.append(frames);
  window_.add(begin, output.end());
  stream_.touch();
  if (output.end() - asked_position_ >= options_.confirm_bytes) {
    ping(PingPurpose::confirm);
  } else if (!confirm_.armed()) {
    confirm_.start(options_.confirm_after);
  }
}

void Link::check_pulse() {
  switch (phase_) {
    case Phase::dialling:
      fail_with(refused_ ? std::move(*refused_) : Error{Errc::connect_timeout, server_.printable()});
      return;
    case Phase::greeting: fail_with(Error{Errc::info_timeout, server_.printable()}); return;
    case Phase::securing: fail_with(Error{Errc::handshake_timeout, server_.printable()}); return;
    case Phase::proving: fail_with(Error{Errc::accept_timeout, server_.printable()}); return;
    case Phase::closing: fail_with(Error{Errc::connection_closed, "closed here, with output left"}); return;
    case Phase::closed: return;
    case Phase::live: break;
  }
  const Time now = reactor_.now();
  if (!stream_.paused() && waits_for_pong()) {
    // Whatever was heard since counts: PONG stands behind the messages that the server had to send first.
    const Time silent_since = std::max(pings_[answered_].sent_at, last_heard_);
    if (now - silent_since >= options_.pong_timeout) {
      fail_with(Error{Errc::stale_connection, server_.printable()});
      return;
    }
    deadline_.start(std::min<Duration>(options_.ping_interval, options_.pong_timeout - (now - silent_since)));
    return;
  }
  if (!waits_for_pong() && now - last_heard_ >= options_.ping_interval / 2) {
    ping(PingPurpose::keep_alive);
    deadline_.start(std::min(options_.pong_timeout, options_.ping_interval));
    return;
  }
  deadline_.start(options_.ping_interval / 2);
}

void Link::close_when_written() {
  told_to_close_ = true;
  if (phase_ == Phase::live) {
    phase_ = Phase::closing;
    deadline_.start(2s);
    stream_.close_when_written();
  } else {
    fail_with(Error{Errc::connection_closed, "closed here"});
  }
}

void Link::abandon() {
  phase_ = Phase::closed;
  deadline_.stop();
  confirm_.stop();
  if (dial_) {
    dial_->cancel();
    reactor_.retire(std::move(dial_));
  }
  stream_.close();
}

// Only publishes are sent again on another link: without one, nothing that was sent needs to be kept.
void Link::on_written(net::Stream& /*stream*/) {
  if (window_.bytes() == 0 && phase_ != Phase::proving) {
    stream_.output().release(stream_.output().sent());
  }
}

void Link::on_closed(net::Stream& /*stream*/, const Error& error) {
  Error told{error.code, server_.printable() + ": " + error.doing};
  fail_with(std::move(told));
}

void Link::fail_with(Error error) {
  if (phase_ == Phase::closed) {
    return;
  }
  abandon();
  owner_.on_down(*this, error);
}

}  // namespace hawser::session
