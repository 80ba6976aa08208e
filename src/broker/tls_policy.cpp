#include "broker/tls_policy.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/ssl.h>
#include <utility>

namespace hawser::broker {
namespace {

enum class Kind : std::uint8_t { tls12, tls13 };

struct CipherName {
  std::string_view go;
  std::string_view openssl;
  Kind kind;
};

// Go's, where they have forward secrecy and AEAD; of the others it is said why they are refused.
constexpr std::array<CipherName, 11> kCiphers = {
    {{"TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", Kind::tls13},
     {"TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384", Kind::tls13},
     {"TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256", Kind::tls13},
     {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256", Kind::tls12},
     {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", Kind::tls12},
     {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384", Kind::tls12},
     {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384", Kind::tls12},
     {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", Kind::tls12},
     {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305", Kind::tls12},
     {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305", Kind::tls12},
     {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE-RSA-CHACHA20-POLY1305", Kind::tls12}}};

// Without forward secrecy, or with a broken cipher, or without AEAD.
constexpr std::array<std::string_view, 16> kInsecure = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
};

struct CurveName {
  std::string_view go;
  std::string_view openssl;  // empty: OpenSSL 3.0 does not have it
};

constexpr std::array<CurveName, 7> kCurves = {{{"X25519", "X25519"},
                                               {"CurveP256", "P-256"},
                                               {"CurveP384", "P-384"},
                                               {"CurveP521", "P-521"},
                                               {"X25519MLKEM768", ""},
                                               {"SecP256r1MLKEM768", ""},
                                               {"SecP384r1MLKEM1024", ""}}};

template <class Table>
std::string known_names(const Table& table) {
  std::vector<std::string_view> names;
  for (const auto& one : table) {
    if (!one.openssl.empty()) {
      names.push_back(one.go);
    }
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

void append(std::string& list, std::string_view one) { list.append(list.empty() ? "" : ":").append(one); }

Result<void> translate_ciphers(const std::vector<std::string>& wanted, TlsNames& names) {
  for (const std::string& one : wanted) {
    if (std::ranges::find(kInsecure, one) != kInsecure.end()) {
      return fail(Errc::broker_bad_tls_option,
                  fmt::format("cipher_suites: {} is insecure; there are {}", one, known_names(kCiphers)));
    }
    const auto found = std::ranges::find(kCiphers, one, &CipherName::go);
    if (found == kCiphers.end()) {
      return fail(Errc::broker_bad_tls_option,
                  fmt::format("cipher_suites: unrecognized cipher {}; there are {}", one, known_names(kCiphers)));
    }
    append(found->kind == Kind::tls13 ? names.tls13_suites : names.tls12_ciphers, found->openssl);
  }
  names.tls13_only = !names.tls13_suites.empty() && names.tls12_ciphers.empty();
  return {};
}

Result<void> translate_curves(const std::vector<std::string>& wanted, TlsNames& names) {
  for (const std::string& one : wanted) {
    const auto found = std::ranges::find(kCurves, one, &CurveName::go);
    if (found == kCurves.end()) {
      return fail(Errc::broker_bad_tls_option,
                  fmt::format("unrecognized curve preference {}; there are {}", one, known_names(kCurves)));
    }
    if (!found->openssl.empty()) {
      append(names.groups, found->openssl);
    }
  }
  // One that OpenSSL 3.0 lacks is passed over, as by any client that lacks it; a list of nothing else cannot be meant.
  if (!wanted.empty() && names.groups.empty()) {
    return fail(Errc::broker_bad_tls_option, fmt::format("curve_preferences: none of {} is available; there are {}",
                                                         fmt::join(wanted, ", "), known_names(kCurves)));
  }
  return {};
}

// What a client is judged by.
std::string trust_id(const TlsSettings& settings, const tls::Material& material) {
  return fmt::format("{}|{}|{}|{}", settings.verify || settings.verify_and_map, settings.recheck,
                     fmt::join(settings.pinned_certs, ","), material.trust_id());
}

}  // namespace

Result<TlsNames> translate_names(const TlsSettings& settings) {
  TlsNames names;
  Result<void> done = translate_ciphers(settings.cipher_suites, names);
  if (done) {
    done = translate_curves(settings.curve_preferences, names);
  }
  return done ? Result<TlsNames>(std::move(names)) : std::unexpected(std::move(done.error()));
}

Result<std::shared_ptr<const TlsPolicy>> TlsPolicy::make(const TlsSettings& settings, WallTime now) {
  Result<tls::MaterialPtr> material = tls::load(settings.source, now);
  if (!material) {
    return std::unexpected(std::move(material.error()));
  }
  return make(settings, std::move(*material));
}

Result<std::shared_ptr<const TlsPolicy>> TlsPolicy::make(const TlsSettings& settings, tls::MaterialPtr material) {
  if (!material->has_certificate()) {
    return fail(Errc::broker_tls_incomplete, "cert_file and key_file are not set");
  }
  Result<TlsNames> names = translate_names(settings);
  if (!names) {
    return std::unexpected(std::move(names.error()));
  }
  const std::shared_ptr<TlsPolicy> policy(new TlsPolicy());
  policy->verifies_ = settings.verify || settings.verify_and_map;
  policy->recheck_ = settings.recheck;
  policy->trust_id_ = trust_id(settings, *material);
  Result<tls::ContextPtr> context = tls::Context::server(
      std::move(material),
      {.min_version = names->tls13_only ? tls::Version::tls13 : settings.min_version,
       .client_certificate = policy->verifies_ ? tls::ClientCertificate::required : tls::ClientCertificate::none,
       .tickets = settings.tickets,
       .cipher_suites = std::move(names->tls12_ciphers),
       .tls13_suites = std::move(names->tls13_suites),
       .groups = std::move(names->groups),
       .pins = policy->verifies_ ? settings.pinned_certs : tls::Pins()});
  if (!context) {
    return std::unexpected(std::move(context.error()));
  }
  policy->context_ = std::move(*context);
  return std::shared_ptr<const TlsPolicy>(policy);
}

Result<void> TlsPolicy::recheck(ssl_st* live, WallTime now) const {
  return recheck_ ? context_->verify_again(live, now) : Result<void>();
}

bool TlsPolicy::accepted(const ssl_st* ssl) const noexcept { return SSL_get_SSL_CTX(ssl) == context_->native(); }

bool TlsPolicy::same_trust(const TlsPolicy& other) const noexcept { return trust_id_ == other.trust_id_; }

WallTime TlsPolicy::not_after() const noexcept {
  return material().chain().empty() ? WallTime() : WallTime(material().chain().front().not_after);
}

}  // namespace hawser::broker
