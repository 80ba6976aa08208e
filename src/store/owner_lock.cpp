#include "store/owner_lock.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace hawser::store {
namespace {

struct flock whole_file(short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

pid_t written_pid(int fd) {
  std::array<char, 16> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  pid_t pid = 0;
  if (size > 0) {
    std::from_chars(text.data(), text.data() + size, pid);
  }
  return pid;
}

std::unexpected<Error> refused(const std::filesystem::path& path) {
  const int error = errno;
  return fail(Errc::queue_cannot_open, path.string() + ": " + std::strerror(error));
}

}  // namespace

Result<OwnerLock> OwnerLock::take(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / "lock";
  OwnerLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (lock.fd_ < 0) {
    return refused(path);
  }
  struct flock wanted = whole_file(F_WRLCK);
  if (::fcntl(lock.fd_, F_OFD_SETLK, &wanted) != 0) {
    if (errno != EAGAIN && errno != EACCES) {
      return refused(path);
    }
    const pid_t pid = written_pid(lock.fd_);
    return fail(Errc::queue_in_use, directory.string() + " belongs to " +
                                        (pid != 0 ? "process " + std::to_string(pid) : "another process"));
  }
  const std::string text = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock.fd_, 0) != 0 || ::pwrite(lock.fd_, text.data(), text.size(), 0) < 0) {
    // A full disk: the lock holds without its text.
    [[maybe_unused]] const int emptied = ::ftruncate(lock.fd_, 0);
  }
  return lock;
}

std::optional<pid_t> OwnerLock::owner(const std::filesystem::path& directory) {
  const OwnerLock file(::open((directory / "lock").c_str(), O_RDONLY | O_CLOEXEC));
  struct flock asked = whole_file(F_WRLCK);
  if (file.fd_ < 0 || ::fcntl(file.fd_, F_OFD_GETLK, &asked) != 0 || asked.l_type == F_UNLCK) {
    return std::nullopt;
  }
  return written_pid(file.fd_);
}

OwnerLock::OwnerLock(OwnerLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

OwnerLock& OwnerLock::operator=(OwnerLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

OwnerLock::~OwnerLock() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

}  // namespace hawser::store
