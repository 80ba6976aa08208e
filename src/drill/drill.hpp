// A drill: whole CA rotations on a throw-away system under steady traffic, and the verdict. With a fault, it shows that
// the rotation stops where it must, and that nothing is lost on the way out of it either.
//
// Blocking; one thread, which has to live until the end.
//
//   Result<Outcome> outcome = hold_drill(options, listener);
//   outcome->wrong.empty()   // it has shown what it was to show
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "drill/fault.hpp"
#include "drill/system.hpp"
#include "drill/traffic.hpp"
#include "rotation/conduct.hpp"

namespace hawser::drill {

struct DrillOptions {
  SystemOptions system;
  double rate = 100;  // messages a second, of each flow
  std::size_t payload_bytes = 128;
  std::size_t rotations = 1;
  const FaultRow* fault = nullptr;  // in the first rotation, which then is the only one
};

// One rotation, or the way out of one that stopped.
struct RotationEnd {
  rotation::Plan plan;
  rotation::Phase phase = rotation::Phase::idle;
  std::optional<Error> why;
  std::optional<rotation::Step> stopped_at;
  double seconds = 0;
};

struct StepTaken {
  std::string name;
  bool ok = true;
  double seconds = 0;
  std::string detail;
};

// A wave, or a phase without waves.
struct Span {
  std::string name;
  std::int64_t begun_ms = 0;  // since 1970
  std::int64_t ended_ms = 0;
};

struct Pauses {  // milliseconds: each time that an agent moved, the longest way of a message of each of its flows
  double p50 = 0;
  double p99 = 0;
  double max = 0;
  std::size_t moves = 0;  // that were looked at, each flow by itself
};

struct Outcome {
  std::string broker;             // "embedded", "nats-server 2.9.10"
  std::size_t rotations = 0;      // that were begun
  std::vector<RotationEnd> ends;  // of each, and of the way out of one that stopped
  std::vector<StepTaken> steps;
  std::vector<Span> spans;
  TrafficReport traffic;
  Pauses pauses;
  bool old_refused = false;        // by every broker, at the end
  bool new_accepted = false;       // by every broker, at the end
  std::vector<std::string> wrong;  // what is not as it has to be, for people
  double seconds = 0;
};

// What the drill does, as it goes.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void on_started(const System& system, Traffic& traffic) = 0;
  virtual void on_note(const std::string& text) = 0;
  // Told of a rotation's steps, beside the drill itself.
  [[nodiscard]] virtual std::unique_ptr<rotation::Watcher> watcher(const rotation::Plan& plan,
                                                                   const std::vector<rotation::Passed>& passed) = 0;
  // While everything is still up.
  virtual void on_verdict(const Outcome& outcome) = 0;
  // From here on neither system nor traffic may be asked; called in any case.
  virtual void on_ended() = 0;
  [[nodiscard]] virtual bool stop_asked() = 0;
};

// Errors: drill_impossible, interrupted.
[[nodiscard]] Result<Outcome> hold_drill(const DrillOptions& options, Listener& listener);

}  // namespace hawser::drill
