#include "tls/authority.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <utility>

#include "base/clock.hpp"
#include "tls/openssl.hpp"
#include "tls/pem.hpp"

namespace hawser::tls {

struct Authority::Parts {
  Owned<X509> certificate;
  Owned<EVP_PKEY> key;
  CertificateInfo info;
  std::string certificate_pem;
  std::string chain_pem;  // empty for a root: others have it as trust
};

namespace {

std::unexpected<Error> failed(std::string_view doing) {
  return fail(Errc::pki_failed, fmt::format("{}: {}", doing, take_openssl_reason()));
}

Owned<EVP_PKEY> make_key(KeyType type) {
  switch (type) {
    case KeyType::ecdsa_p256: {
      std::string curve = "P-256";
      return Owned<EVP_PKEY>(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve.data()));
    }
    case KeyType::ed25519: return Owned<EVP_PKEY>(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    case KeyType::rsa2048: return Owned<EVP_PKEY>(EVP_RSA_gen(2048));
    case KeyType::rsa4096: return Owned<EVP_PKEY>(EVP_RSA_gen(4096));
  }
  return nullptr;
}

// Ed25519 hashes by itself.
const EVP_MD* digest_for(const EVP_PKEY* key) {
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
}

bool set_time(ASN1_TIME* into, Seconds time) {
  return ASN1_TIME_set_string_X509(into,
                                   [time] {
                                     std::string text = format_time(time);  // 2026-03-01T12:00:00Z as 20260301120000Z
                                     std::erase_if(text, [](char c) { return c == '-' || c == ':' || c == 'T'; });
                                     return text;
                                   }()
                                       .c_str()) == 1;
}

// 16 random bytes, positive: unique without a register (RFC 5280 asks for at most 20).
bool set_random_serial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return false;
  }
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7FU) | 0x40U);
  const Owned<BIGNUM> number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool add_name_part(X509_NAME* name, const char* field, const std::string& value) {
  return value.empty() ||
         X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int id, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, id, value));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// A CA from elsewhere may have no key identifier to point to.
bool add_authority_key_id(X509* certificate, X509* issuer) {
  return X509_get0_subject_key_id(issuer) == nullptr ||
         add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
}

// Built as objects, not as configuration text: a comma or a colon in a name must stay what it is.
bool push_name(GENERAL_NAMES* names, int type, const std::string& text) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  ASN1_IA5STRING* value = ASN1_IA5STRING_new();
  ASN1_STRING_set(value, text.data(), static_cast<int>(text.size()));
  GENERAL_NAME_set0_value(name, type, value);
  return sk_GENERAL_NAME_push(names, name) > 0;
}

Result<void> push_address(GENERAL_NAMES* names, const std::string& text) {
  ASN1_OCTET_STRING* value = a2i_IPADDRESS(text.c_str());
  if (value == nullptr) {
    return fail(Errc::pki_bad_request, fmt::format("\"{}\" is not an IP address", text));
  }
  GENERAL_NAME* name = GENERAL_NAME_new();
  GENERAL_NAME_set0_value(name, GEN_IPADD, value);
  sk_GENERAL_NAME_push(names, name);
  return {};
}

Result<void> add_alternative_names(X509* certificate, const CertificateRequest& request) {
  const Owned<GENERAL_NAMES> names(sk_GENERAL_NAME_new_null());
  const auto push_all = [&names](int type, const std::vector<std::string>& texts) -> Result<void> {
    for (const std::string& text : texts) {
      const bool plain =
          !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; });
      if (!plain) {
        return fail(Errc::pki_bad_request, fmt::format("\"{}\" is not a name in printable ASCII", text));
      }
      push_name(names.get(), type, text);
    }
    return {};
  };
  const std::array kinds = {std::pair{GEN_DNS, &request.dns_names}, std::pair{GEN_EMAIL, &request.emails},
                            std::pair{GEN_URI, &request.uris}};
  for (const auto& [type, texts] : kinds) {
    if (Result<void> done = push_all(type, *texts); !done) {
      return done;
    }
  }
  for (const std::string& address : request.ip_addresses) {
    if (Result<void> done = push_address(names.get(), address); !done) {
      return done;
    }
  }
  if (sk_GENERAL_NAME_num(names.get()) > 0 &&
      X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) != 1) {
    return failed("adding the subjectAltName");
  }
  return {};
}

struct Draft {
  Owned<X509> certificate;
  Owned<EVP_PKEY> key;
};

// What every certificate has: version 3, serial, dates, subject, a new key.
Result<Draft> begin(const std::string& name, const std::string& organization, KeyType type, const Validity& validity) {
  if (name.empty() && organization.empty()) {
    return fail(Errc::pki_bad_request, "a certificate needs a name");
  }
  if (validity.to <= validity.from) {
    return fail(Errc::pki_bad_request, fmt::format("it would end ({}) before it begins ({})", format_time(validity.to),
                                                   format_time(validity.from)));
  }
  Draft draft{Owned<X509>(X509_new()), make_key(type)};
  X509* certificate = draft.certificate.get();
  X509_NAME* subject = X509_get_subject_name(certificate);
  if (draft.key == nullptr || X509_set_version(certificate, X509_VERSION_3) != 1 || !set_random_serial(certificate) ||
      !set_time(X509_getm_notBefore(certificate), validity.from) ||
      !set_time(X509_getm_notAfter(certificate), validity.to) || X509_set_pubkey(certificate, draft.key.get()) != 1) {
    return failed("preparing a certificate");
  }
  if (!add_name_part(subject, "O", organization) || !add_name_part(subject, "CN", name)) {
    return fail(Errc::pki_bad_request, fmt::format("\"{}\" of \"{}\": {}", name, organization, take_openssl_reason()));
  }
  return draft;
}

Result<void> sign(Draft& draft, X509* issuer, EVP_PKEY* issuer_key) {
  X509* certificate = draft.certificate.get();
  if (X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) != 1 ||
      !add_extension(certificate, issuer, NID_subject_key_identifier, "hash") ||
      !add_authority_key_id(certificate, issuer) || X509_sign(certificate, issuer_key, digest_for(issuer_key)) <= 0) {
    return failed("signing a certificate");
  }
  // Read anew: the object has cached what it was before its last extensions.
  draft.certificate.reset(X509_dup(certificate));
  return {};
}

Result<Draft> draft_authority(const AuthorityRequest& request, X509* issuer, EVP_PKEY* issuer_key) {
  Result<Draft> draft = begin(request.name, request.organization, request.key_type, request.validity);
  if (!draft) {
    return draft;
  }
  X509* certificate = draft->certificate.get();
  if (!add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE") ||
      !add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign")) {
    return failed("preparing a CA");
  }
  const Result<void> done =
      sign(*draft, issuer == nullptr ? certificate : issuer, issuer_key == nullptr ? draft->key.get() : issuer_key);
  return done ? std::move(draft) : std::unexpected(done.error());
}

// Signed by `issuer`, or by itself.
Result<Draft> draft_leaf(const CertificateRequest& request, X509* issuer, EVP_PKEY* issuer_key) {
  Result<Draft> draft = begin(request.common_name, request.organization, request.key_type, request.validity);
  if (!draft) {
    return draft;
  }
  X509* certificate = draft->certificate.get();
  const char* usage = request.usage == CertUsage::client   ? "clientAuth"
                      : request.usage == CertUsage::server ? "serverAuth"
                                                           : "serverAuth,clientAuth";
  if (!add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:FALSE") ||
      !add_extension(certificate, certificate, NID_key_usage, "critical,digitalSignature") ||
      !add_extension(certificate, certificate, NID_ext_key_usage, usage)) {
    return failed("preparing a certificate");
  }
  Result<void> done = add_alternative_names(certificate, request);
  if (done) {
    done =
        sign(*draft, issuer == nullptr ? certificate : issuer, issuer_key == nullptr ? draft->key.get() : issuer_key);
  }
  return done ? std::move(draft) : std::unexpected(done.error());
}

Result<Issued> finish(Result<Draft> draft, const std::string& issuer_chain_pem) {
  if (!draft) {
    return std::unexpected(std::move(draft.error()));
  }
  return Issued{to_pem(draft->certificate.get()) + issuer_chain_pem, key_to_pem(draft->key.get()),
                describe(draft->certificate.get())};
}

Result<Owned<ASN1_INTEGER>> parse_serial(const std::string& text) {
  BIGNUM* number = nullptr;
  const bool whole = !text.empty() && BN_hex2bn(&number, text.c_str()) == static_cast<int>(text.size());
  const Owned<BIGNUM> owned(number);
  if (!whole) {
    return fail(Errc::pki_bad_request, fmt::format("\"{}\" is not a serial number in hex", text));
  }
  return Owned<ASN1_INTEGER>(BN_to_ASN1_INTEGER(number, nullptr));
}

Result<void> add_revoked(X509_CRL* crl, const std::string& serial, ASN1_TIME* when) {
  Result<Owned<ASN1_INTEGER>> number = parse_serial(serial);
  if (!number) {
    return std::unexpected(std::move(number.error()));
  }
  Owned<X509_REVOKED> entry(X509_REVOKED_new());
  X509_REVOKED_set_serialNumber(entry.get(), number->get());
  X509_REVOKED_set_revocationDate(entry.get(), when);
  if (X509_CRL_add0_revoked(crl, entry.get()) != 1) {
    return failed("adding a serial number to the CRL");
  }
  static_cast<void>(entry.release());
  return {};
}

bool add_crl_extensions(X509_CRL* crl, X509* issuer, std::uint64_t number) {
  const Owned<ASN1_INTEGER> value(ASN1_INTEGER_new());
  if (ASN1_INTEGER_set_uint64(value.get(), number) != 1 ||
      X509_CRL_add1_ext_i2d(crl, NID_crl_number, value.get(), 0, X509V3_ADD_DEFAULT) != 1) {
    return false;
  }
  if (X509_get0_subject_key_id(issuer) == nullptr) {
    return true;  // a CA from elsewhere, without a key identifier to point to
  }
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, nullptr, nullptr, crl, 0);
  const Owned<X509_EXTENSION> key_id(X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid"));
  return key_id != nullptr && X509_CRL_add_ext(crl, key_id.get(), -1) == 1;
}

}  // namespace

Validity Validity::lasting(std::chrono::seconds length) {
  const Seconds from = std::chrono::floor<std::chrono::seconds>(wall_now()) - std::chrono::minutes(5);
  return {from, from + std::chrono::minutes(5) + length};
}

Authority::Authority(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

Result<Authority> Authority::create(const AuthorityRequest& request) {
  Result<Draft> draft = draft_authority(request, nullptr, nullptr);
  if (!draft) {
    return std::unexpected(std::move(draft.error()));
  }
  auto parts = std::make_shared<Parts>();
  parts->certificate = std::move(draft->certificate);
  parts->key = std::move(draft->key);
  parts->info = describe(parts->certificate.get());
  parts->certificate_pem = to_pem(parts->certificate.get());
  return Authority(std::move(parts));
}

Result<Authority> Authority::from_pem(std::string_view chain_pem, const Secret& key_pem) {
  Result<std::vector<Owned<X509>>> chain = parse_certificates(chain_pem, "the CA's certificate");
  if (!chain) {
    return std::unexpected(std::move(chain.error()));
  }
  Result<Owned<EVP_PKEY>> key = parse_key(key_pem, "the CA's key");
  if (!key) {
    return std::unexpected(std::move(key.error()));
  }
  if (chain->empty()) {
    return fail(Errc::tls_certificate_missing, "the CA's certificate");
  }
  auto parts = std::make_shared<Parts>();
  parts->info = describe(chain->front().get());
  if (!parts->info.is_authority) {
    return fail(Errc::pki_bad_request, fmt::format("{} is not a CA", parts->info.subject));
  }
  if (X509_check_private_key(chain->front().get(), key->get()) != 1) {
    ERR_clear_error();
    return fail(Errc::tls_key_mismatch, parts->info.subject);
  }
  for (const Owned<X509>& certificate : *chain) {
    if (X509_self_signed(certificate.get(), 0) != 1) {
      parts->chain_pem += to_pem(certificate.get());
    }
  }
  parts->certificate = std::move(chain->front());
  parts->key = std::move(*key);
  parts->certificate_pem = to_pem(parts->certificate.get());
  return Authority(std::move(parts));
}

Result<Authority> Authority::intermediate(const AuthorityRequest& request) const {
  Result<Draft> draft = draft_authority(request, parts_->certificate.get(), parts_->key.get());
  if (!draft) {
    return std::unexpected(std::move(draft.error()));
  }
  auto parts = std::make_shared<Parts>();
  parts->certificate = std::move(draft->certificate);
  parts->key = std::move(draft->key);
  parts->info = describe(parts->certificate.get());
  parts->certificate_pem = to_pem(parts->certificate.get());
  parts->chain_pem = parts->certificate_pem + parts_->chain_pem;
  return Authority(std::move(parts));
}

Result<Issued> Authority::issue(const CertificateRequest& request) const {
  return finish(draft_leaf(request, parts_->certificate.get(), parts_->key.get()), parts_->chain_pem);
}

Result<Issued> Authority::self_signed(const CertificateRequest& request) {
  return finish(draft_leaf(request, nullptr, nullptr), {});
}

Result<std::string> Authority::crl(const std::vector<std::string>& serials, Validity validity,
                                   std::uint64_t number) const {
  if (validity.to <= validity.from) {
    return fail(Errc::pki_bad_request, "the CRL would end before it begins");
  }
  const Owned<X509_CRL> crl(X509_CRL_new());
  const Owned<ASN1_TIME> from(ASN1_TIME_new());
  const Owned<ASN1_TIME> to(ASN1_TIME_new());
  if (X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) != 1 || !set_time(from.get(), validity.from) ||
      !set_time(to.get(), validity.to) || X509_CRL_set1_lastUpdate(crl.get(), from.get()) != 1 ||
      X509_CRL_set1_nextUpdate(crl.get(), to.get()) != 1 ||
      X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(parts_->certificate.get())) != 1 ||
      !add_crl_extensions(crl.get(), parts_->certificate.get(), number)) {
    return failed("preparing a CRL");
  }
  for (const std::string& serial : serials) {
    if (const Result<void> added = add_revoked(crl.get(), serial, from.get()); !added) {
      return std::unexpected(added.error());
    }
  }
  X509_CRL_sort(crl.get());
  if (X509_CRL_sign(crl.get(), parts_->key.get(), digest_for(parts_->key.get())) <= 0) {
    return failed("signing a CRL");
  }
  return to_pem(crl.get());
}

const std::string& Authority::certificate_pem() const noexcept { return parts_->certificate_pem; }
const std::string& Authority::chain_pem() const noexcept { return parts_->chain_pem; }
Secret Authority::key_pem() const { return key_to_pem(parts_->key.get()); }
const CertificateInfo& Authority::info() const noexcept { return parts_->info; }

}  // namespace hawser::tls
