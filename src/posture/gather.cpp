#include "posture/gather.hpp"

#include <algorithm>
#include <sys/stat.h>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "posture/credential_fact.hpp"
#include "posture/setting_text.hpp"

namespace hawser::posture {
namespace {

// A path that is shown: one that looks like a path. A secret that was put into a _FILE variable by mistake does not.
bool is_printable_path(std::string_view path) {
  return path.starts_with('/') || path.starts_with("./") || path.starts_with("../");
}

Result<Secret> read_credential(const std::string& path) {
  Result<Secret> text = read_secret_file(path, limits::kCredentialFileBytes);
  if (!text && !is_printable_path(path)) {
    // The system's reason, which stands last, without the path.
    const std::string& doing = text.error().doing;
    const std::size_t reason = doing.rfind(": ");
    return fail(text.error().code,
                "reading the file" + (reason == std::string::npos ? std::string() : doing.substr(reason)));
  }
  return text;
}

bool readable_by_others(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & S_IROTH) != 0;
}

std::optional<CredentialFact> look_at(const OptionalSetting<std::string>& setting, Expected expected) {
  if (!setting || !setting->known) {
    return std::nullopt;
  }
  const Result<Secret> text = read_credential(setting->value);
  if (!text) {
    CredentialFact fact;
    fact.error = text.error();
    return fact;
  }
  CredentialFact fact = inspect_credential(text->reveal(), expected);
  fact.readable_by_others = readable_by_others(setting->value);
  return fact;
}

Errc code_of(tls::FindingCode code) {
  switch (code) {
    case tls::FindingCode::key_readable_by_others: return Errc::key_readable_by_others;
    case tls::FindingCode::certificate_expires_soon: return Errc::certificate_expiring;
    case tls::FindingCode::authority_expires_soon: return Errc::authority_expiring;
    case tls::FindingCode::authority_expired: return Errc::authority_expired;
    case tls::FindingCode::crl_expires_soon: return Errc::crl_expiring;
    case tls::FindingCode::crl_missing_for_authority: return Errc::crl_incomplete;
    case tls::FindingCode::crl_without_authority: return Errc::crl_without_authority;
    case tls::FindingCode::certificate_revoked: return Errc::certificate_revoked;
    case tls::FindingCode::chain_out_of_order: return Errc::chain_out_of_order;
    case tls::FindingCode::chain_not_in_bundle: return Errc::chain_not_in_bundle;
  }
  return Errc::internal_error;
}

// The text of a path setting; empty if it is not set, or not known here.
std::string path_of(const OptionalSetting<std::string>& setting) {
  return setting && setting->known ? setting->value : std::string();
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos && !from.empty();
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::vector<MaterialFact> look_at_material(const Settings& settings, WallTime now) {
  tls::Source source{.cert_file = path_of(settings.tls_cert),
                     .key_file = path_of(settings.tls_key),
                     .ca_file = path_of(settings.tls_ca),
                     .crl_file = path_of(settings.tls_crl),
                     .server_name = path_of(settings.tls_server_name)};
  if (source.cert_file.empty() != source.key_file.empty()) {
    source.cert_file.clear();  // half a pair is a finding already; the rest is worth a look
    source.key_file.clear();
  }
  std::vector<MaterialFact> facts;
  if (source.empty()) {
    return facts;
  }
  const tls::Assessment assessment = tls::assess(source, now);
  const std::string shown_key = tls::without_pin(source.key_file);
  const auto without_pin = [&](std::string text) { return replace_all(std::move(text), source.key_file, shown_key); };
  for (const Error& error : assessment.errors) {
    facts.push_back({.code = error.code,
                     .severity = Severity::error,
                     .message = without_pin(std::string(info(error.code).summary) + ": " + error.doing),
                     .hint = {}});
  }
  const bool expired = std::any_of(assessment.errors.begin(), assessment.errors.end(),
                                   [](const Error& e) { return e.code == Errc::tls_certificate_expired; });
  for (const tls::Finding& finding : assessment.findings) {
    if (expired && finding.code == tls::FindingCode::certificate_expires_soon) {
      continue;  // it did
    }
    facts.push_back({.code = code_of(finding.code),
                     .severity = finding.severity == tls::Severity::note ? Severity::note : Severity::warning,
                     .message = without_pin(finding.message),
                     .hint = finding.hint});
  }
  return facts;
}

}  // namespace

Facts gather(const Settings& settings, WallTime now) {
  return {.password_file = look_at(settings.password_file, Expected::text),
          .token_file = look_at(settings.token_file, Expected::text),
          .nkey_file = look_at(settings.nkey_file, Expected::seed_or_creds),
          .creds = look_at(settings.creds, Expected::creds),
          .material = look_at_material(settings, now)};
}

Result<identity::Credential> load_credential(const Decision& decision) {
  const CredentialPlan& plan = decision.credential;
  if (plan.mode == AuthMode::none || plan.mode == AuthMode::cert) {
    return identity::Credential();
  }
  if (plan.mode == AuthMode::refused) {
    return fail(Errc::auth_missing, "loading the credential: posture refused every one that is set");
  }
  Secret text = plan.value.copy();
  if (!plan.file.empty()) {
    Result<Secret> read = read_credential(plan.file);
    if (!read) {
      return std::unexpected(read.error());
    }
    text = std::move(*read);
  }
  const std::string_view trimmed = trim(text.reveal());
  if (trimmed.empty()) {
    return fail(Errc::credential_malformed, "loading the credential of " + plan.origin + ": it is empty");
  }
  if (plan.mode == AuthMode::user) {
    return identity::Credential(identity::Credential::User{.name = plan.user, .password = Secret(trimmed)});
  }
  if (plan.mode == AuthMode::token) {
    return identity::Credential(identity::Credential::Token{.text = Secret(trimmed)});
  }
  Result<identity::CredentialText> parsed = identity::parse_credential_text(text.reveal());
  if (!parsed) {
    return std::unexpected(parsed.error());
  }
  return std::visit([](auto&& value) { return identity::Credential(std::forward<decltype(value)>(value)); },
                    std::move(*parsed));
}

std::vector<std::string> credential_files(const Decision& decision) {
  return decision.credential.file.empty() ? std::vector<std::string>() : std::vector{decision.credential.file};
}

}  // namespace hawser::posture
