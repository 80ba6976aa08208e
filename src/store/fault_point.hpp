// The places in the queue's work where a test may end the process, to see that nothing was lost.
#pragma once

#include <cstdint>
#include <functional>

namespace hawser::store {

enum class FaultPoint : std::uint8_t {
  setup_begun,        // the new database's file exists
  setup_schema_made,  // with its tables, under its first name
  setup_named,        // under its own name
  appended,           // a run is in memory
  transaction_begun,
  batch_inserted,
  before_commit,
  after_commit,     // on disk, and nobody told yet
  batches_removed,  // in a transaction that is not committed
  letters_buried,   // likewise
  checkpoint_begun,
  checkpoint_ended,
  shrunk,
  recovery_begun,
  recovery_copied,     // the new file is whole
  recovery_set_aside,  // the damaged file has its new name, the new one not yet
  recovery_ended,
};
inline constexpr std::uint8_t kFaultPoints = 17;

// Called on the writer thread (`appended`: on the appending one). Empty: nothing is called.
using FaultHook = std::function<void(FaultPoint)>;

}  // namespace hawser::store
