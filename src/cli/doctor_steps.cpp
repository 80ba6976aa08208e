#include "cli/doctor_steps.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/doctor_cause.hpp"
#include "cli/doctor_permissions.hpp"
#include "cli/doctor_second_look.hpp"
#include "posture/runtime.hpp"
#include "wire/connect.hpp"

namespace hawser::cli {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kMostAddresses = 16;
constexpr Duration kSecondLook = 1s;  // for each way of asking

// What our verifier says of the other side, by the numbers of the table.
bool is_verdict(Errc code) {
  return (code >= Errc::tls_unknown_authority && code <= Errc::tls_peer_weak) || code == Errc::tls_peer_unverified;
}

// The other side's word on the handshake, which with TLS 1.3 comes when ours is over.
bool is_alert(Errc code) {
  return code == Errc::tls_refused || code == Errc::tls_refused_name || code == Errc::tls_protocol_version ||
         code == Errc::tls_no_common_cipher;
}

bool ended_without_a_word(Errc code) {
  return code == Errc::info_timeout || code == Errc::connection_closed || code == Errc::connection_lost;
}

class Examination {
 public:
  Examination(ProbeLoop& loop, const Connection& connection, const DoctorReport& report, const Asked& asked,
              const posture::ServerUrl& url)
      : loop_(loop), connection_(connection), report_(report), asked_(asked), url_(url) {
    server_.server = url.printable();
    const std::string& configured = connection.material->source().server_name;
    server_.expected_name = configured.empty() ? url.host : configured;
    server_.verified = !connection.access->decision->tls.insecure;
  }

  Result<ServerReport> run() {
    const bool first = posture::must_handshake_first(*connection_.access->decision, url_);
    const bool greeted = resolve() && connect() && open() && (first ? secure() && greet() : greet() && secure());
    if (greeted && authenticate() && ping() && asks_for_permissions()) {
      permissions();
    }
    if (stop_signal() != 0) {
      return fail(Errc::interrupted, "by signal " + std::to_string(stop_signal()));
    }
    add_unchecked();
    return std::move(server_);
  }

 private:
  // Each is true when the next one may follow.
  bool resolve();
  bool connect();
  bool open();
  bool greet();
  bool secure();
  bool authenticate();
  bool ping();
  void permissions();

  [[nodiscard]] bool asks_for_permissions() const { return !asked_.publish.empty() || !asked_.subscribe.empty(); }
  Result<tls::SslPtr> begin_tls(const tls::ContextPtr& context);
  Result<tls::SslPtr> decide(const wire::ServerInfo& info);
  bool handshake_failed(const Error& error);
  std::optional<Answers> look_further();
  void say_connect(identity::Proof proof);
  bool passed(StepName name);
  bool unused(StepName name);
  bool failed(StepName name, Cause cause);
  bool failed_after_all(StepName name, Cause cause);
  void add_unchecked();

  ProbeLoop& loop_;
  const Connection& connection_;
  const DoctorReport& report_;
  const Asked& asked_;
  const posture::ServerUrl& url_;
  ServerReport server_;
  Time began_ = hawser::now();
  std::vector<net::Address> addresses_;
  std::optional<net::Address> address_;
  net::Fd fd_;
  std::unique_ptr<Probe> probe_;
  tls::ContextPtr context_;
};

// ---- how a step ends ----------------------------------------------------------------------------------------------

bool Examination::passed(StepName name) {
  const Time now = hawser::now();
  server_.steps.push_back({.name = name, .outcome = Outcome::ok, .took = now - began_});
  began_ = now;
  return true;
}

bool Examination::unused(StepName name) {
  server_.steps.push_back({.name = name, .outcome = Outcome::unused});
  return true;
}

bool Examination::failed(StepName name, Cause cause) {
  passed(name);
  return failed_after_all(name, std::move(cause));
}

// A step that had seemed well: with TLS 1.3 the server's judgement of our certificate follows the handshake.
bool Examination::failed_after_all(StepName name, Cause cause) {
  Step& step = *server_.step(name);
  step.outcome = Outcome::failed;
  if (auto note = suspect_clock(cause, report_, server_)) {
    step.notes.push_back(std::move(*note));
  }
  step.cause = std::move(cause);
  return false;
}

void Examination::add_unchecked() {
  for (const StepName name : {StepName::resolve, StepName::connect, StepName::info, StepName::tls, StepName::chain,
                              StepName::auth, StepName::ping, StepName::permissions}) {
    if (server_.step(name) == nullptr && (name != StepName::permissions || asks_for_permissions())) {
      server_.steps.push_back({.name = name});
    }
  }
}

// ---- the way there ------------------------------------------------------------------------------------------------

bool Examination::resolve() {
  auto found = loop_.resolve(url_.host, url_.port, connection_.timeout);
  if (!found) {
    return failed(StepName::resolve, explain_resolve(found.error(), url_.host));
  }
  addresses_ = std::move(*found);
  if (addresses_.size() > kMostAddresses) {
    addresses_.resize(kMostAddresses);
  }
  for (const net::Address& address : addresses_) {
    server_.addresses.push_back(address.ip());
  }
  return passed(StepName::resolve);
}

// Every address, so that one of several that is dead is seen; then the first that answered again, since a server does
// not wait for long to hear from its client.
bool Examination::connect() {
  const Duration share = connection_.timeout / static_cast<long>(std::max<std::size_t>(addresses_.size(), 1));
  Error last{Errc::connect_failed, server_.server + ": the name has no address"};
  for (const net::Address& address : addresses_) {
    const Time began = hawser::now();
    auto fd = loop_.dial(address, share);
    const Duration took = hawser::now() - began;
    server_.attempts.push_back({address.text(), took, fd ? std::string() : std::string(info(fd.error().code).summary)});
    if (!fd) {
      last = std::move(fd.error());
    } else if (!address_) {
      address_ = address;
      fd_ = std::move(*fd);
    }
  }
  if (!address_) {
    return failed(StepName::connect, explain_connect(last, server_));
  }
  if (addresses_.size() > 1) {
    auto fd = loop_.dial(*address_, connection_.timeout);
    if (!fd) {
      return failed(StepName::connect, explain_connect(fd.error(), server_));
    }
    fd_ = std::move(*fd);
  }
  return passed(StepName::connect);
}

Result<tls::SslPtr> Examination::begin_tls(const tls::ContextPtr& context) {
  context_ = context;
  return context->connect({.host = url_.host, .session_key = server_.server});
}

bool Examination::open() {
  probe_ = std::make_unique<Probe>(loop_, connection_.timeout);
  tls::SslPtr first;
  if (posture::must_handshake_first(*connection_.access->decision, url_)) {
    auto ssl = begin_tls(connection_.access->tls);
    if (!ssl) {
      return failed(StepName::tls, explain_tls(ssl.error(), std::nullopt));
    }
    first = std::move(*ssl);
  }
  auto opened = probe_->open(std::move(fd_), std::move(first), [this](const auto& info) { return decide(info); });
  return opened || failed(StepName::info, {opened.error()});
}

// How a session would go on after INFO.
Result<tls::SslPtr> Examination::decide(const wire::ServerInfo& info) {
  if (probe_->secured()) {
    return nullptr;
  }
  server_.info = info;
  const auto decided = posture::decide_on_info(*connection_.access->decision, url_,
                                               {.available = info.tls_available, .required = info.tls_required},
                                               posture::History::never_on_tls, wall_now());
  if (!decided) {
    return std::unexpected(decided.error());
  }
  if (!decided->use_tls) {
    return nullptr;
  }
  const bool material = decided->roots == tls::Roots::material;
  return begin_tls(material ? connection_.access->tls : connection_.access->tls_upgraded);
}

std::optional<Answers> Examination::look_further() {
  const auto found = look_again(loop_, *address_, *connection_.access->tls, {.host = url_.host},
                                std::min(kSecondLook, connection_.timeout));
  return found ? std::optional(*found) : std::nullopt;
}

bool Examination::greet() {
  const auto info = probe_->wait_for_info();
  if (!info) {
    const Error error{info.error().code, server_.server + ": " + info.error().doing};
    if (probe_->secured() && tls::is_certificate_refusal(error.code)) {
      return failed_after_all(StepName::chain, explain_refusal(error, report_, server_));
    }
    const bool look = ended_without_a_word(error.code) && !probe_->secured();
    return failed(StepName::info, explain_info(error, look ? look_further() : std::nullopt, server_));
  }
  server_.info = *info;
  passed(StepName::info);
  if (info->tls_required && !url_.secure()) {
    server_.step(StepName::info)
        ->notes.push_back(posture::make_finding(Errc::doctor_tls_wanted, posture::Severity::warning,
                                                server_.server + " requires TLS; the connection was upgraded", {}));
  }
  return true;
}

bool Examination::secure() {
  if (probe_->ssl() == nullptr) {
    return unused(StepName::tls) && unused(StepName::chain);
  }
  const auto secured = probe_->wait_for_tls();
  server_.tls = tls::handshake_facts(probe_->ssl());
  if (!secured) {
    return handshake_failed({secured.error().code, server_.server + ": " + secured.error().doing});
  }
  passed(StepName::tls);
  return passed(StepName::chain);
}

bool Examination::handshake_failed(const Error& error) {
  if (is_verdict(error.code)) {
    passed(StepName::tls);
    return failed(StepName::chain, explain_chain(error, report_, server_));
  }
  if (tls::is_certificate_refusal(error.code)) {
    passed(StepName::tls);
    return failed(StepName::chain, explain_refusal(error, report_, server_));
  }
  const bool look = error.code == Errc::tls_peer_not_tls && !server_.info;
  return failed(StepName::tls, explain_tls(error, look ? look_further() : std::nullopt));
}

// ---- with the server ----------------------------------------------------------------------------------------------

void Examination::say_connect(identity::Proof proof) {
  const wire::ServerInfo& info = *server_.info;
  wire::ConnectOptions options;
  options.verbose = options.pedantic = false;
  options.headers = options.no_responders = info.headers;
  options.tls_required = probe_->secured();
  options.protocol = 1;
  options.name = connection_.name;
  options.lang = "hawser";
  options.version = HAWSER_VERSION;
  options.user = std::move(proof.user);
  options.pass = std::move(proof.password);
  options.auth_token = std::move(proof.auth_token);
  options.jwt = std::move(proof.jwt);
  options.nkey = std::move(proof.nkey);
  options.sig = Secret::take(std::move(proof.signature));
  const Secret json = wire::to_json(options);
  probe_->say("CONNECT ");
  probe_->say(json);
  probe_->say("\r\n");
}

bool Examination::authenticate() {
  auto proof = connection_.access->credential->prove(server_.info->nonce);
  if (!proof) {
    return failed(StepName::auth, {proof.error()});
  }
  say_connect(std::move(*proof));
  if (const auto answered = probe_->round_trip(); !answered) {
    const Error error{answered.error().code, server_.server + ": " + answered.error().doing};
    if (tls::is_certificate_refusal(error.code)) {
      return failed_after_all(StepName::chain, explain_refusal(error, report_, server_));
    }
    if (is_alert(error.code)) {
      return failed_after_all(StepName::tls, explain_tls(error, std::nullopt));
    }
    return failed(StepName::auth, explain_auth(error, probe_->last_words(), report_, server_));
  }
  server_.resumable = context_ != nullptr && context_->kept_sessions() > 0;
  return passed(StepName::auth);
}

bool Examination::ping() {
  for (std::size_t i = 0; i < asked_.pings; ++i) {
    const auto took = probe_->round_trip();
    if (!took) {
      return failed(StepName::ping, {Error{took.error().code, server_.server + ": " + took.error().doing}});
    }
    server_.round_trips.push_back(*took);
    server_.max_payload = probe_->info().max_payload;  // a second INFO has the user's own, and has come by now
    if (server_.max_payload == 0) {
      return failed_after_all(StepName::auth, explain_no_payload(report_, server_));
    }
  }
  std::sort(server_.round_trips.begin(), server_.round_trips.end());
  return passed(StepName::ping);
}

void Examination::permissions() {
  auto tried = try_permissions(*probe_, asked_);
  if (!tried) {
    failed(StepName::permissions, {Error{tried.error().code, server_.server + ": " + tried.error().doing}});
    return;
  }
  server_.permissions = std::move(*tried);
  if (auto cause = explain_permissions(server_.permissions, report_)) {
    failed(StepName::permissions, std::move(*cause));
  } else {
    passed(StepName::permissions);
  }
}

}  // namespace

Result<ServerReport> examine_server(ProbeLoop& loop, const Connection& connection, const DoctorReport& report,
                                    const Asked& asked, const posture::ServerUrl& url) {
  return Examination(loop, connection, report, asked, url).run();
}

}  // namespace hawser::cli
