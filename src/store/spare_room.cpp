#include "store/spare_room.hpp"

#include <cstdint>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace hawser::store {
namespace {

constexpr std::uint64_t kBytes = 2UL << 20U;  // a WAL with the removal of a gigabyte, and its index
constexpr std::uint64_t kFactor = 2;          // of which the disk must have this many times as much free

}  // namespace

void SpareRoom::keep() noexcept {
  struct statvfs disk{};
  if (kept_ || ::statvfs(path_.parent_path().c_str(), &disk) != 0 ||
      std::uint64_t{disk.f_bavail} * disk.f_frsize < kBytes * kFactor) {
    return;
  }
  const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  kept_ = fd >= 0 && ::posix_fallocate(fd, 0, static_cast<off_t>(kBytes)) == 0;
  ::close(fd);
  if (!kept_) {
    ::unlink(path_.c_str());
  }
}

void SpareRoom::release() noexcept {
  ::unlink(path_.c_str());
  kept_ = false;
}

}  // namespace hawser::store
