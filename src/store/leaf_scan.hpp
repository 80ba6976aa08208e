// Finds batches in the pages of a queue's database without its trees: for when those are damaged.
//
// Every page that looks like a leaf of a table is tried, as SQLite's file format has it
// (sqlite.org/fileformat2.html, 1.6 and 2.1). What is no batch fails its checksum. It also finds batches that were
// removed and not yet overwritten: the caller knows which ids those may have. Reads only; what is still in the WAL
// alone is not found. Blocking.
//
//   scan_leaves(path, [&](Batch batch) { … });
#pragma once

#include <filesystem>
#include <functional>

#include "store/batch.hpp"

namespace hawser::store {

void scan_leaves(const std::filesystem::path& path, const std::function<void(Batch)>& found);

}  // namespace hawser::store
