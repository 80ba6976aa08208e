#include "options.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>

namespace hawser::load {
namespace {

bool choose_shape(Shapes& shapes, const std::string& name) {
  if (name == "literal") return shapes.literal = true;
  if (name == "wildcard") return shapes.wildcard = true;
  if (name == "overlap") return shapes.overlap = true;
  if (name == "queue") return shapes.queue = true;
  if (name == "self") return shapes.self = true;
  return false;
}

void add_fault_options(CLI::App& app, Faults& faults) {
  app.add_option("--fault-drop", faults.drop_every, "count every N-th message as sent, without sending it");
  app.add_option("--fault-duplicate", faults.duplicate_every, "send every N-th message twice");
  app.add_option("--fault-swap", faults.swap_every, "send every N-th message of a subject after its successor");
  app.add_option("--fault-corrupt", faults.corrupt_every, "change the last byte of every N-th message");
  app.add_option("--fault-heartbeat-drop", faults.heartbeat_drop_every, "as above, for heartbeats");
  app.add_option("--fault-heartbeat-duplicate", faults.heartbeat_duplicate_every, "as above, for heartbeats");
}

}  // namespace

std::expected<Options, int> parse_options(int argc, char** argv) {
  Options o;
  std::vector<std::string> shapes{"literal", "wildcard", "overlap"};
  std::uint64_t duration_ms = 0;
  std::uint64_t warm_ms = 30000;
  std::uint64_t quiet_ms = 2000;
  std::uint64_t drain_ms = 60000;
  std::uint64_t wait_ms = 50;
  o.run = "load" + std::to_string(::getpid());

  CLI::App app{"Loads a NATS path with numbered messages and reports what was lost, repeated or reordered, as JSON."};
  app.add_option("--pub-url", o.publisher_urls, "where publishers and requesters connect (repeat: in turn)")->required();
  app.add_option("--sub-url", o.subscriber_urls, "where subscribers and the responder connect (repeat: in turn)")->required();
  app.add_option("--tls-ca", o.tls.ca, "CA file for tls:// URLs");
  app.add_option("--tls-cert", o.tls.cert);
  app.add_option("--tls-key", o.tls.key);
  app.add_option("--tls-server-name", o.tls.server_name);
  app.add_option("--run", o.run, "first token of every subject");
  app.add_option("--publishers", o.publishers)->check(CLI::Range(1, 64));
  app.add_option("--subjects", o.subjects)->check(CLI::Range(1, 64));
  app.add_option("--subscribers", o.subscribers)->check(CLI::Range(1, 64));
  app.add_option("--queue-members", o.queue_members)->check(CLI::Range(1, 64));
  app.add_option("--shape", shapes, "literal, wildcard, overlap, queue, self")->delimiter(',');
  app.add_option("--rate", o.rate, "messages a second for each publisher, 0: no limit");
  app.add_option("--heartbeat-rate", o.heartbeat_rate, "identical messages a second for each publisher");
  app.add_option("--requesters", o.requesters)->check(CLI::Range(0, 64));
  app.add_option("--request-rate", o.request_rate);
  app.add_option("--size", o.size_bytes, "payload bytes")->check(CLI::Range(0, 1 << 20));
  app.add_flag("--headers", o.headers);
  app.add_flag("--no-echo", o.no_echo, "publishers ask not to hear themselves (with --shape self: nor do they)");
  app.add_option("--churners", o.churners, "clients whose subscriptions come and go")->check(CLI::Range(0, 64));
  app.add_option("--count", o.count, "messages for each publisher, 0: until stopped");
  app.add_option("--duration-ms", duration_ms);
  app.add_option("--warm-limit-ms", warm_ms);
  app.add_option("--drain-quiet-ms", quiet_ms, "how long nothing may arrive before what is missing counts as lost");
  app.add_option("--drain-limit-ms", drain_ms);
  app.add_option("--reconnect-wait-ms", wait_ms);
  app.add_flag("--send-asap", o.send_asap, "write each message at once; libnats gathers for about a millisecond otherwise");
  app.add_flag("--control", o.control, "take `mark`, `status` and `stop` on standard input, a JSON line for each");
  add_fault_options(app, o.faults);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return std::unexpected(app.exit(e) == 0 ? 0 : 2);
  }
  for (const auto& name : shapes) {
    if (!choose_shape(o.shapes, name)) return std::unexpected(app.exit(CLI::ValidationError("--shape", name)) == 0 ? 0 : 2);
  }
  o.duration = std::chrono::milliseconds(duration_ms);
  o.warm_limit = std::chrono::milliseconds(warm_ms);
  o.drain_quiet = std::chrono::milliseconds(quiet_ms);
  o.drain_limit = std::chrono::milliseconds(drain_ms);
  o.reconnect_wait = std::chrono::milliseconds(wait_ms);
  return o;
}

}  // namespace hawser::load
