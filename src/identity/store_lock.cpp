#include "identity/store_lock.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace hawser::identity {
namespace {

constexpr std::chrono::milliseconds kBetweenTries{20};

std::unexpected<Error> refused(const std::filesystem::path& path) {
  return fail(Errc::id_store_unusable, "locking " + path.string() + ": " + std::generic_category().message(errno));
}

std::string owner_of(int fd) {
  std::array<char, 16> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  return size > 0 ? "process " + std::string(text.data(), static_cast<std::size_t>(size)) : "another process";
}

}  // namespace

Result<StoreLock> StoreLock::take(const std::filesystem::path& stores, std::chrono::milliseconds patience) {
  const std::filesystem::path path = stores / ".hawser-lock";
  StoreLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (lock.fd_ < 0) {
    return refused(path);
  }
  struct flock wanted{};
  wanted.l_type = F_WRLCK;
  wanted.l_whence = SEEK_SET;
  const auto until = std::chrono::steady_clock::now() + patience;
  while (::fcntl(lock.fd_, F_OFD_SETLK, &wanted) != 0) {
    if (errno != EAGAIN && errno != EACCES) {
      return refused(path);
    }
    if (std::chrono::steady_clock::now() >= until) {
      return fail(Errc::id_store_unusable, stores.string() + ": " + owner_of(lock.fd_) + " is writing in it");
    }
    std::this_thread::sleep_for(kBetweenTries);
  }
  const std::string text = std::to_string(::getpid());
  if (::ftruncate(lock.fd_, 0) != 0 || ::pwrite(lock.fd_, text.data(), text.size(), 0) < 0) {
    // A full disk: the lock holds without its text.
    [[maybe_unused]] const int emptied = ::ftruncate(lock.fd_, 0);
  }
  return lock;
}

StoreLock::StoreLock(StoreLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

StoreLock& StoreLock::operator=(StoreLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

StoreLock::~StoreLock() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

}  // namespace hawser::identity
