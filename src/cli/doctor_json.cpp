// The JSON of `hawser doctor`. Field names are frozen: added to, never renamed.
#include <algorithm>
#include <fmt/format.h>

#include "base/log.hpp"
#include "cli/doctor.hpp"
#include "cli/sub_render.hpp"

namespace hawser::cli {
namespace {

constexpr std::size_t kMostItems = 64;

// An object's text, member by member: numbers as people write them, strings bounded and harmless.
class Object {
 public:
  Object& raw(std::string_view key, std::string_view value) {
    text_ += fmt::format("{}\"{}\":{}", text_.size() > 1 ? "," : "", key, value);
    return *this;
  }
  Object& text(std::string_view key, std::string_view value) { return raw(key, json_string(bounded(value, kLongest))); }
  Object& flag(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
  template <class Number>
  Object& number(std::string_view key, Number value) {
    return raw(key, fmt::format("{}", value));
  }
  Object& seconds(Duration value) {
    return raw("seconds", fmt::format("{:.6f}", std::chrono::duration<double>(value).count()));
  }
  Object& texts(std::string_view key, const std::vector<std::string>& values) {
    std::string list;
    for (std::size_t i = 0; i < std::min(values.size(), kMostItems); ++i) {
      list += (i == 0 ? "" : ",") + json_string(bounded(values[i], kLongest));
    }
    return raw(key, "[" + list + "]");
  }
  [[nodiscard]] std::string done() const { return text_ + "}"; }

 private:
  static constexpr std::size_t kLongest = 512;
  std::string text_ = "{";
};

template <class Items, class F>
std::string array_of(const Items& items, F&& one) {
  std::string list;
  for (const auto& item : items) {
    list += (list.empty() ? "" : ",") + one(item);
  }
  return "[" + list + "]";
}

std::string certificate_json(const tls::CertificateInfo& certificate, WallTime now) {
  const auto left = std::chrono::floor<std::chrono::days>(certificate.not_after - now);
  Object out;
  out.text("subject", certificate.subject).text("issuer", certificate.issuer).text("serial", certificate.serial);
  out.texts("dns_names", certificate.dns_names).texts("ip_addresses", certificate.ip_addresses);
  out.text("not_before", tls::format_time(certificate.not_before));
  out.text("not_after", tls::format_time(certificate.not_after)).number("days_left", left.count());
  out.text("sha256", certificate.sha256).text("key_type", certificate.key_type);
  out.flag("for_client", certificate.for_client).flag("for_server", certificate.for_server);
  return out.flag("is_authority", certificate.is_authority).done();
}

std::string certificates_json(const std::vector<tls::CertificateInfo>& chain, WallTime now) {
  return array_of(chain, [&](const tls::CertificateInfo& certificate) { return certificate_json(certificate, now); });
}

std::string jwt_json(const identity::UserClaims& claims) {
  Object out;
  out.text("user", claims.subject).text("name", claims.name).text("issuer", claims.issuer);
  out.text("account", claims.issuer_account.empty() ? claims.issuer : claims.issuer_account);
  const auto time = [&](std::string_view key, const std::optional<std::chrono::sys_seconds>& value) {
    out.raw(key, value ? json_string(to_rfc3339(*value)) : "null");
  };
  time("issued_at", claims.issued_at);
  time("not_before", claims.not_before);
  time("expires", claims.expires);
  return out.flag("bearer", claims.bearer).done();
}

Object& identity_members(Object& out, const DoctorReport& report) {
  out.text("mode", posture::to_string(report.mode)).text("who", report.who).text("source", report.credential);
  return out.raw("jwt", report.claims ? jwt_json(*report.claims) : "null");
}

std::string seen_configuration(const DoctorReport& report) {
  Object out;
  if (!report.environment) {
    return out.done();
  }
  out.text("environment", posture::to_string(*report.environment));
  out.text("transport", posture::to_string(report.transport)).texts("servers", report.listed);
  identity_members(out, report).raw("certificates", certificates_json(report.own_chain, report.at));
  std::vector<std::string> trusted;
  for (const tls::CertificateInfo& certificate : report.trusted) {
    trusted.push_back(certificate.subject);
  }
  return out.texts("trusted", trusted).done();
}

std::string seen_connect(const ServerReport& server) {
  const auto one = [](const DialAttempt& attempt) {
    Object out;
    out.text("address", attempt.address).flag("ok", attempt.failure.empty()).seconds(attempt.took);
    return (attempt.failure.empty() ? out : out.text("reason", attempt.failure)).done();
  };
  return Object().raw("attempts", array_of(server.attempts, one)).done();
}

std::string seen_info(const ServerReport& server) {
  Object out;
  if (server.info) {
    const wire::ServerInfo& info = *server.info;
    out.text("server_name", info.server_name).text("server_id", info.server_id).text("version", info.version);
    out.flag("tls_required", info.tls_required).flag("tls_available", info.tls_available);
    out.flag("tls_verify", info.tls_verify).flag("auth_required", info.auth_required);
    out.flag("nonce", !info.nonce.empty()).number("max_payload", info.max_payload).flag("headers", info.headers);
    out.flag("jetstream", info.jetstream).text("cluster", info.cluster).text("client_ip", info.client_ip);
    out.flag("lame_duck", info.ldm).texts("connect_urls", info.connect_urls);
  }
  return out.done();
}

std::string seen_tls(const ServerReport& server, const DoctorReport& report) {
  Object out;
  if (server.tls) {
    out.text("version", server.tls->version).text("cipher", server.tls->cipher).flag("resumed", server.tls->resumed);
    out.flag("resumable", server.resumable).flag("certificate_wanted", server.tls->certificate_wanted);
    out.flag("certificate_at_hand", !report.own_chain.empty()).texts("accepted_issuers", server.tls->accepted_issuers);
  }
  return out.done();
}

std::string seen_chain(const ServerReport& server, const DoctorReport& report) {
  Object out;
  if (server.tls) {
    out.text("expected_name", server.expected_name).flag("verified", server.verified);
    out.raw("certificates", certificates_json(server.tls->peer_chain, report.at));
  }
  return out.done();
}

std::string seen_auth(const ServerReport& server, const DoctorReport& report) {
  Object out;
  identity_members(out, report);
  if (server.info) {
    out.flag("asked_for", server.info->auth_required).flag("nonce", !server.info->nonce.empty());
    out.number("max_payload", server.max_payload);
  }
  return out.done();
}

std::string seen_ping(const ServerReport& server) {
  Object out;
  out.number("count", server.round_trips.size());
  if (!server.round_trips.empty()) {
    const std::vector<Duration>& sorted = server.round_trips;
    Object rtt;
    rtt.number("min", in_microseconds(sorted.front())).number("p50", in_microseconds(sorted[sorted.size() / 2]));
    out.raw("rtt_us", rtt.number("max", in_microseconds(sorted.back())).done());
  }
  return out.done();
}

std::string seen_permissions(const ServerReport& server) {
  const auto one = [](const PermissionTried& tried) {
    Object out;
    out.text("action", tried.kind == PermissionTried::Kind::publish ? "publish" : "subscribe");
    out.text("subject", tried.subject).flag("allowed", tried.refusal.empty()).flag("published", tried.published);
    return (tried.refusal.empty() ? out : out.text("said", tried.refusal)).done();
  };
  return Object().raw("tried", array_of(server.permissions, one)).done();
}

std::string seen_json(StepName name, const ServerReport& server, const DoctorReport& report) {
  switch (name) {
    case StepName::configuration: return seen_configuration(report);
    case StepName::resolve: return Object().texts("addresses", server.addresses).done();
    case StepName::connect: return seen_connect(server);
    case StepName::info: return seen_info(server);
    case StepName::tls: return seen_tls(server, report);
    case StepName::chain: return seen_chain(server, report);
    case StepName::auth: return seen_auth(server, report);
    case StepName::ping: return seen_ping(server);
    case StepName::permissions: return seen_permissions(server);
  }
  return "{}";
}

std::string error_json(const Error& error, std::string_view hint) {
  Object out;
  out.text("id", error_id(error.code)).text("name", info(error.code).name);
  const Error safe{error.code, log::redact(error.doing)};
  return out.raw("message", json_string(bounded(safe.message(), 2048))).raw("hint", json_string(hint)).done();
}

std::string note_json(const posture::Finding& note) {
  Object out;
  out.text("id", error_id(note.code)).text("name", info(note.code).name).text("severity", to_string(note.severity));
  out.raw("message", json_string(bounded(log::redact(note.message), 2048))).text("hint", note.hint);
  return out.texts("sources", note.sources).done();
}

std::string step_json(const Step& step, const ServerReport& server, const DoctorReport& report) {
  const bool made = step.outcome == Outcome::ok || step.outcome == Outcome::failed;
  Object out;
  out.text("name", to_string(step.name)).flag("ok", step.outcome == Outcome::ok || step.outcome == Outcome::unused);
  out.flag("checked", step.outcome != Outcome::not_checked).flag("used", step.outcome != Outcome::unused);
  out.seconds(step.took).raw("seen", made ? seen_json(step.name, server, report) : "{}");
  out.raw("notes", array_of(step.notes, note_json));
  if (step.cause) {
    const Cause& cause = *step.cause;
    out.raw("error", error_json(cause.error, cause.hint.empty() ? info(cause.error.code).hint : cause.hint));
  } else if (step.outcome == Outcome::not_checked) {
    out.raw("error", error_json({Errc::doctor_not_checked, "an earlier step failed"},
                                "Mend the step that failed, and run it again."));
  }
  return out.done();
}

std::string steps_json(const std::vector<Step>& steps, const ServerReport& server, const DoctorReport& report) {
  return array_of(steps, [&](const Step& step) { return step_json(step, server, report); });
}

std::string server_json(const ServerReport& server, const DoctorReport& report) {
  Object out;
  out.text("server", server.server).flag("ok", server.ok());
  return out.raw("steps", steps_json(server.steps, server, report)).done();
}

}  // namespace

std::string render_doctor_json(const DoctorReport& report) {
  const ServerReport* leading = report.leading();
  const ServerReport none;
  std::vector<Step> steps = {report.configuration};
  if (leading != nullptr) {
    steps.insert(steps.end(), leading->steps.begin(), leading->steps.end());
  } else {
    for (const StepName name : {StepName::resolve, StepName::connect, StepName::info, StepName::tls, StepName::chain,
                                StepName::auth, StepName::ping}) {
      steps.push_back({.name = name});
    }
  }
  Object out;
  out.flag("ok", report.ok()).text("at", to_rfc3339(report.at));
  out.raw("server", leading == nullptr ? "null" : json_string(leading->server));
  out.raw("steps", steps_json(steps, leading == nullptr ? none : *leading, report));
  out.raw("servers", array_of(report.servers, [&](const ServerReport& server) { return server_json(server, report); }));
  return out.done() + "\n";
}

}  // namespace hawser::cli
