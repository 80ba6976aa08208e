#include "base/file.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace hawser {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int value() const { return fd_; }
  bool close() {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

std::unexpected<Error> system_failure(Errc code, std::string_view doing, const std::filesystem::path& path) {
  return fail(code, fmt::format("{} {}: {}", doing, path.string(), std::generic_category().message(errno)));
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return false;
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// Where the bytes are to stand in the end: the target of a symlink, which need not exist yet.
std::filesystem::path final_target(std::filesystem::path path) {
  constexpr int kMostLinks = 40;  // as the kernel's own limit
  std::error_code ignored;
  for (int i = 0; i < kMostLinks && std::filesystem::is_symlink(path, ignored); ++i) {
    const std::filesystem::path target = std::filesystem::read_symlink(path, ignored);
    path = target.is_absolute() ? target : path.parent_path() / target;
  }
  return path;
}

// False: errno says why, and nothing has changed.
bool put(const std::filesystem::path& target, std::string_view content, const FileLook& look, Existing existing) {
  std::string temporary = target.string() + ".XXXXXX";  // the same directory: rename must not cross file systems
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.value() < 0) {
    return false;
  }
  const bool ours = look.user == ::geteuid() && look.group == ::getegid();
  bool done = (ours || ::fchown(file.value(), look.user, look.group) == 0) && ::fchmod(file.value(), look.mode) == 0 &&
              write_all(file.value(), content) && ::fsync(file.value()) == 0 && file.close();
  if (done && existing == Existing::keep) {
    done = ::link(temporary.c_str(), target.c_str()) == 0;  // unlike rename, it never replaces
  } else if (done) {
    done = ::rename(temporary.c_str(), target.c_str()) == 0;
  }
  if (!done || existing == Existing::keep) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    errno = reason;
  }
  return done;
}

bool sync_directory(const std::filesystem::path& directory) {
  const Descriptor opened(::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.value() >= 0 && ::fsync(opened.value()) == 0;
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.value() < 0) {
    return system_failure(Errc::file_unreadable, "reading", path);
  }
  std::string content;
  struct stat about{};
  if (::fstat(file.value(), &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0) {
    // One allocation, so that a secret leaves no outgrown buffers behind; one byte more shows the end.
    content.reserve(std::min(static_cast<std::size_t>(about.st_size), max_bytes) + 1);
  }
  std::array<char, 16384> chunk{};
  for (;;) {
    const ssize_t got = ::read(file.value(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      wipe(chunk);
      return got == 0 ? Result<std::string>(std::move(content))
                      : system_failure(Errc::file_unreadable, "reading", path);
    }
    if (content.size() + static_cast<std::size_t>(got) > max_bytes) {
      wipe(chunk);
      wipe(content);
      return fail(Errc::limit_exceeded, fmt::format("reading {}: over {} bytes", path.string(), max_bytes));
    }
    content.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

Result<Secret> read_secret_file(const std::filesystem::path& path, std::size_t max_bytes) {
  Result<std::string> text = read_file(path, max_bytes);
  if (!text) {
    return std::unexpected(std::move(text.error()));
  }
  return Secret::take(std::move(*text));
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content, FileMode mode,
                                   Existing existing) {
  const FileLook look{.mode = mode == FileMode::owner_only ? 0600U : 0644U, .user = ::geteuid(), .group = ::getegid()};
  return put(final_target(path), content, look, existing) ? Result<void>()
                                                                : system_failure(Errc::file_unwritable, "writing", path);
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content, const FileLook& look,
                                   Existing existing) {
  const std::filesystem::path target = final_target(path);
  return put(target, content, look, existing) && sync_directory(target.parent_path())
             ? Result<void>()
             : system_failure(Errc::file_unwritable, "writing", path);
}

}  // namespace hawser
