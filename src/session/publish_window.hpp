// Which parts of a link's output are publishes that no PONG has confirmed yet.
//
// The bytes themselves stay in the link's ByteQueue; this keeps the positions, so that after an abrupt end the publishes,
// and not the SUBs and PINGs between them, are sent again. Pure; belongs to one link.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hawser::session {

class PublishWindow {
 public:
  struct Run {
    std::uint64_t begin;
    std::uint64_t end;
  };

  // Publishes were appended as [begin, end) of the output.
  void add(std::uint64_t begin, std::uint64_t end) {
    if (!runs_.empty() && runs_.back().end == begin) {
      runs_.back().end = end;
    } else {
      runs_.push_back({begin, end});
    }
    bytes_ += end - begin;
  }

  // The far side has processed everything before `position`, which is the end of a frame.
  void confirm(std::uint64_t position) {
    std::size_t gone = 0;
    for (Run& run : runs_) {
      if (run.end <= position) {
        bytes_ -= run.end - run.begin;
        ++gone;
        continue;
      }
      if (run.begin < position) {
        bytes_ -= position - run.begin;
        run.begin = position;
      }
      break;
    }
    runs_.erase(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(gone));
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] const std::vector<Run>& runs() const noexcept { return runs_; }

 private:
  std::vector<Run> runs_;
  std::uint64_t bytes_ = 0;
};

}  // namespace hawser::session
