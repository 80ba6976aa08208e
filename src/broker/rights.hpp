// What a user may publish and subscribe to, compiled; and the replies that it may give.
//
// Rights are immutable and shared by a thread's clients of one user. A ReplyTable belongs to one client.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "broker/settings.hpp"
#include "routing/subject_rules.hpp"

namespace hawser::broker {

struct Rights {
  explicit Rights(const Permissions& permissions);
  routing::SubjectRules publish;
  routing::SubjectRules subscribe;
  std::optional<ResponsePermission> responses;
};
using RightsPtr = std::shared_ptr<const Rights>;

// The reply subjects that a client was handed with requests and may therefore publish to: `allow_responses`.
class ReplyTable {
 public:
  static constexpr std::size_t kMost = 4096;  // beyond it the oldest goes, as if it had expired

  explicit ReplyTable(const ResponsePermission& permission) : permission_(permission) {}

  void remember(std::string_view reply, Time now);
  // Counts the answer, if it is one.
  [[nodiscard]] bool use(std::string_view reply, Time now);
  [[nodiscard]] std::size_t size() const noexcept { return replies_.size(); }

 private:
  struct Open {
    int left;
    Time until;
    std::list<std::string_view>::iterator place;  // in oldest_
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  ResponsePermission permission_;
  using Replies = std::unordered_map<std::string, Open, Hash, std::equal_to<>>;
  void forget(Replies::iterator at);

  Replies replies_;
  std::list<std::string_view> oldest_;  // keys of replies_; all of them expire in this order
};

}  // namespace hawser::broker
