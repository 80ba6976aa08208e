#include "tls/validate.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace hawser::tls {
namespace {

constexpr int kLeastSecurityBits = 112;  // RSA 2048, EC P-224, SHA-224

std::string at(const Material::Parts& parts, const CertificateInfo& info) {
  return fmt::format("{}: {}", name_of(parts.source.cert_file, "the certificate"), info.subject);
}

void check_dates(const Material::Parts& parts, Seconds now, std::vector<Error>& errors) {
  for (const CertificateInfo& info : parts.chain_info) {
    if (info.not_after < now) {
      errors.push_back(
          {Errc::tls_certificate_expired, fmt::format("{} ended {}", at(parts, info), format_time(info.not_after))});
    } else if (info.not_before > now) {
      errors.push_back({Errc::tls_certificate_not_yet_valid,
                        fmt::format("{} begins {}", at(parts, info), format_time(info.not_before))});
    }
  }
}

void check_usage(const Material::Parts& parts, std::vector<Error>& errors) {
  const CertificateInfo& leaf = parts.chain_info.front();
  if (parts.source.usage == Usage::client && !leaf.for_client) {
    errors.push_back({Errc::tls_no_client_usage, at(parts, leaf)});
  }
  if (parts.source.usage == Usage::server && !leaf.for_server) {
    errors.push_back({Errc::tls_no_server_usage, at(parts, leaf)});
  }
}

// Keys of the whole chain, and the signatures of all but a self-signed root, whose signature nobody checks.
void check_strength(const Material::Parts& parts, std::vector<Error>& errors) {
  for (std::size_t i = 0; i < parts.chain.size(); ++i) {
    X509* certificate = parts.chain[i].get();
    const CertificateInfo& info = parts.chain_info[i];
    if (info.security_bits < kLeastSecurityBits) {
      errors.push_back({Errc::tls_key_weak, fmt::format("{} has the key {}", at(parts, info), info.key_type)});
    }
    int digest = NID_undef;
    int bits = -1;
    const bool known = X509_get_signature_info(certificate, &digest, nullptr, &bits, nullptr) == 1;
    if (known && bits >= 0 && bits < kLeastSecurityBits && X509_self_signed(certificate, 0) != 1) {
      errors.push_back({Errc::tls_key_weak, fmt::format("{} is signed with {}", at(parts, info), OBJ_nid2sn(digest))});
    }
  }
}

// One half is still that of the material in use: the other half has not been written yet.
bool half_written(const Material::Parts& parts, const Material* current) {
  if (current == nullptr || !current->has_certificate()) {
    return false;
  }
  const Material::Parts& old = current->parts();
  return (old.cert_digest == parts.cert_digest) != (old.key_digest == parts.key_digest);
}

void check_pair(const Material::Parts& parts, const Material* current, std::vector<Error>& errors) {
  if (parts.key == nullptr || X509_check_private_key(parts.chain.front().get(), parts.key.get()) == 1) {
    return;
  }
  ERR_clear_error();
  const std::string what = fmt::format("{} with the key {}", at(parts, parts.chain_info.front()),
                                       name_of(without_pin(parts.source.key_file), "given"));
  errors.push_back({half_written(parts, current) ? Errc::tls_not_complete : Errc::tls_key_mismatch, what});
}

// A CA of the bundle that fits by name and key identifier must have signed the top of our chain, or one like it.
void check_top(const Material::Parts& parts, std::vector<Error>& errors) {
  X509* top = parts.chain.back().get();
  bool named = false;
  for (const Owned<X509>& authority : parts.trust) {
    if (X509_check_issued(authority.get(), top) == X509_V_OK) {
      if (X509_verify(top, X509_get0_pubkey(authority.get())) == 1) {
        return;
      }
      named = true;
    }
  }
  ERR_clear_error();
  if (named) {
    errors.push_back(
        {Errc::tls_chain_unverified, fmt::format("{}, with the CAs of {}", at(parts, parts.chain_info.back()),
                                                 name_of(parts.source.ca_file, "the bundle"))});
  }
}

bool signed_by_any(X509_CRL* crl, const std::vector<const X509*>& issuers) {
  return std::any_of(issuers.begin(), issuers.end(),
                     [crl](const X509* issuer) { return X509_CRL_verify(crl, X509_get0_pubkey(issuer)) == 1; });
}

}  // namespace

std::string name_of(const std::string& path, const char* role) { return path.empty() ? std::string(role) : path; }

bool names_issuer(const X509_CRL* crl, const X509* issuer) {
  if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)) != 0) {
    return false;
  }
  auto* authority_key =
      static_cast<AUTHORITY_KEYID*>(X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, nullptr, nullptr));
  const ASN1_OCTET_STRING* subject_key = X509_get0_subject_key_id(const_cast<X509*>(issuer));
  const bool differs = authority_key != nullptr && authority_key->keyid != nullptr && subject_key != nullptr &&
                       ASN1_OCTET_STRING_cmp(authority_key->keyid, subject_key) != 0;
  AUTHORITY_KEYID_free(authority_key);
  return !differs;
}

std::vector<Error> check_identity(const Material::Parts& parts, Seconds now, const Material* current) {
  std::vector<Error> errors;
  if (parts.chain.empty()) {
    return errors;
  }
  check_pair(parts, current, errors);
  check_dates(parts, now, errors);
  check_usage(parts, errors);
  check_strength(parts, errors);
  check_top(parts, errors);
  return errors;
}

std::vector<Error> check_crls(const Material::Parts& parts, Seconds now) {
  std::vector<Error> errors;
  const std::string file = name_of(parts.source.crl_file, "the CRL");
  for (std::size_t i = 0; i < parts.crls.size(); ++i) {
    X509_CRL* crl = parts.crls[i].get();
    const CrlInfo& info = parts.crl_info[i];
    if (info.this_update > now) {
      errors.push_back({Errc::tls_crl_expired,
                        fmt::format("{}: that of {} begins {}", file, info.issuer, format_time(info.this_update))});
    } else if (X509_CRL_get0_nextUpdate(crl) != nullptr && info.next_update < now) {
      errors.push_back({Errc::tls_crl_expired,
                        fmt::format("{}: that of {} ended {}", file, info.issuer, format_time(info.next_update))});
    }
    std::vector<const X509*> issuers;
    for (const auto* from : {&parts.trust, &parts.chain}) {
      for (const Owned<X509>& certificate : *from) {
        if (names_issuer(crl, certificate.get())) {
          issuers.push_back(certificate.get());
        }
      }
    }
    if (!issuers.empty() && !signed_by_any(crl, issuers)) {
      errors.push_back({Errc::tls_crl_bad_signature, fmt::format("{}: that of {}", file, info.issuer)});
    }
  }
  ERR_clear_error();
  return errors;
}

}  // namespace hawser::tls
