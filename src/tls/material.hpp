// TLS material: an immutable, fully validated snapshot of a certificate chain, its key, the trusted CAs and their CRLs.
//
// Read whole, validated whole, then shared as one pointer: a snapshot never changes, so any thread may hold and read it
// for as long as it likes. A reload makes another snapshot (watcher.hpp); context.hpp turns one into an SSL_CTX.
//
//   Result<MaterialPtr> material = load({.cert_file = "tls.crt", .key_file = "tls.key", .ca_file = "ca.crt"},
//   wall_now());
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "tls/certificate.hpp"

namespace hawser::tls {

class Material;
using MaterialPtr = std::shared_ptr<const Material>;

// Which side the certificate is presented by; decides the usages that it must allow.
enum class Usage : std::uint8_t { client, server };

// Where material comes from. Empty is unset. A source without certificate and key is fine: trust alone.
struct Source {
  std::string cert_file{};    // PEM, the leaf first, then its intermediates
  std::string key_file{};     // PEM, or a `pkcs11:` URI (RFC 7512)
  std::string ca_file{};      // PEM: CAs, and end-entity certificates that each trust just themselves
  std::string crl_file{};     // PEM: with it, every issuer of a peer's chain needs a current CRL in it
  std::string server_name{};  // expected of the server instead of the host that was dialled
  Usage usage = Usage::client;

  // Nothing to read: the system's roots, and no certificate of one's own.
  [[nodiscard]] bool empty() const noexcept {
    return cert_file.empty() && key_file.empty() && ca_file.empty() && crl_file.empty();
  }
  [[nodiscard]] bool key_in_token() const noexcept { return key_file.starts_with("pkcs11:"); }
  bool operator==(const Source&) const = default;
};

// What a source's files held at one moment: for callers that hold material themselves (Vault, SPIFFE, an HSM), for the
// watcher, and for tests. Each part is PEM text; with `key_in_token` the key is loaded from the source's URI.
struct SourceBytes {
  std::string cert{};
  Secret key{};
  std::string ca{};
  std::string crl{};
  bool key_readable_by_others = false;
};

enum class Severity : std::uint8_t { note, warning };

enum class FindingCode : std::uint8_t {
  key_readable_by_others,
  certificate_expires_soon,  // of the own chain: 30 days: note; 7 days and less: warning
  authority_expires_soon,
  authority_expired,  // a CA of the bundle that can verify nobody any more
  crl_expires_soon,
  crl_missing_for_authority,  // its certificates will be refused
  crl_without_authority,      // a CRL of a CA that is not in the bundle: without effect
  certificate_revoked,        // the own certificate is in the own CRL
  chain_out_of_order,         // a chain whose certificates do not issue each other
  chain_not_in_bundle,        // the own chain does not verify under the own bundle: peers may trust another CA
};

// Something to look at that does not stop the use of the material.
struct Finding {
  FindingCode code;
  Severity severity;
  std::string message;
  std::string hint;
};

// "certificate-expires-soon".
[[nodiscard]] std::string_view to_string(FindingCode code);

class Material {
 public:
  ~Material();
  Material(const Material&) = delete;
  Material& operator=(const Material&) = delete;

  [[nodiscard]] const Source& source() const noexcept;
  // SHA-256 of the content, lowercase hex: equal for equal material.
  [[nodiscard]] const std::string& id() const noexcept;
  // The same of what is trusted alone: the CA file and the CRL file.
  [[nodiscard]] const std::string& trust_id() const noexcept;

  [[nodiscard]] bool has_certificate() const noexcept { return !chain().empty(); }
  // Own chain, the leaf first; empty without a certificate.
  [[nodiscard]] const std::vector<CertificateInfo>& chain() const noexcept;
  // What is trusted: CAs and end-entity certificates, in file order. Empty means: no ca_file.
  [[nodiscard]] const std::vector<CertificateInfo>& trust() const noexcept;
  [[nodiscard]] const std::vector<CrlInfo>& crls() const noexcept;

  // What deserves attention at this time.
  [[nodiscard]] std::vector<Finding> findings(WallTime now) const;

  // OpenSSL objects, for the other files of this room.
  struct Parts;
  [[nodiscard]] const Parts& parts() const noexcept { return *parts_; }
  explicit Material(std::unique_ptr<const Parts> parts);

 private:
  std::unique_ptr<const Parts> parts_;
};

// Reads and validates everything. With `current`, a certificate whose key is not written yet (or the reverse) is
// tls_not_complete rather than tls_key_mismatch: the other half is still that of `current`.
// Errors: TLS-201 … TLS-229; the first of `assess`.
[[nodiscard]] Result<MaterialPtr> load(const Source& source, WallTime now, const Material* current = nullptr);
// The same for content that is already in memory; paths of `source` only name it in messages.
[[nodiscard]] Result<MaterialPtr> load(const Source& source, const SourceBytes& bytes, WallTime now,
                                       const Material* current = nullptr);

// Everything that is wrong, not just the first: for posture and `hawser check`.
struct Assessment {
  MaterialPtr material;           // set when `errors` is empty
  std::vector<Error> errors;      // each stops the use of the material
  std::vector<Finding> findings;  // each does not
};
[[nodiscard]] Assessment assess(const Source& source, WallTime now);
[[nodiscard]] Assessment assess(const Source& source, const SourceBytes& bytes, WallTime now,
                                const Material* current = nullptr);

// Reads the files of a source as one generation: a directory is opened once and all its files through it, so that a
// `..data` swap (or a `current` symlink) in between cannot mix two generations. Bounded. Errors: tls_file_unreadable.
[[nodiscard]] Result<SourceBytes> read_files(const Source& source);

// A `pkcs11:` URI without the PIN, for messages; any other text as it is.
[[nodiscard]] std::string without_pin(std::string_view key_file);

}  // namespace hawser::tls
