#include "config/agent_file.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>

namespace hawser::config {
namespace {

using namespace std::chrono_literals;

AgentFile parsed(std::string_view text) {
  AgentFileResult result = parse_agent_file(text, "conf/broker.yaml");
  EXPECT_TRUE(result.has_value()) << (result ? "" : as_error(result.error()).doing);
  return result ? std::move(*result) : AgentFile{};
}

std::string mistakes_of(std::string_view text) {
  const AgentFileResult result = parse_agent_file(text, "b.yaml");
  return result ? std::string("no mistake") : as_error(result.error()).doing;
}

TEST(AgentFile, takes_the_example_with_every_key_and_finds_the_documented_defaults_in_it) {
  const std::string path = std::string(HAWSER_SOURCE_DIR) + "/examples/agent/broker.yaml";
  const Result<AgentFile> file = load_agent_file(path);
  ASSERT_TRUE(file.has_value()) << file.error().doing;
  const AgentFile defaults;
  EXPECT_EQ(file->connection.urls.size(), 2U);
  EXPECT_EQ(file->connection.environment->value, posture::Environment::production);
  EXPECT_TRUE(file->connection.findings.empty());
  EXPECT_TRUE(file->connection.tls_key->value.ends_with("examples/agent/tls/tls.key"));
  EXPECT_TRUE(file->persistence.path.string().ends_with("examples/agent/data/queue"));
  // Said to be defaults there, so they must be.
  EXPECT_EQ(file->tls_reload.quiet, defaults.tls_reload.quiet);
  EXPECT_EQ(file->persistence.max_bytes, defaults.persistence.max_bytes);
  EXPECT_EQ(file->limits.max_pending, defaults.limits.max_pending);
  EXPECT_EQ(file->reconnect.wait, defaults.reconnect.wait);
  EXPECT_EQ(file->reconnect.max_wait, defaults.reconnect.max_wait);
  EXPECT_EQ(file->agent.listen, defaults.agent.listen);
  EXPECT_EQ(file->agent.admin, defaults.agent.admin);
  EXPECT_EQ(file->agent.threads, defaults.agent.threads);
  EXPECT_EQ(file->agent.max_clients, defaults.agent.max_clients);
  EXPECT_EQ(file->agent.client_max_pending, defaults.agent.client_max_pending);
  EXPECT_EQ(file->agent.window, defaults.agent.window);
  EXPECT_EQ(file->fallback.mode, defaults.fallback.mode);
}

TEST(AgentFile, takes_every_value_with_its_place) {
  const AgentFile file = parsed(R"(broker:
  url: tls://h:4222
  tls: {cert_file: a.crt, key_file: "pkcs11:object=k", ca_file: /abs/ca.crt, reload: signal, reload_quiet: 1s, handshake_first: yes}
  auth: {user: kate, password_file: pw, policy: precedence}
  persistence: {enabled: true, path: q, sync: normal, max_bytes: 5MB, when_full: shed_oldest}
  limits: {max_payload: 2MB, max_pending: 7}
  fallback: {mode: drop, drain_on_reconnect: off, drain_delay: 3s, local_delivery: "no", requests: queue}
  reconnect: {wait: 100ms, max_wait: 1m}
agent: {listen: "[::1]:0", admin: off, threads: 3, max_clients: 9, window: 1MB, client_max_pending: 2MB, log_level: DEBUG, log_format: json}
)");
  ASSERT_EQ(file.connection.urls.size(), 1U);
  EXPECT_EQ(file.connection.urls[0].value.reveal(), "tls://h:4222");
  EXPECT_EQ(file.connection.urls[0].origin, "conf/broker.yaml:2:8");
  EXPECT_EQ(file.connection.tls_cert->value, "./conf/a.crt");
  EXPECT_EQ(file.connection.tls_cert->origin, "conf/broker.yaml:3:20");
  EXPECT_EQ(file.connection.tls_key->value, "pkcs11:object=k");
  EXPECT_EQ(file.connection.tls_ca->value, "/abs/ca.crt");
  EXPECT_TRUE(file.connection.tls_handshake_first->value);
  EXPECT_EQ(file.connection.username->value, "kate");
  EXPECT_EQ(file.connection.password_file->value, "./conf/pw");
  EXPECT_EQ(file.connection.auth_policy->value, posture::AuthPolicy::precedence);
  EXPECT_EQ(file.tls_reload.mode, Reload::on_signal);
  EXPECT_EQ(file.tls_reload.quiet, 1s);
  EXPECT_TRUE(file.persistence.enabled);
  EXPECT_EQ(file.persistence.path, "./conf/q");
  EXPECT_EQ(file.persistence.sync, Sync::normal);
  EXPECT_EQ(file.persistence.max_bytes, 5U << 20U);
  EXPECT_EQ(file.persistence.when_full, WhenFull::shed_oldest);
  EXPECT_EQ(file.limits.max_payload, 2U << 20U);
  EXPECT_EQ(file.limits.max_pending, 7U);
  EXPECT_EQ(file.fallback.mode, FallbackMode::drop);
  EXPECT_FALSE(file.fallback.drain_on_reconnect);
  EXPECT_EQ(file.fallback.drain_delay, 3s);
  EXPECT_FALSE(file.fallback.local_delivery);
  EXPECT_EQ(file.fallback.requests, FallbackRequests::queue);
  EXPECT_EQ(file.reconnect.wait, 100ms);
  EXPECT_EQ(file.reconnect.max_wait, 1min);
  EXPECT_EQ(file.agent.listen.text(), "[::1]:0");
  EXPECT_FALSE(file.agent.admin.has_value());
  EXPECT_EQ(file.agent.threads, 3U);
  EXPECT_EQ(file.agent.max_clients, 9U);
  EXPECT_EQ(file.agent.log_level, log::Level::debug);
  EXPECT_EQ(file.agent.log_format, log::Format::json);
  EXPECT_TRUE(file.is_set("broker.fallback.mode"));
  EXPECT_FALSE(file.is_set("broker.type"));
}

TEST(AgentFile, takes_the_connection_alone_as_plain_clients_have_it) {
  const AgentFile file =
      parsed("servers: [\"tls://server-main:4222\", tls://b]\ntls:\n  cert_file: c\n  key_file: k\n  ca_file: ca\n");
  EXPECT_EQ(file.connection.urls.size(), 2U);
  EXPECT_EQ(file.connection.tls_cert->value, "./conf/c");
}

TEST(AgentFile, takes_an_empty_file_as_nothing_set) {
  for (const char* text : {"", "# nothing\n", "---\n", "broker:\nagent:\n"}) {
    const AgentFile file = parsed(text);
    EXPECT_TRUE(file.connection.urls.empty()) << text;
    EXPECT_TRUE(file.origins.empty()) << text;
  }
}

TEST(AgentFile, takes_auth_that_is_not_enabled_as_the_mode_none) {
  EXPECT_EQ(parsed("broker: {auth: {enabled: false}}").connection.auth_mode->value, posture::AuthMode::none);
}

TEST(AgentFile, tells_all_mistakes_at_once_in_the_order_of_the_file) {
  EXPECT_EQ(mistakes_of("broker:\n  sever: x\n  tls:\n    cert_fil: y\n    reload: sometimes\n  reconnect:\n    wait: "
                        "fast\nagent:\n  listen: 0.0.0.0:4222\n"),
            "b.yaml:2:3: unknown key \"sever\" in broker (did you mean \"servers\"?)\n"
            "b.yaml:4:5: unknown key \"cert_fil\" in broker.tls (did you mean \"cert_file\"?)\n"
            "b.yaml:5:13: broker.tls.reload is not one of auto, signal\n"
            "b.yaml:7:11: broker.reconnect.wait is not a duration like 50ms, 2s or 1m30s\n"
            "b.yaml:9:11: agent.listen: is not a loopback address (listen_tls does not exist yet; use 127.0.0.1, ::1 "
            "or localhost)");
}

TEST(AgentFile, takes_the_embedded_broker_with_and_without_a_configuration_of_its_own) {
  const AgentFile alone = parsed("broker: {type: local}");
  EXPECT_EQ(alone.broker, BrokerType::local);
  EXPECT_TRUE(alone.local.config.empty());
  const AgentFile whole = parsed("broker: {type: local, config: ./nats.conf, user: kate, limits: {max_payload: 2MB}}");
  EXPECT_EQ(whole.local.config.lexically_normal(), "conf/nats.conf");
  EXPECT_EQ(whole.local.user, "kate");
  EXPECT_EQ(parsed("type: local").broker, BrokerType::local) << "in the bare form, too";
}

struct MistakeCase {
  const char* name;
  const char* text;
  Errc code;
  const char* says;
};

TEST(AgentFile, refuses_what_it_cannot_take_as_it_stands) {
  const MistakeCase cases[] = {
      {"duplicate key", "agent:\n  threads: 1\n  threads: 2\n", Errc::config_duplicate_key,
       "b.yaml:3:3: the key \"agent.threads\" stands twice, first in line 2"},
      {"two names for servers", "broker: {url: a, servers: [b]}", Errc::config_conflict,
       "broker.url and broker.servers mean the same"},
      {"servers of the wrong form", "servers: {a: b}", Errc::config_bad_value,
       "servers must be a URL, or a list of them"},
      {"servers with a list inside", "servers: [[a]]", Errc::config_bad_value, "servers must hold URLs only"},
      {"no servers", "servers: []", Errc::config_bad_value, "servers must be a URL"},
      {"url of a local broker", "broker: {type: local, url: a}", Errc::config_conflict,
       "broker.url has no use with type: local"},
      {"tls of a local broker", "broker: {type: local, tls: {ca_file: a}}", Errc::config_conflict,
       "broker.tls has no use with type: local"},
      {"credentials of a local broker", "broker: {auth: {nkey_file: a}, type: local}", Errc::config_conflict,
       "broker.auth has no use with type: local"},
      {"reconnecting to a local broker", "type: local\nreconnect: {wait: 1s}", Errc::config_conflict,
       "reconnect has no use with type: local"},
      {"configuration of another server", "broker: {config: ./nats.conf}", Errc::config_conflict,
       "broker.config has no use with type: nats"},
      {"user of another server", "broker: {user: kate}", Errc::config_conflict, "broker.user has no use with type: nats"},
      {"user of no configuration", "broker: {type: local, user: kate}", Errc::config_bad_value,
       "broker.user names a user of broker.config, which is missing"},
      {"block that is a text", "broker: {tls: on}", Errc::config_bad_value,
       "broker.tls must be a map, and is a single value"},
      {"file that is a list", "- a\n", Errc::config_bad_value, "the file must be a map, and is a list"},
      {"path that is a list", "broker: {tls: {ca_file: [a]}}", Errc::config_bad_value,
       "broker.tls.ca_file must be a single value, and is a list"},
      {"empty path", "broker: {tls: {ca_file: \"\"}}", Errc::config_bad_value, "broker.tls.ca_file is empty"},
      {"boolean that is none", "broker: {tls: {insecure: maybe}}", Errc::config_bad_value,
       "broker.tls.insecure is not true or false"},
      {"size that is none", "agent: {window: big}", Errc::config_bad_value, "agent.window is not a size"},
      {"size out of range", "agent: {window: 1}", Errc::config_bad_value, "agent.window must be from"},
      {"payload beyond the protocol's", "broker: {limits: {max_payload: 1GB}}", Errc::config_bad_value,
       "broker.limits.max_payload must be from"},
      {"number that is none", "agent: {threads: 1.5}", Errc::config_bad_value, "agent.threads is not a whole number"},
      {"negative number", "agent: {max_clients: -1}", Errc::config_bad_value,
       "agent.max_clients is not a whole number"},
      {"number beyond 64 bits", "broker: {limits: {max_pending: 99999999999999999999}}", Errc::config_bad_value,
       "is not a whole number"},
      {"duration without a unit", "broker: {reconnect: {wait: 50}}", Errc::config_bad_value,
       "broker.reconnect.wait is not a duration"},
      {"max_wait below wait", "broker: {reconnect: {wait: 5s}}", Errc::config_bad_value,
       "broker.reconnect.wait leaves max_wait below wait"},
      {"listen on a host name", "agent: {listen: \"example.com:1\"}", Errc::config_listen_not_loopback,
       "agent.listen: is not a loopback address"},
      {"listen on every interface", "agent: {listen: \":4222\"}", Errc::config_listen_not_loopback,
       "agent.listen: names every interface"},
      {"listen on every IPv6 interface", "agent: {listen: \"[::]:4222\"}", Errc::config_listen_not_loopback,
       "agent.listen"},
      {"listen on no port", "agent: {listen: 127.0.0.1}", Errc::config_bad_value, "agent.listen: is not an address"},
      {"listen on a port out of range", "agent: {listen: \"127.0.0.1:70000\"}", Errc::config_bad_value,
       "agent.listen: is not an address"},
      {"admin beyond loopback", "agent: {admin: \"10.0.0.1:9222\"}", Errc::config_listen_not_loopback, "agent.admin"},
      {"admin where the agent listens", "agent: {admin: \"127.0.0.1:4222\"}", Errc::config_bad_value,
       "agent.admin is the same address"},
      {"listen_tls", "agent: {listen_tls: {}}", Errc::config_unknown_key, "loopback only"},
      {"secret in the file", "broker: {auth: {password: CANARY}}", Errc::config_unknown_key, "use password_file"},
      {"token in the file", "broker: {auth: {token: CANARY}}", Errc::config_unknown_key, "use token_file"},
      {"credentials beside enabled: false", "broker: {auth: {enabled: false, nkey_file: a}}", Errc::config_conflict,
       "broker.auth.nkey_file stands beside enabled: false"},
      {"persistence without a path", "broker: {persistence: {enabled: true}}", Errc::config_missing,
       "broker.persistence.enabled needs a broker.persistence.path"},
      {"deadline without a time", "broker: {plaintext: {allow: true, until: 2026-12-31}}", Errc::config_bad_value,
       "broker.plaintext.until is not a time"},
      {"environment misspelt", "environment: prodution", Errc::config_bad_value,
       "environment is not one of production"},
      {"connection keys beside broker", "broker: {url: a}\ntls: {}\n", Errc::config_unknown_key,
       "Move it under broker:"},
      {"second document", "a: 1\n---\nb: 2\n", Errc::config_unknown_key, "a second YAML document"},
      {"tabs", "broker:\n\turl: a\n", Errc::config_syntax, "b.yaml:2"},
      {"unclosed quote", "broker: {url: \"a}\n", Errc::config_syntax, "b.yaml"},
      {"map as a key", "{a: b}: c\n", Errc::config_syntax, "a key that is a list or a map"},
      {"unknown alias", "a: *b\n", Errc::config_syntax, "b.yaml:1"},
      {"control characters in a key", "\"\\e[31mx\": 1\n", Errc::config_unknown_key, "unknown key \"?[31mx\""},
  };
  for (const MistakeCase& c : cases) {
    const AgentFileResult result = parse_agent_file(c.text, "b.yaml");
    ASSERT_FALSE(result.has_value()) << c.name;
    const std::string said = as_error(result.error()).doing;
    EXPECT_EQ(result.error().front().code, c.code) << c.name << ": " << said;
    EXPECT_NE(said.find(c.says), std::string::npos) << c.name << ": " << said;
    EXPECT_EQ(said.find("CANARY"), std::string::npos) << c.name << ": " << said;
  }
}

TEST(AgentFile, stops_at_yaml_bombs) {
  std::string laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 10; ++i) {
    laughs += fmt::format("a{0}: &a{0} [", i);
    for (int j = 0; j < 10; ++j) laughs += fmt::format("{}*a{}", j == 0 ? "" : ",", i - 1);
    laughs += "]\n";
  }
  std::string doubling = "a0: &a0 \"" + std::string(1 << 20, 'x') + "\"\n";
  for (int i = 0; i < 100; ++i) doubling += "b" + std::to_string(i) + ": *a0\n";
  const std::pair<const char*, std::string> bombs[] = {
      {"a billion laughs", laughs},
      {"a text that is repeated", doubling},
      {"deep lists", std::string(100'000, '[')},
      {"deep blocks",
       [] {
         std::string s;
         for (int i = 0; i < 2'000; ++i) s += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
         return s;
       }()},
      {"many values", "a: [" + std::string(500'000, ',') + "]"},
  };
  for (const auto& [name, text] : bombs) {
    const AgentFileResult result = parse_agent_file(text, "b.yaml");
    ASSERT_FALSE(result.has_value()) << name;
    const Errc code = result.error().front().code;
    EXPECT_TRUE(code == Errc::config_too_complex || code == Errc::config_syntax)
        << name << as_error(result.error()).doing;
  }
}

TEST(AgentFile, says_that_there_is_no_configuration_rather_than_use_defaults) {
  const Result<AgentFile> none = load_agent_directory("/nonexistent/directory");
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, Errc::config_not_found);
}

}  // namespace
}  // namespace hawser::config
