#include "identity/nkey.hpp"

#include <algorithm>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <optional>

#include "identity/encoding.hpp"

namespace hawser::identity {
namespace {

constexpr std::uint8_t kSeedPrefix = 0x90;     // S
constexpr std::uint8_t kPrivatePrefix = 0x78;  // P
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kPublicTextLength = 56;
constexpr std::size_t kSeedTextLength = 58;

std::optional<KeyKind> kind_of(std::uint8_t prefix) {
  switch (prefix) {
    case 0x00: return KeyKind::account;
    case 0x10: return KeyKind::cluster;
    case 0x68: return KeyKind::server;
    case 0x70: return KeyKind::operator_key;
    case 0xA0: return KeyKind::user;
    case 0xB8: return KeyKind::curve;
    default: return std::nullopt;
  }
}

std::uint8_t byte_at(std::string_view data, std::size_t i) { return static_cast<std::uint8_t>(data[i]); }

std::string with_checksum(std::string data) {
  const std::uint16_t crc = crc16(as_bytes(data));
  data += static_cast<char>(crc & 0xFFU);
  data += static_cast<char>(crc >> 8U);
  return data;
}

bool looks_like_a_seed(std::string_view text) { return text.size() == kSeedTextLength && text.starts_with('S'); }
bool looks_public(std::string_view text) { return text.size() == kPublicTextLength && !text.starts_with('P'); }

// Base32 with its checksum, as bytes without the checksum. The text itself never stands in the error: it may be a seed.
Result<Secret> decode_checked(std::string_view text, std::string_view what) {
  std::optional<std::string> decoded = decode_base32(text);
  if (!decoded || decoded->size() < 3) {
    return fail(Errc::nkey_malformed, "reading " + std::string(what) + ": not base32 text of an NKey");
  }
  Secret data = Secret::take(std::move(*decoded));
  const std::string_view all = data.reveal();
  const std::string_view body = all.substr(0, all.size() - 2);
  const unsigned expected = byte_at(all, all.size() - 2) | static_cast<unsigned>(byte_at(all, all.size() - 1)) << 8U;
  if (crc16(as_bytes(body)) != expected) {
    return fail(Errc::nkey_checksum_wrong, "reading " + std::string(what));
  }
  return Secret(body);
}

Error crypto_failed(std::string doing) { return {Errc::signing_failed, std::move(doing)}; }

}  // namespace

std::string_view to_string(KeyKind kind) {
  switch (kind) {
    case KeyKind::account: return "account";
    case KeyKind::cluster: return "cluster";
    case KeyKind::server: return "server";
    case KeyKind::operator_key: return "operator";
    case KeyKind::user: return "user";
    case KeyKind::curve: return "curve";
  }
  return "unknown";
}

Result<PublicKey> PublicKey::parse(std::string_view text) {
  if (looks_like_a_seed(text)) {
    return fail(Errc::nkey_malformed, "reading a public NKey: this is a seed, which must stay private");
  }
  if (text.size() != kPublicTextLength) {
    return fail(Errc::nkey_malformed, "reading a public NKey: " + std::to_string(text.size()) + " characters, not 56");
  }
  Result<Secret> data = decode_checked(text, "a public NKey");
  if (!data) {
    return std::unexpected(data.error());
  }
  const std::string_view body = data->reveal();
  const std::optional<KeyKind> kind = kind_of(byte_at(body, 0));
  if (!kind || body.size() != 1 + kKeyBytes) {
    return fail(Errc::nkey_malformed, "reading a public NKey: its first character tells no kind of public key");
  }
  std::array<std::uint8_t, kKeyBytes> bytes{};
  std::copy_n(as_bytes(body).begin() + 1, kKeyBytes, bytes.begin());
  return PublicKey(*kind, bytes);
}

std::string PublicKey::text() const {
  std::string data(1, static_cast<char>(kind_));
  data.append(bytes_.begin(), bytes_.end());
  return encode_base32(as_bytes(with_checksum(std::move(data))));
}

bool PublicKey::verify(std::string_view message, std::span<const std::uint8_t> signature) const {
  if (kind_ == KeyKind::curve || signature.size() != std::tuple_size_v<Signature>) {
    return false;
  }
  EVP_PKEY* key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_.data(), bytes_.size());
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const Bytes data = as_bytes(message);
  const bool good = key != nullptr && context != nullptr &&
                    EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, key) == 1 &&
                    EVP_DigestVerify(context, signature.data(), signature.size(), data.data(), data.size()) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  return good;
}

void KeyPair::FreeKey::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

KeyPair::KeyPair(PublicKey public_key, Secret raw, evp_pkey_st* key)
    : public_key_(public_key), raw_(std::move(raw)), key_(key) {}

Result<KeyPair> KeyPair::from_seed(std::string_view text) {
  if (looks_public(text)) {
    return fail(Errc::nkey_seed_expected, "reading an NKey seed");
  }
  if (text.size() != kSeedTextLength) {
    return fail(Errc::nkey_malformed, "reading an NKey seed: " + std::to_string(text.size()) + " characters, not 58");
  }
  Result<Secret> data = decode_checked(text, "an NKey seed");
  if (!data) {
    return std::unexpected(data.error());
  }
  const std::string_view body = data->reveal();
  const std::uint8_t first = byte_at(body, 0);
  if (first == kPrivatePrefix) {
    return fail(Errc::nkey_seed_expected, "reading an NKey seed: this is a private key in its long form");
  }
  // Two prefixes share the first two bytes: five bits of S, eight of the kind, three of zero.
  const auto kind = kind_of(static_cast<std::uint8_t>((first & 0x07U) << 5U | byte_at(body, 1) >> 3U));
  if ((first & 0xF8U) != kSeedPrefix || !kind || (byte_at(body, 1) & 0x07U) != 0 || body.size() != 2 + kKeyBytes) {
    return fail(Errc::nkey_malformed, "reading an NKey seed: its first characters tell no kind of seed");
  }
  return from_raw(*kind, as_bytes(body).subspan(2));
}

Result<KeyPair> KeyPair::create(KeyKind kind) {
  std::string raw(kKeyBytes, '\0');
  if (RAND_priv_bytes(reinterpret_cast<unsigned char*>(raw.data()), static_cast<int>(raw.size())) != 1) {
    return std::unexpected(crypto_failed("drawing random bytes for a key"));
  }
  const Secret seed = Secret::take(std::move(raw));
  return from_raw(kind, as_bytes(seed.reveal()));
}

Result<KeyPair> KeyPair::from_raw(KeyKind kind, std::span<const std::uint8_t> seed) {
  if (seed.size() != kKeyBytes) {
    return fail(Errc::nkey_malformed, "making a key of " + std::to_string(seed.size()) + " bytes, not 32");
  }
  if (kind == KeyKind::curve) {
    return fail(Errc::nkey_wrong_kind, "making a signing key: a curve key (SX…) encrypts and cannot sign");
  }
  EVP_PKEY* key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size());
  std::array<std::uint8_t, kKeyBytes> bytes{};
  std::size_t length = bytes.size();
  if (key == nullptr || EVP_PKEY_get_raw_public_key(key, bytes.data(), &length) != 1 || length != bytes.size()) {
    EVP_PKEY_free(key);
    return std::unexpected(crypto_failed("making an Ed25519 key"));
  }
  return KeyPair(PublicKey(kind, bytes), Secret({reinterpret_cast<const char*>(seed.data()), seed.size()}), key);
}

Result<Signature> KeyPair::sign(std::string_view message) const {
  Signature signature{};
  std::size_t length = signature.size();
  const Bytes data = as_bytes(message);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool done = context != nullptr && EVP_DigestSignInit(context, nullptr, nullptr, nullptr, key_.get()) == 1 &&
                    EVP_DigestSign(context, signature.data(), &length, data.data(), data.size()) == 1 &&
                    length == signature.size();
  EVP_MD_CTX_free(context);
  if (!done) {
    return std::unexpected(crypto_failed("signing with " + public_key_.text()));
  }
  return signature;
}

Result<std::string> KeyPair::sign_nonce(std::string_view nonce) const {
  const Result<Signature> signature = sign(nonce);
  if (!signature) {
    return std::unexpected(signature.error());
  }
  return encode_base64url(*signature);
}

Secret KeyPair::seed() const {
  const auto kind = static_cast<std::uint8_t>(public_key_.kind());
  std::string data;
  data.reserve(2 + kKeyBytes + 2);  // no reallocation may leave a copy behind
  data += static_cast<char>(kSeedPrefix | kind >> 5U);
  data += static_cast<char>((kind & 0x1FU) << 3U);
  data += raw_.reveal();
  const Secret checked = Secret::take(with_checksum(std::move(data)));
  return Secret::take(encode_base32(as_bytes(checked.reveal())));
}

}  // namespace hawser::identity
