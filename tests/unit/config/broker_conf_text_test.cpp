// The forms of a configuration: nats-server's, YAML, and those that people write.
#include "config/broker_conf_text.hpp"

#include "broker_conf_world.hpp"
#include "config/broker_operator.hpp"

namespace hawser::config {
namespace {

constexpr const char* kYaml = R"(# a broker
listen: 127.0.0.1:4333
server_name: kate
debug: yes
max_payload: 2MB
ping_interval: 1m
tls:
  cert_file: ./c.pem
  key_file: "k.pem"
  ca_file: ca.pem
  verify: true
  timeout: 3
  cipher_suites: [TLS_AES_128_GCM_SHA256]
authorization:
  timeout: 1.5
  users:
    - user: alice
      password: $PW
      permissions:
        publish: {allow: "a.>", deny: [a.b]}
        subscribe: "_INBOX.> workers"
    - {user: bob, password: 12345}
accounts:
  APP:
    exports:
      - service: time
    limits: {max_conn: 5}
)";

TEST(BrokerConfYaml, means_the_same_as_nats_servers_language) {
  const broker::Settings s = settings_of(kYaml, ConfSyntax::yaml);
  EXPECT_EQ(*s.listen, (broker::Listen{"127.0.0.1", 4333}));
  EXPECT_TRUE(s.logging.debug);
  EXPECT_EQ(s.limits.max_payload, 2UL << 20U);
  EXPECT_EQ(s.limits.ping_interval, std::chrono::minutes(1)) << "in YAML 1m is a minute";
  EXPECT_EQ(s.tls->source.cert_file, "./c.pem");
  EXPECT_TRUE(s.tls->verify);
  EXPECT_EQ(s.tls->timeout, std::chrono::seconds(3));
  EXPECT_EQ(s.authorization.timeout, std::chrono::milliseconds(1500));
  ASSERT_EQ(s.authorization.users.size(), 2U);
  EXPECT_EQ(s.authorization.users[0].password.reveal(), "hunter2");
  EXPECT_EQ(s.authorization.users[0].permissions->subscribe.allow, std::vector<std::string>{"_INBOX.> workers"});
  EXPECT_EQ(s.authorization.users[1].password.reveal(), "12345") << "in YAML any single value may be a text";
  EXPECT_EQ(s.accounts[0].exports[0].subject, "time");
  EXPECT_EQ(s.accounts[0].max_connections, 5);
}

TEST(BrokerConfYaml, is_known_by_its_name_or_when_nothing_else_reads_it) {
  for (const char* name : {"n.yaml", "dir/n.YML"}) {
    EXPECT_TRUE(parse_broker_conf("port: 4333\n", name, no_reach())) << name;
    EXPECT_FALSE(parse_broker_conf("tls { cert_file: a }\n", name, no_reach()))
        << name << " is no nats-server language";
  }
  const auto by_form = conf_of(kYaml);
  ASSERT_TRUE(by_form) << by_form.error().doing;
  ASSERT_EQ(by_form->notices.size(), 1U);
  EXPECT_EQ(by_form->notices[0].code, Errc::broker_misspelt);
  EXPECT_NE(by_form->notices[0].text().find("nats-server does not read"), std::string::npos);
  EXPECT_TRUE(parse_broker_conf(kYaml, "n.yaml", no_reach())->notices.empty()) << "its name says what it is";
}

TEST(BrokerConfYaml, places_its_mistakes_and_tells_all_of_them) {
  EXPECT_EQ(mistakes_of("port: x\ntls:\n  cert_fil: a\n  key_file: b\n  cert_file: c\n", ConfSyntax::yaml),
            "b:1:7: port must be a whole number, not a text (Write it without quotes, like 4096 or 1MB.)\n"
            "b:3:3: unknown key \"cert_fil\" in tls (Did you mean \"cert_file\"?)");
  EXPECT_EQ(mistakes_of("port:\n", ConfSyntax::yaml), "b:1:1: the key \"port\" has no value");
  EXPECT_EQ(mistakes_of("users: [~]\n", ConfSyntax::yaml).find("b:1:9: an empty value"), 0U);
  EXPECT_NE(mistakes_of("authorization: {token: $NONE}", ConfSyntax::yaml)
                .find("the environment variable $NONE is not defined"),
            std::string::npos);
  EXPECT_NE(mistakes_of("- a\n- b\n", ConfSyntax::yaml).find("a configuration is a map of keys"), std::string::npos);
  EXPECT_NE(mistakes_of("a: 1\n---\nb: 1\n", ConfSyntax::yaml).find("more than one YAML document"), std::string::npos);
  EXPECT_EQ(mistakes_of("", ConfSyntax::yaml), "");
}

TEST(BrokerConfYaml, keeps_texts_that_only_look_like_something) {
  struct Case {
    const char* value;
    const char* text;
  };
  for (const Case& c :
       {Case{"\"$NOT\"", "$NOT"}, Case{"'12'", "12"}, Case{"2a", "2a"}, Case{"a;b", "a;b"}, Case{"1.2.3.4", "1.2.3.4"},
        Case{"-dash", "-dash"}, Case{"a,b", "a,b"}, Case{"x'y", "x'y"}, Case{"back\\slash", "back\\slash"},
        Case{"\"\"", ""}, Case{"2026-01-31T00:00:00Z", "2026-01-31T00:00:00Z"}, Case{"1m", "1m"}}) {
    EXPECT_EQ(settings_of("authorization:\n  user: a\n  password: " + std::string(c.value), ConfSyntax::yaml)
                  .authorization.password.reveal(),
              c.text)
        << c.value;
  }
}

// What people write for nats-server, and nats-server refuses.
constexpr const char* kIndented = R"(listen: ":4222"
tls:
  cert_file: "/etc/nats/tls.crt"
  key_file: "/etc/nats/tls.key"   # the key
  ca_file: "/etc/nats/ca.crt"

  client_auth: true
)";

TEST(BrokerConfText, understands_a_tls_block_that_is_indented_instead_of_braced) {
  const auto conf = conf_of(kIndented);
  ASSERT_TRUE(conf) << conf.error().doing;
  EXPECT_EQ(*conf->settings.listen, (broker::Listen{"0.0.0.0", 4222}));
  EXPECT_EQ(conf->settings.tls->source.key_file, "/etc/nats/tls.key");
  EXPECT_TRUE(conf->settings.tls->verify);
  ASSERT_EQ(conf->notices.size(), 2U);
  EXPECT_EQ(conf->notices[0].code, Errc::broker_misspelt);
  EXPECT_NE(conf->notices[0].hint.find("tls { "), std::string::npos);
  EXPECT_EQ(conf->notices[1].hint, "verify: true");
}

TEST(BrokerConfText, understands_it_beside_blocks_in_braces_too) {
  const std::string mixed = "authorization {\n  users = [\n    {user: a, password: \"x # {\"}\n  ]\n}\n" +
                            std::string(kIndented) + "accounts: {\n A {}\n}\n";
  const auto conf = conf_of(mixed);
  ASSERT_TRUE(conf) << conf.error().doing;
  EXPECT_TRUE(conf->settings.tls->verify);
  EXPECT_EQ(conf->settings.accounts.size(), 1U);
  EXPECT_EQ(conf->settings.authorization.users[0].password.reveal(), "x # {");
  EXPECT_EQ(conf->notices[0].text(),
            "b:7:1: the block of \"tls\" is indented, which nats-server does not read (tls { … })");
}

TEST(BrokerConfText, puts_braces_around_indented_blocks_and_moves_nothing) {
  struct Case {
    const char* text;
    const char* braced;
  };
  for (const Case& c : {
           Case{"a:\n  b: 1\n", "a: {\n  b: 1}\n"},
           Case{"a:\n  b:\n    c: 1\n  d: 2\ne: 3\n", "a: {\n  b: {\n    c: 1}\n  d: 2}\ne: 3\n"},
           Case{"a:   # why\n\n  b: 1 # because\n# end\nc: 1", "a: {   # why\n\n  b: 1} # because\n# end\nc: 1"},
           Case{"a =\n  b: [\n   1\n  ]\nc: 1\n", "a = {\n  b: [\n   1\n  ]}\nc: 1\n"},
           Case{"a:\r\n  b: 1\r\n", "a: {\r\n  b: 1}\r\n"},
           Case{"a:\n  b: 1", "a: {\n  b: 1}"},
       }) {
    const auto braced = brace_indented_blocks(c.text);
    ASSERT_TRUE(braced) << c.text;
    EXPECT_EQ(braced->text, c.braced);
    EXPECT_EQ(braced->first, 1U);
  }
  for (const char* none :
       {"", "a: 1\n", "a: {\n  b: 1\n}\n", "a:\nb: 1\n", "a: 1\n  b: 2\n", "{\n a:\n   1\n}", "# a:\n  b: 1\n"}) {
    EXPECT_FALSE(brace_indented_blocks(none)) << none;
  }
}

TEST(BrokerConfText, reports_the_error_of_nats_servers_language_when_no_form_fits) {
  EXPECT_EQ(mistakes_of("port: 4222\ntls {\n cert_file: \"a\n"), "b:3:13: a text in double quotes does not end");
  EXPECT_EQ(mistakes_of("prot\n"), "b:1:1: the key \"prot\" has no value");
  EXPECT_NE(mistakes_of("include nowhere.conf"), "");
  EXPECT_EQ(conf_of("port: $NOWHERE").error().code, Errc::config_unknown_variable);
}

// The second form: operator mode inside of authorization.
constexpr const char* kMisplaced = R"(authorization {
  operator = "/etc/nats/operator.jwt"
  resolver = MEMORY
  accounts = [ { name: APP, jwt: "eyJhbGciOiJ" } ]
})";
constexpr const char* kPlaced = R"(operator: "/etc/nats/operator.jwt"
resolver: MEMORY
resolver_preload { ACSU3Q6LTLBVLGAQUONAGXJHVNWGSKKAUA7IY5TB4Z7PLEKSR5O6JTGR: "eyJhbGciOiJ" }
)";

OperatorMode operator_mode_of(const char* text, bool misspelt, ConfReading& reading) {
  const auto conf = parse_nats_conf(text, "b", no_reach());
  EXPECT_TRUE(conf);
  ConfBlock top(reading, misspelt ? *conf->root.find("authorization") : conf->root, "");
  const auto mode = read_operator_mode(reading, top, misspelt);
  EXPECT_TRUE(mode);
  return mode.value_or(OperatorMode{});
}

TEST(BrokerConfOperator, reads_the_misplaced_form_to_the_meaning_of_the_right_one) {
  ConfReading right;
  ConfReading wrong;
  const OperatorMode placed = operator_mode_of(kPlaced, false, right);
  const OperatorMode misplaced = operator_mode_of(kMisplaced, true, wrong);
  for (const OperatorMode& mode : {placed, misplaced}) {
    EXPECT_EQ(mode.operators, std::vector<std::string>{"/etc/nats/operator.jwt"});
    EXPECT_EQ(mode.resolver, OperatorMode::Resolver::memory);
    ASSERT_EQ(mode.preload.size(), 1U);
    EXPECT_EQ(mode.preload[0].jwt, "eyJhbGciOiJ");
  }
  EXPECT_EQ(placed.preload[0].key, kAccountKey);
  EXPECT_EQ(misplaced.preload[0].name, "APP");
  EXPECT_TRUE(right.notices.empty());
  ASSERT_EQ(wrong.notices.size(), 1U);
  EXPECT_NE(wrong.notices[0].text().find("resolver_preload { ACCOUNT_KEY: JWT }"), std::string::npos);
  EXPECT_TRUE(wrong.mistakes.empty());
}

TEST(BrokerConfOperator, reads_every_kind_of_resolver) {
  struct Case {
    const char* text;
    OperatorMode::Resolver kind;
    const char* where;
  };
  for (const Case& c :
       {Case{"resolver: MEM", OperatorMode::Resolver::memory, ""},
        Case{"resolver = URL(http://h/jwt/v1/accounts/)", OperatorMode::Resolver::url, "http://h/jwt/v1/accounts/"},
        Case{"resolver: 'URL(\"http://h\")'", OperatorMode::Resolver::url, "http://h"},
        Case{"account_resolver { type: full, dir: \"./jwt\", allow_delete: true, interval: \"2m\" }",
             OperatorMode::Resolver::full, "./jwt"},
        Case{"accounts_resolver { type: CACHE, dir: x, ttl: \"1h\" }", OperatorMode::Resolver::cache, "x"}}) {
    ConfReading reading;
    const OperatorMode mode = operator_mode_of(c.text, false, reading);
    EXPECT_EQ(mode.resolver, c.kind) << c.text;
    EXPECT_EQ(mode.resolver_where, c.where) << c.text;
    EXPECT_TRUE(reading.mistakes.empty()) << c.text;
  }
}

}  // namespace
}  // namespace hawser::config
