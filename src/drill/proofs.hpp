// What has to be so at the end of a drill, looked at apart from the rotation itself: what brokers accept, what their
// connections present, and what lies on disk. Blocking.
//
//   Proofs proofs = prove_end(system, 1);   proofs.wrong.empty()
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "drill/system.hpp"

namespace hawser::drill {

struct Proofs {
  bool old_refused = false;
  bool new_accepted = false;
  std::vector<std::string> wrong;
  std::string seen;
};

// `generation`: whose certificates everybody has to present, and whose CA alone is trusted. 0: nothing has changed, and
// what the rotation would have brought is refused.
[[nodiscard]] Proofs prove_end(System& system, std::size_t generation);

}  // namespace hawser::drill
