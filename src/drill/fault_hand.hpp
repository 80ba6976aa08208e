// Does what is to go wrong, when its time comes, and mends it afterwards.
//
// One thread, the one of the rotation.
//
//   FaultHand hand(fault, system, 1);
//   hand.prepare();   hand.on_begun(step);   hand.mend();
#pragma once

#include "base/error.hpp"
#include "drill/child.hpp"
#include "drill/fault.hpp"
#include "drill/system.hpp"
#include "drill/traffic.hpp"
#include "rotation/step.hpp"

namespace hawser::drill {

class FaultHand {
 public:
  // `generation`: that the rotation goes to.
  FaultHand(const FaultRow& fault, System& system, Traffic& traffic, std::size_t generation)
      : fault_(fault), system_(system), traffic_(traffic), generation_(generation) {}

  // What has to be wrong before the rotation begins.
  Result<void> prepare();
  // What is done in its middle.
  void on_begun(rotation::Step step);
  // The cause is taken away. Errors: what did not come back.
  Result<void> mend();

 private:
  Result<void> start_straggler();
  void break_flows(bool broken);

  const FaultRow& fault_;
  System& system_;
  Traffic& traffic_;
  const std::size_t generation_;
  Child straggler_;
};

}  // namespace hawser::drill
