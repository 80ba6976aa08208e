#include "rotation/flow.hpp"

#include <algorithm>
#include <cmath>

namespace hawser::rotation {

const FlowInfo& info_of(FlowCurve curve) { return kFlowCurves.at(static_cast<std::size_t>(curve)); }

std::optional<FlowCurve> flow_curve(std::string_view key) {
  const auto* found =
      std::find_if(kFlowCurves.begin(), kFlowCurves.end(), [key](const FlowInfo& info) { return info.key == key; });
  return found == kFlowCurves.end() ? std::nullopt : std::optional(found->curve);
}

FlowSample FlowAccount::take(std::int64_t at_ms, const FlowReadings& readings) {
  FlowSample out{.at_ms = at_ms, .values = {}};
  for (const FlowInfo& info : kFlowCurves) {
    if (info.curve == FlowCurve::silent) {
      continue;
    }
    if (const std::optional<double> value = sum(info, readings)) {
      // Short figures, which are the same wherever they are shown.
      out.values[info.curve] = std::round(*value * 1000) / 1000;
    }
  }
  out.values[FlowCurve::silent] = static_cast<double>(
      std::count_if(readings.begin(), readings.end(), [](const auto& one) { return !one.has_value(); }));
  for (std::size_t i = 0; i < readings.size(); ++i) {
    if (readings[i]) {
      last_[i] = readings[i];
    }
  }
  return out;
}

// What a source that begins anew shows is what it has counted since.
std::optional<double> FlowAccount::sum(const FlowInfo& info, const FlowReadings& readings) {
  const std::size_t from = info.metric.empty() ? 0 : brokers_;
  const std::size_t to = info.metric.empty() ? brokers_ : readings.size();
  double total = 0;
  bool known = false;
  bool whole = true;
  for (std::size_t i = from; i < to; ++i) {
    if (!readings[i]) {
      whole = false;
      continue;
    }
    const auto value = readings[i]->values.find(info.curve);
    if (value == readings[i]->values.end()) {
      continue;  // it has no such thing
    }
    if (info.form == FlowForm::gauge) {
      total += value->second;
      known = true;
      continue;
    }
    if (!last_[i] || !last_[i]->values.contains(info.curve)) {
      whole = whole && info.form == FlowForm::growth;
      known = known || info.form == FlowForm::growth;
      continue;
    }
    const double before = last_[i]->values.at(info.curve);
    const double grew = value->second >= before ? value->second - before : value->second;
    const double seconds = std::chrono::duration<double>(readings[i]->at - last_[i]->at).count();
    total += info.form == FlowForm::growth ? grew : seconds > 0 ? grew / seconds : 0;
    known = true;
  }
  if (info.form == FlowForm::growth) {
    return known ? std::optional(grown_[info.curve] += total) : std::nullopt;
  }
  return known && whole ? std::optional(total) : std::nullopt;
}

// Every one in the first half of the room, every second one in the half of the rest, and so on.
bool FlowThinning::keeps(const FlowSample& sample) {
  std::uint64_t every = 1;
  std::size_t room = kMostRows / 2;
  for (std::size_t used = rows_; used >= room && room > 0; room /= 2) {
    used -= room;
    every *= 2;
  }
  if (seen_++ % every != 0 || rows_ + sample.values.size() > kMostRows) {
    return false;
  }
  rows_ += sample.values.size();
  return true;
}

std::vector<Series> series_of(std::span<const FlowSample> samples) {
  std::vector<Series> out;
  for (const FlowInfo& info : kFlowCurves) {
    Series series{.name = std::string(info.name), .unit = std::string(info.unit), .points = {}};
    for (const FlowSample& sample : samples) {
      if (const auto found = sample.values.find(info.curve); found != sample.values.end()) {
        series.points.emplace_back(sample.at_ms, found->second);
      }
    }
    if (!series.points.empty()) {
      out.push_back(std::move(series));
    }
  }
  return out;
}

}  // namespace hawser::rotation
