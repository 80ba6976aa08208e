#include <algorithm>

#include "posture/rules.hpp"
#include "posture/setting_text.hpp"

namespace hawser::posture::rules {
namespace {

std::string text_of(const OptionalSetting<std::string>& setting) { return setting ? setting->value : std::string(); }
bool is_on(const OptionalSetting<bool>& setting) { return setting && setting->known && setting->value; }

void find_ignored_material(const Case& c, Decision& decision) {
  const bool any_secure = std::ranges::any_of(decision.servers, &ServerUrl::secure);
  if (any_secure || decision.servers.empty()) {
    return;
  }
  const Settings& s = c.settings;
  std::vector<std::string> sources;
  for (const auto* setting : {&s.tls_ca, &s.tls_cert, &s.tls_key, &s.tls_crl, &s.tls_server_name}) {
    if (*setting) {
      sources.push_back((*setting)->origin);
    }
  }
  for (const auto* setting : {&s.tls_insecure, &s.tls_handshake_first}) {
    if (is_on(*setting)) {
      sources.push_back((*setting)->origin);
    }
  }
  if (sources.empty()) {
    return;
  }
  std::string message = "TLS is configured by " + list(sources) + ", and is not used: no URL says tls://";
  add(decision, Errc::tls_material_ignored, Severity::warning, std::move(message), std::move(sources));
}

void find_half_pair(const Settings& s, Decision& decision) {
  if (s.tls_cert.has_value() == s.tls_key.has_value()) {
    return;
  }
  const bool has_cert = s.tls_cert.has_value();
  add(decision, Errc::tls_pair_incomplete, Severity::error,
      has_cert ? "a client certificate is set without its key" : "a client key is set without its certificate",
      {has_cert ? s.tls_cert->origin : s.tls_key->origin});
}

// The settings that a finding about material comes from.
std::vector<std::string> material_sources(const Settings& s,
                                          std::initializer_list<const OptionalSetting<std::string>*> which) {
  std::vector<std::string> sources;
  for (const auto* setting : which) {
    if (*setting && std::ranges::find(sources, (*setting)->origin) == sources.end()) {
      sources.push_back((*setting)->origin);
    }
  }
  if (sources.empty()) {
    for (const auto* setting : {&s.tls_cert, &s.tls_key, &s.tls_ca, &s.tls_crl}) {
      if (*setting) {
        sources.push_back((*setting)->origin);
      }
    }
  }
  return sources;
}

std::vector<std::string> sources_of(const Settings& s, Errc code) {
  switch (code) {
    case Errc::tls_ca_without_certificate:
    case Errc::authority_expiring:
    case Errc::authority_expired: return material_sources(s, {&s.tls_ca});
    case Errc::tls_crl_expired:
    case Errc::tls_crl_bad_signature:
    case Errc::tls_crl_missing:
    case Errc::crl_expiring:
    case Errc::crl_incomplete:
    case Errc::crl_without_authority: return material_sources(s, {&s.tls_crl});
    case Errc::tls_key_encrypted:
    case Errc::tls_key_weak:
    case Errc::tls_token_failed:
    case Errc::key_readable_by_others: return material_sources(s, {&s.tls_key});
    case Errc::tls_certificate_expired:
    case Errc::tls_certificate_not_yet_valid:
    case Errc::tls_no_client_usage:
    case Errc::certificate_expiring:
    case Errc::certificate_revoked:
    case Errc::chain_out_of_order: return material_sources(s, {&s.tls_cert});
    case Errc::tls_key_mismatch: return material_sources(s, {&s.tls_cert, &s.tls_key});
    case Errc::chain_not_in_bundle: return material_sources(s, {&s.tls_cert, &s.tls_ca});
    default: return material_sources(s, {});
  }
}

}  // namespace

void decide_tls(const Case& c, Decision& decision) {
  const Settings& s = c.settings;
  decision.tls.source = {.cert_file = text_of(s.tls_cert),
                         .key_file = text_of(s.tls_key),
                         .ca_file = text_of(s.tls_ca),
                         .crl_file = text_of(s.tls_crl),
                         .server_name = text_of(s.tls_server_name)};
  decision.tls.handshake_first = is_on(s.tls_handshake_first);
  if (s.tls_min_version && s.tls_min_version->known) {
    decision.tls.min_version = s.tls_min_version->value;
  }
  if (is_on(s.tls_insecure)) {
    decision.tls.insecure = !c.production();
    add(decision, Errc::tls_verification_disabled, c.production() ? Severity::error : Severity::warning,
        c.production() ? "the server would not be verified, and the environment is production"
                       : "the server is not verified: anybody on the way can be it",
        {s.tls_insecure->origin});
  }
  find_half_pair(s, decision);
  find_ignored_material(c, decision);
  for (const MaterialFact& fact : c.facts.material) {
    Finding finding = make_finding(fact.code, fact.severity, fact.message, sources_of(s, fact.code));
    if (!fact.hint.empty()) {
      finding.hint = fact.hint;
    }
    decision.findings.push_back(std::move(finding));
  }
}

}  // namespace hawser::posture::rules
