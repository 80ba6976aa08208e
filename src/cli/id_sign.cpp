// `hawser id sign`: claims as JSON, signed with a key of the store.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <iostream>
#include <iterator>
#include <memory>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "cli/id.hpp"
#include "identity/encoding.hpp"
#include "identity/token.hpp"

namespace hawser::cli {
namespace {

namespace json = boost::json;
using identity::KeyPair;
using identity::Store;

struct SignOptions {
  StoreFlags store;
  std::string account;
  std::string key;
  std::string file = "-";
};

std::string member(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  const json::string* text = found != nullptr ? found->if_string() : nullptr;
  return text != nullptr ? std::string(text->data(), text->size()) : std::string();
}

Result<json::object> read_claims(const std::string& file) {
  std::string text;
  if (file == "-") {
    std::array<char, 4096> chunk{};
    while (std::cin.read(chunk.data(), chunk.size()) || std::cin.gcount() > 0) {
      text.append(chunk.data(), static_cast<std::size_t>(std::cin.gcount()));
      if (text.size() > limits::kCredentialFileBytes) {
        return fail(Errc::limit_exceeded, "reading claims: over 1 MiB");
      }
    }
  } else if (auto read = read_file(file, limits::kCredentialFileBytes)) {
    text = std::move(*read);
  } else {
    return std::unexpected(std::move(read.error()));
  }
  boost::system::error_code failed;
  json::value document = json::parse(text, failed);
  if (failed || !document.is_object()) {
    return fail(Errc::jwt_malformed, file + ": not a JSON object" + (failed ? ": " + failed.message() : ""));
  }
  return std::move(document.as_object());
}

// Who should sign such claims, best first. Empty: nobody can tell.
Result<std::vector<std::string>> signers(const SignOptions& options, json::object& claims) {
  if (!options.key.empty()) {
    return std::vector{options.key};
  }
  json::object* body = claims.contains("nats") ? claims["nats"].if_object() : nullptr;
  const std::string type = body != nullptr ? member(*body, "type") : std::string();
  if (type == "operator") {
    return std::vector{member(claims, "sub")};
  }
  const auto id = open_id_store(options.store, Store::Access::read);
  if (!id) {
    return std::unexpected(id.error());
  }
  if (type == "account") {
    std::vector<std::string> keys = id->op.claims.signing_keys;
    if (!id->op.claims.strict_signing_keys) {
      keys.push_back(id->op.claims.subject);
    }
    return keys;
  }
  if (type == "user") {
    const std::string issuer_account = member(*body, "issuer_account");
    const auto account = issuer_account.empty() || !options.account.empty() ? chosen_account(*id, options.account)
                                                                            : id->store.account_of_key(issuer_account);
    if (!account) {
      return std::unexpected(account.error());
    }
    (*body)["issuer_account"] = account->claims.subject;
    return identity::unscoped_keys(account->claims);
  }
  return fail(Errc::bad_usage, "signing claims of the type \"" + type + "\": name the key with --key");
}

Result<KeyPair> first_held(const identity::KeyRing& ring, const std::vector<std::string>& keys) {
  Result<KeyPair> key = fail(Errc::id_key_missing, "no key may sign these claims");
  for (const std::string& one : keys) {
    key = ring.find(one);
    if (key || key.error().code != Errc::id_key_missing) {
      return key;
    }
  }
  return key;
}

// Read in the one way in which claims are read: as a token. Its signature is thrown away.
Result<identity::Claims> claims_of(json::object claims, const KeyPair& signer) {
  claims["iss"] = signer.public_key().text();
  const std::string head = R"({"typ":"JWT","alg":"ed25519-nkey"})";
  const std::string body = json::serialize(claims);
  const std::string text =
      identity::encode_base64url(identity::as_bytes(head)) + "." + identity::encode_base64url(identity::as_bytes(body));
  const auto signature = signer.sign(text);
  if (!signature) {
    return std::unexpected(signature.error());
  }
  return identity::decode(text + "." + identity::encode_base64url(*signature));
}

Result<void> sign(const SignOptions& options, bool as_json) {
  auto json_claims = read_claims(options.file);
  if (!json_claims) {
    return std::unexpected(std::move(json_claims.error()));
  }
  const auto places = places_of(options.store);
  const auto ring = places ? key_ring(options.store, *places) : std::unexpected(places.error());
  const auto keys = ring ? signers(options, *json_claims) : std::unexpected(ring.error());
  const auto key = keys ? first_held(**ring, *keys) : std::unexpected(keys.error());
  if (!key) {
    return std::unexpected(key.error());
  }
  auto claims = claims_of(std::move(*json_claims), *key);
  if (!claims) {
    return std::unexpected(std::move(claims.error()));
  }
  if (auto* user = std::get_if<identity::UserClaims>(&*claims);
      user != nullptr && user->issuer_account == key->public_key().text()) {
    user->issuer_account.clear();
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(wall_now());
  if (auto good = sound(*claims, now); !good) {
    return good;
  }
  const auto token = identity::encode(*claims, *key, now);
  if (!token) {
    return std::unexpected(token.error());
  }
  if (as_json) {
    fmt::print("{}\n", json::serialize(json::object{
                           {"type", type_name(*claims)}, {"issuer", key->public_key().text()}, {"token", *token}}));
  } else {
    fmt::print("{}\n", *token);
  }
  return {};
}

}  // namespace

void add_id_sign(CLI::App& id, Exit& exit) {
  auto options = std::make_shared<SignOptions>();
  CLI::App* command =
      add_command(id, "sign", "Sign claims, given as JSON, with a key of the store",
                  "hawser id account show nexo-prod --json | jq '.nats.limits.conn = 50' | hawser id sign\n"
                  "hawser id sign claims.json --key-file account.nk --key ACQ…");
  command->add_option("file", options->file, "The claims; \"-\": standard input")
      ->capture_default_str()
      ->type_name("FILE");
  command->add_option("--key", options->key, "Public key of the signer; without it, who signs such claims in the store")
      ->type_name("KEY");
  add_account_flag(*command, options->account);
  add_store_flags(*command, options->store);
  add_json_flag(*command, exit);
  command->callback([options, &exit] { exit = sign(*options, exit.json); });
}

}  // namespace hawser::cli
