// What may be published, or subscribed to: lists of subjects that allow and deny, compiled; nats-server's rules.
//
// Immutable, and safe from any thread. A connection that publishes the same subjects again keeps a PermissionMemo.
//
//   const SubjectRules rules(std::vector<std::string>{"orders.>"}, {"orders.secret"});
//   if (!rules.permits_publish(subject, memo)) …
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "routing/sublist.hpp"

namespace hawser::routing {

// What one connection was told lately, by subject; for one SubjectRules, one question, one thread.
class PermissionMemo {
 public:
  static constexpr std::size_t kMost = 128;
  static constexpr std::size_t kMaxSubjectBytes = 128;  // longer ones are asked again each time

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  friend class SubjectRules;
  struct Entry {
    std::string subject;  // empty: free
    bool permitted = false;
  };
  template <class Ask>
  bool recall(std::string_view subject, std::uint64_t seed, Ask ask);
  void grow(std::uint64_t seed);

  std::vector<Entry> entries_;  // a power of two, by hash
  std::size_t lost_ = 0;        // overwritten since it last grew
};

class SubjectRules {
 public:
  // Without `allow`, whatever is not denied is allowed; with an empty one nothing is. An entry is a subject, or
  // "subject queue" for subscriptions, where the queue may have wildcards too. An entry that is neither allows nothing;
  // entry_fault() tells it beforehand.
  SubjectRules(const std::optional<std::vector<std::string>>& allow, const std::vector<std::string>& deny);

  [[nodiscard]] bool permits_publish(std::string_view subject) const;
  [[nodiscard]] bool permits_publish(std::string_view subject, PermissionMemo& memo) const;

  // A subscription with wildcards is allowed if one entry allows all of it, and denied if one entry denies all of it.
  // Where an entry names a queue for the subject, it decides for queues alone: with {"foo", "foo v1"}, "foo" may be
  // subscribed to plainly, and with the queue v1, but with no other.
  [[nodiscard]] bool permits_subscribe(std::string_view subject, std::string_view queue) const;
  // Whether some of what a permitted subscription matches is denied, so that each delivery has to be asked for.
  [[nodiscard]] bool needs_delivery_check(std::string_view subject) const;
  [[nodiscard]] bool permits_delivery(std::string_view subject) const;
  [[nodiscard]] bool permits_delivery(std::string_view subject, PermissionMemo& memo) const;

  // What is wrong with an entry of a publish list (without_queue) or a subscribe list, for a configuration's message.
  enum class Entries : std::uint8_t { without_queue, with_queue };
  [[nodiscard]] static std::optional<Error> entry_fault(std::string_view entry, Entries kind);

 private:
  struct QueueEntry {
    std::string subject;
    std::string queue;
  };
  struct List {
    Sublist plain;  // for literal subjects
    std::vector<std::string> subjects;
    std::vector<QueueEntry> queues;

    explicit List(const std::vector<std::string>& entries);
    [[nodiscard]] bool covers(std::string_view subject) const;
    // Whether the queue is named for the subject; nothing: no queue is.
    [[nodiscard]] std::optional<bool> names_queue(std::string_view subject, std::string_view queue) const;
  };

  std::unique_ptr<const List> allow_;  // null: everything
  std::unique_ptr<const List> deny_;   // null: nothing
  std::uint64_t seed_;
};

}  // namespace hawser::routing
