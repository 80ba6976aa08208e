// Why a server did not let us in: it says "Authorization Violation", whatever the reason. What it offers, what we hold
// and what we sent narrow it down.
#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "cli/doctor_cause.hpp"

namespace hawser::cli {
namespace {

using posture::AuthMode;

constexpr auto kClockSlack = std::chrono::seconds(60);

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// The names that a server with verify_and_map looks for among its users.
std::string mapped_names(const tls::CertificateInfo& own) {
  std::vector<std::string> names = own.emails;
  names.insert(names.end(), own.dns_names.begin(), own.dns_names.end());
  names.insert(names.end(), own.uris.begin(), own.uris.end());
  names.push_back(own.subject);
  constexpr std::size_t kMost = 4;
  names.resize(std::min(names.size(), kMost));
  return fmt::format("\"{}\"", fmt::join(names, "\", \""));
}

std::string hint_for_creds(const DoctorReport& report) {
  if (!report.claims) {
    return {};
  }
  const identity::UserClaims& claims = *report.claims;
  const std::string& account = claims.issuer_account.empty() ? claims.issuer : claims.issuer_account;
  return fmt::format(
      "The JWT and its seed fit and are in time, so that one of these is wrong on the server: it does not "
      "know the account {} (push it: `hawser id push`), no operator that it trusts signed that account, the "
      "account does not list the key {} that issued the user, or it has revoked the user {}. Its log at debug "
      "level says which.",
      account, claims.issuer, claims.subject);
}

std::string hint_for_refusal(const DoctorReport& report, const ServerReport& server) {
  const bool nonce = server.info && !server.info->nonce.empty();
  switch (report.mode) {
    case AuthMode::user:
      return fmt::format("The server does not know {} with this password{}.", bounded(report.who),
                         nonce ? "; it also takes NKeys or JWTs, if that is what was meant" : "");
    case AuthMode::token:
      return fmt::format("The server has another token, or none{}.",
                         nonce ? "; it takes NKeys or JWTs, if that is what was meant" : "");
    case AuthMode::nkey:
      return nonce ? fmt::format(
                         "Its users hold no {}: add {{ nkey: … }} with that public key, or use the seed of a user "
                         "that it has. In operator mode it wants creds, not a bare seed.",
                         bounded(report.who))
                   : "The server sent no nonce, so it knows no NKeys: it wants a user and password, or a token.";
    case AuthMode::creds:
      return nonce ? hint_for_creds(report)
                   : "The server sent no nonce, so it takes no JWTs: it is not in operator mode, and wants a user and "
                     "password, or a token.";
    case AuthMode::cert:
      return report.own_chain.empty()
                 ? std::string()
                 : fmt::format(
                       "Only the certificate was sent. If the server maps certificates to users (verify_and_map), add "
                       "a user called one of {}; otherwise set the credential that it wants.",
                       mapped_names(report.own_chain.front()));
    case AuthMode::none:
    case AuthMode::refused: break;
  }
  return {};
}

Cause without_credential(const ServerReport& server) {
  const bool nonce = !server.info->nonce.empty();
  return {
      Error{Errc::doctor_no_credential, server.server + " says: " + offer_of(*server.info)},
      nonce ? "Set NATS_CREDS (--creds) or NATS_NKEY_FILE (--nkey); it may take a user and password as well."
            : "Set NATS_USERNAME and NATS_PASSWORD_FILE (--user, --password-file), or NATS_TOKEN_FILE (--token-file)."};
}

// Ports of the server that are not for clients say so.
std::string hint_for_other_port(const std::string& words) {
  const std::string said = lower(words);
  for (const auto& [word, port] : {std::pair{"route port", "cluster"}, std::pair{"gateway port", "gateway"},
                                   std::pair{"leaf node port", "leaf node"}}) {
    if (said.find(word) != std::string::npos) {
      return fmt::format("This is the server's {} port: clients use its `port` (4222).", port);
    }
  }
  return {};
}

}  // namespace

std::string offer_of(const wire::ServerInfo& info) {
  std::string text = info.auth_required ? "it asks for a credential" : "it asks for no credential";
  if (!info.nonce.empty()) {
    text += info.auth_required ? ", and takes NKeys or JWTs (it sent a nonce)" : ", and would take NKeys or JWTs";
  }
  return text;
}

Cause explain_auth(const Error& error, const std::string& last_words, const DoctorReport& report,
                   const ServerReport& server) {
  if (error.code == Errc::auth_refused) {
    if (report.mode == AuthMode::none && server.info && server.info->auth_required) {
      return without_credential(server);
    }
    return {error, hint_for_refusal(report, server)};
  }
  if (error.code == Errc::server_error) {
    return {error, hint_for_other_port(last_words)};
  }
  // Which of the two it is depends on who was quicker.
  if (error.code == Errc::connection_closed || error.code == Errc::connection_lost) {
    return {Error{Errc::connection_closed, error.doing},
            server.tls && !report.own_chain.empty() ? "The server said nothing more once it had our certificate and "
                                                      "CONNECT: the certificate may not be among its "
                                                      "pinned_certs; its log says why."
                                                    : "The server said nothing to CONNECT; its log says why."};
  }
  if (error.code == Errc::auth_expired && report.claims && report.claims->expires) {
    return {error,
            fmt::format("The JWT ends at {}; this machine's clock says {}. Generate new creds, or set the clock.",
                        to_rfc3339(*report.claims->expires), to_rfc3339(report.at))};
  }
  return {error};
}

// A member that is absent from a user's JWT counts as 0.
Cause explain_no_payload(const DoctorReport& report, const ServerReport& server) {
  return {Error{Errc::jwt_invalid, server.server + " lets " + bounded(report.who) + " send no byte (max_payload 0)"},
          "The user's JWT was made without limits, which counts as 0: issue it again with -1 for none (`hawser id user "
          "edit`, then `hawser id creds`)."};
}

std::optional<posture::Finding> suspect_clock(const Cause& cause, const DoctorReport& report,
                                              const ServerReport& server) {
  using posture::Severity;
  const auto suspect = [](std::string why) {
    return posture::make_finding(Errc::doctor_clock_off, Severity::warning, std::move(why), {});
  };
  const std::string now = to_rfc3339(report.at);
  if (cause.error.code == Errc::tls_peer_not_yet_valid && server.tls) {
    for (const tls::CertificateInfo& certificate : server.tls->peer_chain) {
      if (certificate.not_before > report.at) {
        return suspect(fmt::format("{} is valid from {}, and this machine's clock says {}: it may be slow",
                                   bounded(certificate.subject), tls::format_time(certificate.not_before), now));
      }
    }
  }
  if (cause.error.code == Errc::tls_refused_expired && !report.own_chain.empty() &&
      report.own_chain.front().not_after > report.at) {
    return suspect(
        fmt::format("the server holds our certificate for expired, which by this machine's clock ({}) ends at {}: "
                    "one of the clocks may be off",
                    now, tls::format_time(report.own_chain.front().not_after)));
  }
  const bool about_us = cause.error.code == Errc::auth_refused || cause.error.code == Errc::auth_expired;
  if (about_us && report.claims && report.claims->issued_at && *report.claims->issued_at > report.at + kClockSlack) {
    return suspect(fmt::format("the user JWT was issued at {}, and this machine's clock says {}: it may be slow",
                               to_rfc3339(*report.claims->issued_at), now));
  }
  return std::nullopt;
}

}  // namespace hawser::cli
