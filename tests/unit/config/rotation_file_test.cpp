#include "config/rotation_file.hpp"
#include "config/rotation_reading.hpp"

#include <csignal>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

namespace hawser::config {
namespace {

using namespace rotation;
using namespace std::chrono_literals;

constexpr std::string_view kWhole = R"(name: ca-2026
journal: journal
old_ca: old/ca.crt
new_ca: /pki/new/ca.crt
also_new: [others.crt]
prober:
  old: {cert_file: old/probe.crt, key_file: old/probe.key}
  new: {cert_file: new/probe.crt, key_file: "pkcs11:object=probe"}
  ca_file: servers.crt
brokers:
  - {name: n1, url: "tls://n1", monitor: "http://n1:8222", bundle: /etc/nats/ca.crt, reload: {pid_file: /run/nats.pid}}
  - {name: n2, url: "tls://10.0.0.2:4223", server_name: n2.example.com, tls_first: yes, monitor: "https://n2/nats",
     bundle: n2/ca.crt, reload: {command: [ssh, n2, "systemctl reload nats"]}}
waves:
  - name: canary
    targets:
      - name: a1
        deliver: {files: [{from: new/a1.crt, to: /a1/tls.crt}, {from: new/a1.key, to: /a1/tls.key}]}
        apply: {admin: "http://127.0.0.1:9222"}
        prove: {certificate: new/a1.crt, replaces: old/a1.crt, connections: 2}
  - name: left
    parallel: 4
    settle: 5s
    after: [canary]
    targets:
      - name: s1
        deliver: {shell: "kubectl apply -f new.yaml", undo: [kubectl, apply, -f, old.yaml]}
        apply: {command: [kubectl, rollout, restart, deployment/s1]}
        prove: {certificate: new/s1.crt, name: s1, user: service}
        metrics: http://s1:9222
  - name: right
    after: [canary]
    targets:
      - {name: s2, deliver: {command: [put]}, apply: {pid: 4711, signal: usr1}, prove: {certificate: new/s2.crt}}
times: {preflight: 5s, prove: 30s, poll: 100ms, margin: 7d}
guards:
  slow_consumers: 0
  counters: {hawser_disconnects_total: 0, hawser_reconnects_total: 2}
)";

std::string with(std::string_view from, std::string_view to) { return replaced(kWhole, from, to); }

TEST(RotationFile, takes_every_value) {
  const RotationPlanResult result = parse_rotation_plan(kWhole, "/plans/r.yaml");
  ASSERT_TRUE(result.has_value()) << as_error(result.error()).doing;
  const Plan& plan = *result;
  EXPECT_EQ(plan.name, "ca-2026");
  EXPECT_EQ(plan.journal, "/plans/journal");
  EXPECT_EQ(plan.also_new.at(0), "/plans/others.crt");
  EXPECT_EQ(plan.prober.new_pair.key, "pkcs11:object=probe");
  EXPECT_EQ(plan.digest.size(), 64U);
  ASSERT_EQ(plan.brokers.size(), 2U);
  EXPECT_EQ(plan.brokers[0].clients.port, 4222);
  EXPECT_EQ(std::get<Signal>(*plan.brokers[0].reload), (Signal{"/run/nats.pid", 0, SIGHUP}));
  EXPECT_TRUE(plan.brokers[1].tls_first);
  EXPECT_EQ(plan.brokers[1].monitor.path, "/nats");
  EXPECT_EQ(std::get<Command>(*plan.brokers[1].reload).words.size(), 3U);
  ASSERT_EQ(plan.waves.size(), 3U);
  EXPECT_EQ(plan.waves[2].after, std::vector<std::size_t>{0});
  EXPECT_EQ(plan.waves[1].parallel, 4U);
  EXPECT_EQ(plan.waves[1].settle, 5s);
  const Target& first = plan.waves[0].targets.at(0);
  EXPECT_EQ(std::get<std::vector<Copy>>(first.deliver).at(1).to, "/a1/tls.key");
  EXPECT_EQ(first.metrics->port, 9222);
  EXPECT_EQ(first.prove.connections, 2U);
  const Target& second = plan.waves[1].targets.at(0);
  EXPECT_TRUE(std::get<DeliveryCommand>(second.deliver).command.shell);
  EXPECT_EQ(std::get<DeliveryCommand>(second.deliver).undo->words.size(), 4U);
  EXPECT_EQ(second.metrics->host, "s1");
  EXPECT_EQ(std::get<Signal>(plan.waves[2].targets[0].apply), (Signal{"", 4711, SIGUSR1}));
  EXPECT_EQ(plan.times.prove, 30s);
  EXPECT_EQ(plan.guards.slow_consumers, 0U);
  EXPECT_EQ(plan.guards.counters.at(1).at_most, 2U);
  EXPECT_EQ(plan.on_breach, OnBreach::stop);
}

TEST(RotationFile, takes_the_example_of_its_documentation_and_has_the_defaults_that_it_names) {
  std::ifstream file(std::string(HAWSER_SOURCE_DIR) + "/docs/rotation.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const std::size_t begin = page.find("```yaml\n") + 8;
  const RotationPlanResult result =
      parse_rotation_plan(std::string_view(page).substr(begin, page.find("```", begin) - begin), "/p/r.yaml");
  ASSERT_TRUE(result.has_value()) << as_error(result.error()).doing;
  const StepTimes times;
  EXPECT_EQ(result->times.preflight, times.preflight);
  EXPECT_EQ(result->times.reload, times.reload);
  EXPECT_EQ(result->times.probe, times.probe);
  EXPECT_EQ(result->times.deliver, times.deliver);
  EXPECT_EQ(result->times.apply, times.apply);
  EXPECT_EQ(result->times.prove, times.prove);
  EXPECT_EQ(result->times.converge, times.converge);
  EXPECT_EQ(result->times.poll, times.poll);
  EXPECT_EQ(result->times.margin, times.margin);
  EXPECT_EQ(result->waves[0].settle, 1s);
  EXPECT_EQ(result->waves[2].after, std::vector<std::size_t>{0});
}

TEST(RotationFile, a_file_may_be_written_again_by_a_wave_that_comes_after) {
  constexpr std::string_view kAgain = "deliver: {files: [{from: x, to: /a1/tls.crt}]}";
  EXPECT_EQ(mistakes_of(with("deliver: {command: [put]}", kAgain)), "no mistake");
  std::string apart = with("deliver: {command: [put]}", kAgain);
  apart.replace(apart.rfind("after: [canary]"), 15, "after: []");
  EXPECT_NE(mistakes_of(apart).find("/a1/tls.crt is written twice, by waves that do not come after each other"),
            std::string::npos);
}

TEST(RotationFile, takes_a_broker_as_its_own_proof) {
  const RotationPlanResult result =
      parse_rotation_plan(with("replaces: old/a1.crt, connections: 2", "server: n2"), "r.yaml");
  ASSERT_TRUE(result.has_value()) << as_error(result.error()).doing;
  EXPECT_EQ(result->waves[0].targets[0].prove.server, 1U);
}

TEST(RotationFile, waves_follow_each_other_unless_they_say_otherwise) {
  const RotationPlanResult result = parse_rotation_plan(
      with("    after: [canary]\n    targets:\n      - {name: s2", "    targets:\n      - {name: s2"), "r.yaml");
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->waves[0].after, std::vector<std::size_t>{});
  EXPECT_EQ(result->waves[2].after, std::vector<std::size_t>{1});
}

TEST(RotationFile, reports_all_mistakes_at_once_with_their_places) {
  const std::string text = mistakes_of(R"(name: a b
journal: j
old_ca: o
prober: {old: {cert_file: c}, ca_file: s}
brokers:
  - {name: n1, url: "http://n1", monitor: "http://user:hunter2@n1", bundle: b, reload: {}}
  - {name: n1, url: "tls://n1", monitor: "http://n1", bundle: b, reload: {pid: 7, command: [x]}}
waves:
  - {name: w, parallel: 0, after: [later], targets: []}
times: {prove: fast}
guards: {counters: {"a b": 1}}
on_brech: stop
)");
  for (const std::string_view part :
       {"r.yaml:1:7: name is not made of letters", "new_ca is missing", "prober.old.key_file is missing",
        "prober.new is missing", "r.yaml:6:21: brokers[0].url must begin with tls://",
        "brokers[0].monitor holds user information", "brokers[0].reload must have exactly one of",
        "r.yaml:7:12: brokers[1].name is that of another broker", "brokers[1].reload must have exactly one of",
        "waves[0].parallel must be from 1 to 64", "waves[0].after must name waves", "waves[0].targets is empty",
        "times.prove is not a duration", "guards.counters.a b is not the name of a counter",
        "unknown key \"on_brech\" at the top level (did you mean \"on_breach\"?)"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
  }
  EXPECT_EQ(text.find("hunter2"), std::string::npos);
}

TEST(RotationFile, refuses_what_cannot_be_meant) {
  struct Row {
    std::string_view from, to, why;
  };
  for (const Row& row :
       {Row{"to: /a1/tls.key", "to: /a1/tls.crt", "is written twice"},
        Row{"replaces: old/a1.crt, connections: 2", "server: n1, connections: 2", "says something of connections"},
        Row{"replaces: old/a1.crt, connections: 2", "server: n3", "must name one of the brokers"},
        Row{"{from: new/a1.crt, to: /a1/tls.crt}", "{from: x, to: x}", "is the file that it comes from"},
        Row{"deliver: {command: [put]}", "deliver: {}", "must have either files or a command"},
        Row{"deliver: {command: [put]}", "deliver: {command: []}", "has no program to run"},
        Row{"deliver: {command: [put]}", "deliver: {command: [put], shell: put}", "keep one"},
        Row{"apply: {admin: \"http://127.0.0.1:9222\"}", "apply: {signal: hup}", "must have exactly one of"},
        Row{"name: s2", "name: s1", "is that of another target"},
        Row{"hawser_disconnects_total: 0", "hawser_disconnects_total: -1", "is not a whole number"},
        Row{"guards:\n", "on_breach: rollback\nguards:\n", "the target s2 is delivered by a command and needs an undo"},
        Row{"connections: 2", "connections: 0", "must be from 1"},
        Row{"name: ca-2026\n", "name: ca-2026\nname: x\n", "stands twice"}}) {
    const std::string text = mistakes_of(with(row.from, row.to));
    EXPECT_NE(text.find(row.why), std::string::npos) << row.why << "\nin\n" << text;
  }
}

TEST(RotationFile, refuses_what_is_no_plan_at_all) {
  for (const std::string_view text : {"", "[]", "name", "{", "a: b\n---\nc: d\n"})
    EXPECT_NE(mistakes_of(text), "no mistake") << text;
  EXPECT_EQ(load_rotation_plan("/nowhere/r.yaml").error().code, Errc::file_unreadable);
}

}  // namespace
}  // namespace hawser::config
