// JWTs of every type, in two ways: the input as a token; and the input as a payload that is then signed well, by each
// kind of key that may issue claims, so that the fuzzer gets behind the signature. What is accepted is judged, signed
// again, and reads the same.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "identity/chain.hpp"
#include "identity/encoding.hpp"
#include "identity/findings.hpp"
#include "identity/nkey.hpp"
#include "identity/token.hpp"
#include "identity/token_text.hpp"

namespace {

using namespace hawser::identity;

constexpr std::chrono::sys_seconds kNow{std::chrono::seconds(1800000000)};

KeyPair key(KeyKind kind) {
  std::array<std::uint8_t, 32> raw{};
  raw.fill(1);
  return KeyPair::from_raw(kind, raw).value();
}

const std::array<KeyPair, 3>& signers() {
  static const std::array<KeyPair, 3> kKeys = {key(KeyKind::operator_key), key(KeyKind::account), key(KeyKind::user)};
  return kKeys;
}

void expect(bool good) {
  if (!good) {
    std::abort();
  }
}

void judge(const Claims& claims) {
  (void)acceptable(findings(claims, kNow));
  if (const auto* user = std::get_if<UserClaims>(&claims); user != nullptr) {
    AccountClaims account;
    account.subject = user->issuer_account.empty() ? user->issuer : user->issuer_account;
    account.signing_keys = {SigningKey{.key = user->issuer, .scoped = true, .limits = *user}};
    (void)admit_user(*user, account, kNow);
  } else if (const auto* account = std::get_if<AccountClaims>(&claims); account != nullptr) {
    for (const ImportClaim& import : account->imports) {
      (void)admit_activation(import, account->subject, *account, kNow);
    }
  }
}

// Text that is over its bound, or a type that the first version writes elsewhere, may be refused when it is written;
// but what is written reads as what it was.
void write_again(const Claims& claims) {
  for (const KeyPair& signer : signers()) {
    const auto first = encode(claims, signer, kNow);
    if (!first) {
      continue;
    }
    const auto read = decode(*first);
    expect(read.has_value() && read->index() == claims.index());
    const auto second = encode(*read, signer, kNow);
    expect(second.has_value());
    const auto again = decode(*second);
    expect(again.has_value() && *again == *read);
  }
}

void check(std::string_view token) {
  const auto claims = decode(token);
  if (!claims) {
    return;
  }
  expect(PublicKey::parse(common(*claims).issuer).has_value() && payload_json(token, true).has_value());
  judge(*claims);
  write_again(*claims);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check({reinterpret_cast<const char*>(data), size});
  (void)token_of_file({reinterpret_cast<const char*>(data), size});
  const std::string payload = encode_base64url({data, size});
  const std::string text = encode_base64url(as_bytes(kTokenHeader)) + '.' + payload;
  const std::string first_version = encode_base64url(as_bytes(R"({"typ":"jwt","alg":"ed25519"})")) + '.' + payload;
  for (const KeyPair& signer : signers()) {
    check(text + '.' + encode_base64url(signer.sign(text).value()));
    check(first_version + '.' + encode_base64url(signer.sign(payload).value()));
  }
  return 0;
}
