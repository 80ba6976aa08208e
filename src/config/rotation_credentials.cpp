#include "config/rotation_credentials.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "config/letters.hpp"
#include "identity/nkey.hpp"

namespace hawser::config {

using namespace rotation;

namespace {

using Form = CredentialSource::Form;

constexpr std::size_t kPublicKeyLetters = 56;
constexpr std::size_t kSeedLetters = 58;
constexpr std::size_t kLongestUser = 1024;

bool is_base32(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7'); });
}

}  // namespace

void CredentialParts::prober(Block& block, const YamlNode& node, Prober& out) {
  out.old_credential = source(block, node, "old");
  out.new_credential = source(block, node, "new");
  if (out.new_credential.form == Form::token)
    block.bad(
        "new", *block.value("new"),
        "is a token, and no server takes a second one: name a user and a password_file, and the old token beside them");
  parts_.needed_path(block, node, "ca_file", out.trust);
  if (const auto cert = block.path("cert_file")) out.new_pair.cert = *cert;
  if (const auto key = block.path("key_file")) out.new_pair.key = *key;
  if (out.new_pair.cert.empty() != out.new_pair.key.empty())
    parts_.missing(block, node, out.new_pair.cert.empty() ? "cert_file" : "key_file");
  out.old_pair = out.new_pair;
}

CredentialSource CredentialParts::source(Block& prober, const YamlNode& node, std::string_view key) {
  constexpr std::array<std::pair<std::string_view, Form>, 4> kForms{{{"creds_file", Form::creds},
                                                                     {"nkey_file", Form::nkey},
                                                                     {"password_file", Form::password},
                                                                     {"token_file", Form::token}}};
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kAdvice{{
      {"creds", "did you mean \"creds_file\"?"},
      {"nkey_seed_file", "did you mean \"nkey_file\"?"},
      {"seed", "secrets do not stand in a plan: use nkey_file"},
      {"password", "secrets do not stand in a plan: use password_file"},
      {"token", "secrets do not stand in a plan: use token_file"},
      {"cert_file", "with kind: credentials it stands in the prober itself, for old and new"},
      {"key_file", "with kind: credentials it stands in the prober itself, for old and new"},
  }};
  CredentialSource out;
  const YamlNode* below = prober.value(key);
  if (below == nullptr) {
    parts_.missing(prober, node, key);
    return out;
  }
  Block block(schema_, below, prober.full(key));
  const bool beside = key == "new" && block.has("password_file") && block.has("token_file");
  std::size_t found = 0;
  for (const auto& [name, form] : kForms) {
    const auto path = block.path(name);
    if (beside && form == Form::token) {
      out.token = path.value_or(std::string());
      continue;
    }
    found += block.has(name) ? 1U : 0U;
    if (path) {
      out.form = form;
      out.file = *path;
    }
  }
  if (found != 1)
    prober.bad(key, *below, "must have exactly one of creds_file, nkey_file, password_file and token_file");
  if (const YamlNode* user = block.scalar("user")) out.user = user->text;
  if (out.form == Form::password && !block.has("user")) parts_.missing(block, *below, "user");
  if (out.form != Form::password && block.has("user"))
    block.bad("user", *block.value("user"), "goes with a password_file alone");
  block.finish(kAdvice);
  return out;
}

void CredentialParts::broker(Block& block, const YamlNode& node, Broker& out) {
  out.broaden = parts_.change(block, "broaden", out.name);
  out.narrow = parts_.change(block, "narrow", out.name);
  out.reload = parts_.trigger(block, "reload");
  const auto by_files = [](const std::optional<Delivery>& change) {
    return change && std::holds_alternative<std::vector<Copy>>(*change);
  };
  if ((by_files(out.broaden) || by_files(out.narrow)) && !block.has("reload")) parts_.missing(block, node, "reload");
}

void CredentialParts::check_narrowed(const YamlNode& brokers) {
  if (std::none_of(plan_.brokers.begin(), plan_.brokers.end(),
                   [](const Broker& one) { return one.narrow.has_value(); }))
    schema_.mistake(Errc::config_missing, brokers.place,
                    "no broker has narrow: nothing that is old would be refused at the end");
}

void CredentialParts::prove(Block& block, const YamlNode& node, Target& out) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kAdvice{{
      {"certificate", "with kind: credentials it is credential: FILE, or user: NAME"},
      {"server", "a broker's own certificate is rotated by a plan of kind: ca"},
      {"user_is", "did you mean \"user\"?"},
  }};
  Proof& proof = out.prove;
  if (const auto path = block.path("credential")) proof.credential = *path;
  if (const YamlNode* text = block.scalar("user")) proof.user = text->text;
  if (block.has("credential") == block.has("user"))
    schema_.mistake(Errc::config_missing, node.place,
                    fmt::format("there must be exactly one of {} and user", block.full("credential")));
  replaces(block, node, out);
  std::uint64_t connections = proof.connections;
  block.number("connections", connections, 1, 1'000'000);
  proof.connections = static_cast<std::uint32_t>(connections);
  if (const YamlNode* text = block.scalar("name")) proof.name = text->text;
  block.finish(kAdvice);
}

// What it presents now has to be known, since that alone keeps narrowing from cutting it off. Of creds that are
// delivered as files it stands where the new ones go.
void CredentialParts::replaces(Block& block, const YamlNode& node, Target& out) {
  if (const auto path = block.path("replaces")) out.prove.replaces = *path;
  if (const YamlNode* text = block.scalar("replaces_user")) out.prove.replaces_user = text->text;
  if (block.has("replaces") && block.has("replaces_user"))
    block.bad("replaces_user", *block.value("replaces_user"), "stands beside replaces: keep one");
  const auto* copies = std::get_if<std::vector<Copy>>(&out.deliver);
  const bool found_in_place =
      copies != nullptr && !out.prove.credential.empty() &&
      std::any_of(copies->begin(), copies->end(), [&](const Copy& copy) { return copy.from == out.prove.credential; });
  const bool from_token = plan_.prober.old_credential.form == Form::token;
  if (!block.has("replaces") && !block.has("replaces_user") && !found_in_place && !from_token)
    schema_.mistake(Errc::config_missing, node.place,
                    fmt::format("{} (a file; the same as credential, if it keeps that) or replaces_user is missing: "
                                "what {} presents now",
                                block.full("replaces"), out.name));
}

void CredentialParts::retires(Block& top, std::vector<std::string>& out) {
  for (const YamlNode* item : parts_.list(top, "retires", kMostRetired)) {
    const std::string_view text = trimmed(item->text);
    const std::string_view why = item->is(YamlNode::Kind::scalar)
                                     ? why_not_retired(text)
                                     : std::string_view("must hold users and public keys only");
    if (!why.empty()) {
      top.bad("retires", *item, std::string(why));
    } else {
      out.emplace_back(text);
    }
  }
}

// Empty: it may be. The text itself is not in the reason, since it may be a seed.
std::string_view CredentialParts::why_not_retired(std::string_view text) {
  if (text.empty() || text.size() > kLongestUser) return "must hold users and public keys only";
  if (text.size() == kSeedLetters && text.starts_with('S') && is_base32(text))
    return "holds a seed, and secrets do not stand in a plan: name the public key";
  if (text.size() != kPublicKeyLetters || !is_base32(text)) return {};  // a user's name
  const Result<identity::PublicKey> key = identity::PublicKey::parse(text);
  if (!key) return "holds a public key with a mistake in it";
  return key->kind() == identity::KeyKind::user || key->kind() == identity::KeyKind::account
             ? std::string_view()
             : "may hold public keys of users (U…) and accounts or their signing keys (A…), and no others";
}

}  // namespace hawser::config
