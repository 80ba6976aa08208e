// Asks brokers and agents for what they count, again and again, while a rotation runs.
//
// A thread of its own from its beginning to its end. Who does not answer in time is left out of that sample, and holds
// up nothing: everything here is bounded in time and number.
//
//   FlowSampler sampler(plan, inventory.trust, [&runner](FlowSample sample) { runner.post_flow(std::move(sample)); });
#pragma once

#include <functional>
#include <stop_token>
#include <thread>
#include <vector>

#include "rotation/endpoint.hpp"
#include "rotation/flow.hpp"
#include "rotation/plan.hpp"
#include "tls/context.hpp"

namespace hawser::rotation {

class FlowSampler {
 public:
  using Take = std::function<void(FlowSample)>;

  // `plan` outlives this object. `trust`: for https. `take` is called on the sampler's thread.
  FlowSampler(const Plan& plan, tls::ContextPtr trust, Take take);
  FlowSampler(const FlowSampler&) = delete;
  FlowSampler& operator=(const FlowSampler&) = delete;
  // Waits for nobody: what is asked is given up.
  ~FlowSampler() = default;

 private:
  void run(const std::stop_token& stop);
  [[nodiscard]] FlowReadings look(const std::stop_token& stop) const;
  [[nodiscard]] std::optional<FlowReading> look_at(std::size_t source, Time until, const std::stop_token& stop) const;

  const Plan& plan_;
  const tls::ContextPtr trust_;
  const Take take_;
  const std::vector<Endpoint> agents_;  // each once, however many targets name it
  std::jthread thread_;                 // the last member: it uses the others
};

}  // namespace hawser::rotation
