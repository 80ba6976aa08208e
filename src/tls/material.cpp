#include "tls/material.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "tls/material_parts.hpp"
#include "tls/pem.hpp"
#include "tls/pkcs11.hpp"
#include "tls/validate.hpp"

namespace hawser::tls {
namespace {

bool blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

std::string key_digest(const Source& source, const SourceBytes& bytes) {
  return sha256_hex(source.key_in_token() ? std::string_view(source.key_file) : bytes.key.reveal());
}

// Parses one source's bytes into parts, collecting what is wrong.
class Parser {
 public:
  Parser(const Source& source, const SourceBytes& bytes, const Material* current)
      : source_(source), bytes_(bytes), current_(current), parts_(std::make_unique<Material::Parts>()) {}

  std::unique_ptr<Material::Parts> parse(std::vector<Error>& errors) {
    parts_->source = source_;
    parts_->key_readable_by_others = bytes_.key_readable_by_others;
    parts_->id = content_id(source_, bytes_);
    parts_->trust_id = sha256_hex(sha256_hex(bytes_.ca) + sha256_hex(bytes_.crl));
    parts_->cert_digest = sha256_hex(bytes_.cert);
    parts_->key_digest = key_digest(source_, bytes_);
    identity(errors);
    trust(errors);
    crls(errors);
    return std::move(parts_);
  }

 private:
  void identity(std::vector<Error>& errors) {
    const bool has_cert = !source_.cert_file.empty() || !bytes_.cert.empty();
    const bool has_key = !source_.key_file.empty() || !bytes_.key.empty();
    if (has_cert != has_key) {
      errors.push_back({Errc::tls_half_pair, has_cert ? fmt::format("{} is set, its key is not", cert_name())
                                                      : fmt::format("{} is set, its certificate is not", key_name())});
    }
    if (has_cert) {
      certificate(errors);
    }
    if (has_key) {
      key(errors);
    }
  }

  void certificate(std::vector<Error>& errors) {
    Result<std::vector<Owned<X509>>> chain = parse_certificates(bytes_.cert, cert_name());
    if (!chain) {
      errors.push_back(std::move(chain.error()));
    } else if (chain->empty()) {
      errors.push_back(
          {not_written_yet(bytes_.cert) ? Errc::tls_not_complete : Errc::tls_certificate_missing, cert_name()});
    } else {
      parts_->chain = std::move(*chain);
    }
    for (const Owned<X509>& one : parts_->chain) {
      parts_->chain_info.push_back(describe(one.get()));
    }
  }

  void key(std::vector<Error>& errors) {
    Result<Owned<EVP_PKEY>> key =
        source_.key_in_token() ? load_token_key(source_.key_file) : parse_key(bytes_.key, key_name());
    if (key) {
      parts_->key = std::move(*key);
    } else if (key.error().code == Errc::tls_key_missing && not_written_yet(bytes_.key.reveal())) {
      errors.push_back({Errc::tls_not_complete, key_name()});
    } else {
      errors.push_back(std::move(key.error()));
    }
  }

  void trust(std::vector<Error>& errors) {
    if (source_.ca_file.empty() && bytes_.ca.empty()) {
      return;
    }
    const std::string name = name_of(source_.ca_file, "the CA bundle");
    Result<std::vector<Owned<X509>>> bundle = parse_certificates(bytes_.ca, name);
    if (!bundle) {
      errors.push_back(std::move(bundle.error()));
    } else if (bundle->empty()) {
      errors.push_back({Errc::tls_ca_without_certificate, name});
    } else {
      parts_->trust = std::move(*bundle);
    }
    for (const Owned<X509>& one : parts_->trust) {
      parts_->trust_info.push_back(describe(one.get()));
      if (!parts_->trust_info.back().is_authority) {
        parts_->end_entity.push_back(share(one.get()));
      }
    }
  }

  void crls(std::vector<Error>& errors) {
    if (source_.crl_file.empty() && bytes_.crl.empty()) {
      return;
    }
    const std::string name = name_of(source_.crl_file, "the CRL");
    Result<std::vector<Owned<X509_CRL>>> crls = parse_crls(bytes_.crl, name);
    if (!crls) {
      errors.push_back(std::move(crls.error()));
    } else if (crls->empty()) {
      errors.push_back({Errc::tls_crl_missing, name});
    } else {
      parts_->crls = std::move(*crls);
    }
    for (const Owned<X509_CRL>& crl : parts_->crls) {
      parts_->crl_info.push_back(describe_crl(crl.get()));
    }
  }

  // A file that was emptied to be written again.
  [[nodiscard]] bool not_written_yet(std::string_view text) const {
    return current_ != nullptr && current_->has_certificate() && blank(text);
  }
  [[nodiscard]] std::string cert_name() const { return name_of(source_.cert_file, "the certificate"); }
  [[nodiscard]] std::string key_name() const { return name_of(without_pin(source_.key_file), "the key"); }

  const Source& source_;
  const SourceBytes& bytes_;
  const Material* current_;
  std::unique_ptr<Material::Parts> parts_;
};

// What handshakes and verify_pem look chains up in: the CAs, never the end-entity certificates (verify.cpp).
void build_store(Material::Parts& parts) {
  parts.store.reset(X509_STORE_new());
  for (std::size_t i = 0; i < parts.trust.size(); ++i) {
    if (parts.trust_info[i].is_authority) {
      X509_STORE_add_cert(parts.store.get(), parts.trust[i].get());
    }
  }
  for (const Owned<X509_CRL>& crl : parts.crls) {
    X509_STORE_add_crl(parts.store.get(), crl.get());
  }
  ERR_clear_error();
}

}  // namespace

std::string content_id(const Source& source, const SourceBytes& bytes) {
  return sha256_hex(sha256_hex(bytes.cert) + key_digest(source, bytes) + sha256_hex(bytes.ca) + sha256_hex(bytes.crl));
}

Material::Material(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}
Material::~Material() = default;

const Source& Material::source() const noexcept { return parts_->source; }
const std::string& Material::id() const noexcept { return parts_->id; }
const std::string& Material::trust_id() const noexcept { return parts_->trust_id; }
const std::vector<CertificateInfo>& Material::chain() const noexcept { return parts_->chain_info; }
const std::vector<CertificateInfo>& Material::trust() const noexcept { return parts_->trust_info; }
const std::vector<CrlInfo>& Material::crls() const noexcept { return parts_->crl_info; }

Assessment assess(const Source& source, const SourceBytes& bytes, WallTime now, const Material* current) {
  Assessment assessment;
  const Seconds second = std::chrono::floor<std::chrono::seconds>(now);
  std::unique_ptr<Material::Parts> parts = Parser(source, bytes, current).parse(assessment.errors);
  for (auto& errors : {check_identity(*parts, second, current), check_crls(*parts, second)}) {
    assessment.errors.insert(assessment.errors.end(), errors.begin(), errors.end());
  }
  build_store(*parts);
  auto material = std::make_shared<const Material>(std::move(parts));
  assessment.findings = material->findings(now);
  if (assessment.errors.empty()) {
    assessment.material = std::move(material);
  }
  return assessment;
}

Assessment assess(const Source& source, WallTime now) {
  const Result<SourceBytes> bytes = read_files(source);
  if (!bytes) {
    Assessment assessment;
    assessment.errors.push_back(bytes.error());
    return assessment;
  }
  return assess(source, *bytes, now);
}

Result<MaterialPtr> load(const Source& source, const SourceBytes& bytes, WallTime now, const Material* current) {
  Assessment assessment = assess(source, bytes, now, current);
  if (assessment.material == nullptr) {
    return std::unexpected(std::move(assessment.errors.front()));
  }
  return std::move(assessment.material);
}

Result<MaterialPtr> load(const Source& source, WallTime now, const Material* current) {
  const Result<SourceBytes> bytes = read_files(source);
  if (!bytes) {
    return std::unexpected(bytes.error());
  }
  return load(source, *bytes, now, current);
}

std::string without_pin(std::string_view key_file) {
  std::string text(key_file);
  if (!key_file.starts_with("pkcs11:")) {
    return text;
  }
  for (std::size_t at = text.find("pin-value="); at != std::string::npos; at = text.find("pin-value=", at + 1)) {
    const std::size_t value = at + std::string_view("pin-value=").size();
    const std::size_t end = text.find_first_of(";&?", value);
    text.replace(value, end == std::string::npos ? std::string::npos : end - value, "[redacted]");
  }
  return text;
}

}  // namespace hawser::tls
