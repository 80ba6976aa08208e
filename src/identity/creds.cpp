#include "identity/creds.hpp"

#include <cctype>

#include "base/limits.hpp"

namespace hawser::identity {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return text;
}

// "-----BEGIN NATS USER JWT-----": three dashes or more at both ends, as every writer of creds files has them (their
// count differs between the first line and the last).
bool is_fence(std::string_view line) {
  return line.size() > 6 && line.starts_with("---") && line.ends_with("---") &&
         line.find_first_not_of('-') != std::string_view::npos;
}

enum class Label : std::uint8_t { jwt, seed, other };

Label label_of(std::string_view fence) {
  if (fence.find("JWT") != std::string_view::npos) {
    return Label::jwt;
  }
  return fence.find("SEED") != std::string_view::npos ? Label::seed : Label::other;
}

struct Blocks {
  std::string_view jwt;
  std::string_view seed;
  bool any = false;
};

std::unexpected<Error> malformed(std::string_view why) {
  return fail(Errc::creds_malformed, "reading a creds file: " + std::string(why));
}

// Lines outside the two blocks are comments. A block holds one line of text.
Result<Blocks> find_blocks(std::string_view text) {
  Blocks blocks;
  bool inside = false;
  Label label = Label::other;
  std::string_view content;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (is_fence(line)) {
      if (inside) {
        std::string_view& place = label == Label::jwt ? blocks.jwt : blocks.seed;
        if (content.empty()) {
          return malformed("a block is empty");
        }
        if (label != Label::other) {
          if (!place.empty()) {
            return malformed("it holds two JWTs or two seeds");
          }
          place = content;
        }
      } else {
        label = label_of(line);
        blocks.any = true;
      }
      inside = !inside;
      content = {};
    } else if (inside && !line.empty()) {
      if (!content.empty()) {
        return malformed("a block holds more than one line");
      }
      content = line;
    }
  }
  return inside ? Result<Blocks>(malformed("a block has no end")) : Result<Blocks>(blocks);
}

Result<KeyPair> user_key(std::string_view text) {
  Result<KeyPair> key = KeyPair::from_seed(text);
  if (key && key->public_key().kind() != KeyKind::user) {
    return fail(Errc::nkey_wrong_kind,
                "reading a user's seed: this is one of kind " + std::string(to_string(key->public_key().kind())));
  }
  return key;
}

Result<Blocks> blocks_of(std::string_view text) {
  if (text.size() > limits::kCredentialFileBytes) {
    return fail(Errc::limit_exceeded, "reading a credential of " + std::to_string(text.size()) + " bytes, over 1 MiB");
  }
  return find_blocks(text);
}

Result<Creds> creds_of(const Blocks& blocks) {
  if (blocks.jwt.empty()) {
    return malformed(blocks.any ? "it has no JWT block" : "it has no blocks between lines of dashes");
  }
  Result<UserClaims> claims = decode_user_jwt(blocks.jwt);
  if (!claims) {
    return std::unexpected(claims.error());
  }
  Creds creds{.jwt = Secret(blocks.jwt), .claims = std::move(*claims), .key = std::nullopt};
  if (blocks.seed.empty()) {
    if (!creds.claims.bearer) {
      return malformed("it has no seed block, and the JWT is no bearer token");
    }
    return creds;
  }
  Result<KeyPair> key = user_key(blocks.seed);
  if (!key) {
    return std::unexpected(key.error());
  }
  creds.key = std::move(*key);
  return creds;
}

}  // namespace

bool Creds::seed_matches() const { return !key || key->public_key().text() == claims.subject; }

Result<Creds> parse_creds(std::string_view text) {
  const Result<Blocks> blocks = blocks_of(text);
  return blocks ? creds_of(*blocks) : std::unexpected(blocks.error());
}

Result<CredentialText> parse_credential_text(std::string_view text) {
  const Result<Blocks> blocks = blocks_of(text);
  if (!blocks) {
    return std::unexpected(blocks.error());
  }
  // A seed alone between fences is what `nk` and PEM-minded people write.
  if (blocks->jwt.empty() && (!blocks->any || !blocks->seed.empty())) {
    Result<KeyPair> key = user_key(blocks->seed.empty() ? trim(text) : blocks->seed);
    return key ? Result<CredentialText>(std::move(*key)) : std::unexpected(key.error());
  }
  Result<Creds> creds = creds_of(*blocks);
  return creds ? Result<CredentialText>(std::move(*creds)) : std::unexpected(creds.error());
}

}  // namespace hawser::identity
