#include "tls/pem.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <openssl/pem.h>
#include <optional>

namespace hawser::tls {
namespace {

// One block of a PEM text, its three parts allocated by OpenSSL. Wiped: it may be a key.
class Block {
 public:
  enum class Next { block, end, damaged };

  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { clear(); }

  Next read(BIO* in) {
    clear();
    ERR_clear_error();
    if (PEM_read_bio_ex(in, &name_, &header_, &data_, &length_, PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) == 1) {
      return Next::block;
    }
    // A text that ends where a block could begin is the normal end.
    return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ? Next::end : Next::damaged;
  }

  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] std::string_view header() const { return header_; }
  [[nodiscard]] const unsigned char* data() const { return data_; }
  [[nodiscard]] long size() const { return length_; }

 private:
  void clear() {
    OPENSSL_secure_free(name_);
    OPENSSL_secure_free(header_);
    OPENSSL_secure_clear_free(data_, data_ == nullptr ? 0 : static_cast<std::size_t>(length_));
    name_ = nullptr;
    header_ = nullptr;
    data_ = nullptr;
    length_ = 0;
  }

  char* name_ = nullptr;
  char* header_ = nullptr;
  unsigned char* data_ = nullptr;
  long length_ = 0;
};

bool is_text_without_nul(std::string_view text) { return text.find('\0') == std::string_view::npos; }

std::unexpected<Error> damaged(std::string_view what, std::size_t number) {
  return fail(Errc::tls_not_pem, fmt::format("{}, block {}: {}", what, number, take_openssl_reason()));
}

// Calls `take` with each block until it fails; false ends early without an error.
template <class Take>
Result<void> for_each_block(std::string_view text, std::string_view what, Take take) {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) || !is_text_without_nul(text)) {
    return fail(Errc::tls_not_pem, fmt::format("{}: binary content, not PEM", what));
  }
  const Owned<BIO> in = read_only_bio(text);
  Block block;
  for (std::size_t number = 1;; ++number) {
    switch (block.read(in.get())) {
      case Block::Next::end: ERR_clear_error(); return {};
      case Block::Next::damaged: return damaged(what, number);
      case Block::Next::block: break;
    }
    const Result<bool> more = take(block, number);
    if (!more) {
      return std::unexpected(more.error());
    }
    if (!*more) {
      return {};
    }
  }
}

// Decodes the whole block, or nothing: bytes after the object are damage too.
template <class Object, class Decode>
Owned<Object> decode_whole(const Block& block, Decode decode) {
  const unsigned char* position = block.data();
  Owned<Object> object(decode(nullptr, &position, block.size()));
  return position == block.data() + block.size() ? std::move(object) : nullptr;
}

bool is_certificate(std::string_view name) { return name == "CERTIFICATE" || name == "X509 CERTIFICATE"; }

Owned<EVP_PKEY> decode_key(const Block& block) {
  if (block.name() == "PRIVATE KEY") {
    const auto info = decode_whole<PKCS8_PRIV_KEY_INFO>(block, d2i_PKCS8_PRIV_KEY_INFO);
    return info == nullptr ? nullptr : Owned<EVP_PKEY>(EVP_PKCS82PKEY(info.get()));
  }
  const int type = block.name() == "RSA PRIVATE KEY" ? EVP_PKEY_RSA : EVP_PKEY_EC;
  return decode_whole<EVP_PKEY>(block, [type](EVP_PKEY** key, const unsigned char** in, long size) {
    return d2i_PrivateKey(type, key, in, size);
  });
}

std::string drain(BIO* out) {
  char* text = nullptr;
  const long length = BIO_get_mem_data(out, &text);
  return {text, static_cast<std::size_t>(std::max(length, 0L))};
}

}  // namespace

Result<std::vector<Owned<X509>>> parse_certificates(std::string_view text, std::string_view what) {
  std::vector<Owned<X509>> certificates;
  const Result<void> done = for_each_block(text, what, [&](const Block& block, std::size_t number) -> Result<bool> {
    if (block.name() == "TRUSTED CERTIFICATE") {
      return fail(Errc::tls_not_pem, fmt::format("{}, block {}: OpenSSL's TRUSTED CERTIFICATE form; write it with "
                                                 "`openssl x509` without -trustout",
                                                 what, number));
    }
    if (is_certificate(block.name())) {
      Owned<X509> certificate = decode_whole<X509>(block, d2i_X509);
      if (certificate == nullptr || X509_get0_pubkey(certificate.get()) == nullptr) {
        return damaged(what, number);
      }
      certificates.push_back(std::move(certificate));
    }
    return true;
  });
  return done ? Result<std::vector<Owned<X509>>>(std::move(certificates)) : std::unexpected(done.error());
}

Result<std::vector<Owned<X509_CRL>>> parse_crls(std::string_view text, std::string_view what) {
  std::vector<Owned<X509_CRL>> crls;
  const Result<void> done = for_each_block(text, what, [&](const Block& block, std::size_t number) -> Result<bool> {
    if (block.name() == "X509 CRL") {
      Owned<X509_CRL> crl = decode_whole<X509_CRL>(block, d2i_X509_CRL);
      if (crl == nullptr) {
        return damaged(what, number);
      }
      crls.push_back(std::move(crl));
    }
    return true;
  });
  return done ? Result<std::vector<Owned<X509_CRL>>>(std::move(crls)) : std::unexpected(done.error());
}

Result<Owned<EVP_PKEY>> parse_key(const Secret& text, std::string_view what) {
  Owned<EVP_PKEY> key;
  const Result<void> done =
      for_each_block(text.reveal(), what, [&](const Block& block, std::size_t number) -> Result<bool> {
        const bool is_key = block.name().ends_with("PRIVATE KEY");
        if (!is_key) {
          return true;  // certificates in the same file, EC PARAMETERS
        }
        if (block.name() == "ENCRYPTED PRIVATE KEY" || block.header().find("ENCRYPTED") != std::string_view::npos) {
          return fail(Errc::tls_key_encrypted, std::string(what));
        }
        if (block.name() != "PRIVATE KEY" && block.name() != "RSA PRIVATE KEY" && block.name() != "EC PRIVATE KEY") {
          return fail(Errc::tls_not_pem, fmt::format("{}: a {} is not usable for TLS", what, block.name()));
        }
        key = decode_key(block);
        if (key == nullptr) {
          return damaged(what, number);
        }
        return false;
      });
  if (!done) {
    return std::unexpected(done.error());
  }
  if (key == nullptr) {
    return fail(Errc::tls_key_missing, std::string(what));
  }
  return key;
}

std::string to_pem(const X509* certificate) {
  const Owned<BIO> out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate);
  return drain(out.get());
}

std::string to_pem(const X509_CRL* crl) {
  const Owned<BIO> out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_CRL(out.get(), crl);
  return drain(out.get());
}

Secret key_to_pem(const EVP_PKEY* key) {
  const Owned<BIO> out(BIO_new(BIO_s_secmem()));
  PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return Secret::take(drain(out.get()));
}

}  // namespace hawser::tls
