#include "broker/validate.hpp"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace hawser::broker {
namespace {

using std::chrono::seconds;

constexpr const char* kUserKey = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

User user(std::string name, std::string account = {}) {
  User made;
  made.name = std::move(name);
  made.account = std::move(account);
  made.place = "nats.conf:7:3";
  return made;
}

struct Row {
  std::function<void(Settings&)> spoil;
  const char* expected;  // "BRK-1103 part of the text"; empty: nothing is wrong
};

std::string found(const Row& row) {
  Settings settings;
  row.spoil(settings);
  std::string all;
  for (const Error& one : find_mistakes(settings)) {
    all += error_id(one.code) + " " + one.doing + "\n";
  }
  return all;
}

void expect_rows(const std::vector<Row>& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string all = found(rows[i]);
    if (*rows[i].expected == '\0') {
      EXPECT_EQ(all, "") << "row " << i;
    } else {
      EXPECT_NE(all.find(rows[i].expected), std::string::npos) << "row " << i << ": " << all;
      EXPECT_EQ(std::ranges::count(all, '\n'), 1) << "row " << i << ": " << all;
    }
  }
}

TEST(Validating, finds_nothing_wrong_with_the_defaults) {
  expect_rows({{[](Settings&) {}, ""}});
}

TEST(Validating, finds_ways_of_authentication_that_exclude_each_other) {
  const auto single = [](Settings& s) {
    s.authorization.user = "a";
    s.authorization.password = Secret(std::string_view("x"));
  };
  const auto token = [](Settings& s) { s.authorization.token = Secret(std::string_view("t")); };
  const auto list = [](Settings& s) { s.authorization.users.push_back(user("u")); };
  const auto accounts = [](Settings& s) {
    s.accounts.emplace_back().name = "A";
    s.authorization.users.push_back(user("u", "A"));
  };
  using Part = std::function<void(Settings&)>;
  const auto both = [](Part one, Part other) {
    return [one = std::move(one), other = std::move(other)](Settings& s) {
      one(s);
      other(s);
    };
  };
  expect_rows({
      {single, ""},
      {token, ""},
      {both(list, accounts), "BRK-1103 nats.conf:7:3: Duplicate user \"u\" detected"},
      {both(single, token), "BRK-1102 Cannot have a user/pass and token"},
      {both(single, list), "BRK-1102 Can not have a single user/pass and a users array"},
      {both(token, list), "BRK-1102 Can not have a token and a users array"},
      {both(single, accounts), "BRK-1102 Can not have a single user/pass and accounts"},
      {both(token, accounts), "BRK-1102 Can not have a token and accounts"},
      {[](Settings& s) { s.authorization.password = Secret(std::string_view("x")); }, "BRK-1102 a password without"},
  });
}

TEST(Validating, finds_users_that_cannot_be_used) {
  const auto with = [](User one) {
    auto shared = std::make_shared<User>(std::move(one));
    return [shared](Settings& s) { s.authorization.users.push_back(std::move(*shared)); };
  };
  const auto keyed = [](const char* key, const char* name = "") {
    User made = user(name);
    made.nkey = key;
    return made;
  };
  const auto hashed = [](const char* hash) {
    User made = user("u");
    made.password = Secret(std::string_view(hash));
    return made;
  };
  expect_rows({
      {with(user("u")), ""},
      {with(keyed(kUserKey)), ""},
      {with(user("")), "BRK-1103 nats.conf:7:3: User entry requires a user"},
      {with(user("u", "A")), "BRK-1103 nats.conf:7:3: user \"u\" is of the account \"A\", which is not configured"},
      {with(keyed(kUserKey, "name")), "BRK-1103 nats.conf:7:3: Nkey users do not take usernames or passwords"},
      {with(keyed("UABC")), "BRK-1103 nats.conf:7:3: Not a valid public nkey for a user"},
      {with(keyed("SUAM36IHRAM6BFEQ2NHR3ZNEDAM5KM5KYBCNAZCTKPVWYYBTLPOPFAGD4U")), "Not a valid public nkey"},
      {with(keyed("AAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3QPZV")), "Not a valid public nkey"},
      {with(hashed("$2a$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG")), ""},
      {with(hashed("$2a$04$short")), "BRK-1103 nats.conf:7:3: the password of user \"u\" is not a whole bcrypt hash"},
      {[](Settings& s) {
         s.authorization.users.push_back(user("u"));
         s.authorization.users.push_back(user("u"));
       },
       "Duplicate user \"u\" detected"},
  });
}

TEST(Validating, never_shows_what_may_be_a_secret) {
  const std::string seed = "SUAM36IHRAM6BFEQ2NHR3ZNEDAM5KM5KYBCNAZCTKPVWYYBTLPOPFAGD4U";
  const std::string text = found({[&seed](Settings& s) {
                                    User one = user("");
                                    one.nkey = seed;
                                    s.authorization.users.push_back(std::move(one));
                                    User two = user("u");
                                    two.password = Secret(std::string_view("$2a$04$tooshort"));
                                    s.authorization.users.push_back(std::move(two));
                                  },
                                  ""});
  EXPECT_NE(text, "");
  EXPECT_EQ(text.find("SUAM"), std::string::npos) << text;
  EXPECT_EQ(text.find("tooshort"), std::string::npos) << text;
}

TEST(Validating, finds_users_that_are_named_and_do_not_exist) {
  expect_rows({
      {[](Settings& s) { s.authorization.no_auth_user = "x"; },
       "BRK-1103 no_auth_user: \"x\" present, but users/nkeys are not defined"},
      {[](Settings& s) {
         s.authorization.users.push_back(user("u"));
         s.authorization.no_auth_user = "x";
       },
       "no_auth_user: \"x\" not present as user or nkey in authorization block or account configuration"},
      {[](Settings& s) {
         s.authorization.users.push_back(user("u"));
         s.authorization.no_auth_user = "u";
       },
       ""},
      {[](Settings& s) { s.trusted = TrustedListen{.address = "127.0.0.1:1", .user = "x"}; },
       "BRK-1103 trusted listener 127.0.0.1:1: user \"x\" is not configured"},
      {[](Settings& s) { s.trusted = TrustedListen{.address = "127.0.0.1:1", .user = ""}; }, ""},
  });
}

TEST(Validating, finds_subjects_of_permissions_that_are_none) {
  const auto publish = [](const char* subject) {
    return [subject](Settings& s) {
      s.authorization.users.push_back(user("u"));
      s.authorization.users[0].permissions.emplace().publish.allow = {subject};
    };
  };
  const auto subscribe = [](const char* subject) {
    return [subject](Settings& s) {
      s.authorization.users.push_back(user("u"));
      s.authorization.users[0].permissions.emplace().subscribe.deny = {subject};
    };
  };
  expect_rows({
      {publish("a.*.>"), ""},
      {subscribe("a.> workers"), ""},
      {subscribe("a.>   workers.*"), ""},
      {publish("a..b"), "BRK-1105 nats.conf:7:3: publish permissions of user \"u\": subject \"a..b\" is not a valid"},
      {publish("a.>.b"), "subject \"a.>.b\" is not a valid subject"},
      {publish(""), "subject \"\" is not a valid subject"},
      {publish("a workers"), "subject \"a workers\" is not a valid subject"},
      {subscribe("a..b workers"), "subject \"a..b workers\" is not a valid subject"},
      {subscribe("a b..c"), "queue \"b..c\" is not a valid queue"},
      {subscribe("a b c"), "queue \"b c\" is not a valid queue"},
      {[](Settings& s) { s.authorization.default_permissions.emplace().publish.deny = {"."}; },
       "BRK-1105 publish permissions of authorization's default_permissions"},
  });
}

TEST(Validating, finds_accounts_that_do_not_fit) {
  const auto accounts = [](std::vector<const char*> names) {
    return [names = std::move(names)](Settings& s) {
      for (const char* name : names) {
        s.accounts.emplace_back().name = name;
        s.accounts.back().place = "nats.conf:2:1";
      }
    };
  };
  expect_rows({
      {accounts({"A", "B"}), ""},
      {accounts({"$SYS"}), ""},
      {accounts({"$G"}), "BRK-1104 nats.conf:2:1: \"$G\" is a Reserved Account"},
      {accounts({"A", "A"}), "BRK-1104 nats.conf:2:1: Duplicate account \"A\" detected"},
      {accounts({""}), "BRK-1104 nats.conf:2:1: \"\" cannot name an account"},
      {[](Settings& s) {
         s.accounts.emplace_back().name = "A";
         s.accounts.back().nkey = kUserKey;
       },
       "BRK-1104 Not a valid public nkey for an account: \"A\""},
      {[](Settings& s) { s.system_account = "SYS"; },
       "BRK-1104 error resolving system account: account missing: \"SYS\""},
      {[](Settings& s) {
         s.accounts.emplace_back().name = "SYS";
         s.system_account = "SYS";
       },
       ""},
  });
}

TEST(Validating, finds_a_tls_block_that_is_not_whole) {
  const auto tls = [](std::function<void(TlsSettings&)> spoil) {
    return [spoil = std::move(spoil)](Settings& s) {
      s.tls.emplace();
      s.tls->source.cert_file = "cert.pem";
      s.tls->source.key_file = "key.pem";
      s.tls->source.ca_file = "ca.pem";
      spoil(*s.tls);
    };
  };
  const std::string pin(64, 'a');
  expect_rows({
      {tls([](TlsSettings&) {}), ""},
      {tls([](TlsSettings& t) { t.verify = true; }), ""},
      {tls([](TlsSettings& t) { t.source.cert_file.clear(); }), "BRK-1110 tls: cert_file is not set"},
      {tls([](TlsSettings& t) { t.source.key_file.clear(); }), "BRK-1110 tls: key_file is not set"},
      {tls([](TlsSettings& t) {
         t.verify = true;
         t.source.ca_file.clear();
       }),
       "BRK-1110 tls: verify without ca_file"},
      {tls([](TlsSettings& t) {
         t.verify_and_map = true;
         t.source.ca_file.clear();
       }),
       "BRK-1110 tls: verify_and_map without ca_file"},
      {tls([pin](TlsSettings& t) { t.pinned_certs = {pin}; }), "BRK-1110 tls: pinned_certs without verify"},
      {tls([](TlsSettings& t) { t.source.crl_file = "x"; }), "BRK-1110 tls: crl_file without verify"},
      {tls([pin](TlsSettings& t) {
         t.verify = true;
         t.pinned_certs = {pin};
       }),
       ""},
      {tls([](TlsSettings& t) {
         t.verify = true;
         t.pinned_certs = {"abc"};
       }),
       "BRK-1111 'pinned_certs' key abc does not look like hex-encoded sha256"},
      {tls([](TlsSettings& t) { t.cipher_suites = {"TLS_NOPE"}; }),
       "BRK-1111 cipher_suites: unrecognized cipher TLS_NOPE"},
      {tls([](TlsSettings& t) { t.curve_preferences = {"Foo"}; }), "BRK-1111 unrecognized curve preference Foo"},
      {tls([](TlsSettings& t) { t.timeout = seconds(0); }), "CFG-703 the timeout of tls is not above zero"},
      {tls([](TlsSettings& t) {
         t.handshake_first = HandshakeFirst::fallback;
         t.handshake_fallback = seconds(0);
       }),
       "CFG-703 the delay of handshake_first is not above zero"},
      {[](Settings& s) { s.monitoring.https.emplace(); }, "BRK-1110 https_port: TLS cert and key required for HTTPS"},
  });
}

TEST(Validating, finds_limits_that_contradict_each_other) {
  expect_rows({
      {[](Settings& s) { s.limits.max_pending = 1000; },
       "CFG-703 max_payload (1048576) cannot be higher than max_pending"},
      {[](Settings& s) {
         s.limits.max_payload = (64UL << 20U) + 1;
         s.limits.max_pending = 1UL << 30U;
       },
       "CFG-703 max_payload (67108865) is over 67108864"},
      {[](Settings& s) { s.lame_duck_grace_period = s.lame_duck_duration; },
       "CFG-703 lame duck grace period (2m) should be strictly lower than lame duck duration (2m)"},
      {[](Settings& s) { s.server_name = "a b"; }, "CFG-703 server name cannot contain spaces"},
      {[](Settings& s) { s.threads = 0; }, "CFG-703 threads is zero"},
      {[](Settings& s) { s.authorization.timeout = seconds(0); }, "CFG-703 the timeout of authorization"},
  });
}

TEST(Validating, tells_all_mistakes_in_one_error) {
  Settings settings;
  settings.threads = 0;
  settings.system_account = "SYS";
  const Result<void> result = validate(settings);
  ASSERT_FALSE(result);
  EXPECT_EQ(error_id(result.error().code), "CFG-703");
  EXPECT_EQ(result.error().doing, "threads is zero\nerror resolving system account: account missing: \"SYS\"");
  EXPECT_TRUE(validate(Settings{}));
}

}  // namespace
}  // namespace hawser::broker
