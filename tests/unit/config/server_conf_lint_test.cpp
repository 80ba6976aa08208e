#include "config/server_conf_lint.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace hawser::config {
namespace {

using posture::Severity;

// What a fake disk says about every tls block.
tls::Assessment sound() { return {}; }
AssessMaterial always(Error error) {
  return [error](const tls::Source&) {
    tls::Assessment out;
    out.errors.push_back(error);
    return out;
  };
}
AssessMaterial always(tls::Finding finding) {
  return [finding](const tls::Source&) {
    tls::Assessment out;
    out.findings.push_back(finding);
    return out;
  };
}

std::vector<posture::Finding> lint(
    std::string_view text, const AssessMaterial& assess = [](const tls::Source&) { return sound(); }) {
  const Result<ConfDocument> conf = parse_nats_conf(text, "s", {{}, [](std::string_view) { return std::nullopt; }});
  EXPECT_TRUE(conf.has_value()) << (conf ? "" : conf.error().doing);
  return conf ? lint_server_conf(*conf, assess) : std::vector<posture::Finding>{};
}

// A configuration that nothing is wrong with, to which each test adds its mistake.
constexpr std::string_view kSound = "listen: \"127.0.0.1:4222\"\n";
constexpr std::string_view kUsers = "authorization { users = [ {nkey: UABC} ] }\n";
std::string with(std::string_view mistake) { return std::string(kSound) + std::string(kUsers) + std::string(mistake); }

// "error server-… s:3:1" of all findings, one a line.
std::string brief(const std::vector<posture::Finding>& findings) {
  std::string out;
  for (const posture::Finding& f : findings) {
    out += std::string(to_string(f.severity)) + " " + std::string(info(f.code).name) +
           (f.sources.empty() ? "" : " " + f.sources.front()) + "\n";
    EXPECT_FALSE(f.hint.empty());
    EXPECT_EQ(f.message.find("CANARY"), std::string::npos) << f.message;
  }
  return out;
}
std::string brief(std::string_view text, const AssessMaterial& assess = [](const tls::Source&) { return sound(); }) {
  return brief(lint(text, assess));
}

constexpr const char* kTls = "tls { cert_file: a, key_file: b, ca_file: c }\n";

TEST(ServerConfLint, has_nothing_against_a_sound_configuration) {
  EXPECT_EQ(brief(with("")), "");
  EXPECT_EQ(brief(with("http: \"127.0.0.1:8222\"\ntls { cert_file: a, key_file: b, ca_file: c, verify: true, timeout: "
                       "2, min_version: \"1.3\" }\nmax_payload: 8MB\nping_interval: \"1m\"\n")),
            "");
  EXPECT_EQ(brief("port: 4222\ntls { cert_file: a, key_file: b, ca_file: c, verify: true }\n"), "")
      << "certificates are authentication";
  EXPECT_EQ(
      brief(
          "listen: localhost:4222\noperator: /x.jwt\nresolver: MEMORY\nresolver_preload { A: j }\nsystem_account: A\n"),
      "");
  EXPECT_EQ(brief("host: 127.0.0.1\nhttp_port: 8222\nNAME: x\nserver_name: $NAME\nauthorization { token: $NAME }\n"),
            "");
}

TEST(ServerConfLint, refuses_an_expired_certificate) {
  EXPECT_EQ(brief(with(kTls), always(Error{Errc::tls_certificate_expired, "a: since 2020"})),
            "error server-certificate-expired s:3:7\n");
  EXPECT_EQ(brief(with(kTls), always(Error{Errc::tls_certificate_not_yet_valid, "a"})),
            "error server-certificate-expired s:3:7\n");
}

TEST(ServerConfLint, refuses_a_certificate_that_does_not_match_its_key) {
  EXPECT_EQ(brief(with(kTls), always(Error{Errc::tls_key_mismatch, "a and b"})),
            "error server-certificate-mismatch s:3:7\n");
}

TEST(ServerConfLint, refuses_material_that_cannot_be_used_and_warns_of_what_is_not_here) {
  EXPECT_EQ(brief(with(kTls), always(Error{Errc::tls_not_pem, "a"})), "error server-certificate-unusable s:3:7\n");
  EXPECT_EQ(brief(with(kTls), always(Error{Errc::tls_file_unreadable, "a"})),
            "warning server-material-not-seen s:3:7\n");
}

TEST(ServerConfLint, looks_at_the_material_of_every_tls_block) {
  const auto expired = always(Error{Errc::tls_certificate_expired, "a"});
  for (const char* block : {"cluster", "gateway", "leafnodes", "websocket", "mqtt"}) {
    EXPECT_EQ(
        brief(with(std::string(block) + " { listen: \"127.0.0.1:1\", tls { cert_file: a, key_file: b } }"), expired),
        "error server-certificate-expired s:3:" + std::to_string(std::string(block).size() + 33) + "\n")
        << block;
  }
  EXPECT_EQ(brief(with("tls { certs: [ {cert_file: a, key_file: b}, {cert_file: c, key_file: d} ] }"), expired),
            "error server-certificate-expired s:3:17\nerror server-certificate-expired s:3:46\n");
}

TEST(ServerConfLint, warns_of_certificates_that_expire_soon) {
  EXPECT_EQ(brief(with(kTls), always(tls::Finding{tls::FindingCode::certificate_expires_soon, tls::Severity::warning,
                                                  "in 3 days", ""})),
            "warning server-certificate-expiring s:3:7\n");
  EXPECT_EQ(brief(with(kTls), always(tls::Finding{tls::FindingCode::authority_expires_soon, tls::Severity::note,
                                                  "in 20 days", ""})),
            "note server-certificate-expiring s:3:7\n");
  EXPECT_EQ(brief(with(kTls),
                  always(tls::Finding{tls::FindingCode::key_readable_by_others, tls::Severity::warning, "b", ""})),
            "warning server-material-notice s:3:7\n");
}

TEST(ServerConfLint, refuses_verify_without_ca_file) {
  EXPECT_EQ(brief(with("tls { cert_file: a, key_file: b, verify: true }")), "error server-verify-without-ca s:3:34\n");
  EXPECT_EQ(brief(with("cluster { listen: \"127.0.0.1:1\", tls { cert_file: a, key_file: b, verify: yes } }")),
            "error server-verify-without-ca s:3:67\n");
  EXPECT_EQ(brief(with("tls { cert_file: a, key_file: b, verify: false }")), "");
}

TEST(ServerConfLint, refuses_verify_and_map_without_users) {
  const char* maps = "tls { cert_file: a, key_file: b, ca_file: c, verify_and_map: true }";
  EXPECT_EQ(brief(std::string(kSound) + maps),
            "error server-map-without-users s:2:46\nwarning server-without-authentication s:1:1\n");
  EXPECT_EQ(brief(with(maps)), "");
  EXPECT_EQ(brief(std::string(kSound) + "accounts { A { users: [ {user: \"CN=x\"} ] } }\n" + maps), "");
}

TEST(ServerConfLint, refuses_weak_cipher_suites) {
  const auto suites = [](const char* names) {
    return with(std::string("tls { cert_file: a, key_file: b, cipher_suites: [ ") + names + " ] }");
  };
  EXPECT_EQ(brief(suites("\"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\", \"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305\"")), "");
  for (const char* weak :
       {"TLS_RSA_WITH_RC4_128_SHA", "TLS_ECDHE_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"}) {
    EXPECT_EQ(brief(suites(weak)), "error server-weak-cipher s:3:51\n") << weak;
  }
  EXPECT_EQ(brief(suites("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA")), "warning server-weak-cipher s:3:51\n");
}

TEST(ServerConfLint, refuses_a_no_auth_user_that_does_not_exist) {
  EXPECT_EQ(brief(with("no_auth_user: nobody")), "error server-no-auth-user-missing s:3:1\n");
  EXPECT_EQ(brief(with("no_auth_user: UABC")), "note server-without-authentication s:3:1\n")
      << "an NKey may be named as well";
  EXPECT_EQ(brief(std::string(kSound) +
                  "accounts { A { users: [ {user: x, password: "
                  "$2a$11$123456789012345678901uABCDEFGHIJKLMNOPQRSTUVWXYZabcde} ] } }\nno_auth_user: x"),
            "note server-without-authentication s:3:1\n");
}

TEST(ServerConfLint, refuses_operator_mode_together_with_users_or_accounts) {
  const std::string operated = std::string(kSound) + "operator: /x.jwt\n";
  EXPECT_EQ(brief(operated + std::string(kUsers)), "error server-operator-with-users s:3:17\n");
  EXPECT_EQ(brief(operated + "accounts { A {} }"), "error server-operator-with-users s:3:1\n");
  EXPECT_EQ(brief(operated + "authorization { timeout: 2 }"), "");
}

TEST(ServerConfLint, refuses_a_resolver_without_an_operator) {
  EXPECT_EQ(brief(with("resolver: MEMORY")), "error server-resolver-without-operator s:3:1\n");
  EXPECT_EQ(brief(with("resolver { type: full, dir: x }")), "error server-resolver-without-operator s:3:1\n");
  EXPECT_EQ(brief(with("resolver_preload { A: j }")), "error server-resolver-without-operator s:3:1\n");
}

TEST(ServerConfLint, refuses_client_auth_and_names_verify) {
  const auto findings = lint(with("tls { cert_file: a, key_file: b, ca_file: c, client_auth: true }"));
  EXPECT_EQ(brief(findings), "error server-misspelt-client-auth s:3:46\n");
  EXPECT_NE(findings.at(0).hint.find("verify: true"), std::string::npos);
  EXPECT_EQ(brief(with("client_auth: true")), "error server-misspelt-client-auth s:3:1\n");
}

TEST(ServerConfLint, refuses_an_operator_in_authorization_and_names_the_top_level) {
  const auto findings =
      lint(std::string(kSound) +
           "authorization { operator = /x.jwt\n resolver = MEMORY\n accounts = [ { name: A, jwt: CANARY } ] }");
  EXPECT_EQ(brief(findings).substr(0, 143),
            "error server-misplaced-operator s:2:17\nerror server-misplaced-operator s:3:2\nerror "
            "server-misplaced-operator s:4:2\nwarning server-without-authe");
  EXPECT_NE(findings.at(0).hint.find("top level"), std::string::npos);
}

TEST(ServerConfLint, refuses_a_duplicate_key_and_names_both_places) {
  const auto findings = lint(with("port: 1\nport: 2"));
  EXPECT_EQ(brief(findings), "error server-duplicate-key s:4:1\n");
  EXPECT_EQ(findings.at(0).sources, (std::vector<std::string>{"s:4:1", "s:3:1"}));
}

TEST(ServerConfLint, refuses_a_duration_that_is_read_as_a_number) {
  EXPECT_EQ(brief(with("tls { cert_file: a, key_file: b, timeout: 1m }")), "error server-duration-as-number s:3:34\n");
  EXPECT_EQ(brief(with("write_deadline: 2M")), "error server-duration-as-number s:3:1\n");
  EXPECT_EQ(brief(with("T: 1m\nping_interval: $T")), "error server-duration-as-number s:4:1\n");
  EXPECT_EQ(brief(with("write_deadline: 10s\nping_interval: \"2m\"\nmax_payload: 1m")), "");
  EXPECT_NE(lint(with("ping_interval: 2m")).at(0).message.find("2m is read as 2000000 seconds"), std::string::npos);
}

TEST(ServerConfLint, warns_of_listeners_beyond_loopback_without_tls) {
  const std::string users(kUsers);
  for (const char* open : {"port: 4222", "listen: 4222", "listen: \":4222\"", "listen: \"0.0.0.0:4222\"",
                           "listen: \"[::]:4222\"", "host: nats.example.com"}) {
    EXPECT_EQ(brief(users + open), "warning server-listener-without-tls s:2:1\n") << open;
  }
  EXPECT_EQ(brief(users), "warning server-listener-without-tls s:1:1\n") << "by default it listens everywhere";
  for (const char* closed : {"listen: \"127.0.0.1:4222\"", "listen: \"[::1]:4222\"", "host: localhost\nport: 4222",
                             "listen: \"127.1.2.3:-1\""}) {
    EXPECT_EQ(brief(users + closed), "") << closed;
  }
  EXPECT_EQ(brief(with("cluster { port: 6222 }")), "warning server-listener-without-tls s:3:11\n");
  EXPECT_EQ(brief(with("websocket { port: 8080, no_tls: true }")), "warning server-listener-without-tls s:3:13\n");
  EXPECT_EQ(brief(with("leafnodes { remotes: [ {url: \"tls://h\"} ] }")), "") << "it only dials";
}

TEST(ServerConfLint, warns_of_a_server_without_authentication) {
  EXPECT_EQ(brief(kSound), "warning server-without-authentication s:1:1\n");
  EXPECT_EQ(brief(std::string(kSound) + "accounts { A { users: [ {nkey: U} ] } }"), "");
  EXPECT_EQ(brief(std::string(kSound) + "authorization { timeout: 1 }"),
            "warning server-without-authentication s:1:1\n");
}

TEST(ServerConfLint, warns_of_plaintext_passwords_and_does_not_show_them) {
  EXPECT_EQ(brief(std::string(kSound) + "authorization { user: a, password: CANARY }"),
            "warning server-plaintext-password s:2:26\n");
  EXPECT_EQ(brief(std::string(kSound) + "authorization { users: [ {user: a, pass: CANARY} ] }"),
            "warning server-plaintext-password s:2:36\n");
  EXPECT_EQ(brief(with("cluster { listen: \"127.0.0.1:1\", authorization { user: a, password: CANARY } }")),
            "warning server-plaintext-password s:3:59\n");
  EXPECT_EQ(
      brief(std::string(kSound) +
            "authorization { user: a, password: \"$2a$11$123456789012345678901uABCDEFGHIJKLMNOPQRSTUVWXYZabcde\" }"),
      "");
}

TEST(ServerConfLint, warns_of_allow_non_tls) {
  EXPECT_EQ(brief(with(std::string(kTls) + "allow_non_tls: true")), "warning server-allow-non-tls s:4:1\n");
  EXPECT_EQ(brief(with(std::string(kTls) + "allow_non_tls: false")), "");
}

TEST(ServerConfLint, warns_of_monitoring_beyond_loopback_without_tls) {
  const std::string open = std::string(kUsers) + "port: 4222\n" + kTls;
  EXPECT_EQ(brief(open + "http: 8222"), "warning server-monitoring-without-tls s:4:1\n");
  EXPECT_EQ(brief(open + "http_port: 8222"), "warning server-monitoring-without-tls s:4:1\n");
  EXPECT_EQ(brief(open + "monitor_port: 8222"), "warning server-monitoring-without-tls s:4:1\n");
  EXPECT_EQ(brief(with("http: \"0.0.0.0:8222\"")), "warning server-monitoring-without-tls s:3:1\n");
  EXPECT_EQ(brief(open + "https_port: 8222"), "");
  EXPECT_EQ(brief(open + "http: \"localhost:8222\""), "");
  EXPECT_EQ(brief(with("http: 8222")), "") << "it takes the host of the listener";
}

TEST(ServerConfLint, warns_of_unknown_keys_and_names_the_nearest) {
  const auto findings = lint(with("prot: 4222\ntls { cert_fil: a }\nauthorisation { }"));
  EXPECT_EQ(brief(findings),
            "warning server-unknown-key s:3:1\nwarning server-unknown-key s:5:1\nwarning server-unknown-key s:4:7\n");
  EXPECT_NE(findings.at(0).message.find("did you mean \"port\"?"), std::string::npos);
  EXPECT_NE(findings.at(1).message.find("did you mean \"authorization\"?"), std::string::npos);
  EXPECT_EQ(brief(with("tls{cert_file: a\n}")), "error server-unknown-key s:3:1\n") << "a key that swallowed its brace";
}

TEST(ServerConfLint, takes_blocks_of_the_wrong_form_without_falling_over) {
  for (const char* odd : {"tls: true", "authorization: x", "accounts: [A, B]", "accounts: 1",
                          "authorization { users: x }", "authorization { users: [1] }", "cluster: 1", "listen: {}",
                          "http: []", "tls { cipher_suites: x, certs: y, cert_file: {} }", "no_auth_user: []",
                          "allow_non_tls: {}", "accounts { A: 1 }"}) {
    lint(odd);
  }
}

}  // namespace
}  // namespace hawser::config
