#include "config/policy_file.hpp"

#include <gmock/gmock.h>

namespace hawser::config {
namespace {

using identity::ShareKind;
using testing::ElementsAre;
using testing::HasSubstr;

identity::Policy good(std::string_view text) {
  auto policy = parse_policy(text, "policy.yaml");
  if (!policy) {
    ADD_FAILURE() << as_error(policy.error()).doing;
    return {};
  }
  return std::move(*policy);
}

std::vector<std::string> mistakes(std::string_view text) {
  const auto policy = parse_policy(text, "p");
  std::vector<std::string> lines;
  if (!policy) {
    for (const Mistake& one : policy.error()) {
      lines.push_back(one.text());
    }
  }
  return lines;
}

TEST(PolicyFile, reads_every_key) {
  const identity::Policy policy = good(R"(
operator: nexo-ops
accounts:
  nexo-prod:
    description: production
    expires: 2030-01-01
    limits: {connections: 100, leaf_connections: 0, subscriptions: 1000, payload: 1MB, data: unlimited, exports: 5, imports: 5,
             wildcard_exports: false, disallow_bearer: true}
    default_permissions: {publish: {deny: [plugin.outbound.*]}}
    exports:
      - service: orders.get
        private: true
        response: stream
        description: orders
      - stream: events.>
    imports:
      - {account: core, service: time.now, as: core.time, share: true}
    agents:
      agent-kate:
        publish: {allow: [agent.route.ops], deny: plugin.outbound.*}
        subscribe: [agent.route.kate, "jobs workers"]
        responses: {max: 5, expires: 2s}
        expires: 30d
        subscriptions: 10
        payload: 64KB
        bearer: false
        sources: [10.0.0.0/8]
        times: [08:00-18:00]
        times_location: Europe/Zurich
        connection_types: [STANDARD]
        tags: [Region:EU]
    users:
      agent-joe: {responses: true}
)");
  ASSERT_EQ(policy.accounts.size(), 1U);
  const identity::PolicyAccount& account = policy.accounts[0];
  EXPECT_EQ(policy.operator_name, "nexo-ops");
  EXPECT_EQ(account.name, "nexo-prod");
  EXPECT_EQ(account.limits.connections, 100);
  EXPECT_EQ(account.limits.payload, 1'000'000 + 48'576);
  EXPECT_FALSE(account.limits.wildcard_exports);
  EXPECT_THAT(account.default_permissions.publish.deny, ElementsAre("plugin.outbound.*"));
  ASSERT_EQ(account.exports.size(), 2U);
  EXPECT_TRUE(account.exports[0].is_private);
  EXPECT_EQ(account.exports[1].kind, ShareKind::stream);
  ASSERT_EQ(account.imports.size(), 1U);
  EXPECT_EQ(account.imports[0].local_subject, "core.time");
  ASSERT_EQ(account.users.size(), 2U);
  const identity::PolicyUser& kate = account.users[0];
  EXPECT_THAT(kate.limits.permissions.publish.allow, ElementsAre("agent.route.ops"));
  EXPECT_THAT(kate.limits.permissions.publish.deny, ElementsAre("plugin.outbound.*"));
  EXPECT_THAT(kate.limits.permissions.subscribe.allow, ElementsAre("agent.route.kate", "jobs workers"));
  EXPECT_EQ(kate.limits.permissions.responses->max, 5);
  EXPECT_EQ(kate.limits.payload, 65'536);
  EXPECT_EQ(kate.limits.times.at(0).end, "18:00:00");
  EXPECT_THAT(kate.tags, ElementsAre("region:eu"));
  EXPECT_EQ(kate.place, "policy.yaml:19:7");
  EXPECT_EQ(account.users[1].limits.permissions.responses->max, 1);
  EXPECT_EQ(account.users[1].limits.subscriptions, identity::kNoLimit);
}

TEST(PolicyFile, all_mistakes_come_together_with_their_places) {
  EXPECT_THAT(mistakes(R"(acounts: {}
accounts:
  a/b: {}
  prod:
    expires: soon
    agents:
      kate:
        publish: [a..b]
        payload: many
        permissions: {}
    exports:
      - private: true
)"),
              ElementsAre(HasSubstr("p:1:1: unknown key \"acounts\""), HasSubstr("p:3:3: naming the account"),
                          HasSubstr("p:5:14: accounts.prod.expires"), HasSubstr("p:8:19: "),
                          HasSubstr("p:9:18: accounts.prod.agents.kate.payload"),
                          HasSubstr("p:10:9: unknown key \"permissions\""), HasSubstr("p:12:9: needs one of stream")));
}

TEST(PolicyFile, refuses_what_could_be_meant_in_two_ways) {
  for (const std::string_view text :
       {"accounts: {a: {}, a: {}}", "accounts: {a: {agents: {x: {}}, users: {x: {}}}}",
        "accounts: {a: {exports: [{stream: x, service: y}]}}", "accounts: {a: {agents: {x: {publish: [a, a]}}}}",
        "accounts: {a: {}}\n---\naccounts: {b: {}}"}) {
    EXPECT_THAT(mistakes(text), testing::Not(testing::IsEmpty())) << text;
  }
}

TEST(PolicyFile, refuses_what_is_no_policy) {
  for (const std::string_view text :
       {"", "[]", "hello", "accounts: []", "accounts:", "{", "accounts: {a: [x]}", "accounts: {a: {agents: [x]}}",
        "accounts: {a: {imports: [{stream: x}]}}", "accounts: {a: {limits: {connections: -2}}}",
        "accounts: {a: {agents: {x: {times: [8-18-]}, y: {times: [always]}}}}", "operator: keys\naccounts: {}"}) {
    EXPECT_THAT(mistakes(text), testing::Not(testing::IsEmpty())) << text;
  }
}

}  // namespace
}  // namespace hawser::config
