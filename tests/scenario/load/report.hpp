// A run's state as one line of JSON: the answer to `mark` and `status`, and the final report.
#pragma once

#include <string>

#include "run.hpp"

namespace hawser::load {

// Latencies and the longest gap since the last mark (or the start); begins a new window.
std::string mark_line(Run& run, const std::string& name);
std::string status_line(const Run& run);

struct FinalReport {
  bool ok = false;
  std::string line;
};
FinalReport final_report(const Run& run);

}  // namespace hawser::load
