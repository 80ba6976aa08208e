// Disk space that is kept occupied, so that a queue on a full disk has room to be emptied: deleting needs some too.
//
// The file `spare` in the queue's directory. Not thread-safe.
#pragma once

#include <filesystem>

namespace hawser::store {

class SpareRoom {
 public:
  explicit SpareRoom(std::filesystem::path directory) : path_(std::move(directory) / "spare") {}

  // Occupies it, when the disk has a good deal more than that.
  void keep() noexcept;
  // Gives it back to the file system.
  void release() noexcept;
  [[nodiscard]] bool kept() const noexcept { return kept_; }

 private:
  std::filesystem::path path_;
  bool kept_ = false;
};

}  // namespace hawser::store
