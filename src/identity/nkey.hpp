// NKeys: Ed25519 keys as NATS writes them, base32 with a prefix that tells their kind, and a checksum.
//
// PublicKey is a value. KeyPair holds the private key, is move-only and wipes it; signing is const and thread-safe.
// Source: nats-io/nkeys, strkey form. No error or string made here shows a seed, except KeyPair::seed.
//
//   Result<KeyPair> key = KeyPair::from_seed(secret.reveal());
//   connect.nkey = key->public_key().text();  connect.sig = key->sign_nonce(info.nonce).value();
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

struct evp_pkey_st;

namespace hawser::identity {

// The value is the prefix byte.
enum class KeyKind : std::uint8_t {
  account = 0x00,       // A
  cluster = 0x10,       // C
  server = 0x68,        // N
  operator_key = 0x70,  // O
  user = 0xA0,          // U
  curve = 0xB8,         // X
};
[[nodiscard]] std::string_view to_string(KeyKind kind);

using Signature = std::array<std::uint8_t, 64>;

class PublicKey {
 public:
  // Errors: nkey_malformed, nkey_checksum_wrong; a seed given by mistake is refused without being shown.
  [[nodiscard]] static Result<PublicKey> parse(std::string_view text);
  PublicKey(KeyKind kind, std::array<std::uint8_t, 32> bytes) : kind_(kind), bytes_(bytes) {}

  [[nodiscard]] KeyKind kind() const { return kind_; }
  [[nodiscard]] const std::array<std::uint8_t, 32>& bytes() const { return bytes_; }
  [[nodiscard]] std::string text() const;  // 56 characters
  [[nodiscard]] bool verify(std::string_view message, std::span<const std::uint8_t> signature) const;
  friend bool operator==(const PublicKey&, const PublicKey&) = default;

 private:
  KeyKind kind_;
  std::array<std::uint8_t, 32> bytes_;
};

class KeyPair {
 public:
  // Errors: nkey_malformed, nkey_checksum_wrong, nkey_seed_expected. Curve keys cannot sign: nkey_wrong_kind.
  [[nodiscard]] static Result<KeyPair> from_seed(std::string_view text);
  [[nodiscard]] static Result<KeyPair> create(KeyKind kind);
  // Of a raw Ed25519 seed, 32 bytes.
  [[nodiscard]] static Result<KeyPair> from_raw(KeyKind kind, std::span<const std::uint8_t> seed);

  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
  [[nodiscard]] Result<Signature> sign(std::string_view message) const;
  // The signature of a server's nonce (the text itself is signed) as base64url without padding, as CONNECT's `sig`.
  [[nodiscard]] Result<std::string> sign_nonce(std::string_view nonce) const;
  [[nodiscard]] Secret seed() const;  // 58 characters

 private:
  struct FreeKey {
    void operator()(evp_pkey_st* key) const;
  };
  KeyPair(PublicKey public_key, Secret raw, evp_pkey_st* key);

  PublicKey public_key_;
  Secret raw_;
  std::unique_ptr<evp_pkey_st, FreeKey> key_;
};

}  // namespace hawser::identity
