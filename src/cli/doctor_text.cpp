// `hawser doctor` for people: a line a step, then what failed and what mends it.
#include <algorithm>
#include <fmt/format.h>

#include "cli/doctor.hpp"
#include "cli/doctor_cause.hpp"
#include "cli/sub_render.hpp"

namespace hawser::cli {
namespace {

struct Paint {
  Colours colours;
  [[nodiscard]] std::string operator()(std::string_view code, std::string_view text) const {
    return colours == Colours::on ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
};

// What a server said: bounded, on one line, and no terminal obeys it.
std::string plain(std::string_view text) {
  std::string out = safe_for_terminal(bounded(text));
  std::ranges::replace(out, '\n', ' ');
  return out;
}

// Our own sentences, in which it may stand: they are bounded where they are made.
std::string sentence(std::string_view text) { return safe_for_terminal(text); }

std::string joined(const std::vector<std::string>& items, std::size_t most = 6) {
  std::string text;
  for (std::size_t i = 0; i < std::min(items.size(), most); ++i) {
    text += (i == 0 ? "" : ", ") + plain(items[i]);
  }
  return items.size() > most ? fmt::format("{} and {} more", text, items.size() - most) : text;
}

std::string about(const tls::CertificateInfo& certificate, WallTime now) {
  return fmt::format("{} of {}, ends {} ({}), SHA-256 {}", plain(certificate.subject), plain(certificate.issuer),
                     tls::format_time(certificate.not_after), relative_time(certificate.not_after, now),
                     tls::short_fingerprint(certificate.sha256));
}

std::vector<std::string> names_of(const tls::CertificateInfo& certificate) {
  std::vector<std::string> names = certificate.dns_names;
  names.insert(names.end(), certificate.ip_addresses.begin(), certificate.ip_addresses.end());
  return names;
}

using Lines = std::vector<std::string>;  // the first stands beside the step, the others below it

Lines seen_of_configuration(const DoctorReport& report) {
  if (!report.environment) {
    return {};
  }
  Lines lines = {fmt::format("{}, {}, {}", posture::to_string(*report.environment),
                             report.transport == posture::Transport::tls         ? "TLS"
                             : report.transport == posture::Transport::plaintext ? "plain text"
                                                                                 : "refused",
                             joined(report.listed))};
  std::string who = "authentication: " + std::string(posture::to_string(report.mode));
  who += report.who.empty() || report.who == "none" ? "" : fmt::format(", {}", plain(report.who));
  who += report.credential.empty() ? "" : fmt::format(" ({})", plain(report.credential));
  lines.push_back(std::move(who));
  if (report.claims) {
    const identity::UserClaims& claims = *report.claims;
    lines.push_back(fmt::format("JWT: user {}, account {}{}{}", plain(claims.name),
                                plain(claims.issuer_account.empty() ? claims.issuer : claims.issuer_account),
                                claims.issued_at ? ", issued " + to_rfc3339(*claims.issued_at) : "",
                                claims.expires ? fmt::format(", ends {} ({})", to_rfc3339(*claims.expires),
                                                             relative_time(*claims.expires, report.at))
                                               : ", without end"));
  }
  if (!report.own_chain.empty()) {
    lines.push_back("certificate: " + about(report.own_chain.front(), report.at));
  }
  return lines;
}

Lines seen_of_connect(const ServerReport& server) {
  Lines lines;
  for (const DialAttempt& attempt : server.attempts) {
    lines.push_back(attempt.failure.empty()
                        ? fmt::format("{} answered in {}", attempt.address, short_duration(attempt.took))
                        : fmt::format("{}: {}", attempt.address, attempt.failure));
  }
  return lines;
}

Lines seen_of_info(const ServerReport& server) {
  if (!server.info) {
    return {};
  }
  const wire::ServerInfo& info = *server.info;
  Lines lines = {fmt::format("\"{}\", nats-server {}, max_payload {}", plain(info.server_name), plain(info.version),
                             info.max_payload),
                 fmt::format("{}{}; {}",
                             info.tls_required    ? "it requires TLS"
                             : info.tls_available ? "it offers TLS"
                                                  : "it has no TLS",
                             info.tls_verify ? " and a client certificate" : "", offer_of(info))};
  if (!info.connect_urls.empty()) {
    lines.push_back("others of its cluster: " + joined(info.connect_urls));
  }
  return lines;
}

Lines seen_of_tls(const ServerReport& server, const DoctorReport& report) {
  if (!server.tls || server.tls->version.empty()) {
    return {};
  }
  return {fmt::format("TLS {}, {}{}{}", server.tls->version, server.tls->cipher,
                      report.own_chain.empty() ? ", no certificate of ours" : ", our certificate at hand",
                      server.resumable ? ", resumable" : "")};
}

Lines seen_of_chain(const ServerReport& server, const DoctorReport& report) {
  if (!server.tls || server.tls->peer_chain.empty()) {
    return {};
  }
  Lines lines;
  if (!server.verified) {
    lines.emplace_back("NOT verified: verification is switched off");
  }
  for (const tls::CertificateInfo& certificate : server.tls->peer_chain) {
    lines.push_back(about(certificate, report.at));
  }
  const std::vector<std::string> names = names_of(server.tls->peer_chain.front());
  lines.push_back(
      fmt::format("names: {}; expected: {}", names.empty() ? "none" : joined(names), plain(server.expected_name)));
  if (!server.tls->accepted_issuers.empty()) {
    lines.push_back("client certificates of: " + joined(server.tls->accepted_issuers));
  }
  return lines;
}

Lines seen_of_auth(const ServerReport& server, const DoctorReport& report) {
  std::string line = "as " + (report.who == "none" ? std::string(posture::to_string(report.mode)) : plain(report.who));
  return {line + (server.info && !server.info->auth_required ? ", which the server did not ask for" : "")};
}

Lines seen_of_ping(const ServerReport& server) {
  if (server.round_trips.empty()) {
    return {};
  }
  const std::vector<Duration>& sorted = server.round_trips;
  return {fmt::format("min {}, median {}, max {} of {}", short_duration(sorted.front()),
                      short_duration(sorted[sorted.size() / 2]), short_duration(sorted.back()), sorted.size())};
}

Lines seen_of_permissions(const ServerReport& server) {
  Lines lines;
  for (const PermissionTried& tried : server.permissions) {
    lines.push_back(fmt::format("{} {}: {}{}", tried.kind == PermissionTried::Kind::publish ? "pub" : "sub",
                                plain(tried.subject),
                                tried.refusal.empty() ? "allowed" : "'" + plain(tried.refusal) + "'",
                                tried.published ? " (an empty message was published)" : ""));
  }
  return lines;
}

Lines seen(StepName name, const ServerReport& server, const DoctorReport& report) {
  switch (name) {
    case StepName::configuration: return seen_of_configuration(report);
    case StepName::resolve: return {joined(server.addresses)};
    case StepName::connect: return seen_of_connect(server);
    case StepName::info: return seen_of_info(server);
    case StepName::tls: return seen_of_tls(server, report);
    case StepName::chain: return seen_of_chain(server, report);
    case StepName::auth: return seen_of_auth(server, report);
    case StepName::ping: return seen_of_ping(server);
    case StepName::permissions: return seen_of_permissions(server);
  }
  return {};
}

std::string outcome_text(Outcome outcome, const Paint& paint) {
  switch (outcome) {
    case Outcome::ok: return paint("32", "ok    ");
    case Outcome::failed: return paint("1;31", "FAILED");
    case Outcome::unused: return paint("2", "-     ");
    case Outcome::not_checked: break;
  }
  return paint("2", "...   ");
}

std::string render_step(const Step& step, const ServerReport& server, const DoctorReport& report, const Paint& paint) {
  constexpr std::string_view kIndent = "                                ";
  const bool made = step.outcome == Outcome::ok || step.outcome == Outcome::failed;
  const std::string head = fmt::format("{} {:<14}{:>9}  ", outcome_text(step.outcome, paint), to_string(step.name),
                                       made ? short_duration(step.took) : "");
  Lines lines = made
                    ? seen(step.name, server, report)
                    : Lines{step.outcome == Outcome::unused ? "not used: the connection is plain text" : "not checked"};
  std::string text = head + (lines.empty() ? "" : lines.front()) + "\n";
  for (std::size_t i = 1; i < lines.size(); ++i) {
    text += fmt::format("{}{}\n", kIndent, lines[i]);
  }
  for (const posture::Finding& note : step.notes) {
    text += fmt::format("{}{}: {} {}\n{}  {}\n", kIndent,
                        paint(note.severity == posture::Severity::note ? "36" : "33", to_string(note.severity)),
                        error_id(note.code), sentence(note.message), kIndent, paint("2", sentence(note.hint)));
  }
  return text;
}

std::string render_cause(const Cause& cause, const Paint& paint) {
  return fmt::format("{}\n  fix: {}\n", paint("1;31", sentence(cause.error.message())),
                     sentence(cause.hint.empty() ? info(cause.error.code).hint : std::string_view(cause.hint)));
}

std::string render_server(const ServerReport& server, const DoctorReport& report, const Paint& paint) {
  std::string text = report.listed.size() > 1 ? "\n" + paint("1", plain(server.server)) + "\n" : "";
  for (const Step& step : server.steps) {
    text += render_step(step, server, report, paint);
  }
  if (const Step* failed = server.failed()) {
    text += "\n" + render_cause(*failed->cause, paint);
  }
  return text;
}

}  // namespace

std::string render_doctor_text(const DoctorReport& report, Colours colours) {
  const Paint paint{colours};
  std::string text = render_step(report.configuration, {}, report, paint);
  if (report.configuration.cause) {
    text += "\n" + render_cause(*report.configuration.cause, paint);
    return text + "Nothing was dialled; next would be: resolve, connect, info, tls, chain, auth, ping" +
           (report.listed.empty() ? "" : " with " + joined(report.listed)) + ".\n";
  }
  for (const ServerReport& server : report.servers) {
    text += render_server(server, report, paint);
  }
  return text + "\n" + (report.ok() ? paint("32", "ok") : paint("1;31", "not ok")) + "\n";
}

}  // namespace hawser::cli
