#include "drill/plan_text.hpp"

#include <fmt/format.h>

namespace hawser::drill {

namespace {

// A text as YAML, whatever stands in it.
std::string yaml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    out += c == '"' || c == '\\' ? fmt::format("\\{}", c) : std::string(1, c);
  }
  return out + "\"";
}

std::string yaml_text(const Path& path) { return yaml_text(std::string_view(path.native())); }

// One word of a shell's.
std::string shell_word(const Path& path) {
  std::string out = "'";
  for (const char c : path.native()) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

std::string copy_entry(const Path& from, const Path& to) {
  return fmt::format("            - {{from: {}, to: {}}}\n", yaml_text(from), yaml_text(to));
}

class PlanWriter {
 public:
  PlanWriter(const System& system, std::size_t generation, const FaultRow* fault)
      : system_(system), papers_(system.papers()), generation_(generation), fault_(fault) {}

  PlanText write() {
    out_.file = system_.options().directory / fmt::format("rotation-{}.yaml", generation_);
    head();
    brokers();
    waves();
    times_and_guards();
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool is(Fault fault) const { return fault_ != nullptr && fault_->fault == fault; }
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    out_.yaml += fmt::format(format, std::forward<Args>(args)...) + "\n";
  }

  void head();
  void brokers();
  void waves();
  void wave(std::string_view name, std::string_view settle);
  void material(const System::Agent& agent, std::size_t number);
  void half_of_it(const System::Agent& agent);
  void trust(const System::Agent& agent, std::size_t number, std::string_view suffix, const Path& authorities);
  void told_by_admin(const System::Agent& agent);
  void times_and_guards();

  const System& system_;
  const Papers& papers_;
  const std::size_t generation_;
  const FaultRow* fault_;
  PlanText out_;
};

void PlanWriter::head() {
  const std::size_t before = generation_ - 1;
  line("name: drill-{}", generation_);
  line("journal: {}", yaml_text(system_.options().directory / fmt::format("rotation-{}", generation_)));
  line("old_ca: {}\nnew_ca: {}", yaml_text(papers_.ca(before)), yaml_text(papers_.ca(generation_)));
  line("prober:");
  line("  old: {{cert_file: {}, key_file: {}}}", yaml_text(papers_.cert(before, "probe")),
       yaml_text(papers_.key(before, "probe")));
  line("  new: {{cert_file: {}, key_file: {}}}", yaml_text(papers_.cert(generation_, "probe")),
       yaml_text(papers_.key(generation_, "probe")));
  line("  ca_file: {}", yaml_text(papers_.both(generation_)));
}

void PlanWriter::brokers() {
  line("brokers:");
  for (const System::Broker& broker : system_.brokers()) {
    line("  - name: {}", broker.name);
    line("    url: tls://127.0.0.1:{}\n    monitor: http://127.0.0.1:{}", broker.port, broker.monitor);
    line("    bundle: {}", yaml_text(broker.directory / "clients.crt"));
    if (is(Fault::no_reload) && &broker == &system_.brokers().front()) {
      line("    reload: {{command: [\"true\"]}}");
    } else {
      line("    reload: {{pid_file: {}}}", yaml_text(broker.directory / "pid"));
    }
  }
}

void PlanWriter::wave(std::string_view name, std::string_view settle) {
  line("  - name: {}\n    parallel: 4\n    settle: {}\n    targets:", name, settle);
}

void PlanWriter::waves() {
  const auto& agents = system_.agents();
  line("waves:");
  wave("canary", "300ms");
  material(agents.front(), 0);
  wave("others", "300ms");
  for (std::size_t i = 1; i < agents.size(); ++i) {
    material(agents[i], i);
  }
  wave("brokers", "300ms");
  for (std::size_t i = 0; i < system_.brokers().size(); ++i) {
    const System::Broker& broker = system_.brokers()[i];
    line("      - name: {}-own\n        deliver:\n          files:", broker.name);
    out_.yaml += copy_entry(papers_.key(generation_, broker.name), broker.directory / "server.key");
    out_.yaml += copy_entry(papers_.cert(generation_, broker.name), broker.directory / "server.crt");
    line("        apply: {{pid_file: {}}}", yaml_text(broker.directory / "pid"));
    line("        prove: {{certificate: {}, server: {}}}", yaml_text(papers_.cert(generation_, broker.name)),
         broker.name);
    out_.agents.emplace_back();
  }
  // An agent's sessions move within half a second; what is still on the old link when trust is narrowed would be cut.
  wave("again", "1500ms");
  for (std::size_t i = 0; i < agents.size(); ++i) {
    trust(agents[i], i, "again", papers_.turned(generation_));
  }
  wave("trust", "300ms");
  for (std::size_t i = 0; i < agents.size(); ++i) {
    trust(agents[i], i, "trust", papers_.ca(generation_));
  }
}

void PlanWriter::material(const System::Agent& agent, std::size_t number) {
  line("      - name: {}\n        deliver:", agent.name);
  if (is(Fault::partial_write) && number == kVictim) {
    half_of_it(agent);
  } else {
    line("          files:");
    out_.yaml += copy_entry(papers_.key(generation_, agent.name), agent.directory / "tls.key");
    out_.yaml += copy_entry(papers_.cert(generation_, agent.name), agent.directory / "tls.crt");
    out_.yaml += copy_entry(papers_.both(generation_), agent.directory / "ca.crt");
  }
  told_by_admin(agent);
  out_.agents.emplace_back(number);
}

void PlanWriter::half_of_it(const System::Agent& agent) {
  const Path cert = papers_.cert(generation_, agent.name);
  const Path to = agent.directory / "tls.crt";
  const std::string half = fmt::format("head -c 300 {} > {}", shell_word(cert), shell_word(to));
  line("          shell: {}", yaml_text(std::string_view(half)));
  line("          undo: [cp, {}, {}]", yaml_text(papers_.cert(generation_ - 1, agent.name)), yaml_text(to));
}

void PlanWriter::trust(const System::Agent& agent, std::size_t number, std::string_view suffix,
                       const Path& authorities) {
  line("      - name: {}-{}\n        deliver:\n          files:", agent.name, suffix);
  out_.yaml += copy_entry(authorities, agent.directory / "ca.crt");
  told_by_admin(agent);
  out_.agents.emplace_back(number);
}

// A publisher, a subscriber, and the agent's own connection.
void PlanWriter::told_by_admin(const System::Agent& agent) {
  line("        apply: {{admin: \"http://127.0.0.1:{}\"}}", agent.admin);
  line("        prove: {{certificate: {}, connections: 3}}", yaml_text(papers_.cert(generation_, agent.name)));
}

// A fault is waited for no longer than it takes to be sure of it; where nothing is to fail, a busy machine has its
// time.
void PlanWriter::times_and_guards() {
  const auto time = [this](Fault fault, std::string_view wrong, std::string_view usual) {
    return is(fault) ? wrong : usual;
  };
  line("times:\n  preflight: 30s\n  reload: 10s\n  deliver: 10s\n  poll: 50ms\n  margin: 1h");
  line("  probe: {}\n  apply: {}\n  prove: {}\n  converge: {}", time(Fault::no_reload, "2s", "15s"),
       time(Fault::kill_agent, "3s", "15s"), time(Fault::kill_broker, "5s", "30s"),
       time(Fault::straggler, "2s", "15s"));
  // What is killed loses its connections and counts anew.
  if (!is(Fault::kill_agent) && !is(Fault::kill_broker)) {
    line("guards:\n  slow_consumers: 0\n  counters: {{hawser_disconnects_total: 0}}");
  }
}

}  // namespace

PlanText plan_text(const System& system, std::size_t generation, const FaultRow* fault) {
  return PlanWriter(system, generation, fault).write();
}

}  // namespace hawser::drill
