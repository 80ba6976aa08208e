// What the files of `hawser id` share: which store, which operator and account, how claims are signed, checked and
// shown.
//
// Main thread only. A store that is opened for writing is locked for as long as IdStore lives: not while a server is
// asked.
//
//   Result<IdStore> id = open_id_store(flags, identity::Store::Access::write);
//   Result<std::string> token = id->issuer().account(id->op.claims, claims);
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cli/command.hpp"
#include "identity/findings.hpp"
#include "identity/store.hpp"
#include "identity/store_issue.hpp"
#include "identity/store_keys.hpp"

namespace hawser::cli {

struct StoreFlags {
  std::string store;
  std::string keys;
  std::string operator_name;
  std::vector<std::string> key_files;
};
void add_store_flags(CLI::App& command, StoreFlags& flags);

// Whom a command is about: a name as a word or as --name.
CLI::Option* add_name(CLI::App& command, std::string& name, const std::string& what);
CLI::Option* add_account_flag(CLI::App& command, std::string& account);

struct IdStore {
  identity::Store store;
  identity::StoredOperator op;
  std::unique_ptr<identity::KeyRing> keys;
  std::chrono::sys_seconds now;

  [[nodiscard]] identity::Issuer issuer() const { return {*keys, now}; }
};

[[nodiscard]] Result<identity::StorePlaces> places_of(const StoreFlags& flags);
// With the keys of --key-file lent to it.
[[nodiscard]] Result<std::unique_ptr<identity::KeyRing>> key_ring(const StoreFlags& flags,
                                                                  const identity::StorePlaces& places);
// Errors: id_store_missing, id_ambiguous (several operators, none named), and those of Store::open().
[[nodiscard]] Result<IdStore> open_id_store(const StoreFlags& flags, identity::Store::Access access);
// The one that is named, or the only one that is not the system account. Errors: id_ambiguous, id_not_found.
[[nodiscard]] Result<identity::StoredAccount> chosen_account(const IdStore& id, const std::string& given);

// Signs and writes, once the claims are sound. Errors: jwt_invalid, and those of Issuer and Store.
[[nodiscard]] Result<void> put_operator(IdStore& id, identity::OperatorClaims claims);
[[nodiscard]] Result<std::string> put_account(const IdStore& id, const std::string& name,
                                              const identity::AccountClaims& claims);
[[nodiscard]] Result<std::string> put_user(const IdStore& id, const identity::AccountClaims& account,
                                           const std::string& account_name, const std::string& name,
                                           const identity::UserClaims& claims, std::string_view role = {});
// Errors: jwt_invalid, naming the first claim that servers would refuse; jwt_expired, jwt_not_yet_valid are none here.
[[nodiscard]] Result<void> sound(const identity::Claims& claims, std::chrono::sys_seconds now);

// A new key, saved. Errors: those of KeyPair and KeyRing.
[[nodiscard]] Result<identity::KeyPair> new_key(const IdStore& id, identity::KeyKind kind);
// "generate", or the public key of a signing key that is elsewhere: its text. Errors: those of NKeys, nkey_wrong_kind.
[[nodiscard]] Result<std::string> signing_key(const IdStore& id, const std::string& wanted, identity::KeyKind kind);

// "2027-01-01T00:00:00Z (in 29d)", "never".
[[nodiscard]] std::string when_text(std::optional<std::chrono::sys_seconds> time, std::chrono::sys_seconds now);
// For people: all that the claims say, a line each.
[[nodiscard]] std::string describe(const identity::Claims& claims, std::chrono::sys_seconds now);

// Parts of `hawser id`, one a file.
void add_id_operator(CLI::App& id, Exit& exit);
void add_id_account(CLI::App& id, Exit& exit);
void add_id_user(CLI::App& id, Exit& exit);
void add_id_list(CLI::App& id, Exit& exit);
void add_id_creds(CLI::App& id, Exit& exit);
void add_id_rotate(CLI::App& id, Exit& exit);
void add_id_expirations(CLI::App& id, Exit& exit);
void add_id_sign(CLI::App& id, Exit& exit);
void add_id_verify(CLI::App& id, Exit& exit);
void add_id_push(CLI::App& id, Exit& exit);
void add_id_pull(CLI::App& id, Exit& exit);
void add_id_diff(CLI::App& id, Exit& exit);
void add_id_server_config(CLI::App& id, Exit& exit);
void add_id_apply(CLI::App& id, Exit& exit);

}  // namespace hawser::cli
