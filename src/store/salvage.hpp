// Reads what can be read of a damaged queue database into a new one.
//
// The rows of a table are walked from both ends of every unreadable stretch; then every page is looked at for batches
// that no tree leads to. When the file's first page is gone, that of an empty queue is put in its place, in a copy: the
// tables of every queue begin at the same pages. A batch that was confirmed may come back, none that is whole is lost.
// The damaged file itself is not written to. Throws SqlFault when the new one cannot be written.
#pragma once

#include <cstdint>
#include <filesystem>

#include "store/queue_file.hpp"

namespace hawser::store {

struct Salvaged {
  std::uint64_t batches = 0;
  std::uint64_t messages = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t unreadable = 0;
};

// `fresh` is the path of an empty queue that nobody has open; it becomes the new one.
[[nodiscard]] Salvaged salvage(const std::filesystem::path& damaged, const std::filesystem::path& fresh);

}  // namespace hawser::store
