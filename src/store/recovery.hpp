// What becomes of a queue's database that is damaged: it is set aside, and what can be read is taken over into a new
// one.
//
// The caller owns the directory and has no connection open. However often the process ends in between, the next open
// goes on: the new database is made under another name, becomes queue.db.recovered when it is whole, and only then is
// the damaged one renamed. Blocking, for as long as copying the queue takes.
//
//   queue.db, -wal (damaged) ──copy──► queue.db.new ──whole──► queue.db.recovered
//   queue.db, -wal ──► queue.db.damaged-20261122T100000, -wal         then queue.db.recovered ──► queue.db
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/error.hpp"
#include "store/fault_point.hpp"

namespace hawser::store {

[[nodiscard]] std::filesystem::path queue_path(const std::filesystem::path& directory);

struct Recovered {
  std::filesystem::path set_aside;  // the damaged file's new name
  std::uint64_t batches = 0;
  std::uint64_t messages = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t unreadable = 0;  // places that were skipped; each may be one batch or several
};

// Errors: queue_cannot_open, with the reason (no room for a copy, for one).
[[nodiscard]] Result<Recovered> recover(const std::filesystem::path& directory, const FaultHook& hook);
// Completes what a process left that ended within recover() or while it made the first database.
[[nodiscard]] Result<void> finish_recovery(const std::filesystem::path& directory, const FaultHook& hook);
// Makes an empty queue under its final name, whole or not at all.
[[nodiscard]] Result<void> set_up(const std::filesystem::path& directory, const FaultHook& hook);

}  // namespace hawser::store
