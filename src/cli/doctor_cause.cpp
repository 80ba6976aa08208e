// The causes on the way to a secured connection; those of authentication are in doctor_cause_auth.cpp.
#include "cli/doctor_cause.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "posture/finding.hpp"

namespace hawser::cli {
namespace {

constexpr std::size_t kMostNames = 6;

std::string list(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), kMostNames);
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) {
    text += (i == 0 ? "" : ", ") + bounded(names[i]);
  }
  return names.size() > shown ? fmt::format("{} and {} more", text, names.size() - shown) : text;
}

std::vector<std::string> subjects(const std::vector<tls::CertificateInfo>& certificates) {
  std::vector<std::string> names;
  for (const tls::CertificateInfo& certificate : certificates) {
    names.push_back(certificate.subject);
  }
  return names;
}

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string clock_says(const DoctorReport& report) { return "this machine's clock says " + to_rfc3339(report.at); }

// How to come to trust the server.
std::string trust_hint(const DoctorReport& report, const ServerReport& server) {
  if (!server.tls || server.tls->peer_chain.empty()) {
    return {};
  }
  const std::string issuer = bounded(server.tls->peer_chain.back().issuer);
  if (report.trusted.empty()) {
    return fmt::format(
        "No CA is configured, so that only the system's are trusted: set NATS_TLS_CA (--tlsca) to the "
        "certificate of {}.",
        issuer);
  }
  const std::vector<std::string> trusted = subjects(report.trusted);
  if (holds(trusted, server.tls->peer_chain.back().issuer)) {
    return fmt::format(
        "A CA called {} is trusted, and has another key: it was made again under the same name. Fetch the "
        "new certificate into the file of NATS_TLS_CA (--tlsca).",
        issuer);
  }
  return fmt::format(
      "The server's chain leads to {}; the file of NATS_TLS_CA (--tlsca) holds {}. Add the certificate of "
      "{} to it, or, if that is an intermediate, have the server send it.",
      issuer, list(trusted), issuer);
}

// The certificate of the chain that is outside its time.
const tls::CertificateInfo* outside_its_time(const ServerReport& server, WallTime now, Errc code) {
  if (server.tls) {
    for (const tls::CertificateInfo& certificate : server.tls->peer_chain) {
      if (code == Errc::tls_peer_expired ? certificate.not_after < now : certificate.not_before > now) {
        return &certificate;
      }
    }
  }
  return nullptr;
}

// What our certificate would have to be, as the server said.
std::string wanted_issuers(const ServerReport& server) {
  return server.tls && !server.tls->accepted_issuers.empty()
             ? " The server takes certificates of " + list(server.tls->accepted_issuers) + "."
             : std::string();
}

// Whether a CA that the server named issued a certificate of our chain. Nothing: it named none.
std::optional<bool> issuer_is_accepted(const DoctorReport& report, const ServerReport& server) {
  if (!server.tls || server.tls->accepted_issuers.empty() || report.own_chain.empty()) {
    return std::nullopt;
  }
  return std::any_of(report.own_chain.begin(), report.own_chain.end(),
                     [&](const tls::CertificateInfo& own) { return holds(server.tls->accepted_issuers, own.issuer); });
}

}  // namespace

Cause explain_resolve(const Error& error, const std::string& host) {
  return {error,
          fmt::format("Check the spelling of \"{}\", and the resolver: `getent hosts {}` should print an address. "
                      "In Kubernetes a name without dots is of the pod's own namespace.",
                      bounded(host), bounded(host))};
}

Cause explain_connect(const Error& error, const ServerReport& server) {
  if (error.code == Errc::connect_refused) {
    return {error,
            "Nothing listens there: check host and port, that the server runs, and that its `listen` is not on "
            "loopback alone."};
  }
  if (error.code == Errc::connect_timeout && server.attempts.size() > 1) {
    return {error,
            "No address of the name answers: a firewall or a route drops the packets, or the name's record is old."};
  }
  return {error};
}

Cause explain_info(const Error& error, std::optional<Answers> answers, const ServerReport& server) {
  switch (error.code) {
    case Errc::tls_not_offered:
      return {Error{Errc::doctor_tls_not_offered, server.server + " has no TLS, and its URL says tls://"},
              "Add a tls block to the server's configuration, or ask for the port that has one; in development alone, "
              "write nats:// in the URL."};
    case Errc::not_a_nats_server:
      return {error,
              "Check host and port: another service answers there. NATS clients use the server's `port` (4222)."};
    default: break;
  }
  if (!answers) {
    return {error};
  }
  switch (*answers) {
    case Answers::nats_within_tls:
      return {error,
              "The server begins with TLS (handshake_first): use a tls:// URL with --tlsfirst, or "
              "tls.handshake_first: true in broker.yaml."};
    case Answers::tls_without_nats:
      return {Error{Errc::not_a_nats_server, server.server + " speaks TLS from the first byte, and no NATS within it"},
              "Check host and port: HTTPS or another service with TLS answers there, perhaps the server's https_port."};
    case Answers::tls:
      return {error,
              "It speaks TLS from the first byte: with a nats-server that has handshake_first use --tlsfirst and a "
              "tls:// URL; otherwise it is another service, such as HTTPS, and the port is wrong."};
    case Answers::http:
      return {Error{Errc::not_a_nats_server, server.server + " is a web server: it answered HTTP"},
              "Check the port: it may be the server's monitoring (8222); clients use its `port` (4222)."};
    case Answers::something:
      return {Error{Errc::not_a_nats_server,
                    server.server + " answers with something that is neither NATS nor TLS nor HTTP"},
              "Check host and port: another service answers there."};
    case Answers::nats:
      return {error, "A second attempt heard INFO: the server is overloaded, or refuses some connections."};
    case Answers::nobody: break;
  }
  return {error,
          "The port is open and silent: the server hangs, another service waits for its client to speak, or a load "
          "balancer has nothing behind it."};
}

Cause explain_tls(const Error& error, std::optional<Answers> answers) {
  if (error.code == Errc::tls_peer_not_tls && answers == Answers::nats) {
    return {error,
            "The server begins with INFO in clear: leave out --tlsfirst (tls.handshake_first); TLS follows by itself."};
  }
  return {error};
}

Cause explain_chain(const Error& error, const DoctorReport& report, const ServerReport& server) {
  switch (error.code) {
    case Errc::tls_unknown_authority:
    case Errc::tls_self_signed: return {error, trust_hint(report, server)};
    case Errc::tls_wrong_name: {
      std::vector<std::string> names;
      if (server.tls && !server.tls->peer_chain.empty()) {
        names = server.tls->peer_chain.front().dns_names;
        const auto& addresses = server.tls->peer_chain.front().ip_addresses;
        names.insert(names.end(), addresses.begin(), addresses.end());
      }
      return {error,
              names.empty()
                  ? "Issue the server's certificate with the name as a subjectAltName: its common name does not count."
                  : fmt::format("Use one of its names in the URL ({}), set NATS_TLS_SERVER_NAME to one, or issue it "
                                "for {} as well.",
                                list(names), server.expected_name)};
    }
    case Errc::tls_peer_expired:
    case Errc::tls_peer_not_yet_valid: {
      const bool expired = error.code == Errc::tls_peer_expired;
      const auto* certificate = outside_its_time(server, report.at, error.code);
      const std::string whose =
          certificate == nullptr || !certificate->is_authority ? "the server's certificate" : "the CA's certificate";
      return {error, fmt::format("{} {}, and reload the server; {}.", expired ? "Renew" : "Wait, or issue again,",
                                 whose, clock_says(report))};
    }
    case Errc::tls_peer_revoked:
      return {error, "Give the server a new certificate: the CRL file (NATS_TLS_CRL) has it as revoked."};
    case Errc::tls_peer_crl_unavailable:
      return {error,
              "Fetch the current CRL of every CA of the server's chain into the file of NATS_TLS_CRL; without one "
              "nobody is trusted."};
    case Errc::tls_peer_wrong_usage:
      return {error, "Issue the server's certificate with the extended key usage serverAuth."};
    default: return {error};
  }
}

Cause explain_refusal(const Error& error, const DoctorReport& report, const ServerReport& server) {
  if (report.own_chain.empty() || error.code == Errc::tls_refused_without_certificate) {
    return {Error{Errc::tls_refused_without_certificate, error.doing},
            "Set NATS_TLS_CERT and NATS_TLS_KEY (--tlscert, --tlskey) to a certificate for clients." +
                wanted_issuers(server)};
  }
  const tls::CertificateInfo& own = report.own_chain.front();
  const std::optional<bool> accepted = issuer_is_accepted(report, server);
  const bool vague = error.code == Errc::tls_refused_certificate || error.code == Errc::tls_refused_unknown_authority;
  if (vague && accepted == false) {
    return {Error{Errc::tls_refused_unknown_authority, error.doing},
            fmt::format(
                "Ours is of {}. Add that CA to the server's ca_file and reload it, or use a certificate of one that "
                "it takes.{}",
                own.issuer, wanted_issuers(server))};
  }
  if (error.code == Errc::tls_refused_certificate) {
    return {error, fmt::format("The server takes certificates of {}, and not this one: the CA may have been made again "
                               "under that name, or the server holds it for revoked or expired; its log says which.",
                               accepted == true ? own.issuer : "its CAs")};
  }
  if (error.code == Errc::tls_refused_expired) {
    return {error, fmt::format("By this machine's clock ({}) it is valid until {}: compare both clocks, or renew it.",
                               to_rfc3339(report.at), tls::format_time(own.not_after))};
  }
  if (error.code == Errc::tls_refused_revoked) {
    return {error, fmt::format("Get a new certificate for {}: serial {} stands in the server's CRL.", own.subject,
                               own.serial)};
  }
  return {error};
}

}  // namespace hawser::cli
