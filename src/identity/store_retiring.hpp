// Keys on their way out: after a rotation the old one stays good for a while, and JWTs cannot say so. The store
// remembers it.
//
// In <stores>/<operator>/.hawser-retiring.json, which nsc does not look at. Blocking; not synchronised.
//
//   auto keys = read_retiring(store);   keys->push_back({.key = old, .account = "A", .user = "joe", .until = then});
//   write_retiring(store, *keys);
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "identity/store.hpp"

namespace hawser::identity {

struct RetiringKey {
  std::string key{};      // U…: to be revoked; A…, O…: a signing key to be removed
  std::string account{};  // whose; empty for an operator's
  std::string user{};     // whose; empty for signing keys
  std::chrono::sys_seconds until{};
};

// None, when the file is not there. Errors: id_store_unusable, file_unreadable.
[[nodiscard]] Result<std::vector<RetiringKey>> read_retiring(const Store& store);
// Errors: file_unwritable.
[[nodiscard]] Result<void> write_retiring(const Store& store, std::span<const RetiringKey> keys);

}  // namespace hawser::identity
