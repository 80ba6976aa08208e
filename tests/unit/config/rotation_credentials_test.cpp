// Plans of kind credentials.
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

#include "config/rotation_file.hpp"
#include "config/rotation_reading.hpp"

namespace hawser::config {
namespace {

using namespace rotation;

constexpr std::string_view kWhole = R"(kind: credentials
name: keys
journal: journal
retires: [kate-0, UBS6K4755Z3AJUYFANT2TOCTEGD7B3WNACEW3GC42F2CFCIBLEIBZZY7, AB7LFTPLGRYUY3CLP5YVEBO5KOE6VTIRSOWVTSVPWO3563QP4C2UR7KM]
prober:
  old: {creds_file: old/probe.creds}
  new: {user: probe-2, password_file: /secret/probe-2}
  ca_file: servers.crt
  cert_file: probe.crt
  key_file: probe.key
brokers:
  - name: n1
    url: tls://n1
    monitor: http://n1:8222
    broaden: {files: [{from: both.conf, to: /etc/nats/users.conf}]}
    narrow: {files: [{from: new.conf, to: /etc/nats/users.conf}]}
    reload: {pid_file: /run/nats.pid}
  - {name: n2, url: "tls://n2", monitor: "http://n2:8222", narrow: {command: [revoke], undo: [revoke, --undo]}}
  - {name: n3, url: "tls://n3", monitor: "http://n3:8222"}
waves:
  - name: w
    targets:
      - name: a1
        deliver: {files: [{from: new/a1.creds, to: /a1/a1.creds}]}
        apply: {admin: "http://127.0.0.1:9222"}
        prove: {credential: new/a1.creds, connections: 2, name: one}
      - name: a2
        deliver: {command: [put, a2]}
        apply: {pid: 4711}
        prove: {credential: new/a2.nk, replaces: old/a2.nk}
      - name: s1
        deliver: {files: [{from: new/s1.env, to: /s1/env}]}
        apply: {command: [restart, s1]}
        prove: {user: s1-2, replaces_user: s1-1}
)";

std::string with(std::string_view from, std::string_view to) { return replaced(kWhole, from, to); }

TEST(RotationCredentialsFile, takes_every_value) {
  const RotationPlanResult result = parse_rotation_plan(kWhole, "/plans/r.yaml");
  ASSERT_TRUE(result.has_value()) << as_error(result.error()).doing;
  const Plan& plan = *result;
  EXPECT_EQ(plan.kind, PlanKind::credentials);
  EXPECT_EQ(plan.retires.size(), 3U);
  EXPECT_EQ(plan.prober.old_credential.form, CredentialSource::Form::creds);
  EXPECT_EQ(plan.prober.old_credential.file, "/plans/old/probe.creds");
  EXPECT_EQ(plan.prober.new_credential.form, CredentialSource::Form::password);
  EXPECT_EQ(plan.prober.new_credential.user, "probe-2");
  EXPECT_EQ(plan.prober.old_pair.cert, "/plans/probe.crt");
  EXPECT_EQ(plan.prober.new_pair.key, "/plans/probe.key");
  ASSERT_EQ(plan.brokers.size(), 3U);
  EXPECT_EQ(std::get<std::vector<Copy>>(*plan.brokers[0].broaden).at(0).from, "/plans/both.conf");
  EXPECT_FALSE(plan.brokers[1].broaden || plan.brokers[1].reload);
  EXPECT_EQ(std::get<DeliveryCommand>(*plan.brokers[1].narrow).undo->words.size(), 2U);
  EXPECT_FALSE(plan.brokers[2].broaden || plan.brokers[2].narrow || plan.brokers[2].reload);
  const std::vector<Target>& targets = plan.waves.at(0).targets;
  EXPECT_EQ(targets[0].prove.credential, "/plans/new/a1.creds");
  EXPECT_EQ(targets[0].prove.connections, 2U);
  EXPECT_EQ(targets[0].prove.name, "one");
  EXPECT_EQ(targets[1].prove.replaces, "/plans/old/a2.nk");
  EXPECT_EQ(targets[2].prove.user, "s1-2");
  EXPECT_EQ(targets[2].prove.replaces_user, "s1-1");
  EXPECT_EQ(without_way_back(plan), std::vector<std::string>{"a2: deliver: put a2"});
}

TEST(RotationCredentialsFile, takes_all_examples_of_its_documentation) {
  std::ifstream file(std::string(HAWSER_SOURCE_DIR) + "/docs/rotation.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  std::size_t of_credentials = 0;
  for (std::size_t at = page.find("```yaml\n"); at != std::string::npos; at = page.find("```yaml\n", at + 1)) {
    const std::size_t begin = at + 8;
    const RotationPlanResult result =
        parse_rotation_plan(std::string_view(page).substr(begin, page.find("```", begin) - begin), "/p/r.yaml");
    ASSERT_TRUE(result.has_value()) << page.substr(begin, 200) << as_error(result.error()).doing;
    of_credentials += result->kind == PlanKind::credentials ? 1U : 0U;
  }
  EXPECT_EQ(of_credentials, 4U);
}

TEST(RotationCredentialsFile, reports_all_mistakes_at_once_with_their_places) {
  const std::string text = mistakes_of(R"(kind: credentials
name: k
journal: j
old_ca: o
retires: [SUAFNHAPW4DWDPLYD2XYC2JMRVQE7J4YMJ57QRUNUA6QLEC2BJHCA7TACU, OCJ3YYZ4H7RKCEFJWFSCGLLSMEXCZNNNPCT3VTX5E4UURN7MLIZHBKVU, [x]]
prober: {old: {creds_file: c, nkey_file: n}, new: {token_file: t}, cert_file: c}
brokers:
  - {name: n1, url: "tls://n1", monitor: "http://n1", bundle: b, broaden: {files: [{from: a, to: /u}]}}
waves:
  - name: w
    targets:
      - {name: a, deliver: {command: [x]}, apply: {pid: 7}, prove: {credential: c}}
      - {name: b, deliver: {files: [{from: a, to: /u}]}, apply: {pid: 7}, prove: {certificate: c, replaces: d, replaces_user: e}}
)");
  for (const std::string_view part :
       {"r.yaml:4:1: unknown key \"old_ca\" at the top level (a plan of kind: ca has it)",
        "r.yaml:5:11: retires holds a seed, and secrets do not stand in a plan",
        "retires may hold public keys of users", "retires must hold users and public keys only",
        "prober.old must have exactly one of creds_file", "prober.new is a token, and no server takes a second one",
        "prober.ca_file is missing", "prober.key_file is missing",
        "unknown key \"bundle\" in brokers[0] (a plan of kind: ca has it;", "brokers[0].reload is missing",
        "no broker has narrow",
        "waves[0].targets[0].prove.replaces (a file; the same as credential, if it keeps that) or replaces_user is "
        "missing: what a presents now",
        "r.yaml:13:51: /u is written twice",
        "there must be exactly one of waves[0].targets[1].prove.credential and user",
        "unknown key \"certificate\" in waves[0].targets[1].prove (with kind: credentials it is credential: FILE, or "
        "user: NAME)",
        "replaces_user stands beside replaces"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
  }
  EXPECT_EQ(text.find("SUAFNHAPW4DWDPLYD2XYC2JMRVQE7J4YMJ57QRUNUA6QLEC2BJHCA7TACU"), std::string::npos)
      << "no secret in a mistake";
}

TEST(RotationCredentialsFile, refuses_what_cannot_be_meant) {
  struct Row {
    std::string_view from, to, why;
  };
  for (const Row& row :
       {Row{"{user: probe-2, password_file", "{password_file", "prober.new.user is missing"},
        Row{"{creds_file: old", "{user: x, creds_file: old", "goes with a password_file alone"},
        Row{"{creds_file: old", "{password: hunter2, creds_file: old", "secrets do not stand in a plan"},
        Row{"narrow: {files: [{from: new.conf, to: /etc/nats/users.conf}]}", "narrow: {}",
            "must have either files or a command"},
        Row{"to: /a1/a1.creds", "to: /etc/nats/users.conf", "is written twice"},
        Row{"kind: credentials", "kind: tokens", "is not one of ca, credentials"},
        Row{"UBS6K4755Z3AJUYFANT2TOCTEGD7B3WNACEW3GC42F2CFCIBLEIBZZY7",
            "UBS6K4755ZAAJUYFANT2TOCTEGD7B3WNACEW3GC42F2CFCIBLEIBZZY7", "a public key with a mistake in it"},
        Row{"user: s1-2, replaces_user: s1-1", "user: s1-2", "what s1 presents now"},
        Row{"{from: new/a1.creds", "{from: new/a1.crt", "what a1 presents now"},
        Row{"user: s1-2, ", "server: n1, ", "a plan of kind: ca"}}) {
    const std::string text = mistakes_of(with(row.from, row.to));
    EXPECT_NE(text.find(row.why), std::string::npos) << row.why << "\nin\n" << text;
    EXPECT_EQ(text.find("hunter2"), std::string::npos);
  }
  EXPECT_EQ(mistakes_of(with("  old: {creds_file: old/probe.creds}", "  old: {token_file: t}")), "no mistake");
}

TEST(RotationCredentialsFile, the_new_one_may_be_a_password_with_the_old_token_beside_it) {
  const RotationPlanResult result = parse_rotation_plan(
      with("password_file: /secret/probe-2}", "password_file: /secret/probe-2, token_file: t}"), "/p/r.yaml");
  ASSERT_TRUE(result.has_value()) << as_error(result.error()).doing;
  EXPECT_EQ(result->prober.new_credential.form, CredentialSource::Form::password);
  EXPECT_EQ(result->prober.new_credential.file, "/secret/probe-2");
  EXPECT_EQ(result->prober.new_credential.token, "/p/t");
  EXPECT_NE(mistakes_of(with("{creds_file: old/probe.creds}", "{user: u, password_file: p, token_file: t}"))
                .find("prober.old must have exactly one"),
            std::string::npos);
}

TEST(RotationCredentialsFile, with_a_token_what_targets_replace_need_not_be_said) {
  std::string text = with("  old: {creds_file: old/probe.creds}", "  old: {token_file: t}");
  text.replace(text.find(", replaces_user: s1-1"), 21, "");
  EXPECT_EQ(mistakes_of(text), "no mistake");
}

}  // namespace
}  // namespace hawser::config
