// One writer at a time: an OFD lock on <stores>/.hawser-lock, which goes with the process. nsc does not ask for it.
//
// Move-only; any thread.
//
//   Result<StoreLock> lock = StoreLock::take(places.stores, std::chrono::seconds(5));
#pragma once

#include <chrono>
#include <filesystem>

#include "base/error.hpp"

namespace hawser::identity {

class StoreLock {
 public:
  // Waits so long for another writer. Errors: id_store_unusable, naming the other's PID.
  [[nodiscard]] static Result<StoreLock> take(const std::filesystem::path& stores, std::chrono::milliseconds patience);

  StoreLock(StoreLock&& other) noexcept;
  StoreLock& operator=(StoreLock&& other) noexcept;
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;
  ~StoreLock();

 private:
  explicit StoreLock(int fd) noexcept : fd_(fd) {}
  int fd_;
};

}  // namespace hawser::identity
