// Reading a source's files as one generation (material.hpp: read_files).
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/limits.hpp"
#include "tls/material.hpp"

namespace hawser::tls {
namespace {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  [[nodiscard]] int value() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

struct Split {
  std::string directory;
  std::string name;
};

Split split(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    return {".", path};
  }
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

struct FileBytes {
  std::string bytes;
  bool readable_by_others = false;
};

// The directories of one reading, each opened once. Files that are reached through `..data` (a Kubernetes volume) are
// all opened through the one directory that `..data` named when it was first looked at.
class Generation {
 public:
  Result<FileBytes> read(const std::string& path, std::size_t max_bytes) {
    constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // a FIFO must not block; only regular files are read
    const auto [directory, name] = split(path);
    const Opened* opened = open_directory(directory);
    if (opened == nullptr) {
      return unreadable(path, errno);
    }
    const std::string target = link_target(opened->itself.value(), name);
    constexpr std::string_view kData = "..data/";
    const bool through_data = opened->data.open() && target.starts_with(kData);
    const Descriptor file(through_data ? ::openat(opened->data.value(), target.c_str() + kData.size(), kFlags)
                                       : ::openat(opened->itself.value(), name.c_str(), kFlags));
    return file.open() ? read_open(file.value(), path, max_bytes) : unreadable(path, errno);
  }

 private:
  struct Opened {
    std::string path;
    Descriptor itself;
    Descriptor data;
  };

  const Opened* open_directory(const std::string& path) {
    for (const Opened& known : opened_) {
      if (known.path == path) {
        return &known;
      }
    }
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    Descriptor itself(::open(path.c_str(), kFlags));
    if (!itself.open()) {
      return nullptr;
    }
    Descriptor data(::openat(itself.value(), "..data", kFlags));
    opened_.push_back({path, std::move(itself), std::move(data)});
    return &opened_.back();
  }

  static std::string link_target(int directory, const std::string& name) {
    std::array<char, 4096> target{};
    const ssize_t length = ::readlinkat(directory, name.c_str(), target.data(), target.size());
    return length > 0 ? std::string(target.data(), static_cast<std::size_t>(length)) : std::string();
  }

  static Result<FileBytes> read_open(int file, const std::string& path, std::size_t max_bytes) {
    struct stat about{};
    if (::fstat(file, &about) != 0) {
      return unreadable(path, errno);
    }
    if (!S_ISREG(about.st_mode)) {
      return fail(Errc::tls_file_unreadable, fmt::format("{}: not a regular file", path));
    }
    FileBytes content;
    content.readable_by_others = (about.st_mode & S_IROTH) != 0;
    // One byte more than it should hold: a file that grows meanwhile is seen. One allocation, so no copies stay behind.
    content.bytes.resize(std::min(static_cast<std::size_t>(about.st_size), max_bytes) + 1);
    std::size_t have = 0;
    while (have < content.bytes.size()) {
      const ssize_t got = ::read(file, content.bytes.data() + have, content.bytes.size() - have);
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got <= 0) {
        if (got < 0) {
          const int reason = errno;
          wipe(content.bytes);
          return unreadable(path, reason);
        }
        break;
      }
      have += static_cast<std::size_t>(got);
    }
    if (have == content.bytes.size()) {
      wipe(content.bytes);
      return fail(Errc::tls_file_unreadable,
                  fmt::format("{}: over {} bytes, or it grew while it was read", path, max_bytes));
    }
    content.bytes.resize(have);
    return content;
  }

  static std::unexpected<Error> unreadable(const std::string& path, int reason) {
    return fail(Errc::tls_file_unreadable, fmt::format("{}: {}", path, std::generic_category().message(reason)));
  }

  std::vector<Opened> opened_;
};

Result<SourceBytes> read_once(const Source& source) {
  Generation generation;
  SourceBytes bytes;
  const auto take = [&generation](const std::string& path, std::size_t max_bytes, std::string& into) -> Result<void> {
    if (path.empty()) {
      return {};
    }
    Result<FileBytes> file = generation.read(path, max_bytes);
    if (!file) {
      return std::unexpected(std::move(file.error()));
    }
    into = std::move(file->bytes);
    return {};
  };
  if (Result<void> done = take(source.cert_file, limits::kPemFileBytes, bytes.cert); !done) {
    return std::unexpected(std::move(done.error()));
  }
  if (!source.key_file.empty() && !source.key_in_token()) {
    Result<FileBytes> key = generation.read(source.key_file, limits::kPemFileBytes);
    if (!key) {
      return std::unexpected(std::move(key.error()));
    }
    bytes.key = Secret::take(std::move(key->bytes));
    bytes.key_readable_by_others = key->readable_by_others;
  }
  if (Result<void> done = take(source.ca_file, limits::kPemFileBytes, bytes.ca); !done) {
    return std::unexpected(std::move(done.error()));
  }
  if (Result<void> done = take(source.crl_file, limits::kCrlFileBytes, bytes.crl); !done) {
    return std::unexpected(std::move(done.error()));
  }
  return bytes;
}

}  // namespace

Result<SourceBytes> read_files(const Source& source) {
  // A generation can be removed while it is read: the directory opened just before then holds nothing. Look again.
  constexpr int kAttempts = 3;
  Result<SourceBytes> bytes = read_once(source);
  for (int i = 1; i < kAttempts && !bytes; ++i) {
    bytes = read_once(source);
  }
  return bytes;
}

}  // namespace hawser::tls
