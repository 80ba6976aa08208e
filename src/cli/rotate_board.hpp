// A running rotation for the admin page: what is under way, what each broker trusts, how far waves and targets are.
//
// It is told by the Runner on its thread, and asked by the admin endpoint on another: thread-safe.
//
//   RotationBoard board(plan, passed);
//   auto page = serve_board("127.0.0.1:9333", board);
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/server.hpp"
#include "rotation/marks.hpp"
#include "rotation/runner.hpp"

namespace hawser::cli {

class RotationBoard final : public rotation::Watcher {
 public:
  // `plan` outlives this object. `passed`: what has been done before.
  RotationBoard(const rotation::Plan& plan, const std::vector<rotation::Passed>& passed);

  // The same later, before it is told of anything.
  void remember_passed(const std::vector<rotation::Passed>& passed);
  void on_phase(rotation::Phase phase) override;
  void on_begun(rotation::Step step) override;
  void on_done(rotation::Step step, const std::string& seen, Duration took) override;
  void on_failed(rotation::Step step, const Error& error, std::uint32_t attempt) override;
  void on_flow(const rotation::FlowSample& sample) override;
  void on_finished(const rotation::action::Finished& end) override;

  [[nodiscard]] admin::Status status() const;
  // Not healthy once it has stopped.
  [[nodiscard]] admin::Health health() const;
  // Prometheus text: how far it is, and the flow; what is not known now is left out.
  [[nodiscard]] std::string metrics() const;

 private:
  struct Failure {
    std::string at;
    std::string step;
    std::string why;
    std::uint64_t times = 1;
  };

  // With mutex_ held.
  [[nodiscard]] std::string headline() const;
  [[nodiscard]] admin::Tone tone() const;
  [[nodiscard]] admin::Status::Section standing() const;
  [[nodiscard]] admin::Status::Section trust() const;
  [[nodiscard]] admin::Status::Section waves() const;
  [[nodiscard]] admin::Status::Section flow() const;
  [[nodiscard]] admin::Status::Table targets() const;
  [[nodiscard]] admin::Status::Table failures() const;
  [[nodiscard]] std::size_t proven_in(std::size_t wave) const;
  void remember(rotation::Step step, const std::string& text);
  // "done", "under way", "-"
  [[nodiscard]] std::string mark_text(rotation::StepKind kind, std::size_t number) const;

  const rotation::Plan& plan_;
  const std::string begun_;
  mutable std::mutex mutex_;
  rotation::Marks marks_;
  rotation::Phase phase_ = rotation::Phase::idle;
  std::vector<rotation::Step> under_way_;
  std::map<std::size_t, std::string> of_target_;  // what was seen, or why not yet
  std::map<std::size_t, std::string> of_broker_;
  std::deque<Failure> failures_;  // the newest ones
  std::uint64_t steps_done_ = 0;
  std::uint64_t in_vain_ = 0;
  std::optional<rotation::FlowSample> flow_;
  std::optional<Error> why_;
};

// Passes on to each, in their order.
class Watchers final : public rotation::Watcher {
 public:
  // They outlive this object.
  explicit Watchers(std::vector<rotation::Watcher*> all) : all_(std::move(all)) {}

  void on_phase(rotation::Phase phase) override {
    for (auto* one : all_) one->on_phase(phase);
  }
  void on_begun(rotation::Step step) override {
    for (auto* one : all_) one->on_begun(step);
  }
  void on_done(rotation::Step step, const std::string& seen, Duration took) override {
    for (auto* one : all_) one->on_done(step, seen, took);
  }
  void on_failed(rotation::Step step, const Error& error, std::uint32_t attempt) override {
    for (auto* one : all_) one->on_failed(step, error, attempt);
  }
  void on_flow(const rotation::FlowSample& sample) override {
    for (auto* one : all_) one->on_flow(sample);
  }
  void on_finished(const rotation::action::Finished& end) override {
    for (auto* one : all_) one->on_finished(end);
  }

 private:
  const std::vector<rotation::Watcher*> all_;
};

// GET /, /status, /events, /healthz and /metrics, on a loopback address: "127.0.0.1:9333", port 0 takes a free one.
// `board` outlives what is returned. Errors: those of admin::Server::start.
[[nodiscard]] Result<std::unique_ptr<admin::Server>> serve_board(std::string_view listen, const RotationBoard& board);

}  // namespace hawser::cli
