// How a running rotation is shown: a line for each step, on a terminal with one line below them that says where it
// stands.
//
// Called on the thread of Runner::run() alone.
//
//   RotationProgress progress(plan, passed, Showing::lines);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rotation/engine.hpp"
#include "rotation/runner.hpp"

namespace hawser::cli {

enum class Showing : std::uint8_t {
  nothing,  // --json: an object at the end has it all
  lines,
  terminal,  // and a line that changes
};

class RotationProgress final : public rotation::Watcher {
 public:
  // `plan` outlives this object.
  RotationProgress(const rotation::Plan& plan, const std::vector<rotation::Passed>& passed, Showing showing);
  ~RotationProgress() override;

  void on_phase(rotation::Phase phase) override;
  void on_begun(rotation::Step step) override;
  void on_done(rotation::Step step, const std::string& seen, Duration took) override;
  void on_failed(rotation::Step step, const Error& error, std::uint32_t attempt) override;

  // Each step that was done, as an array of objects, serialised.
  [[nodiscard]] std::string steps_json() const;

 private:
  struct Done {
    rotation::Step step;
    std::string seen;
    double seconds;
  };

  void line(const std::string& text);
  void draw() const;
  [[nodiscard]] std::string standing() const;

  const rotation::Plan& plan_;
  const Showing showing_;
  rotation::Marks marks_;
  rotation::Phase phase_ = rotation::Phase::idle;
  std::vector<rotation::Step> under_way_;
  std::uint64_t failures_ = 0;
  std::vector<Done> done_;
};

}  // namespace hawser::cli
