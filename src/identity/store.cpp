#include "identity/store.hpp"

#include <algorithm>
#include <system_error>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "identity/creds_text.hpp"
#include "identity/token.hpp"

namespace hawser::identity {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kJwt = ".jwt";
constexpr std::size_t kMostEntries = 100'000;  // of one directory

std::string jwt_name(std::string_view name) { return std::string(name) + std::string(kJwt); }

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::unexpected<Error> unusable(const fs::path& path, const std::string& why) {
  return fail(Errc::id_store_unusable, path.string() + ": " + why);
}

// The entries of a directory that `wanted` gives a name to, sorted; none if it is not there.
template <class Wanted>
Result<std::vector<std::string>> list(const fs::path& directory, Wanted wanted) {
  std::vector<std::string> names;
  if (!is_there(directory)) {
    return names;
  }
  std::error_code failed;
  for (fs::directory_iterator entry(directory, failed), end; !failed && entry != end; entry.increment(failed)) {
    if (std::optional<std::string> name = wanted(*entry)) {
      names.push_back(std::move(*name));
    }
    if (names.size() > kMostEntries) {
      return unusable(directory, "over 100,000 entries");
    }
  }
  if (failed) {
    return unusable(directory, failed.message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

template <class C>
Result<Stored<C>> read_stored(const fs::path& path, std::string_view kind, std::string_view name,
                              Result<C> (*decode_one)(std::string_view)) {
  if (!is_there(path)) {
    return fail(Errc::id_not_found, "looking for the " + std::string(kind) + " \"" + std::string(name) +
                                        "\": " + path.string() + " is not there");
  }
  const Result<std::string> text = read_file(path, limits::kCredentialFileBytes);
  if (!text) {
    return std::unexpected(text.error());
  }
  Result<std::string> token = token_of_file(*text);
  if (!token) {
    return unusable(path, token.error().message());
  }
  Result<C> claims = decode_one(*token);
  if (!claims) {
    return unusable(path, claims.error().message());
  }
  return Stored<C>{.name = std::string(name), .token = std::move(*token), .claims = std::move(*claims)};
}

// nsc reads these files as the token alone: not even a line's end may follow.
Result<void> write_token(const fs::path& path, std::string_view token) {
  if (auto made = make_private_directories(path.parent_path()); !made) {
    return made;
  }
  return write_file_atomically(path, token, FileMode::owner_only);
}

Result<void> erase(const fs::path& path, std::string_view kind, std::string_view name) {
  std::error_code failed;
  const auto gone = fs::remove_all(path, failed);
  if (failed) {
    return unusable(path, failed.message());
  }
  return gone != 0 ? Result<void>()
                   : fail(Errc::id_not_found, "removing the " + std::string(kind) + " \"" + std::string(name) + "\"");
}

}  // namespace

Result<std::vector<std::string>> stored_operators(const StorePlaces& places) {
  auto names = list(places.stores, [](const fs::directory_entry& entry) -> std::optional<std::string> {
    const std::string name = entry.path().filename().string();
    return check_store_name("operator", name) && is_there(entry.path() / ".nsc") &&
                   is_there(entry.path() / jwt_name(name))
               ? std::optional(name)
               : std::nullopt;
  });
  if (names && names->empty()) {
    return fail(Errc::id_store_missing, places.stores.string() + " holds no operator");
  }
  return names;
}

Result<Store> Store::open(const StorePlaces& places, std::string_view operator_name, Access access,
                          std::chrono::milliseconds patience) {
  if (const auto good = check_store_name("operator", operator_name); !good) {
    return std::unexpected(good.error());
  }
  if (!is_there(operator_directory(places, operator_name) / ".nsc")) {
    return fail(Errc::id_not_found,
                "looking for the operator \"" + std::string(operator_name) + "\" in " + places.stores.string());
  }
  std::optional<StoreLock> lock;
  if (access == Access::write) {
    Result<StoreLock> taken = StoreLock::take(places.stores, patience);
    if (!taken) {
      return std::unexpected(std::move(taken.error()));
    }
    lock = std::move(*taken);
  }
  return Store(places, std::string(operator_name), std::move(lock));
}

Result<Store> Store::create(const StorePlaces& places, std::string_view operator_name, std::string_view token) {
  if (const auto good = check_store_name("operator", operator_name); !good) {
    return std::unexpected(good.error());
  }
  if (auto made = make_private_directories(places.stores); !made) {
    return std::unexpected(std::move(made.error()));
  }
  Result<StoreLock> lock = StoreLock::take(places.stores, kPatience);
  if (!lock) {
    return std::unexpected(std::move(lock.error()));
  }
  const fs::path directory = operator_directory(places, operator_name);
  if (is_there(directory)) {
    return fail(Errc::id_exists, "making the operator \"" + std::string(operator_name) + "\": " + directory.string());
  }
  Store store(places, std::string(operator_name), std::move(*lock));
  const std::string about =
      R"({"managed":false,"name":")" + std::string(operator_name) + R"(","kind":"operator","version":"1"})";
  if (operator_name.find('"') != std::string_view::npos) {
    return fail(Errc::id_bad_name, "naming the operator: quotes cannot be used");
  }
  if (auto made = make_private_directories(directory / "accounts"); !made) {
    return std::unexpected(std::move(made.error()));
  }
  if (auto put = store.put_operator(token); !put) {
    return std::unexpected(std::move(put.error()));
  }
  // The last one: with it the directory is an operator's.
  if (auto put = write_file_atomically(directory / ".nsc", about, FileMode::owner_only); !put) {
    return std::unexpected(std::move(put.error()));
  }
  return store;
}

fs::path Store::operator_file() const { return operator_directory(places_, operator_name_) / jwt_name(operator_name_); }

fs::path Store::account_file(std::string_view name) const {
  return account_directory(places_, operator_name_, name) / jwt_name(name);
}

fs::path Store::user_file(std::string_view account, std::string_view name) const {
  return account_directory(places_, operator_name_, account) / "users" / jwt_name(name);
}

// ---- reading --------------------------------------------------------------------------------------------------------

Result<StoredOperator> Store::read_operator() const {
  return read_stored<OperatorClaims>(operator_file(), "operator", operator_name_, decode_operator);
}

Result<StoredAccount> Store::account(std::string_view name) const {
  if (const auto good = check_store_name("account", name); !good) {
    return std::unexpected(good.error());
  }
  return read_stored<AccountClaims>(account_file(name), "account", name, decode_account);
}

Result<StoredUser> Store::user(std::string_view account, std::string_view name) const {
  for (const auto& [kind, text] : {std::pair{"account", account}, std::pair{"user", name}}) {
    if (const auto good = check_store_name(kind, text); !good) {
      return std::unexpected(good.error());
    }
  }
  return read_stored<UserClaims>(user_file(account, name), "user", name, decode_user_jwt);
}

Result<std::vector<std::string>> Store::account_names() const {
  return list(operator_directory(places_, operator_name_) / "accounts",
              [](const fs::directory_entry& entry) -> std::optional<std::string> {
                const std::string name = entry.path().filename().string();
                return check_store_name("account", name) && is_there(entry.path() / jwt_name(name))
                           ? std::optional(name)
                           : std::nullopt;
              });
}

Result<std::vector<std::string>> Store::user_names(std::string_view account) const {
  if (const auto good = check_store_name("account", account); !good) {
    return std::unexpected(good.error());
  }
  return list(account_directory(places_, operator_name_, account) / "users",
              [](const fs::directory_entry& entry) -> std::optional<std::string> {
                std::string name = entry.path().filename().string();
                if (!name.ends_with(kJwt)) {
                  return std::nullopt;
                }
                name.resize(name.size() - kJwt.size());
                return check_store_name("user", name) ? std::optional(name) : std::nullopt;
              });
}

Result<std::vector<StoredAccount>> Store::accounts() const {
  const auto names = account_names();
  if (!names) {
    return std::unexpected(names.error());
  }
  std::vector<StoredAccount> all;
  for (const std::string& name : *names) {
    auto one = account(name);
    if (!one) {
      return std::unexpected(std::move(one.error()));
    }
    all.push_back(std::move(*one));
  }
  return all;
}

Result<std::vector<StoredUser>> Store::users(std::string_view account) const {
  const auto names = user_names(account);
  if (!names) {
    return std::unexpected(names.error());
  }
  std::vector<StoredUser> all;
  for (const std::string& name : *names) {
    auto one = user(account, name);
    if (!one) {
      return std::unexpected(std::move(one.error()));
    }
    all.push_back(std::move(*one));
  }
  return all;
}

Result<StoredAccount> Store::account_of_key(std::string_view public_key) const {
  auto all = accounts();
  if (!all) {
    return std::unexpected(std::move(all.error()));
  }
  const auto found = std::find_if(all->begin(), all->end(),
                                  [&](const StoredAccount& one) { return one.claims.subject == public_key; });
  if (found == all->end()) {
    return fail(Errc::id_not_found, "looking for the account of key " + std::string(public_key));
  }
  return std::move(*found);
}

bool Store::has_account(std::string_view name) const {
  return check_store_name("account", name) && is_there(account_file(name));
}

bool Store::has_user(std::string_view account, std::string_view name) const {
  return check_store_name("account", account) && check_store_name("user", name) && is_there(user_file(account, name));
}

// ---- writing --------------------------------------------------------------------------------------------------------

Result<void> Store::put_operator(std::string_view token) const { return write_token(operator_file(), token); }

Result<void> Store::put_account(std::string_view name, std::string_view token) const {
  auto good = check_store_name("account", name);
  return good ? write_token(account_file(name), token) : good;
}

Result<void> Store::put_user(std::string_view account, std::string_view name, std::string_view token) const {
  for (const auto& [kind, text] : {std::pair{"account", account}, std::pair{"user", name}}) {
    if (auto good = check_store_name(kind, text); !good) {
      return good;
    }
  }
  return write_token(user_file(account, name), token);
}

Result<void> Store::erase_account(std::string_view name) const {
  if (auto good = check_store_name("account", name); !good) {
    return good;
  }
  std::error_code ignored;
  fs::remove_all(places_.keys / "creds" / operator_name_ / name, ignored);
  return erase(account_directory(places_, operator_name_, name), "account", name);
}

Result<void> Store::erase_user(std::string_view account, std::string_view name) const {
  if (!has_user(account, name)) {
    return fail(Errc::id_not_found, "removing the user \"" + std::string(name) + "\"");
  }
  std::error_code ignored;
  fs::remove(creds_file(places_, operator_name_, account, name), ignored);
  return erase(user_file(account, name), "user", name);
}

Result<fs::path> Store::put_creds(std::string_view account, std::string_view name, std::string_view token,
                                  const KeyPair& key) const {
  fs::path path = creds_file(places_, operator_name_, account, name);
  if (auto made = make_private_directories(path.parent_path()); !made) {
    return std::unexpected(std::move(made.error()));
  }
  const Secret text = creds_text(token, key);
  if (auto written = write_file_atomically(path, text.reveal(), FileMode::owner_only); !written) {
    return std::unexpected(std::move(written.error()));
  }
  return path;
}

}  // namespace hawser::identity
