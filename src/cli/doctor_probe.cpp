#include "cli/doctor_probe.hpp"

#include <algorithm>

#include "cli/command.hpp"
#include "session/server_error.hpp"
#include "wire/writer.hpp"

namespace hawser::cli {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kComplaints = 256;  // more than were provoked; the rest is dropped
constexpr std::size_t kListened = 512;

}  // namespace

// ---- the loop -----------------------------------------------------------------------------------------------------

// Makes the reactor's turn end when a signal asks for the end.
class ProbeLoop::StopEvent final : public net::Watched {
 public:
  void on_ready(std::uint32_t /*events*/) override {}
};

ProbeLoop::ProbeLoop() : stop_event_(std::make_unique<StopEvent>()) {}

ProbeLoop::~ProbeLoop() {
  resolver_.stop();
  if (reactor_) {
    reactor_->unwatch(stop_descriptor());
  }
}

Result<std::unique_ptr<ProbeLoop>> ProbeLoop::make() {
  std::unique_ptr<ProbeLoop> loop(new ProbeLoop());
  auto reactor = net::Reactor::create();
  if (!reactor) {
    return std::unexpected(std::move(reactor.error()));
  }
  loop->reactor_ = std::move(*reactor);
  if (auto watched = loop->reactor_->watch(stop_descriptor(), *loop->stop_event_); !watched) {
    return std::unexpected(std::move(watched.error()));
  }
  return loop;
}

Result<bool> ProbeLoop::wait(const std::function<bool()>& done, Duration at_most) {
  const Time until = hawser::now() + at_most;
  while (true) {
    if (stop_signal() != 0) {
      return fail(Errc::interrupted, "by signal " + std::to_string(stop_signal()));
    }
    if (done()) {
      return true;
    }
    const Time now = hawser::now();
    if (now >= until) {
      return false;
    }
    reactor_->turn(until - now);
  }
}

Result<std::vector<net::Address>> ProbeLoop::resolve(const std::string& host, std::uint16_t port, Duration at_most) {
  std::optional<Result<std::vector<net::Address>>> found;
  const net::Resolver::Query query = resolver_.resolve(
      *reactor_, host, port, [&found](Result<std::vector<net::Address>> answer) { found = std::move(answer); });
  const auto waited = wait([&] { return found.has_value(); }, at_most);
  if (!waited) {
    return std::unexpected(waited.error());
  }
  return *waited ? std::move(*found) : fail(Errc::resolve_failed, host + ": no answer in time");
}

Result<net::Fd> ProbeLoop::dial(const net::Address& address, Duration at_most) {
  std::optional<Result<net::Fd>> connected;
  auto dial = std::make_unique<net::Dial>(*reactor_, resolver_,
                                          [&connected](Result<net::Fd> fd) { connected = std::move(fd); });
  dial->start(address.ip(), address.port(), at_most);
  const auto waited = wait([&] { return connected.has_value(); }, at_most + 1s);  // it has the time limit itself
  dial->cancel();
  reactor_->retire(std::move(dial));
  reactor_->turn(Duration::zero());
  if (!waited) {
    return std::unexpected(waited.error());
  }
  return *waited ? std::move(*connected) : fail(Errc::connect_timeout, address.text());
}

// ---- one connection -----------------------------------------------------------------------------------------------

// Owned by the reactor from the end of the probe on.
class Probe::Line final : public net::Retirable, private net::StreamOwner {
 public:
  explicit Line(net::Reactor& reactor) : stream_(reactor, *this), parser_(wire::Peer::server) { stream_.keep_sent(); }

  std::size_t on_data(net::Stream& stream, std::string_view bytes) override;
  void on_secured(net::Stream& /*stream*/) override {}
  void on_closed(net::Stream& /*stream*/, const Error& error) override { end(error); }

  void end(Error error) {
    if (!ended_) {
      ended_ = std::move(error);
    }
    stream_.close();
  }
  void on_frame(const wire::Frame& frame, std::string_view rest);
  void on_first_info(const wire::Frame& frame, bool refused);
  void on_err(std::string_view text);
  // Everything that was sent goes out of memory, once it is sent.
  void forget_sent() {
    net::ByteQueue& output = stream_.output();
    output.wipe_sent(forgotten_, output.sent());
    forgotten_ = output.sent();
    output.release(forgotten_);
  }

  OnInfo on_info_;
  net::Stream stream_;
  wire::Parser parser_;
  std::optional<wire::ServerInfo> info_;
  std::string heard_;  // the first bytes, whatever they are
  std::vector<std::string> complaints_;
  std::string last_words_;
  std::uint64_t pongs_ = 0;
  std::uint64_t forgotten_ = 0;
  std::optional<Error> ended_;
};

std::size_t Probe::Line::on_data(net::Stream& /*stream*/, std::string_view bytes) {
  heard_ += bytes.substr(0, kListened - std::min(heard_.size(), kListened));
  std::size_t used = 0;
  wire::Frame frame;
  while (used < bytes.size() && !ended_) {
    const auto status = parser_.next(bytes.substr(used), frame);
    if (status == wire::Parser::Status::more) {
      break;
    }
    if (status == wire::Parser::Status::error) {
      end(info_ ? Error{Errc::server_protocol_error, parser_.error().message()}
                : Error{Errc::not_a_nats_server, parser_.error().doing});
      break;
    }
    used += frame.raw.size();
    const bool was_clear = stream_.ssl() == nullptr;
    on_frame(frame, bytes.substr(used));
    if (was_clear && stream_.ssl() != nullptr) {
      break;  // what follows is TLS
    }
  }
  return used;
}

void Probe::Line::on_frame(const wire::Frame& frame, std::string_view rest) {
  switch (frame.op) {
    case wire::Op::info:
      if (!info_) {
        on_first_info(frame, rest.starts_with("-ERR"));
      } else if (auto again = wire::parse_info(frame.payload)) {
        info_ = std::move(*again);
      }
      return;
    case wire::Op::ping: stream_.write(wire::kPong); return;
    case wire::Op::pong: ++pongs_; return;
    case wire::Op::err: on_err(frame.payload); return;
    default: return;  // +OK, and messages of a subscription that was made to see whether it may be
  }
}

// A server that is full says so right behind INFO, in clear also where TLS would follow. That word can only refuse.
void Probe::Line::on_first_info(const wire::Frame& frame, bool refused) {
  auto info = wire::parse_info(frame.payload);
  if (!info) {
    end(Error{Errc::not_a_nats_server, info.error().message()});
    return;
  }
  info_ = std::move(*info);
  if (refused) {
    return;
  }
  auto ssl = on_info_ ? on_info_(*info_) : Result<tls::SslPtr>(nullptr);
  if (!ssl) {
    end(std::move(ssl.error()));
  } else if (*ssl != nullptr) {
    stream_.start_tls(std::move(*ssl));
  }
}

void Probe::Line::on_err(std::string_view text) {
  const session::ServerErrorMeaning meaning = session::meaning_of(text);
  if (meaning.kind == session::ServerErrorKind::client) {
    if (complaints_.size() < kComplaints) {
      complaints_.emplace_back(text);
    }
    return;
  }
  last_words_ = text;
  end(Error{meaning.code, "the server said '" + std::string(text) + "'"});
}

Probe::Probe(ProbeLoop& loop, Duration patience)
    : loop_(loop), patience_(patience), line_(std::make_unique<Line>(loop.reactor())) {}

Probe::~Probe() {
  line_->forget_sent();
  line_->stream_.close();
  loop_.reactor().retire(std::move(line_));
  loop_.reactor().turn(Duration::zero());
}

Result<void> Probe::open(net::Fd fd, tls::SslPtr tls_first, OnInfo on_info) {
  line_->on_info_ = std::move(on_info);
  if (auto adopted = line_->stream_.adopt(std::move(fd)); !adopted) {
    return adopted;
  }
  if (tls_first != nullptr) {
    line_->stream_.start_tls(std::move(tls_first));
  }
  return {};
}

Result<wire::ServerInfo> Probe::wait_for_info() {
  const auto waited = loop_.wait([this] { return line_->info_ || line_->ended_; }, patience_);
  if (!waited) {
    return std::unexpected(waited.error());
  }
  if (!line_->info_) {
    return std::unexpected(line_->ended_.value_or(Error{Errc::info_timeout, "nothing was said"}));
  }
  if (line_->ended_ && line_->stream_.ssl() == nullptr) {  // an end within TLS is for the next step to tell
    return std::unexpected(*line_->ended_);
  }
  return *line_->info_;
}

Result<void> Probe::wait_for_tls() {
  const auto waited = loop_.wait([this] { return line_->stream_.secured() || line_->ended_; }, patience_);
  if (!waited) {
    return std::unexpected(waited.error());
  }
  if (!line_->stream_.secured()) {
    return std::unexpected(line_->ended_.value_or(Error{Errc::handshake_timeout, "the server did not go on"}));
  }
  return {};
}

void Probe::say(const Secret& frames) { say(frames.reveal()); }

void Probe::say(std::string_view frames) {
  if (!line_->ended_) {
    line_->stream_.write(frames);
  }
}

Result<Duration> Probe::round_trip() {
  const Time asked = hawser::now();
  const std::uint64_t before = line_->pongs_;
  say(wire::kPing);
  const auto waited = loop_.wait([&] { return line_->pongs_ > before || line_->ended_; }, patience_);
  const Duration took = hawser::now() - asked;
  line_->forget_sent();
  if (!waited) {
    return std::unexpected(waited.error());
  }
  if (line_->pongs_ == before) {
    return std::unexpected(line_->ended_.value_or(Error{Errc::accept_timeout, "no PONG"}));
  }
  return took;
}

std::vector<std::string> Probe::take_complaints() { return std::exchange(line_->complaints_, {}); }

Result<std::string> Probe::listen(Duration at_most) {
  const auto waited = loop_.wait([this] { return !line_->heard_.empty() || line_->ended_; }, at_most);
  if (!waited) {
    return std::unexpected(waited.error());
  }
  return line_->heard_;
}

bool Probe::secured() const { return line_->stream_.secured(); }
ssl_st* Probe::ssl() const { return line_->stream_.ssl(); }
const wire::ServerInfo& Probe::info() const { return *line_->info_; }
const std::string& Probe::last_words() const { return line_->last_words_; }

}  // namespace hawser::cli
