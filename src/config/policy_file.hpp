// The file of `hawser id apply`: accounts, their users, what they share; docs/identity.md shows every key.
//
// Strict, as broker.yaml is: an unknown key, a key that stands twice, a value of the wrong form is a mistake, and all
// mistakes come together. Pure but for load_policy.
//
//   Result<identity::Policy> policy = load_policy("policy.yaml");
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "config/place.hpp"
#include "identity/policy.hpp"

namespace hawser::config {

// Every mistake of the text, in the order of the file; never empty when it fails.
using PolicyResult = std::expected<identity::Policy, std::vector<Mistake>>;
[[nodiscard]] PolicyResult parse_policy(std::string_view text, const std::string& file_name);

// Errors: policy_invalid, with the mistakes one a line; file_unreadable, limit_exceeded.
[[nodiscard]] Result<identity::Policy> load_policy(const std::filesystem::path& path);

}  // namespace hawser::config
