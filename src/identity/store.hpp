// One operator's part of a store on disk: its JWT, its accounts' and their users', as nsc keeps them
// (store_layout.hpp).
//
// store*.cpp is the one place in this room that knows files. Every file is read whole and bounded, and replaced whole.
// A file that is not what its name says is an error that names it. Blocking; not synchronised. Access::write holds the
// store's lock.
//
//   Result<Store> store = Store::open(places, "nexo-ops", Store::Access::write);
//   Result<StoredAccount> account = store->account("nexo-prod");
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "identity/claims.hpp"
#include "identity/nkey.hpp"
#include "identity/store_layout.hpp"
#include "identity/store_lock.hpp"

namespace hawser::identity {

template <class C>
struct Stored {
  std::string name{};   // of the file; what people call it
  std::string token{};  // the JWT as it is there
  C claims{};
};
using StoredOperator = Stored<OperatorClaims>;
using StoredAccount = Stored<AccountClaims>;
using StoredUser = Stored<UserClaims>;

// The names of operators in a store, sorted. Errors: id_store_missing when there is none.
[[nodiscard]] Result<std::vector<std::string>> stored_operators(const StorePlaces& places);

class Store {
 public:
  enum class Access : std::uint8_t { read, write };
  static constexpr std::chrono::milliseconds kPatience{5000};

  // Errors: id_not_found, id_bad_name, id_store_unusable (another writer, after `patience`).
  [[nodiscard]] static Result<Store> open(const StorePlaces& places, std::string_view operator_name, Access access,
                                          std::chrono::milliseconds patience = kPatience);
  // A new operator's. Errors: id_exists, id_bad_name, id_store_unusable, file_unwritable.
  [[nodiscard]] static Result<Store> create(const StorePlaces& places, std::string_view operator_name,
                                            std::string_view token);

  [[nodiscard]] const StorePlaces& places() const { return places_; }
  [[nodiscard]] const std::string& operator_name() const { return operator_name_; }

  // Errors: id_not_found; id_store_unusable for a file that is not such a JWT; file_unreadable; id_bad_name.
  [[nodiscard]] Result<StoredOperator> read_operator() const;
  [[nodiscard]] Result<StoredAccount> account(std::string_view name) const;
  [[nodiscard]] Result<StoredUser> user(std::string_view account, std::string_view name) const;
  // Sorted. Files and directories that nsc would not look at are passed over.
  [[nodiscard]] Result<std::vector<std::string>> account_names() const;
  [[nodiscard]] Result<std::vector<std::string>> user_names(std::string_view account) const;
  [[nodiscard]] Result<std::vector<StoredAccount>> accounts() const;
  [[nodiscard]] Result<std::vector<StoredUser>> users(std::string_view account) const;
  // The account whose public key it is. Errors: id_not_found.
  [[nodiscard]] Result<StoredAccount> account_of_key(std::string_view public_key) const;
  [[nodiscard]] bool has_account(std::string_view name) const;
  [[nodiscard]] bool has_user(std::string_view account, std::string_view name) const;

  // What was there is replaced. Errors: file_unwritable, id_store_unusable, id_bad_name.
  [[nodiscard]] Result<void> put_operator(std::string_view token) const;
  [[nodiscard]] Result<void> put_account(std::string_view name, std::string_view token) const;
  [[nodiscard]] Result<void> put_user(std::string_view account, std::string_view name, std::string_view token) const;
  // With creds that lie in the store. Errors: id_not_found, id_store_unusable.
  [[nodiscard]] Result<void> erase_account(std::string_view name) const;
  [[nodiscard]] Result<void> erase_user(std::string_view account, std::string_view name) const;

  // The user's JWT and key as a creds file in the store, 0600; where it is. Errors: file_unwritable, id_store_unusable.
  [[nodiscard]] Result<std::filesystem::path> put_creds(std::string_view account, std::string_view name,
                                                        std::string_view token, const KeyPair& key) const;

 private:
  Store(StorePlaces places, std::string operator_name, std::optional<StoreLock> lock)
      : places_(std::move(places)), operator_name_(std::move(operator_name)), lock_(std::move(lock)) {}

  [[nodiscard]] std::filesystem::path operator_file() const;
  [[nodiscard]] std::filesystem::path account_file(std::string_view name) const;
  [[nodiscard]] std::filesystem::path user_file(std::string_view account, std::string_view name) const;

  StorePlaces places_;
  std::string operator_name_;
  std::optional<StoreLock> lock_;
};

}  // namespace hawser::identity
