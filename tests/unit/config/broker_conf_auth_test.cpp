#include "broker_conf_world.hpp"

namespace hawser::config {
namespace {

using broker::Authorization;
using broker::ConnectionType;
using broker::Permissions;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

using Subjects = std::vector<std::string>;

Authorization auth_of(const std::string& inside) {
  return settings_of("authorization { " + inside + " }").authorization;
}
Permissions permissions_of(const std::string& inside) {
  const Authorization auth = auth_of("users: [ {user: a, password: b, permissions: { " + inside + " }} ]");
  EXPECT_EQ(auth.users.size(), 1U);
  return auth.users.empty() ? Permissions{} : auth.users.front().permissions.value_or(Permissions{});
}

TEST(BrokerConfAuth, reads_a_single_user_or_a_token) {
  for (const char* text : {"user: kate, password: pw", "username: kate, pass: pw", "USER: kate\n PASS: \"pw\"\n"}) {
    const Authorization auth = auth_of(text);
    EXPECT_EQ(auth.user, "kate") << text;
    EXPECT_EQ(auth.password.reveal(), "pw") << text;
    EXPECT_FALSE(auth.open());
  }
  EXPECT_EQ(auth_of("token: s3cret").token.reveal(), "s3cret");
  EXPECT_EQ(auth_of("token: $PW").token.reveal(), "hunter2");
  EXPECT_EQ(auth_of("timeout: 3").timeout, seconds(3));
  EXPECT_EQ(auth_of("timeout: 0.5").timeout, milliseconds(500));
  EXPECT_EQ(auth_of("timeout: \"5s\"").timeout, seconds(5));
  EXPECT_EQ(auth_of("user: a, password: $2a$11$abc").password.reveal(), "$2a$11$abc") << "no variable";
}

TEST(BrokerConfAuth, reads_users_with_passwords_and_nkeys) {
  const std::string text =
      "users = [ {user: alice, pass: foo}\n {username: bob, password: \"bar\"}\n {nkey: " + std::string(kUserKey) +
      "} ]";
  const Authorization auth = auth_of(text);
  ASSERT_EQ(auth.users.size(), 3U);
  EXPECT_EQ(auth.users[0].name, "alice");
  EXPECT_EQ(auth.users[0].password.reveal(), "foo");
  EXPECT_EQ(auth.users[0].account, "");
  EXPECT_FALSE(auth.users[0].permissions);
  EXPECT_EQ(auth.users[1].name, "bob");
  EXPECT_EQ(auth.users[1].place, "b:2:2");
  EXPECT_EQ(auth.users[2].nkey, kUserKey);
  EXPECT_EQ(auth.users[2].name, "");
}

TEST(BrokerConfAuth, reads_connection_types_in_any_case) {
  for (const char* key : {"allowed_connection_types", "connection_types", "clients"}) {
    const Authorization auth = auth_of("users: [ {user: a, " + std::string(key) + ": [ standard, MQTT ]} ]");
    EXPECT_EQ(auth.users.front().connection_types, (std::set{ConnectionType::standard, ConnectionType::mqtt})) << key;
  }
  EXPECT_EQ(auth_of("users: [ {user: a, clients: STANDARD} ]").users.front().connection_types.size(), 1U);
  EXPECT_NE(
      mistakes_of("authorization { users: [ {user: a, clients: [ FTP ]} ] }").find("invalid connection type \"FTP\""),
      std::string::npos);
}

TEST(BrokerConfAuth, reads_permissions_in_all_spellings) {
  struct Case {
    const char* text;
    std::optional<Subjects> publish;
    Subjects publish_deny;
    std::optional<Subjects> subscribe;
    Subjects subscribe_deny;
  };
  const Case cases[]{
      {"publish: a", Subjects{"a"}, {}, {}, {}},
      {"pub: [ a, \"b.>\" ]", Subjects{"a", "b.>"}, {}, {}, {}},
      {"import: a", Subjects{"a"}, {}, {}, {}},
      {"subscribe: \"a.*\"", {}, {}, Subjects{"a.*"}, {}},
      {"sub: [a]", {}, {}, Subjects{"a"}, {}},
      {"export: a", {}, {}, Subjects{"a"}, {}},
      {"publish { allow: a, deny: [b, c] }", Subjects{"a"}, {"b", "c"}, {}, {}},
      {"publish { deny: b }", {}, {"b"}, {}, {}},
      {"publish {}", {}, {}, {}, {}},
      {"publish { allow: [] }", {}, {}, {}, {}},
      {"sub { allow: \"a q\", deny: [ \"b.>  workers\" ] }", {}, {}, Subjects{"a q"}, {"b.> workers"}},
      {"sub: \"a q.*\"", {}, {}, Subjects{"a q.*"}, {}},
      {"pub: a, sub: b", Subjects{"a"}, {}, Subjects{"b"}, {}},
  };
  for (const Case& c : cases) {
    const Permissions read = permissions_of(c.text);
    EXPECT_EQ(read.publish.allow, c.publish) << c.text;
    EXPECT_EQ(read.publish.deny, c.publish_deny) << c.text;
    EXPECT_EQ(read.subscribe.allow, c.subscribe) << c.text;
    EXPECT_EQ(read.subscribe.deny, c.subscribe_deny) << c.text;
    EXPECT_FALSE(read.responses) << c.text;
  }
  for (const char* name : {"permission", "authorization"}) {
    const Authorization auth = auth_of("users: [ {user: a, " + std::string(name) + ": { pub: x }} ]");
    EXPECT_EQ(auth.users.front().permissions->publish.allow, Subjects{"x"});
  }
  for (const char* name : {"default_permissions", "default_permission", "permissions"}) {
    EXPECT_EQ(auth_of(std::string(name) + " { sub: x }").default_permissions->subscribe.allow, Subjects{"x"}) << name;
  }
}

TEST(BrokerConfAuth, reads_allow_responses_as_a_word_or_a_block) {
  const Permissions on = permissions_of("allow_responses: true");
  EXPECT_EQ(*on.responses, (broker::ResponsePermission{1, minutes(2)}));
  EXPECT_EQ(on.publish.allow, Subjects{}) << "nothing but responses may be published";
  EXPECT_EQ(permissions_of("pub: a, publish_allow_responses: true").publish.allow, Subjects{"a"});
  EXPECT_FALSE(permissions_of("allow_responses: false").responses);
  EXPECT_FALSE(permissions_of("allow_responses: false").publish.allow);
  struct Case {
    const char* text;
    broker::ResponsePermission read;
  };
  for (const Case& c :
       {Case{"{ max: 5, expires: \"1m\" }", {5, minutes(1)}}, Case{"{ max_msgs: 2 }", {2, minutes(2)}},
        Case{"{ max_responses: -1, ttl: \"-1s\" }", {-1, -seconds(1)}},
        Case{"{ max_messages: 0, expiration: \"0s\" }", {1, minutes(2)}}, Case{"{}", {1, minutes(2)}}}) {
    EXPECT_EQ(*permissions_of("allow_responses " + std::string(c.text)).responses, c.read) << c.text;
  }
}

TEST(BrokerConfAuth, warns_of_an_empty_list_that_allows_everything) {
  EXPECT_NE(notices_of("authorization { users: [ {user: a, permissions { publish { allow: [] } }} ] }")
                .find("authorization.users.permissions.publish.allow is an empty list, and so everything is allowed"),
            std::string::npos);
}

TEST(BrokerConfAuth, refuses_what_excludes_each_other_in_nats_servers_words) {
  struct Case {
    const char* text;
    const char* says;
    Errc code;
  };
  const Case cases[]{
      {"authorization { user: a, password: b, token: c }", "b:1:39: Cannot have a user/pass and token",
       Errc::broker_auth_conflict},
      {"authorization { user: a, users: [ {user: b} ] }", "Can not have a single user/pass and a users array",
       Errc::broker_auth_conflict},
      {"authorization { token: a, users: [] }", "Can not have a token and a users array", Errc::broker_auth_conflict},
      {"authorization { user: a, password: b }\naccounts { A { users: [ {user: c} ] } }",
       "b:2:16: Can not have a single user/pass and accounts", Errc::broker_auth_conflict},
      {"accounts { A { users: [ {user: c} ] } }\nauthorization { token: b }", "Can not have a token and accounts",
       Errc::broker_auth_conflict},
      {"authorization { users: [ {user: a}, {user: a} ] }",
       "b:1:37: Duplicate user \"a\" detected (The first one is at b:1:26.)", Errc::broker_bad_user},
      {"authorization { users: [ {user: a} ] }\naccounts { A { users: [ {user: a} ] } }",
       "b:2:25: Duplicate user \"a\" detected", Errc::broker_bad_user},
      {"authorization { users: [ {password: a} ] }", "User entry requires a user", Errc::broker_bad_user},
      {"authorization { users: [ {nkey: UABC} ] }", "Not a valid public nkey for a user", Errc::broker_bad_user},
      {"authorization { users: [ {nkey: SUAGMJH5XLGZKQQWAWKRZJIGMOU4HPFUYLXJMXOO5NLFEO2OOQJ5LPRDPM} ] }",
       "Not a valid public nkey for a user", Errc::broker_bad_user},
      {"authorization { users: [ {nkey: UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4, user: a} ] }",
       "Nkey users do not take usernames or passwords", Errc::broker_bad_user},
      {"authorization { password: b }", "a password without a user", Errc::broker_bad_user},
      {"no_auth_user: ghost\nauthorization { users: [ {user: a} ] }", "b:1:15: no_auth_user: \"ghost\" not present",
       Errc::broker_bad_user},
      {"authorization { users: {user: a} }", "authorization.users must be a list", Errc::config_bad_value},
      {"authorization { users: [ a ] }", "authorization.users must be a block", Errc::config_bad_value},
      {"authorization { users: [ {user: 1} ] }", "authorization.users.user must be a text, not a number",
       Errc::config_bad_value},
      {"authorization { password: 1, user: a }", "authorization.password must be a text, not a number",
       Errc::config_bad_value},
      {"authorization: kate", "authorization must be a block", Errc::config_bad_value},
      {"authorization { users: [ {user: a, permissions: { publish: \"a..b\" }} ] }",
       "\"a..b\" is not a valid subject: it has an empty token", Errc::broker_bad_subject},
      {"authorization { users: [ {user: a, permissions: { publish: \"a q\" }} ] }", "is not a valid subject",
       Errc::broker_bad_subject},
      {"authorization { users: [ {user: a, permissions: { subscribe: \"a q r\" }} ] }",
       "is not a valid subject and queue", Errc::broker_bad_subject},
      {"authorization { users: [ {user: a, permissions: { subscribe: [1] }} ] }", "must be a text",
       Errc::config_bad_value},
      {"authorization { users: [ {user: a, permissions: { publish { alow: a } }} ] }", "unknown key \"alow\"",
       Errc::config_unknown_key},
      {"authorization { users: [ {user: a, permissions: { allow_responses: 5 }} ] }", "must be true, false or a block",
       Errc::config_bad_value},
      {"authorization { users: [ {user: a, permissions: { allow_responses { expires: 5 } }} ] }",
       "expires must be a duration", Errc::config_bad_value},
      {"authorization { users: [ {user: a, permissions: yes} ] }", "must be a block", Errc::config_bad_value},
      {"authorization { users: [ {user: a, account: X} ] }", "A user belongs to the account", Errc::config_unknown_key},
  };
  for (const Case& c : cases) {
    const auto conf = conf_of(c.text);
    ASSERT_FALSE(conf) << c.text;
    EXPECT_NE(conf.error().doing.find(c.says), std::string::npos) << c.text << "\n" << conf.error().doing;
    EXPECT_EQ(conf.error().code, c.code) << c.text;
  }
}

TEST(BrokerConfAuth, takes_a_password_that_users_refer_to_for_a_variable) {
  const Authorization auth = auth_of("PASS: secret\n users: [ {user: a, password: $PASS} ]");
  EXPECT_TRUE(auth.password.empty());
  EXPECT_EQ(auth.users[0].password.reveal(), "secret");
  EXPECT_EQ(auth_of("pass: x, user: $pass").password.reveal(), "x");
}

TEST(BrokerConfAuth, takes_a_no_auth_user_that_exists) {
  EXPECT_EQ(settings_of("no_auth_user: a\nauthorization { users: [ {user: a} ] }").authorization.no_auth_user, "a");
  EXPECT_EQ(settings_of("no_auth_user: a\naccounts { A { users: [ {user: a} ] } }").authorization.no_auth_user, "a");
}

}  // namespace
}  // namespace hawser::config
