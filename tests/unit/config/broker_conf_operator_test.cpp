// Operator mode in a broker's configuration, with JWTs that are real.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <string>

#include "broker/operator_world.hpp"
#include "config/broker_conf_world.hpp"

namespace hawser::config {
namespace {

using namespace broker::test;

identity::AccountClaims system_account() { return account('s', "SYS"); }

std::string operator_jwt(bool names_system_account = true, std::string version = {},
                         std::optional<std::chrono::sys_seconds> expires = {}) {
  identity::OperatorClaims claims;
  claims.subject = operator_key().public_key().text();
  claims.name = "ops";
  if (names_system_account) claims.system_account = system_account().subject;
  claims.assert_server_version = std::move(version);
  claims.expires = expires;
  return signed_by(operator_key(), claims);
}

std::string preload() {
  return fmt::format("resolver_preload {{ {}: {} }}\n", system_account().subject,
                     signed_by(operator_key(), system_account()));
}
std::string good() { return "operator: " + operator_jwt() + "\nresolver: MEMORY\n" + preload(); }

TEST(BrokerConfOperator, is_read_with_its_accounts_and_its_system_account) {
  const broker::Settings settings = settings_of(good());
  ASSERT_TRUE(settings.operator_mode);
  EXPECT_FALSE(settings.open());
  ASSERT_EQ(settings.operator_mode->operators.size(), 1U);
  EXPECT_EQ(settings.operator_mode->operators[0].name, "ops");
  EXPECT_EQ(settings.system_account, system_account().subject);
  ASSERT_EQ(settings.operator_mode->preload.size(), 1U);
  EXPECT_EQ(settings.operator_mode->preload[0].key, system_account().subject);
  EXPECT_EQ(settings.operator_mode->resolver.kind, broker::ResolverKind::memory);
}

TEST(BrokerConfOperator, is_read_from_a_file_as_nsc_writes_it) {
  const std::string file =
      "-----BEGIN NATS OPERATOR JWT-----\n" + operator_jwt() + "\n------END NATS OPERATOR JWT------\n";
  const ConfReach reach{[&](const std::filesystem::path& path) -> Result<std::string> {
                          if (path == "op.jwt") return file;
                          return fail(Errc::file_unreadable, path.string());
                        },
                        no_reach().environment};
  const auto conf = parse_broker_conf("operator: op.jwt\nresolver: MEMORY\n" + preload(), "b", reach);
  ASSERT_TRUE(conf) << conf.error().doing;
  EXPECT_EQ(conf->settings.operator_mode->operators[0].subject, operator_key().public_key().text());
  const auto none = parse_broker_conf("operator: none.jwt\nresolver: MEMORY\n", "b", reach);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::broker_operator_invalid);
}

TEST(BrokerConfOperator, is_read_where_people_write_it_by_mistake) {
  const std::string text = fmt::format(
      "authorization {{\n operator = {}\n resolver = MEMORY\n accounts = [ {{ name: SYS, jwt: \"{}\" }} ]\n}}\n",
      operator_jwt(), signed_by(operator_key(), system_account()));
  const auto conf = conf_of(text);
  ASSERT_TRUE(conf) << conf.error().doing;
  EXPECT_EQ(conf->settings.operator_mode->preload.at(0).key, system_account().subject);
  EXPECT_NE(notices_of(text).find("BRK-1116"), std::string::npos);
}

TEST(BrokerConfOperator, has_resolvers_of_its_own_and_names_them_where_it_has_none) {
  const std::string start = "operator: " + operator_jwt() + "\n" + preload();
  const broker::Settings full = settings_of(start +
                                            "resolver { type: full, dir: \"./jwt\", allow_delete: true, hard_delete: true, "
                                            "limit: 7, interval: \"2m\", timeout: \"1s\" }\n");
  const broker::ResolverSettings& resolver = full.operator_mode->resolver;
  EXPECT_EQ(resolver.kind, broker::ResolverKind::full);
  EXPECT_EQ(resolver.directory, "./jwt");
  EXPECT_TRUE(resolver.allow_delete && resolver.hard_delete);
  EXPECT_EQ(resolver.limit, 7U);
  EXPECT_EQ(settings_of(start + "resolver { type: cache, dir: x, ttl: \"1h\" }\n").operator_mode->resolver.kind,
            broker::ResolverKind::cache);
  for (const auto& [line, words] :
       {std::pair("resolver: URL(http://127.0.0.1/jwt/v1/accounts/)", "resolver: MEMORY with resolver_preload"),
        std::pair("", "operators require an account resolver to be configured"),
        std::pair("resolver { type: full }", "dir has no value"),
        std::pair("resolver { dir: x }", "resolver has no type"),
        std::pair("resolver { type: full, dir: x, ttl: \"1h\" }", "FULL does not accept ttl"),
        std::pair("resolver { type: cache, dir: x, interval: \"1h\" }", "CACHE does not accept sync"),
        std::pair("resolver { type: cache, dir: x, allow_delete: true }", "CACHE does not accept allow_delete")}) {
    EXPECT_NE(mistakes_of(start + line + "\n").find(words), std::string::npos) << line << "\n"
                                                                               << mistakes_of(start + line + "\n");
  }
}

TEST(BrokerConfOperator, starts_with_trusted_keys_alone_and_says_that_nobody_can_log_in) {
  const std::string text = "trusted_keys: [\"" + operator_key().public_key().text() + "\"]\n";
  const auto conf = conf_of(text);
  ASSERT_TRUE(conf) << conf.error().doing;
  EXPECT_TRUE(conf->settings.operator_mode);
  EXPECT_NE(notices_of(text).find("BRK-1122"), std::string::npos);
}

TEST(BrokerConfOperator, excludes_users_and_accounts) {
  for (const char* more : {"accounts { A { users: [ { user: a, password: b } ] } }", "accounts { A {} }",
                           "authorization { users: [ { user: a, password: b } ] }",
                           "authorization { user: a, password: b }", "authorization { token: t }"}) {
    const auto conf = conf_of(good() + more + "\n");
    ASSERT_FALSE(conf) << more;
    EXPECT_EQ(conf.error().code, Errc::broker_operator_conflict) << conf.error().doing;
  }
  EXPECT_EQ(mistakes_of(good() + "authorization { timeout: 5 }\n"), "");
}

TEST(BrokerConfOperator, tells_what_is_wrong_with_operators_accounts_and_keys) {
  const std::string app = account('a').subject;
  struct Case {
    std::string text;
    Errc code;
  };
  for (const Case& c : {
           Case{"operator: eyJnonsense\nresolver: MEMORY\n", Errc::broker_operator_invalid},
           Case{"operator: " + signed_by(operator_key(), system_account()) + "\nresolver: MEMORY\n",
                Errc::broker_operator_invalid},
           Case{"operator: " + operator_jwt(true, "2.99.0") + "\nresolver: MEMORY\n" + preload(),
                Errc::broker_operator_invalid},
           Case{"resolver: MEMORY\n" + preload(), Errc::broker_operator_invalid},
           Case{"trusted_keys: [ " + app + " ]\nresolver: MEMORY\n", Errc::broker_operator_invalid},
           Case{good() + "trusted_keys: " + operator_key('x').public_key().text() + "\n",
                Errc::broker_operator_conflict},
           Case{good() + "system_account: " + app + "\n", Errc::broker_system_account},
           Case{"operator: " + operator_jwt(false) + "\nresolver: MEMORY\nsystem_account: SYS\n",
                Errc::broker_system_account},
           Case{"operator: " + operator_jwt(false) + "\nresolver { type: full, dir: x }\n",
                Errc::broker_system_account},
           Case{"operator: " + operator_jwt() + "\nresolver: MEMORY\nresolver_preload { " + app + ": " +
                    signed_by(operator_key(), system_account()) + " }\n",
                Errc::broker_account_invalid},
           Case{"operator: " + operator_jwt() + "\nresolver: MEMORY\nresolver_preload { " + app + ": nonsense }\n",
                Errc::broker_account_invalid},
           Case{good() + "default_sentinel: x\n", Errc::broker_needs_nats_server},
       }) {
    const auto conf = conf_of(c.text);
    ASSERT_FALSE(conf) << c.text;
    EXPECT_EQ(conf.error().code, c.code) << conf.error().doing;
  }
  EXPECT_EQ(mistakes_of("operator: " + operator_jwt(true, "2.9.0") + "\nresolver: MEMORY\n" + preload()), "");
  EXPECT_EQ(mistakes_of("trusted_keys: " + operator_key().public_key().text() + "\nresolver: MEMORY\n"), "");
}

TEST(BrokerConfOperator, speaks_aloud_of_an_operator_that_has_expired) {
  const auto text = [](std::chrono::sys_seconds expires) {
    return "operator: " + operator_jwt(true, "", expires) + "\nresolver: MEMORY\n" + preload();
  };
  const auto loud = [](const broker::Settings& settings) {
    const auto notices = broker_posture(settings);
    return std::count_if(notices.begin(), notices.end(), [](const Notice& one) {
      return one.code == Errc::broker_operator_invalid && one.severity == Notice::Severity::loud;
    });
  };
  EXPECT_EQ(loud(settings_of(text(std::chrono::sys_seconds(1'000'000s)))), 1);
  EXPECT_EQ(loud(settings_of(good())), 0);
}

TEST(BrokerConfOperator, lets_the_system_account_in_beside_those_that_are_pinned) {
  const broker::Settings settings =
      settings_of(good() + "resolver_pinned_accounts: [ " + account('a').subject + " ]\n");
  EXPECT_TRUE(settings.operator_mode->pinned_accounts.contains(account('a').subject));
  EXPECT_TRUE(settings.operator_mode->pinned_accounts.contains(system_account().subject));
}

}  // namespace
}  // namespace hawser::config
