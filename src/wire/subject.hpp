// Subjects: which are valid, which match, which overlap, by nats-server's rules.
//
// A subject is tokens separated by dots. `*` stands for one token and `>` for one or more at the end, only when they
// are the whole token: `foo*` and `>>` are literals. Pure functions on views, no allocation; safe from any thread.
//
//   if (const SubjectFault fault = subscribe_fault(text); fault != SubjectFault::none) return bad_subject(text, fault);
//   if (matches("orders.*", subject)) …
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.hpp"
#include "base/limits.hpp"

namespace hawser::wire {

// What is wrong with a subject, the first thing from its start.
enum class SubjectFault : std::uint8_t {
  none,
  empty,
  empty_token,      // "a..b", ".a", "a."
  blank,            // space, tab, CR, LF or form feed: it would break the protocol line
  wildcard,         // `*` or `>` where a message is published
  after_full,       // something after `>`
  too_many_tokens,  // more than the limit
};

// For PUB, and for replies: no wildcards.
[[nodiscard]] SubjectFault publish_fault(std::string_view subject,
                                         std::size_t max_tokens = limits::kSubjectTokens) noexcept;
// For SUB, permissions and mappings: wildcards allowed.
[[nodiscard]] SubjectFault subscribe_fault(std::string_view subject,
                                           std::size_t max_tokens = limits::kSubjectTokens) noexcept;
// A queue group is one word; dots and wildcards mean nothing in it.
[[nodiscard]] SubjectFault queue_fault(std::string_view queue) noexcept;

[[nodiscard]] inline bool valid_publish_subject(std::string_view subject) noexcept {
  return publish_fault(subject) == SubjectFault::none;
}
[[nodiscard]] inline bool valid_subscribe_subject(std::string_view subject) noexcept {
  return subscribe_fault(subject) == SubjectFault::none;
}

// "has an empty token".
[[nodiscard]] std::string_view to_string(SubjectFault fault) noexcept;
// WIR-410 that names the subject (bounded, printable) and the fault.
[[nodiscard]] Error bad_subject(std::string_view subject, SubjectFault fault);

// What nats-server checks of a publish subject when the client is pedantic: only empty tokens and wildcards.
[[nodiscard]] bool passes_pedantic_publish(std::string_view subject) noexcept;

[[nodiscard]] bool has_wildcard(std::string_view subject) noexcept;
[[nodiscard]] std::size_t token_count(std::string_view subject) noexcept;

// The following take valid subjects; others give an answer, but a meaningless one.

// Whether a message on `subject`, which has no wildcards, goes to a subscription on `pattern`.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view subject) noexcept;
// Whether some subject matches both.
[[nodiscard]] bool overlaps(std::string_view a, std::string_view b) noexcept;
// Whether every subject that matches `narrow` matches `wide`.
[[nodiscard]] bool is_subset(std::string_view narrow, std::string_view wide) noexcept;

}  // namespace hawser::wire
