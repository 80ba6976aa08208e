// Flags that say what claims are to be: permissions and limits of users, times, tags. Empty flags change nothing.
//
//   LimitFlags limits;   add_limit_flags(*command, limits);   Result<void> done = change(claims, limits);
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "identity/claims.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace hawser::cli {

using Words = std::vector<std::string>;

// Of a user, or of a role.
struct LimitFlags {
  Words allow_pub, allow_sub, allow_pubsub, deny_pub, deny_sub, deny_pubsub, rm;
  std::string responses, response_ttl;
  Words sources, rm_sources, times, connection_types;
  std::string location, subscriptions, payload, data, bearer;

  [[nodiscard]] bool any() const;
};
void add_limit_flags(CLI::App& command, LimitFlags& flags);
// Errors: bad_usage, bad_quantity.
[[nodiscard]] Result<void> change(identity::UserLimits& limits, const LimitFlags& flags);

// Of every kind of claims.
struct CommonFlags {
  std::string expires, start;
  Words tags, rm_tags;
};
void add_common_flags(CLI::App& command, CommonFlags& flags);
[[nodiscard]] Result<void> change(identity::CommonClaims& claims, const CommonFlags& flags,
                                  std::chrono::sys_seconds now);

// A list, by commas or by repeating the flag.
CLI::Option* add_words(CLI::App& command, const char* name, Words& into, const char* help, const char* type);
// "-1", "unlimited" or a number; with units, as sizes have them, if `size`. Empty: `into` stays. Errors: bad_quantity.
enum class LimitUnit : std::uint8_t { count, bytes };
[[nodiscard]] Result<void> take_limit(const std::string& text, std::string_view flag, LimitUnit unit,
                                      std::int64_t& into);
// "true" or "false"; empty: `into` stays. Errors: bad_usage.
[[nodiscard]] Result<void> take_boolean(const std::string& text, std::string_view flag, bool& into);
// May have wildcards. Errors: wire_bad_subject.
[[nodiscard]] Result<void> good_subject(std::string_view subject);
// Adds those that are not there yet; takes out.
void add_to(Words& list, const Words& more);
void take_from(Words& list, const Words& fewer);

}  // namespace hawser::cli
