// The flow of messages while a rotation runs, as curves: how fast brokers take messages in and give them out, who is
// connected, what waits in agents' queues.
//
// Pure: what brokers and agents count goes in, samples come out. Counters become rates or growth, added up per source,
// so that one that begins anew does not make them negative. A curve has no value in a sample while one of its sources
// does not answer: a gap, and not a sum of the others. `flow_sampler.hpp` asks the sources. Values; one thread.
//
//   FlowAccount account(sources);
//   FlowSample sample = account.take(at_ms, readings);   // a moment later, again
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"

namespace hawser::rotation {

// A curve: milliseconds since 1970, ascending, and values.
struct Series {
  std::string name;
  std::string unit;
  std::vector<std::pair<std::int64_t, double>> points;
};

enum class FlowCurve : std::uint8_t {
  in_msgs,
  out_msgs,
  in_bytes,
  connections,
  slow_consumers,
  sessions,
  queued,
  splices,
  disconnects,
  silent,
};

enum class FlowForm : std::uint8_t {
  gauge,
  rate,    // a counter's growth in a second
  growth,  // a counter's growth since the first sample
};

struct FlowInfo {
  FlowCurve curve;
  std::string_view key;  // in journals: frozen
  std::string_view name;
  std::string_view unit;
  FlowForm form;
  std::string_view metric;  // of agents; empty: brokers' /varz has it
};

inline constexpr std::array<FlowInfo, 10> kFlowCurves{{
    {FlowCurve::in_msgs, "in_msgs", "messages in", "messages/s", FlowForm::rate, ""},
    {FlowCurve::out_msgs, "out_msgs", "messages out", "messages/s", FlowForm::rate, ""},
    {FlowCurve::in_bytes, "in_bytes", "bytes in", "bytes/s", FlowForm::rate, ""},
    {FlowCurve::connections, "connections", "connections to brokers", "connections", FlowForm::gauge, ""},
    {FlowCurve::slow_consumers, "slow_consumers", "slow consumers", "events", FlowForm::growth, ""},
    {FlowCurve::sessions, "sessions", "sessions of agents", "connections", FlowForm::gauge, "hawser_sessions_up"},
    {FlowCurve::queued, "queued", "queued messages", "messages", FlowForm::gauge, "hawser_queue_messages"},
    {FlowCurve::splices, "splices", "splices", "events", FlowForm::growth, "hawser_splices_total"},
    {FlowCurve::disconnects, "disconnects", "connections lost by agents", "events", FlowForm::growth,
     "hawser_disconnects_total"},
    {FlowCurve::silent, "silent", "sources without an answer", "sources", FlowForm::gauge, ""},
}};
[[nodiscard]] const FlowInfo& info_of(FlowCurve curve);
[[nodiscard]] std::optional<FlowCurve> flow_curve(std::string_view key);

// Of all sources together, at one moment.
struct FlowSample {
  std::int64_t at_ms = 0;
  std::map<FlowCurve, double> values;
};

// What one source counts itself, and when it did. Its own moment, since another one may keep a look waiting.
struct FlowReading {
  Time at{};
  std::map<FlowCurve, double> values;
};
// Nothing: it does not answer.
using FlowReadings = std::vector<std::optional<FlowReading>>;

class FlowAccount {
 public:
  // `brokers` of the sources are brokers, the first ones; the others are agents.
  FlowAccount(std::size_t brokers, std::size_t agents) : brokers_(brokers), last_(brokers + agents) {}

  // One reading of each source, in their order; a rate needs two.
  [[nodiscard]] FlowSample take(std::int64_t at_ms, const FlowReadings& readings);

 private:
  [[nodiscard]] std::optional<double> sum(const FlowInfo& info, const FlowReadings& readings);

  std::size_t brokers_;
  FlowReadings last_;
  std::map<FlowCurve, double> grown_;
};

// Which samples are kept, so that those of one rotation are bounded: the more there are, the further apart.
class FlowThinning {
 public:
  static constexpr std::size_t kMostRows = 200'000;  // a row is one value

  // `rows`: that are kept already.
  explicit FlowThinning(std::size_t rows) : rows_(rows) {}
  // Whether this sample is kept; it counts as kept then.
  [[nodiscard]] bool keeps(const FlowSample& sample);

 private:
  std::size_t rows_;
  std::uint64_t seen_ = 0;
};

// Samples as curves, in the order of kFlowCurves; those without a value are left out.
[[nodiscard]] std::vector<Series> series_of(std::span<const FlowSample> samples);

}  // namespace hawser::rotation
