// A small certificate authority: makes CAs, certificates, CRLs. For development, tests, drills and `hawser pki`.
//
// Values in memory; nothing here touches a disk. Not a CA for production: keys are
// plain files. An Authority is immutable and may be shared between threads.
//
//   Result<Authority> ca = Authority::create({.name = "Example CA"});
//   Result<Issued> nats = ca->issue({.common_name = "nats", .dns_names = {"localhost"}, .usage = CertUsage::server});
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "tls/certificate.hpp"

namespace hawser::tls {

enum class KeyType : std::uint8_t { ecdsa_p256, ed25519, rsa2048, rsa4096 };
enum class CertUsage : std::uint8_t { client, server, both };

struct Validity {
  Seconds from;
  Seconds to;
  // From five minutes ago (clocks differ) to `length` from now.
  [[nodiscard]] static Validity lasting(std::chrono::seconds length);
};

struct AuthorityRequest {
  std::string name{};          // common name
  std::string organization{};  // optional
  KeyType key_type = KeyType::ecdsa_p256;
  Validity validity = Validity::lasting(std::chrono::hours(24 * 3650));
};

struct CertificateRequest {
  std::string common_name{};
  std::string organization{};
  std::vector<std::string> dns_names{};
  std::vector<std::string> ip_addresses{};
  std::vector<std::string> emails{};
  std::vector<std::string> uris{};
  CertUsage usage = CertUsage::both;
  KeyType key_type = KeyType::ecdsa_p256;
  Validity validity = Validity::lasting(std::chrono::hours(24 * 90));
};

struct Issued {
  std::string chain_pem;  // the certificate, then the intermediates up to, but without, the root
  Secret key_pem;         // PKCS#8
  CertificateInfo info;
};

class Authority {
 public:
  // A self-signed root. Errors: pki_bad_request, pki_failed.
  [[nodiscard]] static Result<Authority> create(const AuthorityRequest& request);
  // From PEM: the CA's certificate, its issuers after it, and its key. Errors: tls_not_pem, tls_key_mismatch,
  // pki_bad_request.
  [[nodiscard]] static Result<Authority> from_pem(std::string_view chain_pem, const Secret& key_pem);
  // An intermediate, signed by this one.
  [[nodiscard]] Result<Authority> intermediate(const AuthorityRequest& request) const;

  [[nodiscard]] Result<Issued> issue(const CertificateRequest& request) const;
  // A self-signed end-entity certificate, for trust in just itself.
  [[nodiscard]] static Result<Issued> self_signed(const CertificateRequest& request);

  // A CRL that revokes these serials (hex). `number` must grow from one CRL to the next.
  [[nodiscard]] Result<std::string> crl(const std::vector<std::string>& serials, Validity validity,
                                        std::uint64_t number) const;

  [[nodiscard]] const std::string& certificate_pem() const noexcept;  // this CA's certificate alone: what others trust
  [[nodiscard]] const std::string& chain_pem() const noexcept;        // with its issuers, without the root
  [[nodiscard]] Secret key_pem() const;
  [[nodiscard]] const CertificateInfo& info() const noexcept;

 private:
  struct Parts;
  explicit Authority(std::shared_ptr<const Parts> parts);
  std::shared_ptr<const Parts> parts_;
};

}  // namespace hawser::tls
