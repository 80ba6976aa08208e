// The directory of a full resolver: a file ACCOUNT_KEY.jwt for each account, as nats-server keeps them.
//
// Blocking; one thread at a time. A file is there whole or not at all, with mode 0600; a file that cannot be used is
// told and passed over, and stays.
//
//   auto directory = ClaimsDirectory::open(settings.resolver);
//   auto stored = directory->store(key, token);   AccountJwts all = directory->read(problems);
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "broker/authority.hpp"
#include "broker/operator_settings.hpp"

namespace hawser::broker {

class ClaimsDirectory {
 public:
  static constexpr std::size_t kMostBytes = 256UL << 20U;  // of all tokens together

  explicit ClaimsDirectory(ResolverSettings settings) : settings_(std::move(settings)) {}

  // Makes it, for its owner alone, unless it is there. Errors: broker_resolver_invalid.
  [[nodiscard]] Result<void> make() const;
  // What is in it: nothing when it is not there. Files over `limit` and over kMostBytes are not read. `problems`: of
  // each file that was passed over.
  [[nodiscard]] AccountJwts read(std::vector<Error>& problems) const;
  // Errors: file_unwritable.
  [[nodiscard]] Result<void> store(const std::string& key, std::string_view token) const;
  // As the settings want it: gone, or called ACCOUNT_KEY.jwt.deleted. One that is not there is no error. Errors:
  // file_unwritable.
  [[nodiscard]] Result<void> remove(const std::string& key) const;

 private:
  [[nodiscard]] std::filesystem::path file(const std::string& key) const;
  [[nodiscard]] Result<void> settle(std::string_view doing) const;

  ResolverSettings settings_;
};

}  // namespace hawser::broker
