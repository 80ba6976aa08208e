#include "tls/certificate.hpp"

#include <arpa/inet.h>
#include <array>
#include <ctime>
#include <fmt/format.h>
#include <netinet/in.h>

#include "tls/openssl.hpp"

namespace hawser::tls {
namespace {

std::string text_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

// An IP address of a subjectAltName; empty when it has neither 4 nor 16 bytes.
std::string ip_text(const ASN1_OCTET_STRING* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int length = ASN1_STRING_length(address);
  const int family = length == 4 ? AF_INET : AF_INET6;
  if ((length != 4 && length != 16) ||
      ::inet_ntop(family, ASN1_STRING_get0_data(address), text.data(), text.size()) == nullptr) {
    return {};
  }
  return text.data();
}

std::string digest_of_der(unsigned char* der, int length) {
  if (length <= 0) {
    return {};
  }
  std::string digest = sha256_hex({reinterpret_cast<const char*>(der), static_cast<std::size_t>(length)});
  OPENSSL_free(der);
  return digest;
}

}  // namespace

std::string hex(const unsigned char* bytes, std::size_t size) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(size * 2);
  for (std::size_t i = 0; i < size; ++i) {
    text += kDigits[bytes[i] >> 4U];
    text += kDigits[bytes[i] & 15U];
  }
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
  return hex(digest.data(), length);
}

std::string serial_hex(const ASN1_INTEGER* serial) {
  if (serial == nullptr) {
    return {};
  }
  const std::string sign = (ASN1_STRING_type(serial) & V_ASN1_NEG) != 0 ? "-" : "";
  return sign + hex(ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial)));
}

std::string rfc2253(const X509_NAME* name) {
  const Owned<BIO> out(BIO_new(BIO_s_mem()));
  // UTF-8 stays readable; everything else is escaped as the RFC says, control characters too.
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  char* text = nullptr;
  const long length = BIO_get_mem_data(out.get(), &text);
  return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : std::string();
}

std::chrono::sys_seconds to_seconds(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
    return {};
  }
  return std::chrono::sys_seconds(std::chrono::seconds(::timegm(&parts)));
}

std::string take_openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) {
    return "no reason given";
  }
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : fmt::format("OpenSSL error {:x}", code);
}

std::string describe_key(const EVP_PKEY* key) {
  if (key == nullptr) {
    return "unknown";
  }
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
    std::array<char, 64> group{};
    std::size_t length = 0;
    if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1) {
      const std::string_view name(group.data(), length);
      return fmt::format("EC {}", name == "prime256v1" ? "P-256" : name == "secp384r1" ? "P-384" : name);
    }
  }
  const char* name = EVP_PKEY_get0_type_name(key);
  const std::string type = name == nullptr ? OBJ_nid2sn(EVP_PKEY_get_base_id(key)) : name;
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? fmt::format("{} {}", type, EVP_PKEY_get_bits(key)) : type;
}

std::string spki_sha256(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key, &der);
  return digest_of_der(der, length);
}

AlternativeNames alternative_names(const X509* certificate) {
  AlternativeNames found;
  const Owned<GENERAL_NAMES> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    switch (name->type) {
      case GEN_DNS: found.dns_names.push_back(text_of(name->d.dNSName)); break;
      case GEN_EMAIL: found.emails.push_back(text_of(name->d.rfc822Name)); break;
      case GEN_URI: found.uris.push_back(text_of(name->d.uniformResourceIdentifier)); break;
      case GEN_IPADD:
        if (std::string address = ip_text(name->d.iPAddress); !address.empty()) {
          found.ip_addresses.push_back(std::move(address));
        }
        break;
      default: break;
    }
  }
  return found;
}

std::string spki_sha256(const X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  return digest_of_der(der, length);
}

CertificateInfo describe(const x509_st* certificate) {
  CertificateInfo info;
  info.subject = rfc2253(X509_get_subject_name(certificate));
  info.issuer = rfc2253(X509_get_issuer_name(certificate));
  info.serial = serial_hex(X509_get0_serialNumber(certificate));
  info.not_before = to_seconds(X509_get0_notBefore(certificate));
  info.not_after = to_seconds(X509_get0_notAfter(certificate));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &length);
  info.sha256 = hex(digest.data(), length);
  info.spki_sha256 = spki_sha256(certificate);
  AlternativeNames names = alternative_names(certificate);
  info.dns_names = std::move(names.dns_names);
  info.ip_addresses = std::move(names.ip_addresses);
  info.emails = std::move(names.emails);
  info.uris = std::move(names.uris);
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  info.key_type = describe_key(key);
  info.security_bits = key == nullptr ? 0 : static_cast<std::uint32_t>(EVP_PKEY_get_security_bits(key));
  // OpenSSL's functions cache what they find inside the certificate (locked), hence the cast.
  auto* cached = const_cast<x509_st*>(certificate);
  info.is_authority = X509_check_ca(cached) == 1;  // basicConstraints; no version 1 certificate counts
  info.for_client = X509_check_purpose(cached, X509_PURPOSE_SSL_CLIENT, 0) == 1;
  info.for_server = X509_check_purpose(cached, X509_PURPOSE_SSL_SERVER, 0) == 1;
  ERR_clear_error();  // what an odd extension left behind
  return info;
}

CrlInfo describe_crl(X509_CRL* crl) {
  CrlInfo info;
  info.issuer = rfc2253(X509_CRL_get_issuer(crl));
  const Owned<ASN1_INTEGER> number(
      static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(crl, NID_crl_number, nullptr, nullptr)));
  info.number = serial_hex(number.get());
  info.this_update = to_seconds(X509_CRL_get0_lastUpdate(crl));
  const ASN1_TIME* next = X509_CRL_get0_nextUpdate(crl);
  info.next_update = next == nullptr ? info.this_update : to_seconds(next);
  const STACK_OF(X509_REVOKED)* revoked = X509_CRL_get_REVOKED(crl);
  for (int i = 0; i < sk_X509_REVOKED_num(revoked); ++i) {
    info.revoked.push_back(serial_hex(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(revoked, i))));
  }
  return info;
}

std::string format_time(Seconds time) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string short_fingerprint(const std::string& sha256) { return sha256.substr(0, 16); }

}  // namespace hawser::tls
