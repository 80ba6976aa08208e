// What becomes of keys that a rotation replaced: what they signed is signed anew, and their time ends.
#include <algorithm>
#include <fmt/format.h>

#include "cli/id_rotate.hpp"
#include "identity/store_retiring.hpp"
#include "identity/token.hpp"

namespace hawser::cli {

using identity::RetiringKey;
using identity::StoredAccount;

// The users that `key` signed, signed by another key of the account; their creds in the store, too.
Result<std::vector<std::string>> sign_users_anew(const IdStore& id, const StoredAccount& account,
                                                 const std::string& key, const std::string& role) {
  auto users = id.store.users(account.name);
  if (!users) {
    return std::unexpected(std::move(users.error()));
  }
  std::vector<std::string> names;
  for (auto& user : *users) {
    // What is signed now would let a revoked one in again.
    if (user.claims.issuer != key ||
        identity::revoked(account.claims.revocations, user.claims.subject, user.claims.issued_at)) {
      continue;
    }
    user.claims.issuer.clear();
    const auto token = put_user(id, account.claims, account.name, user.name, user.claims, role);
    if (!token) {
      return std::unexpected(token.error());
    }
    if (const auto own = id.keys->find(user.claims.subject)) {
      if (auto put = id.store.put_creds(account.name, user.name, *token, *own); !put) {
        return std::unexpected(std::move(put.error()));
      }
    }
    names.push_back("user " + account.name + "/" + user.name);
  }
  return names;
}

// The activations that `key` signed, in the accounts that import with them.
Result<std::vector<std::string>> sign_activations_anew(const IdStore& id, const StoredAccount& exporter,
                                                       const std::string& key) {
  auto accounts = id.store.accounts();
  if (!accounts) {
    return std::unexpected(std::move(accounts.error()));
  }
  std::vector<std::string> names;
  for (auto& account : *accounts) {
    bool changed = false;
    for (identity::ImportClaim& import : account.claims.imports) {
      const auto activation = import.account == exporter.claims.subject
                                  ? identity::decode_activation(import.token)
                                  : fail(Errc::jwt_malformed, "another account's");
      if (!activation || activation->issuer != key) {
        continue;
      }
      auto token = id.issuer().activation(exporter.claims, import, account.claims.subject);
      if (!token) {
        return std::unexpected(std::move(token.error()));
      }
      import.token = std::move(*token);
      changed = true;
    }
    if (changed) {
      if (auto put = put_account(id, account.name, account.claims); !put) {
        return std::unexpected(std::move(put.error()));
      }
      names.push_back("activations of " + account.name);
    }
  }
  return names;
}

Result<std::vector<std::string>> sign_accounts_anew(const IdStore& id, const std::string& key) {
  auto accounts = id.store.accounts();
  if (!accounts) {
    return std::unexpected(std::move(accounts.error()));
  }
  std::vector<std::string> names;
  for (auto& account : *accounts) {
    if (account.claims.issuer == key) {
      account.claims.issuer.clear();
      if (auto put = put_account(id, account.name, account.claims); !put) {
        return std::unexpected(std::move(put.error()));
      }
      names.push_back("account " + account.name);
    }
  }
  return names;
}

namespace {

Result<std::string> retire_user(const IdStore& id, const RetiringKey& key) {
  auto account = id.store.account(key.account);
  if (!account) {
    return account.error().code == Errc::id_not_found
               ? Result<std::string>("forgot a key of " + key.account + ", which is gone")
               : std::unexpected(account.error());
  }
  account->claims.revocations[key.key] = id.now;
  const auto put = put_account(id, account->name, account->claims);
  return put ? Result<std::string>(fmt::format("revoked the old key of {}/{}", key.account, key.user))
             : std::unexpected(put.error());
}

Result<std::string> retire_account_key(const IdStore& id, const RetiringKey& key) {
  auto account = id.store.account(key.account);
  if (!account) {
    return account.error().code == Errc::id_not_found
               ? Result<std::string>("forgot a key of " + key.account + ", which is gone")
               : std::unexpected(account.error());
  }
  const identity::SigningKey* old = account->claims.signing_key(key.key);
  const std::string role = old != nullptr && old->scoped ? old->role : std::string();
  std::erase_if(account->claims.signing_keys, [&key](const auto& one) { return one.key == key.key; });
  if (auto anew = sign_users_anew(id, *account, key.key, role); !anew) {  // what it signed since the rotation
    return std::unexpected(std::move(anew.error()));
  }
  if (auto put = put_account(id, account->name, account->claims); !put) {
    return std::unexpected(std::move(put.error()));
  }
  const auto anew = sign_activations_anew(id, *account, key.key);
  return anew ? Result<std::string>("removed the old signing key of " + key.account) : std::unexpected(anew.error());
}

Result<std::string> retire_operator_key(IdStore& id, const RetiringKey& key) {
  identity::OperatorClaims claims = id.op.claims;
  std::erase(claims.signing_keys, key.key);
  if (auto put = put_operator(id, std::move(claims)); !put) {
    return std::unexpected(std::move(put.error()));
  }
  const auto anew = sign_accounts_anew(id, key.key);
  return anew ? Result<std::string>("removed the old signing key of the operator") : std::unexpected(anew.error());
}

}  // namespace

Result<std::vector<std::string>> retire_due(IdStore& id, Due which) {
  auto keys = identity::read_retiring(id.store);
  if (!keys) {
    return std::unexpected(std::move(keys.error()));
  }
  std::vector<std::string> lines;
  std::vector<RetiringKey> later;
  for (std::size_t i = 0; i < keys->size(); ++i) {
    const RetiringKey& key = (*keys)[i];
    if (which == Due::by_now && key.until > id.now) {
      later.push_back(key);
      continue;
    }
    auto line = key.key.starts_with('U')   ? retire_user(id, key)
                : key.key.starts_with('A') ? retire_account_key(id, key)
                                           : retire_operator_key(id, key);
    if (!line) {
      return std::unexpected(std::move(line.error()));
    }
    lines.push_back(std::move(*line));
    std::vector<RetiringKey> left = later;
    left.insert(left.end(), keys->begin() + static_cast<std::ptrdiff_t>(i) + 1, keys->end());
    if (auto written = identity::write_retiring(id.store, left); !written) {
      return std::unexpected(std::move(written.error()));
    }
  }
  return lines;
}

Result<void> revoke_retiring(const IdStore& id, const std::string& account, const std::string& user,
                             identity::AccountClaims& claims) {
  auto keys = identity::read_retiring(id.store);
  if (!keys) {
    return std::unexpected(std::move(keys.error()));
  }
  const auto of_user = [&](const RetiringKey& key) {
    return key.account == account && key.user == user && !user.empty();
  };
  for (const RetiringKey& key : *keys) {
    if (of_user(key)) {
      claims.revocations[key.key] = id.now;
    }
  }
  return std::erase_if(*keys, of_user) == 0 ? Result<void>() : identity::write_retiring(id.store, *keys);
}

}  // namespace hawser::cli
