// A drill as it goes: lines for a terminal, and the live page.
#include <cstdio>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "cli/command.hpp"
#include "cli/drill.hpp"

namespace hawser::cli {

namespace {

using admin::Status;
using admin::Tone;

Status::Item count(std::string name, std::uint64_t value, bool bad) {
  return {std::move(name), std::to_string(value), bad && value > 0 ? Tone::bad : Tone::neutral};
}

Status::Section traffic_section(const drill::Counts& all) {
  const std::uint64_t on_its_way = all.lost;
  return {"Traffic",
          {count("sent", all.sent, false), count("delivered", all.delivered, false),
           count("on its way, or lost", on_its_way, false), count("duplicated", all.duplicated, true),
           count("out of order", all.reordered, true)}};
}

Status::Table flows_table(const drill::TrafficReport& report) {
  Status::Table table{
      "Flows", {"subject", "sent", "delivered", "on its way, or lost", "duplicated", "out of order"}, {}};
  for (const drill::FlowReport& flow : report.flows) {
    const drill::Counts& n = flow.counts;
    table.rows.push_back({flow.subject, std::to_string(n.sent), std::to_string(n.delivered), std::to_string(n.lost),
                          std::to_string(n.duplicated), std::to_string(n.reordered)});
  }
  return table;
}

// Tells both, in their order.
class Both final : public rotation::Watcher {
 public:
  Both(std::unique_ptr<rotation::Watcher> own, std::shared_ptr<void> keeps, rotation::Watcher& board)
      : own_(std::move(own)), keeps_(std::move(keeps)), all_({own_.get(), &board}) {}

  void on_phase(rotation::Phase phase) override { all_.on_phase(phase); }
  void on_begun(rotation::Step step) override { all_.on_begun(step); }
  void on_done(rotation::Step step, const std::string& seen, Duration took) override { all_.on_done(step, seen, took); }
  void on_failed(rotation::Step step, const Error& error, std::uint32_t attempt) override {
    all_.on_failed(step, error, attempt);
  }
  void on_flow(const rotation::FlowSample& sample) override { all_.on_flow(sample); }
  void on_finished(const rotation::action::Finished& end) override { all_.on_finished(end); }

 private:
  const std::unique_ptr<rotation::Watcher> own_;
  const std::shared_ptr<void> keeps_;  // the board's owner
  Watchers all_;
};

}  // namespace

Result<std::string> DrillScreen::serve(const std::string& listen) {
  admin::Endpoints endpoints;
  endpoints.status = [this] { return status(); };
  auto server = admin::Server::start(listen, std::move(endpoints), {.stream_step = std::chrono::milliseconds(250)});
  if (!server) {
    return std::unexpected(server.error());
  }
  server_ = std::move(*server);
  line(fmt::format("live page on http://{}/", server_->address()));
  return server_->address();
}

void DrillScreen::on_started(const drill::System& system, drill::Traffic& traffic) {
  const std::string what = fmt::format("{} ({}) and {}", counted(system.brokers().size(), "broker"), system.kind(),
                                       counted(system.agents().size(), "agent"));
  {
    const std::lock_guard lock(mutex_);
    traffic_ = &traffic;
    headline_ = "traffic flows";
    for (const auto& broker : system.brokers()) {
      places_.push_back({broker.name, fmt::format("tls://127.0.0.1:{}, monitoring http://127.0.0.1:{}/", broker.port,
                                                  broker.monitor)});
    }
    for (const auto& agent : system.agents()) {
      places_.push_back(
          {agent.name, fmt::format("nats://127.0.0.1:{}, status page http://127.0.0.1:{}/", agent.port, agent.admin)});
    }
  }
  line(what + " are up");
}

void DrillScreen::on_note(const std::string& text) { line(text); }

std::unique_ptr<rotation::Watcher> DrillScreen::watcher(const rotation::Plan& plan,
                                                        const std::vector<rotation::Passed>& passed) {
  auto shown = std::make_shared<Shown>(plan, passed);
  {
    const std::lock_guard lock(mutex_);
    shown_ = shown;
  }
  line(fmt::format("rotation {}", plan.name));
  auto progress = std::make_unique<RotationProgress>(shown->plan, passed, showing_);
  RotationBoard& board = shown->board;
  return std::make_unique<Both>(std::move(progress), std::move(shown), board);
}

void DrillScreen::on_verdict(const drill::Outcome& outcome) {
  {
    const std::lock_guard lock(mutex_);
    headline_ = outcome.wrong.empty() ? "it has shown what it was to show" : outcome.wrong.front();
    tone_ = outcome.wrong.empty() ? Tone::good : Tone::bad;
  }
  show_(outcome);
  if (hold_) {
    // Standard output belongs to the object when there is one.
    std::FILE* const out = showing_ == Showing::nothing ? stderr : stdout;
    fmt::print(out, "everything stays up{}; ^C ends it\n", server_ ? ": http://" + server_->address() + "/" : "");
    std::fflush(out);
    while (!stop_asked()) {
      pollfd waiting{.fd = stop_descriptor(), .events = POLLIN, .revents = 0};
      static_cast<void>(::poll(&waiting, 1, -1));
    }
  }
}

void DrillScreen::on_ended() {
  const std::lock_guard lock(mutex_);
  traffic_ = nullptr;
}

bool DrillScreen::stop_asked() { return stop_signal() != 0; }

Status DrillScreen::status() {
  std::shared_ptr<Shown> shown;
  Status out;
  {
    const std::lock_guard lock(mutex_);
    shown = shown_;
    out.title = "hawser drill";
    out.headline = headline_;
    out.tone = tone_;
    if (traffic_ != nullptr) {
      const drill::TrafficReport report = traffic_->report();
      out.sections.push_back(traffic_section(report.all));
      out.tables.push_back(flows_table(report));
    }
    out.sections.push_back({"Where", places_});
  }
  if (shown) {
    const Status rotation = shown->board.status();
    out.headline = tone_ == Tone::neutral ? rotation.headline : out.headline;
    out.tone = tone_ == Tone::neutral ? rotation.tone : out.tone;
    out.sections.insert(out.sections.begin(), rotation.sections.begin(), rotation.sections.end());
    out.tables.insert(out.tables.begin(), rotation.tables.begin(), rotation.tables.end());
  }
  return out;
}

void DrillScreen::line(const std::string& text) {
  if (showing_ != Showing::nothing) {
    fmt::print("{} {}\n", to_rfc3339(wall_now()), text);
    std::fflush(stdout);
  }
}

}  // namespace hawser::cli
