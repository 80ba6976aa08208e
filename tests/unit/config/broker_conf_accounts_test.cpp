#include "broker_conf_world.hpp"

namespace hawser::config {
namespace {

using broker::Account;
using broker::Export;
using broker::ExportKind;
using broker::Import;
using broker::Mapping;
using broker::ResponseType;
using std::chrono::minutes;
using std::chrono::seconds;

// The account A of a configuration in which B is the other one.
Account account_of(const std::string& inside) {
  broker::Settings settings = settings_of("accounts { A { " + inside + " }, B {} }");
  EXPECT_EQ(settings.accounts.size(), 2U);
  return settings.accounts.empty() ? Account{} : std::move(settings.accounts.front());
}
std::string mistakes_of_account(const std::string& inside) {
  return mistakes_of("accounts { A { " + inside + " }, B {} }");
}

TEST(BrokerConfAccounts, are_a_list_of_names_or_a_block) {
  const broker::Settings names = settings_of("accounts: [ A, \"B\" ]");
  ASSERT_EQ(names.accounts.size(), 2U);
  EXPECT_EQ(names.accounts[1].name, "B");
  const broker::Settings block =
      settings_of("accounts { A { users: [ {user: a, password: p} ] }\n B: { users = [ {user: b} ] } }");
  ASSERT_EQ(block.accounts.size(), 2U);
  ASSERT_EQ(block.authorization.users.size(), 2U);
  EXPECT_EQ(block.authorization.users[0].account, "A");
  EXPECT_EQ(block.authorization.users[1].account, "B");
  EXPECT_EQ(block.accounts[1].place, "b:2:2");
}

TEST(BrokerConfAccounts, have_limits_a_key_and_default_permissions) {
  const Account a =
      account_of("nkey: " + std::string(kAccountKey) +
                 ", limits { max_conn: 5, max_subs: 6, max_pay: 1KB, max_leafs: 1 }, default_permissions { pub: x }");
  EXPECT_EQ(a.nkey, kAccountKey);
  EXPECT_EQ(a.max_connections, 5);
  EXPECT_EQ(a.max_subscriptions, 6);
  EXPECT_EQ(a.max_payload, 1024);
  EXPECT_EQ(a.default_permissions->publish.allow, std::vector<std::string>{"x"});
  const Account b =
      account_of("limits { max_connections: -1, max_subscriptions: 1, max_payload: 2, max_leafnodes: 0 }");
  EXPECT_EQ(b.max_connections, -1);
}

TEST(BrokerConfAccounts, read_exports_of_streams_and_services) {
  const Account a = account_of(
      "exports: [ {stream: \"p.>\"}, {stream: \"q.*\", accounts: [B], account_token_position: 2},\n"
      " {service: s, response: stream, threshold: \"5s\"}, {service: t, accounts: [], response_type: Chunked} ]");
  ASSERT_EQ(a.exports.size(), 4U);
  EXPECT_EQ(a.exports[0].kind, ExportKind::stream);
  EXPECT_EQ(a.exports[0].subject, "p.>");
  EXPECT_FALSE(a.exports[0].accounts);
  EXPECT_EQ(a.exports[1].accounts, std::vector<std::string>{"B"});
  EXPECT_EQ(a.exports[1].account_token_position, 2U);
  EXPECT_EQ(a.exports[2].kind, ExportKind::service);
  EXPECT_EQ(a.exports[2].response, ResponseType::stream);
  EXPECT_EQ(a.exports[2].response_threshold, seconds(5));
  EXPECT_EQ(a.exports[2].place, "b:2:2");
  EXPECT_FALSE(a.exports[3].accounts) << "an empty list is public to nats-server";
  EXPECT_EQ(a.exports[3].response, ResponseType::chunked);
  for (const char* key : {"response_threshold", "response_max_time", "response_time"}) {
    EXPECT_EQ(account_of("exports: [ {service: s, " + std::string(key) + ": \"1s\"} ]").exports[0].response_threshold,
              seconds(1));
  }
  for (const char* word : {"single", "Singleton"}) {
    EXPECT_EQ(account_of("exports: [ {service: s, response_type: " + std::string(word) + "} ]").exports[0].response,
              ResponseType::singleton);
  }
  EXPECT_EQ(account_of("exports: [ {service: s} ]").exports[0].response_threshold, minutes(2));
}

TEST(BrokerConfAccounts, read_imports_of_streams_and_services) {
  const Account a = account_of(
      "imports: [ {stream: {account: B, subject: \"p.*\"}, prefix: x}, {stream: {account: B, subject: q}, to: y},\n"
      " {service: {account: B, subject: s}}, {service: {account: B, subject: \"t.*\"}, to: \"u.$1\", share: true} ]");
  ASSERT_EQ(a.imports.size(), 4U);
  EXPECT_EQ(a.imports[0].account, "B");
  EXPECT_EQ(a.imports[0].subject, "p.*");
  EXPECT_EQ(a.imports[0].prefix, "x");
  EXPECT_EQ(a.imports[1].to, "y");
  EXPECT_EQ(a.imports[2].kind, ExportKind::service);
  EXPECT_EQ(a.imports[2].to, "");
  EXPECT_FALSE(a.imports[2].share);
  EXPECT_EQ(a.imports[3].to, "u.$1");
  EXPECT_TRUE(a.imports[3].share);
}

TEST(BrokerConfAccounts, read_mappings_with_and_without_weights) {
  const Account a = account_of(
      "mappings: { foo: bar, \"b.*\": {dest: \"c.$1\", weight: 50%},\n"
      " x: [ {destination: y, weight: 70, cluster: east}, {destination: z, weight: \"30\"} ] }");
  ASSERT_EQ(a.mappings.size(), 3U);
  EXPECT_EQ(a.mappings[0].source, "foo");
  EXPECT_EQ(a.mappings[0].targets, (std::vector<broker::MappingTarget>{{"bar", 100, ""}}));
  EXPECT_EQ(a.mappings[1].targets, (std::vector<broker::MappingTarget>{{"c.$1", 50, ""}}));
  EXPECT_EQ(a.mappings[2].targets, (std::vector<broker::MappingTarget>{{"y", 70, "east"}, {"z", 30, ""}}));
  EXPECT_EQ(account_of("maps { a: b }").mappings.size(), 1U);
}

TEST(BrokerConfAccounts, put_mappings_of_the_top_level_into_the_global_account) {
  for (const char* key : {"mappings", "maps"}) {
    const broker::Settings settings = settings_of(std::string(key) + " { foo: bar }");
    ASSERT_EQ(settings.accounts.size(), 1U);
    EXPECT_EQ(settings.accounts[0].name, "$G");
    EXPECT_EQ(settings.accounts[0].mappings.size(), 1U);
  }
}

TEST(BrokerConfAccounts, refuse_what_does_not_fit) {
  struct Case {
    const char* text;
    const char* says;
  };
  const Case cases[]{
      {"nkey: ABC", "Not a valid public nkey for an account"},
      {"exports: {stream: a}", "accounts.A.exports must be a list of blocks"},
      {"exports: [ a ]", "accounts.A.exports must be a block"},
      {"exports: [ {accounts: [B]} ]", "names no stream and no service"},
      {"exports: [ {stream: a, service: b} ]", "a stream or a service, not both"},
      {"exports: [ {stream: \"a..b\"} ]", "is not a valid subject: it has an empty token"},
      {"exports: [ {stream: a, response: Stream} ]", "Detected response directive on non-service"},
      {"exports: [ {service: a, response: Many} ]", "Unknown response type: \"Many\""},
      {"exports: [ {service: a, threshold: 5} ]", "must be a duration"},
      {"exports: [ {service: a, accounts: B} ]", "must be a list of names"},
      {"exports: [ {service: a, accounts: [C]} ]", "b:1:27: \"C\" account not defined for service export"},
      {"exports: [ {stream: a, accounts: [C]} ]", "\"C\" account not defined for stream export"},
      {"imports: [ {stream: {account: C, subject: a}} ]", "\"C\" account not defined for stream import"},
      {"imports: [ {service: {account: C, subject: a}} ]", "\"C\" account not defined for service import"},
      {"imports: [ {stream: a} ]", "accounts.A.imports.stream must be a block"},
      {"imports: [ {stream: {account: B}} ]", "Expect an account name and a subject"},
      {"imports: [ {stream: {account: B, subject: a}, to: x, prefix: y} ]",
       "can not have a 'prefix' and a 'to' property"},
      {"imports: [ {stream: {account: B, subject: a}, service: {account: B, subject: a}} ]",
       "Detected service but already saw a stream"},
      {"imports: [ {service: {account: B, subject: a}}, {service: {account: B, subject: b}, to: a} ]",
       "Duplicate service import subject \"a\", previously used in import for account \"B\", subject \"a\""},
      {"imports: [ {service: {account: B, subject: a, x: 1}} ]", "unknown key \"x\" in accounts.A.imports.service"},
      {"mappings: [ a ]", "accounts.A.mappings must be a block"},
      {"mappings { \"a..b\": c }", "is not a valid subject"},
      {"mappings { a: {destination: b} }", "Missing weight for mapping destination \"b\""},
      {"mappings { a: {weight: 5} }", "has no destination"},
      {"mappings { a: {destination: b, weight: 101} }", "Invalid weight 101"},
      {"mappings { a: {destination: b, weight: 1k} }", "Invalid weight 1k"},
      {"mappings { a: {destination: b, weight: half} }", "Invalid weight half"},
      {"mappings { a: [ b ] }", "must be a block"},
      {"limits { max_conn: many }", "must be a whole number"},
      {"limits { max: 1 }", "unknown key \"max\" in accounts.A.limits"},
      {"permissions { pub: x }", "It is called default_permissions"},
      {"usres: []", "Did you mean \"users\"?"},
  };
  for (const Case& c : cases) {
    const std::string said = mistakes_of_account(c.text);
    EXPECT_NE(said.find(c.says), std::string::npos) << c.text << "\n  says: " << said;
  }
  EXPECT_NE(mistakes_of("accounts { \"$G\" {} }").find("\"$G\" is a Reserved Account"), std::string::npos);
  EXPECT_NE(mistakes_of("accounts: [ A, A ]").find("Duplicate Account Entry: A"), std::string::npos);
  EXPECT_NE(mistakes_of("accounts: 5").find("accounts must be a block, or a list of names"), std::string::npos);
  EXPECT_NE(mistakes_of("accounts { A: x }").find("accounts.A must be a block"), std::string::npos);
}

TEST(BrokerConfAccounts, may_be_a_variable_that_others_use) {
  const broker::Settings settings =
      settings_of("accounts { PERMS { pub: x }, A { users: [ {user: a, permissions: $PERMS} ] } }");
  ASSERT_EQ(settings.accounts.size(), 1U);
  EXPECT_EQ(settings.authorization.users[0].permissions->publish.allow, std::vector<std::string>{"x"});
}

}  // namespace
}  // namespace hawser::config
