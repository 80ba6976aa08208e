// The keys of the top level: each, by each of its names, and what they refuse.
#include <functional>

#include "broker_conf_world.hpp"

namespace hawser::config {
namespace {

using broker::Settings;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Key {
  const char* text;
  std::function<bool(const Settings&)> took;
};

TEST(BrokerConf, reads_every_key_by_every_name) {
  const Key keys[]{
      {"listen: \"127.0.0.1:4333\"",
       [](const Settings& s) {
         return *s.listen == broker::Listen{"127.0.0.1", 4333};
       }},
      {"listen: 127.0.0.1:4333",
       [](const Settings& s) {
         return *s.listen == broker::Listen{"127.0.0.1", 4333};
       }},
      {"listen: 4333",
       [](const Settings& s) {
         return *s.listen == broker::Listen{"0.0.0.0", 4333};
       }},
      {"listen: \":4333\"",
       [](const Settings& s) {
         return *s.listen == broker::Listen{"0.0.0.0", 4333};
       }},
      {"listen: localhost:-1",
       [](const Settings& s) {
         return *s.listen == broker::Listen{"localhost", 0};
       }},
      {"listen: \"[::1]:4333\"",
       [](const Settings& s) {
         return *s.listen == broker::Listen{"::1", 4333};
       }},
      {"LISTEN = 4333", [](const Settings& s) { return s.listen->port == 4333; }},
      {"port: 4333",
       [](const Settings& s) {
         return *s.listen == broker::Listen{"0.0.0.0", 4333};
       }},
      {"port: $PORT", [](const Settings& s) { return s.listen->port == 4333; }},
      {"port: -1", [](const Settings& s) { return s.listen->port == 0; }},
      {"port: 0", [](const Settings& s) { return s.listen->port == 4222; }},
      {"host: 127.0.0.1",
       [](const Settings& s) {
         return *s.listen == broker::Listen{"127.0.0.1", 4222};
       }},
      {"net: 127.0.0.1, port: 4333",
       [](const Settings& s) {
         return *s.listen == broker::Listen{"127.0.0.1", 4333};
       }},
      {"listen: 127.0.0.1:4333, port: 4333", [](const Settings& s) { return s.listen->port == 4333; }},
      {"client_advertise: \"nats.example.com:4222\"",
       [](const Settings& s) { return s.client_advertise == "nats.example.com:4222"; }},
      {"client_advertise: nats", [](const Settings& s) { return s.client_advertise == "nats"; }},
      {"server_name: kate", [](const Settings& s) { return s.server_name == "kate"; }},
      {"threads: 2", [](const Settings& s) { return s.threads == 2; }},
      {"debug: true", [](const Settings& s) { return s.logging.debug && !s.logging.trace; }},
      {"trace: on", [](const Settings& s) { return s.logging.trace && !s.logging.debug; }},
      {"trace_verbose: yes", [](const Settings& s) { return s.logging.trace && s.logging.trace_verbose; }},
      {"logtime: false", [](const Settings& s) { return !s.logging.logtime; }},
      {"logtime_utc: true", [](const Settings& s) { return s.logging.logtime_utc; }},
      {"log_file: \"/var/log/n.log\"", [](const Settings& s) { return s.logging.file == "/var/log/n.log"; }},
      {"logfile: n.log", [](const Settings& s) { return s.logging.file == "n.log"; }},
      {"logfile_size_limit: 1MB", [](const Settings& s) { return s.logging.file_size_limit == 1048576; }},
      {"log_size_limit: 100", [](const Settings& s) { return s.logging.file_size_limit == 100; }},
      {"logfile_max_num: 3", [](const Settings& s) { return s.logging.file_backups == 3; }},
      {"log_max_num: 4", [](const Settings& s) { return s.logging.file_backups == 4; }},
      {"max_traced_msg_len: 10", [](const Settings& s) { return s.logging.max_traced_msg_len == 10; }},
      {"pid_file: n.pid", [](const Settings& s) { return s.pid_file == "n.pid"; }},
      {"pidfile: n.pid", [](const Settings& s) { return s.pid_file == "n.pid"; }},
      {"ports_file_dir: \"/tmp\"", [](const Settings& s) { return s.ports_file_dir == "/tmp"; }},
      {"http: 8222",
       [](const Settings& s) {
         return s.monitoring.http == broker::Listen{"0.0.0.0", 8222};
       }},
      {"host: 127.0.0.1, http: 8222",
       [](const Settings& s) {
         return s.monitoring.http == broker::Listen{"127.0.0.1", 8222};
       }},
      {"http: localhost:-1",
       [](const Settings& s) {
         return s.monitoring.http == broker::Listen{"localhost", 0};
       }},
      {"http_port: 8222", [](const Settings& s) { return s.monitoring.http->port == 8222; }},
      {"monitor_port: 8222", [](const Settings& s) { return s.monitoring.http->port == 8222; }},
      {"http_port: 0", [](const Settings& s) { return !s.monitoring.http; }},
      {"https: \"127.0.0.1:8443\"",
       [](const Settings& s) {
         return s.monitoring.https == broker::Listen{"127.0.0.1", 8443};
       }},
      {"https_port: 8443", [](const Settings& s) { return s.monitoring.https->port == 8443; }},
      {"http_base_path: nats", [](const Settings& s) { return s.monitoring.base_path == "/nats"; }},
      {"http_base_path: \"/a//b/\"", [](const Settings& s) { return s.monitoring.base_path == "/a/b"; }},
      {"http_base_path: \"\"", [](const Settings& s) { return s.monitoring.base_path == "/"; }},
      {"max_control_line: 1KB", [](const Settings& s) { return s.limits.max_control_line == 1024; }},
      {"max_payload: 1k", [](const Settings& s) { return s.limits.max_payload == 1000; }},
      {"max_payload: -1", [](const Settings& s) { return s.limits.max_payload == 64UL << 20U; }},
      {"max_payload: 0", [](const Settings& s) { return s.limits.max_payload == 1UL << 20U; }},
      {"max_pending: 128MB", [](const Settings& s) { return s.limits.max_pending == 128UL << 20U; }},
      {"max_connections: 10", [](const Settings& s) { return s.limits.max_connections == 10; }},
      {"max_conn: 0", [](const Settings& s) { return s.limits.max_connections == 0; }},
      {"max_conn: -1", [](const Settings& s) { return s.limits.max_connections == 0; }},
      {"max_subscriptions: 7", [](const Settings& s) { return s.limits.max_subscriptions == 7; }},
      {"max_subs: -1", [](const Settings& s) { return s.limits.max_subscriptions == 0; }},
      {"max_sub_tokens: 8", [](const Settings& s) { return s.limits.max_subscription_tokens == 8; }},
      {"max_subscription_tokens: 255", [](const Settings& s) { return s.limits.max_subscription_tokens == 255; }},
      {"ping_interval: \"30s\"", [](const Settings& s) { return s.limits.ping_interval == seconds(30); }},
      {"ping_interval: 30", [](const Settings& s) { return s.limits.ping_interval == seconds(30); }},
      {"ping_interval: 0", [](const Settings& s) { return s.limits.ping_interval == minutes(2); }},
      {"ping_interval: 2m", [](const Settings& s) { return s.limits.ping_interval == seconds(2'000'000); }},
      {"ping_max: 5", [](const Settings& s) { return s.limits.ping_max == 5; }},
      {"ping_max: 0", [](const Settings& s) { return s.limits.ping_max == 2; }},
      {"write_deadline: \"3s\"", [](const Settings& s) { return s.limits.write_deadline == seconds(3); }},
      {"write_deadline: 3", [](const Settings& s) { return s.limits.write_deadline == seconds(3); }},
      {"lame_duck_duration: \"1m\"", [](const Settings& s) { return s.lame_duck_duration == minutes(1); }},
      {"lame_duck_grace_period: \"1.5s\"",
       [](const Settings& s) { return s.lame_duck_grace_period == milliseconds(1500); }},
      {"lame_duck_grace_period: \"0s\"", [](const Settings& s) { return s.lame_duck_grace_period == seconds(10); }},
      {"allow_non_tls: true", [](const Settings& s) { return s.allow_non_tls; }},
      {"always_enable_nonce: true", [](const Settings& s) { return s.always_enable_nonce; }},
      {"no_header_support: true", [](const Settings& s) { return s.no_header_support; }},
      {"no_fast_producer_stall: true", [](const Settings& s) { return s.no_fast_producer_stall; }},
      {"connect_error_reports: 7", [](const Settings& s) { return s.connect_error_reports == 7; }},
      {"reconnect_error_reports: 1", [](const Settings&) { return true; }},
      {"max_closed_clients: 5", [](const Settings& s) { return s.max_closed_clients == 5; }},
      {"accounts { S {} }, system_account: S", [](const Settings& s) { return s.system_account == "S"; }},
      {"accounts { S {} }, system: S", [](const Settings& s) { return s.system_account == "S"; }},
      {"no_sys_acc: true", [](const Settings& s) { return s.system_account.empty(); }},
      {"no_system_account: false", [](const Settings& s) { return s.system_account == "$SYS"; }},
      {"jetstream: false", [](const Settings&) { return true; }},
      {"jetstream: disabled", [](const Settings&) { return true; }},
      {"jetstream { enabled: false, store_dir: x }", [](const Settings&) { return true; }},
  };
  for (const Key& key : keys) EXPECT_TRUE(key.took(settings_of(key.text))) << key.text;
}

TEST(BrokerConf, has_the_defaults_of_nats_server) {
  const Settings s = settings_of("# nothing\n");
  EXPECT_EQ(*s.listen, (broker::Listen{"0.0.0.0", 4222}));
  EXPECT_EQ(s.limits, broker::Limits{});
  EXPECT_EQ(s.limits.max_payload, 1048576U);
  EXPECT_FALSE(s.tls);
  EXPECT_TRUE(s.authorization.open());
  EXPECT_EQ(s.system_account, "$SYS");
  EXPECT_TRUE(s.config_digest.starts_with("sha256:")) << s.config_digest;
}

TEST(BrokerConf, names_what_is_wrong_and_where) {
  struct Case {
    const char* text;
    const char* says;
  };
  const Case cases[]{
      {"liste: 4222", "b:1:1: unknown key \"liste\" (Did you mean \"listen\"?)"},
      {"listen: 4222\nlistne = 1", "b:2:1: unknown key \"listne\" (Did you mean \"listen\"?)"},
      {"listen: foo", "b:1:9: listen must be host:port, :port or a port"},
      {"listen: \"4222\"", "b:1:9: listen must be host:port"},
      {"listen: \"1.2.3.4:x\"", "b:1:9: listen must be host:port"},
      {"listen: \"::1:4222\"", "b:1:9: listen must be host:port"},
      {"listen: 70000", "b:1:9: port: 70000 is not a port"},
      {"port: -2", "b:1:7: port: -2 is not a port"},
      {"port: \"4222\"", "b:1:7: port must be a whole number, not a text"},
      {"port: 1.5", "b:1:7: port must be a whole number, not a number with a fraction"},
      {"host: 1", "b:1:7: host must be a text, not a number (Put it in quotes.)"},
      {"host: a, net: b", "b:1:10: net and host are two names for one setting (Keep one, as host.)"},
      {"net: b, host: a", "b:1:9: host and net are two names for one setting (Keep one, as host.)"},
      {"listen: 1, port: 2", "listen and port name different ports"},
      {"listen: \"a:1\", host: b", "listen and host name different addresses"},
      {"http: 1, http_port: 2", "http and http_port are two names for one setting"},
      {"http: x", "b:1:7: http must be host:port"},
      {"client_advertise: \"a:b\"", "client_advertise must be host:port, or a host"},
      {"client_advertise: \":4222\"", "client_advertise must be host:port, or a host"},
      {"server_name: \"a b\"", "b:1:14: server name cannot contain spaces"},
      {"debug: 1", "b:1:8: debug must be true or false, not a number"},
      {"debug: \"true\"", "b:1:8: debug must be true or false, not a text (Write it without quotes.)"},
      {"threads: 0", "b:1:10: threads must be a number from 1 to 64"},
      {"max_payload: 100GB", "b:1:14: max_payload must be a number from -1 to 67108864"},
      {"max_payload: 2MB, max_pending: 1MB", "max_payload (2097152) cannot be higher than max_pending (1048576)"},
      {"max_sub_tokens: 256", "max_sub_tokens must be a number from 1 to 255"},
      {"ping_interval: soon", "b:1:16: ping_interval must be a duration like"},
      {"ping_interval: 1.5", "b:1:16: ping_interval must be a duration like"},
      {"ping_interval: -1", "b:1:16: ping_interval must be a time from 0"},
      {"lame_duck_duration: 60", "b:1:21: lame_duck_duration must be a duration like"},
      {"lame_duck_duration: \"29s\"", "invalid lame_duck_duration of 29s, minimum is 30 seconds"},
      {"lame_duck_grace_period: \"3m\"", "should be strictly lower than lame duck duration"},
      {"system_account: X", "b:1:17: system_account: account \"X\" is not defined"},
      {"accounts { X {} }, system_account: X, no_system: true", "contradict each other"},
      {"users: [ {user: a} ]", "unknown key \"users\" (It belongs into authorization"},
      {"client_auth: true", "tls { verify: true } asks clients for certificates"},
      {"authorization{ user: a }", "put a space"},
      {"tls", "the key \"tls\" has no value"},
      {"debug: true\n}\nport: 1", "a '}' that closes nothing"},
  };
  for (const Case& c : cases) {
    std::string said = mistakes_of(c.text);
    EXPECT_NE(said, "") << c.text;
    for (char& letter : said) letter = letter == 'P' ? 'p' : letter;
    std::string wanted = c.says;
    for (char& letter : wanted) letter = letter == 'P' ? 'p' : letter;
    EXPECT_NE(said.find(wanted), std::string::npos) << c.text << "\n  says: " << said;
  }
}

TEST(BrokerConf, tells_all_mistakes_at_once_in_the_order_of_the_file) {
  const std::string said = mistakes_of(
      "debug: maybe\n"
      "tls { cert_file: 1 }\n"
      "authorization { user: a, token: t, nonsense: 1 }\n"
      "jetstream: enabled\n"
      "max_conn: many\n");
  EXPECT_EQ(said,
            "b:1:8: debug must be true or false, not a text (Write it without quotes.)\n"
            "b:2:5: missing 'key_file' in TLS configuration: a certificate needs its key\n"
            "b:2:18: tls.cert_file must be a text, not a number (Put it in quotes.)\n"
            "b:3:26: Cannot have a user/pass and token\n"
            "b:3:36: unknown key \"nonsense\" in authorization\n"
            "b:4:1: \"jetstream\" is nats-server's storage; the embedded broker has none of it\n"
            "b:5:11: max_conn must be a whole number, not a text (Write it without quotes, like 4096 or 1MB.)");
}

TEST(BrokerConf, refuses_features_of_nats_server_by_name) {
  for (const char* text :
       {"jetstream: true", "jetstream: enabled", "jetstream { store_dir: \"/x\" }", "cluster { port: 6222 }",
        "gateway { name: a }", "leafnodes { port: 7422 }", "leaf { port: 7422 }", "websocket { port: 443 }",
        "ws { port: 443 }", "mqtt { port: 1883 }", "proxies { trusted: [] }", "proxy_protocol: true",
        "authorization { auth_callout { issuer: x } }", "authorization { users: [ {user: a, proxy_required: true} ] }",
        "accounts { A { jetstream: enabled } }", "tls { cert_file: a, key_file: b, ocsp_peer: true }",
        "tls { cert_file: a, key_file: b, cert_store: x }"}) {
    const auto conf = conf_of(text);
    ASSERT_FALSE(conf) << text;
    EXPECT_EQ(conf.error().code, Errc::broker_needs_nats_server) << text << ": " << conf.error().doing;
  }
}

TEST(BrokerConf, notes_what_it_takes_and_nats_server_would_not_mean) {
  struct Case {
    const char* text;
    const char* says;
  };
  const Case cases[]{
      {"port: 1, port: 2", "CFG-704 b:1:10: \"port\" stands twice; only this one counts (the first one is at b:1:1)"},
      {"ping_interval: 30",
       "BRK-1116 b:1:16: ping_interval is a number of seconds; nats-server wants a duration "
       "(ping_interval: \"30s\")"},
      {"ping_interval: 2m", "ping_interval: 2m without quotes is 2000000 seconds (ping_interval: \"2m\")"},
      {"authorization { timeout: 1m }",
       "authorization.timeout: 1m without quotes is 1000000 seconds (timeout: \"1m\")"},
      {"authorization { timeout: 90 }", "BRK-1120 b:1:17: a client may keep its connection without credentials"},
      {"port: 0", "port 0 means 4222 to nats-server"},
      {"syslog: true", "BRK-1119 b:1:1: syslog has no effect"},
      {"remote_syslog: \"udp://h\"", "remote_syslog has no effect"},
      {"prof_port: 6060", "prof_port has no effect"},
      {"ocsp { mode: always }", "ocsp has no effect"},
      {"disable_sublist_cache: true", "disable_sublist_cache has no effect"},
      {"write_timeout: retry", "write_timeout has no effect"},
      {"server_tags: [a]", "server_tags has no effect"},
      {"trace_headers: true", "trace_headers has no effect"},
      {"max_payload: 16MB", "max_payload over 8 MiB is discouraged"},
      {"accounts { A { msg_trace: x } }", "accounts.A.msg_trace has no effect"},
  };
  for (const Case& c : cases)
    EXPECT_NE(notices_of(c.text).find(c.says), std::string::npos) << c.text << "\n" << notices_of(c.text);
  for (const char* quiet : {"port: -1", "ping_interval: \"2m\"", "authorization { timeout: 5 }", "prof_port: 0",
                            "syslog: false", "X: 1, port: $X"}) {
    EXPECT_EQ(notices_of(quiet), "") << quiet;
  }
}

TEST(BrokerConf, shows_no_secret_in_any_message) {
  for (const char* text :
       {"authorization { user: a, password: CANARY, token: CANARY, users: [] }",
        "authorization { users: [ {user: a, password: CANARY, x: 1}, {user: a, password: CANARY} ] }",
        "authorization { password: CANARY }", "authorization { token: [CANARY] }"}) {
    const std::string said = mistakes_of(text);
    EXPECT_NE(said, "");
    EXPECT_EQ(said.find("CANARY"), std::string::npos) << said;
  }
}

TEST(BrokerConf, has_a_digest_that_changes_with_the_content) {
  EXPECT_EQ(settings_of("port: 1").config_digest, settings_of("port: 1").config_digest);
  EXPECT_NE(settings_of("port: 1").config_digest, settings_of("port: 2").config_digest);
}

TEST(BrokerConf, follows_includes_and_names_the_file_of_a_mistake) {
  ConfReach reach = no_reach();
  reach.read = [](const std::filesystem::path& path) -> Result<std::string> {
    if (path == "/etc/n/users.conf") return "authorization { user: a, password: $PW }\n";
    if (path == "/etc/n/bad.conf") return "\nprot: 1\n";
    return fail(Errc::file_unreadable, path.string());
  };
  const auto good = parse_broker_conf("include users.conf", "/etc/n/b.conf", reach);
  ASSERT_TRUE(good) << good.error().doing;
  EXPECT_EQ(good->settings.authorization.password.reveal(), "hunter2");
  EXPECT_EQ(good->files, (std::vector<std::string>{"/etc/n/b.conf", "/etc/n/users.conf"}));
  EXPECT_EQ(parse_broker_conf("include bad.conf", "/etc/n/b.conf", reach).error().doing,
            "/etc/n/bad.conf:2:1: unknown key \"prot\" (Did you mean \"port\"?)");
}

TEST(BrokerConf, takes_the_examples_and_finds_the_documented_defaults_in_them) {
  const std::string directory = std::string(HAWSER_SOURCE_DIR) + "/examples/broker/";
  const auto conf = load_broker_conf(directory + "nats.conf");
  ASSERT_TRUE(conf) << conf.error().doing;
  EXPECT_TRUE(conf->notices.empty()) << conf->notices.front().text();
  const Settings defaults;
  const Settings& s = conf->settings;
  EXPECT_EQ(s.listen, defaults.listen);
  EXPECT_EQ(s.threads, defaults.threads);
  EXPECT_EQ(s.limits, defaults.limits);
  EXPECT_EQ(s.lame_duck_duration, defaults.lame_duck_duration);
  EXPECT_EQ(s.lame_duck_grace_period, defaults.lame_duck_grace_period);
  EXPECT_EQ(s.logging, defaults.logging);
  EXPECT_EQ(s.system_account, defaults.system_account);
  const broker::TlsSettings tls;
  EXPECT_EQ(s.tls->timeout, tls.timeout);
  EXPECT_EQ(s.tls->handshake_first, tls.handshake_first);
  EXPECT_EQ(s.tls->recheck, tls.recheck);
  EXPECT_EQ(s.tls->tickets, tls.tickets);
  EXPECT_EQ(s.authorization.users.size(), 5U);
  EXPECT_EQ(s.accounts.size(), 2U);
  EXPECT_TRUE(broker_posture(s).empty());

  const auto yaml = load_broker_conf(directory + "nats.yaml");
  ASSERT_TRUE(yaml) << yaml.error().doing;
  EXPECT_EQ(yaml->settings.authorization.users.size(), 2U);
  EXPECT_TRUE(yaml->notices.empty());
}

std::string posture_of(std::string_view text) {
  std::string out;
  for (const Notice& notice : broker_posture(settings_of(text))) {
    out += error_id(notice.code) + (notice.severity == Notice::Severity::loud ? " loud " : " ") + notice.message + "\n";
  }
  return out;
}

TEST(BrokerPosture, says_what_a_configuration_leaves_open) {
  const std::string local = "listen: 127.0.0.1:4222\n";
  const std::string users = "authorization { users: [ {nkey: " + std::string(kUserKey) + "} ] }\n";
  const std::string bcrypt = "$2a$11$3kIDaCxw.Glsl1.u5nKa6eUnNDLV5HV9tIuUp7EHhMt6Nm9myW1aS";
  EXPECT_EQ(posture_of(local + users), "");
  EXPECT_EQ(posture_of(local + "authorization { user: a, password: \"" + bcrypt + "\" }"), "");
  EXPECT_NE(posture_of(local).find("BRK-1114 loud no authentication"), std::string::npos);
  EXPECT_NE(posture_of(local + "authorization { user: a, password: b }").find("BRK-1115 Plaintext passwords detected"),
            std::string::npos);
  EXPECT_NE(posture_of(local + "authorization { users: [ {user: a, password: b} ] }").find("(the first one at b:2:26)"),
            std::string::npos);
  EXPECT_NE(posture_of(local + "authorization { token: t }").find("one token is shared"), std::string::npos);
  EXPECT_NE(posture_of(users).find("BRK-1120 listens on 0.0.0.0 without TLS"), std::string::npos);
  EXPECT_NE(posture_of(local + users + "http: \"0.0.0.0:8222\"").find("monitoring on 0.0.0.0"), std::string::npos);
  EXPECT_EQ(posture_of(local + users + "http: 8222"), "");
  const std::string tls = "tls { cert_file: a, key_file: b, ca_file: c, ";
  EXPECT_EQ(posture_of(users + tls + "verify: true }"), "");
  EXPECT_NE(posture_of(tls + "verify_and_map: true }").find("BRK-1114 loud verify_and_map without users"),
            std::string::npos);
  EXPECT_EQ(posture_of(tls + "verify: true }").find("loud"), std::string::npos);
  EXPECT_NE(posture_of(tls + "verify: true }, allow_non_tls: true").find("loud"), std::string::npos);
  EXPECT_NE(posture_of(users + tls + "recheck: false }").find("tls.recheck is off"), std::string::npos);
}

}  // namespace
}  // namespace hawser::config
