// The subject trie and a thread's cache of it, told to insert ("+subject queue"), remove ("-N") and look up (anything
// else, a line each): they must agree with wire::matches.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "routing/route_cache.hpp"
#include "routing/subject_rules.hpp"
#include "routing/sublist.hpp"
#include "wire/subject.hpp"

namespace {

using namespace hawser;
using namespace hawser::routing;

constexpr std::size_t kMostSubscriptions = 256;

void require(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
  }
}

struct Account {
  Sublist sublist;
  RouteCache routes{sublist};
  std::vector<SubscriptionPtr> present;

  void insert(std::string_view line) {
    const std::size_t space = line.find(' ');
    const std::string_view subject = line.substr(0, space);
    if (present.size() >= kMostSubscriptions || !wire::valid_subscribe_subject(subject)) {
      return;
    }
    auto added = std::make_shared<Subscription>();
    added->subject = subject;
    added->queue = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
    present.push_back(added);
    sublist.insert(added);
  }

  void remove(std::string_view line) {
    if (present.empty()) {
      return;
    }
    const std::size_t at = (line.empty() ? 0U : static_cast<unsigned char>(line[0])) % present.size();
    require(sublist.remove(present[at]), "what was inserted can be removed");
    require(!sublist.remove(present[at]), "but once");
    present.erase(present.begin() + static_cast<std::ptrdiff_t>(at));
  }

  void look_up(std::string_view subject) {
    const auto wanted = [&](const SubscriptionPtr& one) { return wire::matches(one->subject, subject); };
    const bool valid = wire::valid_publish_subject(subject);
    const auto expected =
        valid ? static_cast<std::size_t>(std::count_if(present.begin(), present.end(), wanted)) : std::size_t{0};
    const Route& route = routes.find(subject);
    std::size_t found = route.plain.size();
    for (const QueueGroup& group : route.groups) {
      require(!group.members.empty(), "a group has members");
      found += group.members.size();
    }
    if (valid) {
      require(found == expected, "as many are found as match");
      require(sublist.has_interest(subject) == (expected != 0), "there is interest when any match");
    }
    for (const SubscriptionPtr& one : route.plain) {
      require(wanted(one) && one->queue.empty(), "a plain one matches");
    }
  }
};

void check_rules(std::string_view first, std::string_view second) {
  const SubjectRules rules(std::vector<std::string>{std::string(first)}, {std::string(second)});
  PermissionMemo memo;
  const bool permitted = rules.permits_publish(second, memo);
  require(permitted == rules.permits_publish(second, memo) && permitted == rules.permits_publish(second),
          "the memo is right");
  if (wire::valid_subscribe_subject(first) && rules.permits_subscribe(second, "") && !wire::has_wildcard(second)) {
    require(wire::matches(first, second), "what may be subscribed to is allowed");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Account account;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::string_view before;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.starts_with('+')) {
      account.insert(line.substr(1));
    } else if (line.starts_with('-')) {
      account.remove(line.substr(1));
    } else if (line.starts_with('~')) {
      account.routes.trim();
    } else {
      account.look_up(line);
      check_rules(before, line);
    }
    before = line;
  }
  return 0;
}
