// Subscriptions for tests, and what a route says of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "routing/subscription.hpp"

namespace hawser::routing {

inline SubscriptionPtr subscription(std::string subject, std::string queue = {}, std::uint32_t thread = 0) {
  auto made = std::make_shared<Subscription>();
  made->subject = std::move(subject);
  made->queue = std::move(queue);
  made->thread = thread;
  return made;
}

// "foo.*", or "foo.* q" of a queue group; sorted.
inline std::vector<std::string> listed(const Route& route) {
  std::vector<std::string> names;
  for (const SubscriptionPtr& plain : route.plain) {
    names.push_back(plain->subject);
  }
  for (const QueueGroup& group : route.groups) {
    for (const SubscriptionPtr& member : group.members) {
      names.push_back(member->subject + " " + group.name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Subjects of few tokens out of few words, so that they meet often.
class RandomSubjects {
 public:
  explicit RandomSubjects(std::uint32_t seed) : random_(seed) {}

  std::string literal() { return made(0); }
  std::string pattern() { return made(30); }
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }

 private:
  std::string made(std::uint32_t wildcards_percent) {
    std::string subject;
    const std::uint32_t tokens = 1 + below(4);
    for (std::uint32_t i = 0; i < tokens; ++i) {
      subject += i == 0 ? "" : ".";
      if (below(100) >= wildcards_percent) {
        subject += static_cast<char>('a' + below(4));
      } else if (below(3) == 0) {
        return subject + ">";
      } else {
        subject += "*";
      }
    }
    return subject;
  }
  std::mt19937 random_;
};

}  // namespace hawser::routing
