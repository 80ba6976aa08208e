// Rules about the tls blocks of a nats-server configuration.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "config/letters.hpp"
#include "config/server_conf_rules.hpp"

namespace hawser::config {

namespace {

using Kind = ConfNode::Kind;
using posture::Severity;

enum class Suite : std::uint8_t { fine, dated, weak };

// By its name, as Go's list has it. Weak is what Go's own list calls insecure.
Suite judge(std::string_view name) {
  const std::string suite = lower(name);
  const auto has = [&suite](std::string_view part) { return suite.find(part) != std::string::npos; };
  for (const std::string_view part : {"rc4", "3des", "_des_", "null", "export", "anon", "md5", "cbc_sha256"}) {
    if (has(part)) return Suite::weak;
  }
  if (suite.starts_with("tls_rsa_")) return Suite::weak;  // no forward secrecy
  return has("_cbc_") ? Suite::dated : Suite::fine;
}

std::string text_of(const ConfNode& block, std::string_view key) {
  const ConfNode* node = block.find(key);
  return node != nullptr && node->is(Kind::string) ? node->text : std::string();
}

// What tls::assess calls an error, in the words of this lint.
std::pair<Errc, Severity> finding_of(Errc code) {
  switch (code) {
    case Errc::tls_certificate_expired:
    case Errc::tls_certificate_not_yet_valid: return {Errc::server_certificate_expired, Severity::error};
    case Errc::tls_key_mismatch: return {Errc::server_certificate_mismatch, Severity::error};
    case Errc::tls_file_unreadable: return {Errc::server_material_not_seen, Severity::warning};
    default: return {Errc::server_certificate_unusable, Severity::error};
  }
}

}  // namespace

void ServerConfLint::tls_blocks() {
  if (const ConfNode* tls = conf_.root.find("tls"); tls != nullptr && tls->is(Kind::map)) tls_block(*tls, "tls", true);
  for (const std::string_view name : {"cluster", "gateway", "leafnodes", "leaf", "websocket", "ws", "mqtt"}) {
    const ConfNode* block = conf_.root.find(name);
    const ConfNode* tls = block == nullptr ? nullptr : block->find("tls");
    if (tls != nullptr && tls->is(Kind::map)) tls_block(*tls, fmt::format("{}.tls", name), false);
  }
}

void ServerConfLint::tls_block(const ConfNode& tls, const std::string& path, bool for_clients) {
  const bool maps = is_true(tls, "verify_and_map");
  const bool verifies =
      maps || is_true(tls, "verify") || is_true(tls, "verify_cert_and_check_known_urls") || is_true(tls, "client_auth");
  if (verifies && tls.find("ca_file") == nullptr) {
    const ConfMember* cause =
        any_member(tls, {"verify_and_map", "verify", "verify_cert_and_check_known_urls", "client_auth"});
    error(Errc::server_verify_without_ca,
          fmt::format("{} verifies client certificates without ca_file: those of every public CA are let in", path),
          cause->place);
  }
  if (maps && for_clients && users_.empty() && operator_key() == nullptr) {
    error(Errc::server_map_without_users,
          fmt::format("{} maps certificates to users, and there are no users: everybody with a trusted certificate may "
                      "do everything",
                      path),
          tls.member("verify_and_map")->place);
  }
  if (const ConfNode* suites = tls.find("cipher_suites")) ciphers(*suites, path);
  material(tls, path);
}

void ServerConfLint::ciphers(const ConfNode& suites, const std::string& path) {
  const auto look_at = [&](const ConfNode& suite) {
    if (!suite.is(Kind::string)) return;
    const std::string name = suite.text.substr(0, 64);
    if (judge(name) == Suite::weak)
      error(Errc::server_weak_cipher, fmt::format("{} allows the weak cipher suite {}", path, name), suite.place);
    if (judge(name) == Suite::dated)
      warning(Errc::server_weak_cipher, fmt::format("{} allows the CBC cipher suite {}", path, name), suite.place);
  };
  if (suites.is(Kind::array)) std::for_each(suites.items.begin(), suites.items.end(), look_at);
}

void ServerConfLint::material(const ConfNode& tls, const std::string& path) {
  const auto assess = [&](const ConfNode& pair, std::string ca_file) {
    tls::Source source{text_of(pair, "cert_file"), text_of(pair, "key_file"), std::move(ca_file), {}, {},
                       tls::Usage::server};
    if (source.empty() || source.key_in_token()) return;
    const ConfMember* cause = any_member(pair, {"cert_file", "key_file", "ca_file"});
    const tls::Assessment found = assess_(source);
    for (const Error& wrong : found.errors) {
      const auto [code, severity] = finding_of(wrong.code);
      find(code, severity,
           fmt::format("{}: {} ({}): {}", path, info(wrong.code).summary, error_id(wrong.code), wrong.doing),
           cause->place);
    }
    const bool expired = std::any_of(found.errors.begin(), found.errors.end(),
                                     [](const Error& e) { return e.code == Errc::tls_certificate_expired; });
    for (const tls::Finding& notice : found.findings) {
      if (expired && notice.code == tls::FindingCode::certificate_expires_soon) continue;  // it did
      if (notice.code == tls::FindingCode::chain_not_in_bundle) continue;  // ca_file is for clients here
      const bool expires = notice.code == tls::FindingCode::certificate_expires_soon ||
                           notice.code == tls::FindingCode::authority_expires_soon;
      find(expires ? Errc::server_certificate_expiring : Errc::server_material_notice,
           notice.severity == tls::Severity::note ? Severity::note : Severity::warning,
           fmt::format("{}: {}", path, notice.message), cause->place);
    }
  };
  assess(tls, text_of(tls, "ca_file"));
  const ConfMember* more = any_member(tls, {"certs", "certificates"});
  if (more == nullptr || !more->value.is(Kind::array)) return;
  for (const ConfNode& pair : more->value.items) {
    if (pair.is(Kind::map)) assess(pair, {});
  }
}

}  // namespace hawser::config
