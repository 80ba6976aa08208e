// Where a store of identities lies: in nsc's own layout, so that nsc and Hawser can share one.
//
//   <stores>/<operator>/<operator>.jwt   .nsc   accounts/<A>/<A>.jwt   accounts/<A>/users/<U>.jwt
//   <keys>/keys/<K>/<XY>/<public key>.nk        <keys>/creds/<operator>/<A>/<U>.creds
//
// Pure but for what `EnvironmentLookup` does; thread-safe. Names become file names and are checked before they are one.
//
//   Result<StorePlaces> places = find_store_places({.store = flag}, environment);
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace hawser::identity {

struct StorePlaces {
  std::filesystem::path stores;  // a directory an operator
  std::filesystem::path keys;    // of all operators
};

// As flags say it; empty: not given.
struct StoreWishes {
  std::string store{};
  std::string keys{};
};

using EnvironmentLookup = std::function<std::optional<std::string>(std::string_view name)>;

// --store, else $HAWSER_ID_STORE: one directory with everything, as `nsc --all-dirs` has it. Else nsc's own place:
// $XDG_DATA_HOME/nats/nsc/stores and, beside it, keys, or $NKEYS_PATH. `keys` wins over all of them for the keys.
// Errors: id_store_missing, when there is no home directory either.
[[nodiscard]] Result<StorePlaces> find_store_places(const StoreWishes& wishes, const EnvironmentLookup& environment);

// What may be the name of an operator, account or user: 1 to 128 printable bytes, none of them a slash or backslash, no
// dot, hyphen or space in front, no dot or space behind. An operator is not called "keys" or "creds", which stand
// beside it. Errors: id_bad_name. `kind`: "operator", "account", "user".
[[nodiscard]] Result<void> check_store_name(std::string_view kind, std::string_view name);

[[nodiscard]] std::filesystem::path operator_directory(const StorePlaces& places, std::string_view operator_name);
[[nodiscard]] std::filesystem::path account_directory(const StorePlaces& places, std::string_view operator_name,
                                                      std::string_view account);
[[nodiscard]] std::filesystem::path creds_file(const StorePlaces& places, std::string_view operator_name,
                                               std::string_view account, std::string_view user);
// `public_key` is a whole one: 56 characters.
[[nodiscard]] std::filesystem::path key_file(const std::filesystem::path& keys, std::string_view public_key);

// With all above it; those that it makes are 0700. Errors: id_store_unusable.
[[nodiscard]] Result<void> make_private_directories(const std::filesystem::path& directory);

}  // namespace hawser::identity
