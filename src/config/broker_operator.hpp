// Operator mode as nats-server's configuration states it: who is trusted, and where account JWTs come from.
//
// Read from the top level, and from inside `authorization`, where people write it although nats-server does not read it
// there. Values; nothing in it is secret. Pure.
//
//   if (std::optional<OperatorMode> mode = read_operator_mode(reading, top)) …
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/conf_block.hpp"

namespace hawser::config {

// An account whose JWT stands in the configuration.
struct PreloadedAccount {
  std::string key;   // public, A…; empty where only a name was given: the JWT's subject is meant
  std::string name;  // as the configuration calls it; empty: it does not
  std::string jwt;
  Place place;
};

struct OperatorMode {
  enum class Resolver : std::uint8_t { none, memory, url, full, cache };

  std::vector<std::string> operators;     // operator JWTs, or paths of files that hold them
  std::vector<std::string> trusted_keys;  // O…
  Resolver resolver = Resolver::none;
  std::string resolver_where;  // the URL, or the directory
  bool allow_delete = false;
  bool hard_delete = false;
  std::int64_t limit = 0;                     // accounts; 0: the default
  std::optional<std::string> system_account;  // inside `authorization`; at the top level it is read as always
  std::vector<std::string> pinned_accounts;
  std::vector<PreloadedAccount> preload;
  Place place;            // of the first of its keys
  bool misspelt = false;  // it stands inside `authorization`
};

// Takes its keys from the block; nothing when there are none. `misspelt`: the block is `authorization`, in which
// accounts are a list of {name, jwt}; a warning then shows the form that nats-server reads.
[[nodiscard]] std::optional<OperatorMode> read_operator_mode(ConfReading& reading, ConfBlock& block, bool misspelt);

// What is told of a configuration that has a resolver which the broker does not ask.
inline constexpr std::string_view kResolversThatWork =
    "resolver: MEMORY with resolver_preload { ACCOUNT_KEY: JWT }, or resolver { type: full, dir: \"./jwt\" }";

}  // namespace hawser::config
