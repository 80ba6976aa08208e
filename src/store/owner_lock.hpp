// Who owns a queue directory: an OFD lock on the file `lock` in it, with the owner's PID as its text.
//
// The lock goes with the process, however it ends. Values; any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <sys/types.h>

#include "base/error.hpp"

namespace hawser::store {

class OwnerLock {
 public:
  // Errors: queue_in_use, naming the owner's PID; queue_cannot_open, with the system's reason.
  [[nodiscard]] static Result<OwnerLock> take(const std::filesystem::path& directory);
  // The PID that is written where somebody holds the lock (0 when it cannot be read); nothing: nobody does.
  [[nodiscard]] static std::optional<pid_t> owner(const std::filesystem::path& directory);

  OwnerLock(OwnerLock&& other) noexcept;
  OwnerLock& operator=(OwnerLock&& other) noexcept;
  OwnerLock(const OwnerLock&) = delete;
  OwnerLock& operator=(const OwnerLock&) = delete;
  ~OwnerLock();

 private:
  explicit OwnerLock(int fd) noexcept : fd_(fd) {}
  int fd_;
};

}  // namespace hawser::store
