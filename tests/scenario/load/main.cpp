// hawser_load: see options.cpp for what it takes. Prints {"ready":true} when every subscription hears every publisher,
// a line for each command, and at last the report. Exit: 0 nothing wrong, 1 faults found, 2 usage, 3 no connection.
#include <nats/nats.h>
#include <poll.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <csignal>
#include <cstdio>

#include "report.hpp"
#include "run.hpp"

namespace hawser::load {
namespace {

constexpr int kLookMs = 20;
constexpr std::size_t kCommandBytes = 1024;

volatile std::sig_atomic_t interrupted = 0;
void on_signal(int) { interrupted = 1; }

void print(const std::string& line) {
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

// Commands from standard input, a line each. End of input is a stop: whoever controlled us is gone.
class Control {
 public:
  explicit Control(bool enabled) : enabled_(enabled) {}

  // Waits a little; false when it is time to stop.
  bool serve(Run& run) {
    pollfd fd{STDIN_FILENO, POLLIN, 0};
    if (::poll(&fd, enabled_ ? 1 : 0, kLookMs) <= 0) return true;
    char chunk[256];
    const auto n = ::read(STDIN_FILENO, chunk, sizeof chunk);
    if (n <= 0 || buffer_.size() > kCommandBytes) return false;
    buffer_.append(chunk, static_cast<std::size_t>(n));
    for (auto end = buffer_.find('\n'); end != std::string::npos; end = buffer_.find('\n')) {
      const auto line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      if (line == "stop") return false;
      if (line == "status") print(status_line(run));
      else print(mark_line(run, line.starts_with("mark ") ? line.substr(5) : line));
    }
    return true;
  }

 private:
  bool enabled_;
  std::string buffer_;
};

bool over(const Run& run) {
  const auto& options = run.options();
  return interrupted != 0 || run.publishers_finished() ||
         (options.duration.count() > 0 && Clock::now() - run.began() >= options.duration);
}

int load(const Options& options) {
  Run run(options);
  if (auto started = run.start(); !started) {
    print(boost::json::serialize(boost::json::object{{"report", true}, {"ok", false}, {"error", started.error()}}));
    return 3;
  }
  print(R"({"ready":true})");
  Control control(options.control);
  while (!over(run) && control.serve(run)) {
  }
  run.finish();
  const auto report = final_report(run);
  print(report.line);
  return report.ok ? 0 : 1;
}

}  // namespace
}  // namespace hawser::load

int main(int argc, char** argv) {
  std::signal(SIGINT, hawser::load::on_signal);
  std::signal(SIGTERM, hawser::load::on_signal);
  std::signal(SIGPIPE, SIG_IGN);
  const auto options = hawser::load::parse_options(argc, argv);
  if (!options) return options.error();
  const int code = hawser::load::load(*options);
  nats_Close();
  return code;
}
