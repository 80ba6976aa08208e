// What a certificate says, as plain values: for logs, metrics, monitoring, findings and identity mapping.
//
// Values without OpenSSL in them; copyable, safe to share between threads.
//
//   const CertificateInfo info = describe(x509);   // info.subject == "CN=nats,O=Example"
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

struct x509_st;  // OpenSSL's X509

namespace hawser::tls {

// Certificates carry whole seconds of UTC, up to the year 9999 (which WallTime cannot hold).
using Seconds = std::chrono::sys_seconds;

struct CertificateInfo {
  std::string subject;  // RFC 2253: most specific part first
  std::string issuer;
  std::string serial;  // lowercase hex
  Seconds not_before{};
  Seconds not_after{};
  std::string sha256;       // of the DER certificate, lowercase hex
  std::string spki_sha256;  // of the DER public key info: what nats-server's pinned_certs compares
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  std::vector<std::string> emails;
  std::vector<std::string> uris;
  std::string key_type;  // "EC P-256", "RSA 2048", "ED25519"
  std::uint32_t security_bits = 0;
  bool is_authority = false;  // basicConstraints CA:TRUE
  bool for_client = false;    // usable for TLS client authentication
  bool for_server = false;    // usable for TLS server authentication

  bool operator==(const CertificateInfo&) const = default;
};

struct CrlInfo {
  std::string issuer;
  std::string number;  // lowercase hex; empty when the CRL has none
  Seconds this_update{};
  Seconds next_update{};             // equal to this_update when absent
  std::vector<std::string> revoked;  // serials, lowercase hex
};

[[nodiscard]] CertificateInfo describe(const x509_st* certificate);

// "2026-03-01T12:00:00Z".
[[nodiscard]] std::string format_time(Seconds time);
// "a1b2c3d4e5f60718…": enough of a fingerprint to recognise it.
[[nodiscard]] std::string short_fingerprint(const std::string& sha256);

}  // namespace hawser::tls
