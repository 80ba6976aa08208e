// hawser_abuse attack|probe: one of the two sides; JSON on standard output when it is over. `run` starts both.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <exception>
#include <fmt/format.h>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include "probe.hpp"
#include "swarm.hpp"
#include "tls_attacker.hpp"

namespace {

using namespace abuse;

std::atomic<bool> stop{false};

void raise_descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

double percentile(std::vector<double>& sorted, double share) {
  return sorted.empty() ? 0
                        : sorted[std::min(sorted.size() - 1,
                                          static_cast<std::size_t>(static_cast<double>(sorted.size()) * share))];
}

std::string summary(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return fmt::format(R"({{"count":{},"p50":{:.2f},"p99":{:.2f},"p999":{:.2f},"max":{:.2f}}})", values.size(),
                     percentile(values, 0.5), percentile(values, 0.99), percentile(values, 0.999),
                     values.empty() ? 0 : values.back());
}

int attack(const Target& target, const LinkOptions& tls, unsigned crowd, unsigned seconds, unsigned seed) {
  Swarm swarm(target, seed);
  add_word_attacks(swarm);
  add_flood_attacks(swarm);
  add_login_attacks(swarm, crowd);
  std::atomic<unsigned> rounds{0};
  std::thread inside([&] { attack_inside_tls(tls, stop, rounds); });
  swarm.run(std::chrono::seconds(seconds));
  stop = true;
  inside.join();
  fmt::print(R"({{"tls_rounds":{},"attacks":{{)", rounds.load());
  const char* gap = "";
  for (const Recipe& recipe : swarm.recipes()) {
    const Totals& t = recipe.totals;
    fmt::print(R"({}"{}":{{"opened":{},"most_at_once":{},"ended_by_broker":{},"bytes_out":{},"bytes_in":{}}})", gap,
               recipe.name, t.opened, t.most_at_once, t.ended_by_broker, t.bytes_out, t.bytes_in);
    gap = ",";
  }
  fmt::print("}}}}\n");
  return 0;
}

// Two pairs in the attackers' own account, two in another; one of each with TLS where there is a choice.
int probe(const LinkOptions& plain, const LinkOptions& tls) {
  struct Part {
    const char* name;
    Findings findings;
    std::thread thread;
  };
  std::vector<Part> parts(6);
  const auto listen = [&](std::size_t at, const char* name, const LinkOptions& options, const char* user,
                          const char* subject) {
    parts[at].name = name;
    parts[at].thread =
        std::thread([&, at, user, subject] { parts[at].findings = publish_and_listen(options, user, subject, stop); });
  };
  listen(0, "plain", plain, "good", "good.plain");
  listen(1, "tls", tls, "good", "good.tls");
  listen(2, "plain, among the attackers", plain, "neighbour", "good.plain");
  listen(3, "tls, among the attackers", tls, "neighbour", "good.tls");
  for (const std::size_t at : {4U, 5U}) {
    const LinkOptions& options = at == 4 ? plain : tls;
    parts[at].name = at == 4 ? "connects, plain" : "connects, tls";
    parts[at].thread = std::thread([&, at] { parts[at].findings = connect_again_and_again(options, "good", stop); });
  }
  fmt::print("{{");
  const char* gap = "";
  for (Part& part : parts) {
    part.thread.join();
    const Findings& f = part.findings;
    fmt::print(
        R"({}"{}":{{"sent":{},"received":{},"out_of_order":{},"late_ms":{:.2f},"trips_ms":{},"connects_ms":{},"failure":"{}"}})",
        gap, part.name, f.sent, f.received, f.out_of_order, f.late_ms, summary(f.trips_ms), summary(f.connects_ms),
        f.failure);
    gap = ",";
  }
  fmt::print("}}\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Abuses a broker, or behaves well beside that");
  Target target;
  LinkOptions tls;
  unsigned crowd = 10'000;
  unsigned seconds = 15;
  unsigned seed = 1;
  bool all_tls = false;
  app.add_option("--port", target.port)->required();
  app.add_option("--ca", tls.ca)->required();
  app.add_option("--cert", tls.cert);
  app.add_option("--key", tls.key);
  app.require_subcommand(1);
  CLI::App* attacker = app.add_subcommand("attack", "for some seconds");
  attacker->add_option("--http-port", target.http_port)->required();
  attacker->add_option("--crowd", crowd, "connections that never become clients");
  attacker->add_option("--seconds", seconds);
  attacker->add_option("--seed", seed);
  CLI::App* prober = app.add_subcommand("probe", "until SIGTERM");
  prober->add_flag("--tls", all_tls, "without plain connections");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptors();
  tls.port = target.port;
  if (attacker->parsed()) {
    return attack(target, tls, crowd, seconds, seed);
  }
  std::signal(SIGTERM, [](int) { stop = true; });
  LinkOptions plain;
  plain.port = target.port;
  return probe(all_tls ? tls : plain, tls);
}
