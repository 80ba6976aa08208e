// A policy of `hawser id apply` from hostile text: it must end within its bounds, a failure must say something and name the
// file, and what is good holds only names that may become file names.
#include <cstdint>
#include <string_view>

#include "config/policy_file.hpp"
#include "identity/store_layout.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const config::PolicyResult policy = config::parse_policy(text, "p.yaml");
  if (!policy) {
    if (policy.error().empty() || config::as_error(policy.error()).doing.find("p.yaml") == std::string::npos) {
      __builtin_trap();
    }
    return 0;
  }
  for (const identity::PolicyAccount& account : policy->accounts) {
    bool good = identity::check_store_name("account", account.name).has_value();
    for (const identity::PolicyUser& user : account.users) {
      good = good && identity::check_store_name("user", user.name).has_value();
    }
    if (!good) {
      __builtin_trap();
    }
  }
  return 0;
}
