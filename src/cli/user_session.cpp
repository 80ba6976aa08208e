#include "cli/user_session.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "cli/sub_render.hpp"
#include "posture/gather.hpp"
#include "tls/context.hpp"
#include "wire/parser.hpp"

namespace hawser::cli {

using namespace std::chrono_literals;

namespace {

constexpr Duration kLongestTurn = 1h;
constexpr Duration kGrace = 100ms;  // so that a link's own error, at the same timeout, comes first

session::SessionOptions options_for(const Connection& connection) {
  session::SessionOptions options;
  options.link.connect_timeout = connection.timeout;
  return options;
}

}  // namespace

// Makes the reactor's turn end when a signal asks for the end.
class UserSession::StopEvent final : public net::Watched {
 public:
  void on_ready(std::uint32_t /*events*/) override {}
};

UserSession::UserSession(const Connection& connection, Away away, OnMessage on_message)
    : connection_(connection),
      away_(away),
      on_message_(std::move(on_message)),
      metrics_(registry_),
      options_(options_for(connection)),
      resolver_(std::make_unique<net::Resolver>()),
      down_since_(hawser::now()),
      material_(connection.material),
      generation_(connection.access->generation) {}

UserSession::~UserSession() {
  watcher_.reset();  // before what it posts to
  if (session_) {
    session_->stop();
    reactor_->retire(std::move(session_));
    reactor_->turn(Duration::zero());
  }
  resolver_.reset();
  if (stop_event_) {
    reactor_->unwatch(stop_descriptor());
  }
}

Result<std::unique_ptr<UserSession>> UserSession::connect(const Connection& connection, Away away,
                                                          OnMessage on_message) {
  std::unique_ptr<UserSession> session(new UserSession(connection, away, std::move(on_message)));
  if (auto started = session->start(); !started) {
    return std::unexpected(std::move(started.error()));
  }
  return session;
}

Result<void> UserSession::start() {
  auto reactor = net::Reactor::create();
  if (!reactor) {
    return std::unexpected(std::move(reactor.error()));
  }
  reactor_ = std::move(*reactor);
  stop_event_ = std::make_unique<StopEvent>();
  if (auto watched = reactor_->watch(stop_descriptor(), *stop_event_); !watched) {
    return watched;
  }
  session::ConnectProfile profile;
  profile.name = connection_.name;
  profile.version = HAWSER_VERSION;
  auto made =
      session::Session::make(*reactor_, *resolver_, *this, connection_.access, std::move(profile), options_, metrics_);
  if (!made) {
    return std::unexpected(std::move(made.error()));
  }
  session_ = std::move(*made);
  session_->start();
  const auto connected = wait([this] { return up_; }, hawser::now() + connection_.timeout + kGrace);
  if (!connected) {
    return std::unexpected(connected.error());
  }
  if (!*connected) {
    const posture::ServerUrl& first = connection_.access->decision->servers.front();
    return std::unexpected(last_error_.value_or(Error{Errc::connect_timeout, first.printable()}));
  }
  const session::Link& link = *session_->live();
  if (link.secured() && !link.server().secure()) {
    print_finding(
        posture::make_finding(Errc::tls_upgraded, posture::Severity::warning,
                              "the server requires TLS, and its URL says nats://", {link.server().printable()}),
        connection_.json);
  }
  if (away_ == Away::keep_trying) {
    start_watching();
  }
  return {};
}

// ---- what commands do ---------------------------------------------------------------------------------------------

Result<bool> UserSession::wait(const std::function<bool()>& done, std::optional<Time> until) {
  while (true) {
    if (stop_signal() != 0) {
      return fail(Errc::interrupted, "by signal " + std::to_string(stop_signal()));
    }
    if (failure_) {
      return std::unexpected(*failure_);
    }
    if (done()) {
      return true;
    }
    const Time now = hawser::now();
    if (until && now >= *until) {
      return false;
    }
    Duration at_most = until ? std::min<Duration>(*until - now, kLongestTurn) : kLongestTurn;
    if (was_up_ && !up_ && away_ == Away::give_up) {
      if (now - down_since_ >= connection_.timeout) {
        return std::unexpected(*last_error_);
      }
      at_most = std::min<Duration>(at_most, connection_.timeout - (now - down_since_));
    }
    reactor_->turn(at_most);
  }
}

// While bytes are confirmed the server is at work; when none were for the timeout, it is not.
Result<void> UserSession::wait_with_progress(const std::function<bool()>& done, std::string_view what) {
  while (true) {
    const std::size_t before = session_->unconfirmed_bytes();
    const std::optional<Time> until =
        away_ == Away::give_up ? std::optional(hawser::now() + connection_.timeout) : std::nullopt;
    const auto waited = wait(done, until);
    if (!waited) {
      return std::unexpected(waited.error());
    }
    if (*waited) {
      return {};
    }
    if (up_ && session_->unconfirmed_bytes() >= before) {
      return fail(Errc::stale_connection, server_url() + ": " + std::string(what));
    }
  }
}

Result<void> UserSession::publish(std::string_view frames, std::size_t count) {
  if (!session_->accepts()) {
    auto room = wait_with_progress([this] { return session_->accepts(); }, "waiting for it to take publishes");
    if (!room) {
      return room;
    }
  }
  session_->publish(frames, count);
  reactor_->turn(Duration::zero());
  return {};
}

void UserSession::subscribe(std::string_view sid, std::string_view subject, std::string_view queue, std::uint64_t max) {
  session_->subscribe(sid, subject, queue);
  if (max != 0) {
    session_->unsubscribe(sid, max);
  }
}

Result<void> UserSession::flush() {
  const std::uint64_t token = ++asked_;
  session_->flush(token);
  auto answered = wait_with_progress([this, token] { return flushed_ >= token; }, "waiting for it to confirm");
  if (!answered) {
    return answered;
  }
  if (auto complaint = take_complaint()) {
    return std::unexpected(std::move(*complaint));
  }
  return {};
}

void UserSession::hold(bool on) { on ? session_->pause() : session_->resume(); }

void UserSession::wake() {
  reactor_->post([] {});
}

std::optional<Error> UserSession::take_complaint() {
  auto text = std::exchange(complaint_, std::nullopt);
  return text ? std::optional(Error{Errc::server_refused, server_url() + " said '" + safe_for_terminal(*text) + "'"})
              : std::nullopt;
}

std::string UserSession::server_url() const {
  const session::Link* link = session_->live();
  return link != nullptr ? link->server().printable() : connection_.access->decision->servers.front().printable();
}

std::string UserSession::tls_version() const {
  const session::Link* link = session_->live();
  return link != nullptr && link->secured() ? std::string(tls::version_name(link->ssl())) : "none";
}

// ---- what the session tells ---------------------------------------------------------------------------------------

void UserSession::on_messages(std::string_view frames, std::size_t /*count*/) {
  wire::Parser parser(wire::Peer::server);
  wire::Frame frame;
  while (!frames.empty() && parser.next(frames, frame) == wire::Parser::Status::frame) {
    on_message_(frame);
    frames.remove_prefix(frame.raw.size());
  }
}

void UserSession::on_flushed(std::uint64_t token) { flushed_ = token; }

void UserSession::on_client_error(std::string_view text) {
  if (!complaint_) {  // the first is the cause
    complaint_ = std::string(text);
  }
}

void UserSession::on_up(const wire::ServerInfo& info) {
  server_ = info;
  if (was_up_ && !up_) {
    print_notice("reconnected to nats: " + server_url(), connection_.json);
  }
  up_ = was_up_ = true;
}

void UserSession::on_down(const Error& error) {
  if (was_up_ && up_) {
    print_notice("disconnected from nats: " + error.message() + "; trying to reconnect", connection_.json);
  }
  if (up_) {
    down_since_ = hawser::now();
  }
  up_ = false;
  last_error_ = error;
  ++attempts_;
  if (hopeless(error)) {
    failure_ = error;
  }
}

// Whether trying again cannot help.
bool UserSession::hopeless(const Error& error) const {
  if (!was_up_) {
    return info(error.code).kind != ErrorKind::retryable && attempts_ >= connection_.access->decision->servers.size();
  }
  // The server's last word about what was sent: it would be sent again, and refused again.
  return away_ == Away::give_up && error.code == Errc::server_error;
}

// ---- new material while running -------------------------------------------------------------------------------------

void UserSession::start_watching() {
  tls::WatchEvents events;
  events.published = [this](tls::MaterialPtr fresh) {
    reactor_->post([this, fresh = std::move(fresh)] { take_up(fresh); });
  };
  events.file_changed = [this](const std::string& /*path*/) { reactor_->post([this] { take_up(material_); }); };
  events.rejected = [json = connection_.json](const Error& error) {
    print_notice("new certificates are not usable; the old ones stay in use: " + error.message(), json);
  };
  auto watcher =
      tls::Watcher::start(material_, posture::credential_files(*connection_.access->decision), {}, std::move(events));
  if (watcher) {
    watcher_ = std::move(*watcher);
  } else {
    print_notice("new certificates will not be taken up: " + watcher.error().message(), connection_.json);
  }
}

// A few small files are read; a person's command may do that between two messages.
void UserSession::take_up(tls::MaterialPtr material) {
  auto decision = std::make_shared<const posture::Decision>(
      posture::evaluate(*connection_.settings, posture::gather(*connection_.settings, wall_now()), wall_now(),
                        posture::Purpose::start_up));
  auto access = decision->ok() ? session::make_access(std::move(decision), material, generation_ + 1)
                               : fail(Errc::credential_malformed, "reading the new credential");
  if (!access) {
    print_notice("a new credential is not usable; the old one stays in use: " + access.error().message(),
                 connection_.json);
    return;
  }
  material_ = std::move(material);
  ++generation_;
  session_->take_up(std::move(*access), Duration::zero());
}

void end_with(Exit& exit, Result<ExitCode> outcome) {
  if (outcome) {
    exit = *outcome;
  } else if (outcome.error().code == Errc::interrupted) {
    exit = static_cast<ExitCode>(128 + stop_signal());
  } else {
    exit = std::move(outcome.error());
  }
}

}  // namespace hawser::cli
