#include "base/memory.hpp"

// Weak: the program is linked with mimalloc, sanitizers' builds and the tests of the rooms are not.
extern "C" [[gnu::weak]] void mi_collect(bool force) noexcept;

namespace hawser {

void give_back_memory() noexcept {
  if (mi_collect != nullptr) {
    mi_collect(true);
  }
}

}  // namespace hawser
