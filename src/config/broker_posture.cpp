// What is to be said of a broker's settings, whatever they came from.
#include <algorithm>
#include <fmt/format.h>

#include "broker/bcrypt_check.hpp"
#include "config/broker_conf.hpp"
#include "config/server_conf_rules.hpp"

namespace hawser::config {

namespace {

using Severity = Notice::Severity;

bool is_plain(const Secret& password) { return !password.empty() && !broker::looks_like_bcrypt(password.reveal()); }

void judge_authentication(const broker::Settings& settings, std::vector<Notice>& out) {
  if (!settings.open() || !settings.listen) return;
  const bool asks_for_certificate = settings.tls && settings.tls->verify && !settings.allow_non_tls;
  if (!asks_for_certificate) {
    out.push_back({Errc::broker_no_authentication,
                   Severity::loud,
                   {},
                   "no authentication: everybody who reaches the port may do everything",
                   {}});
  } else if (settings.tls->verify_and_map) {
    out.push_back({Errc::broker_no_authentication,
                   Severity::loud,
                   {},
                   "verify_and_map without users: everybody with a certificate of the CA may do everything",
                   "Add users named as the certificates are."});
  } else {
    out.push_back({Errc::broker_no_authentication,
                   Severity::note,
                   {},
                   "everybody with a certificate of the CA may do everything",
                   "verify_and_map and users tell them apart."});
  }
}

void judge_passwords(const broker::Authorization& authorization, std::vector<Notice>& out) {
  const auto plain = std::find_if(authorization.users.begin(), authorization.users.end(),
                                  [](const broker::User& user) { return is_plain(user.password); });
  const bool single = is_plain(authorization.password);
  if (single || plain != authorization.users.end())
    out.push_back({Errc::broker_plain_password,
                   Severity::warning,
                   {},
                   "Plaintext passwords detected, use nkeys or bcrypt" +
                       (single ? std::string() : fmt::format(" (the first one at {})", plain->place)),
                   {}});
  if (!authorization.token.empty())
    out.push_back({Errc::broker_unsafe_setting,
                   Severity::note,
                   {},
                   "one token is shared by all clients",
                   "Users, best with NKeys, can be told apart and taken away one by one."});
  if (!authorization.no_auth_user.empty())
    out.push_back({Errc::broker_unsafe_setting,
                   Severity::note,
                   {},
                   fmt::format("clients without credentials are let in as \"{}\"", authorization.no_auth_user),
                   {}});
}

void judge_transport(const broker::Settings& settings, std::vector<Notice>& out) {
  const auto beyond = [](const std::optional<broker::Listen>& listen) {
    return listen && !is_loopback_host(listen->host);
  };
  if (beyond(settings.listen) && !settings.tls)
    out.push_back({Errc::broker_unsafe_setting,
                   Severity::warning,
                   {},
                   fmt::format("listens on {} without TLS: what clients send, credentials too, can be read on the way",
                               settings.listen->host),
                   "Add tls { … }, or listen on 127.0.0.1."});
  if (settings.tls && settings.allow_non_tls)
    out.push_back({Errc::broker_unsafe_setting,
                   Severity::warning,
                   {},
                   "allow_non_tls lets clients in without TLS, credentials and all",
                   {}});
  if (settings.tls && !settings.tls->recheck)
    out.push_back({Errc::broker_unsafe_setting,
                   Severity::warning,
                   {},
                   "tls.recheck is off: who is connected stays, also when its certificate is no longer trusted",
                   {}});
  if (beyond(settings.monitoring.http))
    out.push_back({Errc::broker_unsafe_setting,
                   Severity::warning,
                   {},
                   fmt::format("monitoring on {} shows users and subjects to everybody who reaches it",
                               settings.monitoring.http->host),
                   "http: \"127.0.0.1:8222\""});
}

// nats-server trusts an operator for ever, whatever its JWT says; so it is said aloud.
void judge_operators(const broker::OperatorSettings& mode, std::vector<Notice>& out) {
  for (const identity::OperatorClaims& one : mode.operators) {
    if (one.expires && *one.expires <= wall_now())
      out.push_back({Errc::broker_operator_invalid,
                     Severity::loud,
                     {},
                     fmt::format("the JWT of operator {} has expired on {}, and is trusted none the less", one.subject,
                                 to_rfc3339(*one.expires)),
                     "Renew it, and reload."});
  }
}

}  // namespace

std::vector<Notice> broker_posture(const broker::Settings& settings) {
  std::vector<Notice> out;
  judge_authentication(settings, out);
  if (settings.operator_mode) judge_operators(*settings.operator_mode, out);
  judge_passwords(settings.authorization, out);
  judge_transport(settings, out);
  return out;
}

}  // namespace hawser::config
