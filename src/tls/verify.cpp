#include "tls/verify.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <fmt/format.h>
#include <netinet/in.h>

#include "tls/material_parts.hpp"
#include "tls/openssl.hpp"
#include "tls/pem.hpp"

namespace hawser::tls {
namespace {

// A trust anchor is trusted because somebody configured it; a CRL of its own issuer is not asked for.
int forgive_anchor_without_crl(int ok, X509_STORE_CTX* context) {
  if (ok == 1 || X509_STORE_CTX_get_error(context) != X509_V_ERR_UNABLE_TO_GET_CRL) {
    return ok;
  }
  if (X509_STORE_CTX_get_error_depth(context) + 1 == sk_X509_num(X509_STORE_CTX_get0_chain(context))) {
    X509_STORE_CTX_set_error(context, X509_V_OK);
    return 1;
  }
  return 0;
}

X509* find_end_entity(const Material::Parts& trust, const X509* leaf) {
  const auto found = std::find_if(trust.end_entity.begin(), trust.end_entity.end(),
                                  [leaf](const Owned<X509>& one) { return X509_cmp(one.get(), leaf) == 0; });
  return found == trust.end_entity.end() ? nullptr : found->get();
}

Errc code_of(int error, int depth) {
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return Errc::tls_peer_expired;
    case X509_V_ERR_CERT_NOT_YET_VALID: return Errc::tls_peer_not_yet_valid;
    case X509_V_ERR_CERT_REVOKED: return Errc::tls_peer_revoked;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return Errc::tls_wrong_name;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return Errc::tls_self_signed;
    // A self-signed root that came along in the chain, or no issuer in the bundle: the CA is not one that we trust.
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_REJECTED: return Errc::tls_unknown_authority;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      // The bundle holds a CA of the right name with another key.
      return depth == 0 ? Errc::tls_unknown_authority : Errc::tls_peer_unverified;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE: return Errc::tls_peer_crl_unavailable;
    case X509_V_ERR_INVALID_PURPOSE:
    case X509_V_ERR_INVALID_CA: return Errc::tls_peer_wrong_usage;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK: return Errc::tls_peer_weak;
    default: return Errc::tls_peer_unverified;
  }
}

// The dates of what was looked at, where they are the reason.
std::string dates(const CertificateInfo& info, Errc code) {
  if (code == Errc::tls_peer_expired) {
    return fmt::format(", ended {}", format_time(info.not_after));
  }
  return code == Errc::tls_peer_not_yet_valid ? fmt::format(", begins {}", format_time(info.not_before))
                                              : std::string();
}

std::string names_held(const CertificateInfo& info) {
  constexpr std::size_t kMost = 6;
  std::vector<std::string> names = info.dns_names;
  names.insert(names.end(), info.ip_addresses.begin(), info.ip_addresses.end());
  if (names.empty()) {
    return "no name (subjectAltName)";
  }
  const std::size_t shown = std::min(names.size(), kMost);
  std::string text =
      fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  return shown == names.size() ? text : fmt::format("{} and {} more", text, names.size() - shown);
}

}  // namespace

bool is_ip_address(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return ::inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
}

Result<void> expect_name(X509_VERIFY_PARAM* parameters, const std::string& name) {
  constexpr std::size_t kLongestName = 253;
  if (is_ip_address(name)) {
    return X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) == 1 ? Result<void>()
                                                                        : fail(Errc::tls_bad_name, name);
  }
  const auto is_host_character = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
  };
  if (name.empty() || name.size() > kLongestName || name.front() == '.' ||
      !std::all_of(name.begin(), name.end(), is_host_character)) {
    return fail(Errc::tls_bad_name, fmt::format("\"{}\"", name.substr(0, kLongestName)));
  }
  X509_VERIFY_PARAM_set_hostflags(parameters,
                                  X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_host(parameters, name.data(), name.size()) != 1) {
    return fail(Errc::tls_bad_name, name);
  }
  return {};
}

int verify_by_rules(X509_STORE_CTX* context, const Material::Parts& trust) {
  X509_STORE_CTX_set_verify_cb(context, forgive_anchor_without_crl);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_auth_level(parameters, kSecurityLevel);
  if (X509* pinned = find_end_entity(trust, X509_STORE_CTX_get0_cert(context)); pinned != nullptr) {
    // Trusts just itself: it alone is the trusted set, and no CA stands over it whose CRL could be asked for.
    const Owned<STACK_OF(X509)> alone(sk_X509_new_null());
    sk_X509_push(alone.get(), pinned);
    X509_STORE_CTX_set0_trusted_stack(context, alone.get());
    X509_VERIFY_PARAM_clear_flags(parameters, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
    return X509_verify_cert(context);
  }
  unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST;
  if (!trust.crls.empty()) {
    flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
  }
  X509_VERIFY_PARAM_set_flags(parameters, flags);
  return X509_verify_cert(context);
}

Error verification_error(X509_STORE_CTX* context, std::string_view expected_name) {
  const int error = X509_STORE_CTX_get_error(context);
  const int depth = X509_STORE_CTX_get_error_depth(context);
  const Errc code = code_of(error, depth);
  const X509* at_fault = X509_STORE_CTX_get_current_cert(context);
  if (at_fault == nullptr) {
    at_fault = X509_STORE_CTX_get0_cert(context);
  }
  std::string doing = X509_verify_cert_error_string(error);
  if (at_fault != nullptr) {
    const CertificateInfo info = describe(at_fault);
    doing = fmt::format("{}: certificate {} of issuer {} (SHA-256 {}){}", doing, info.subject, info.issuer,
                        short_fingerprint(info.sha256), dates(info, code));
    if (code == Errc::tls_wrong_name) {
      doing += fmt::format(", which is for {}, while {} was expected", names_held(info), expected_name);
    }
  }
  if (!expected_name.empty() && code != Errc::tls_wrong_name) {
    doing += fmt::format(", connecting to {}", expected_name);
  }
  return {code, std::move(doing)};
}

Result<void> verify_leaf(X509* leaf, STACK_OF(X509) * others, X509_STORE* store, const Material::Parts& trust,
                         const Expectation& expected) {
  const Owned<X509_STORE_CTX> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store, leaf, others);
  X509_STORE_CTX_set_default(context.get(), expected.usage == Usage::client ? "ssl_client" : "ssl_server");
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_depth(parameters, kLongestChain);
  X509_VERIFY_PARAM_set_time(parameters,
                             std::chrono::floor<std::chrono::seconds>(expected.at).time_since_epoch().count());
  if (!expected.name.empty()) {
    if (Result<void> named = expect_name(parameters, expected.name); !named) {
      return named;
    }
  }
  if (verify_by_rules(context.get(), trust) == 1) {
    return {};
  }
  Error error = verification_error(context.get(), expected.name);
  ERR_clear_error();
  return std::unexpected(std::move(error));
}

Result<void> verify_pem(std::string_view chain_pem, const Material& trust, const Expectation& expected) {
  Result<std::vector<Owned<X509>>> chain = parse_certificates(chain_pem, "the chain");
  if (!chain) {
    return std::unexpected(std::move(chain.error()));
  }
  if (chain->empty()) {
    return fail(Errc::tls_certificate_missing, "the chain");
  }
  const Material::Parts& parts = trust.parts();
  const Owned<X509_STORE> none(X509_STORE_new());
  const Owned<STACK_OF(X509)> untrusted(sk_X509_new_null());
  for (const Owned<X509>& certificate : *chain) {
    sk_X509_push(untrusted.get(), certificate.get());
  }
  return verify_leaf(chain->front().get(), untrusted.get(), parts.store ? parts.store.get() : none.get(), parts,
                     expected);
}

}  // namespace hawser::tls
