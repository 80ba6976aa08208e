#include "base/log_file.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace hawser::log {

namespace {

// The letters of a backup's ending: digits and points, "2026.11.22.10.00.00.123456789".
constexpr std::string_view kShape = "0000.00.00.00.00.00.000000000";

std::string backup_ending(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t when = seconds.time_since_epoch().count();
  std::tm parts{};
  localtime_r(&when, &parts);
  return fmt::format("{:04}.{:02}.{:02}.{:02}.{:02}.{:02}.{:09}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec, (time - seconds).count());
}

bool is_backup_ending(std::string_view text) {
  return text.size() == kShape.size() && std::equal(text.begin(), text.end(), kShape.begin(), [](char c, char shape) {
           return shape == '0' ? c >= '0' && c <= '9' : c == shape;
         });
}

Result<int> open_for_append(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (descriptor < 0) {
    return fail(Errc::file_unwritable, fmt::format("{}: {}", path.string(), std::generic_category().message(errno)));
  }
  return descriptor;
}

std::uint64_t size_of(int descriptor) {
  struct stat facts {};
  return ::fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode) ? static_cast<std::uint64_t>(facts.st_size) : 0;
}

}  // namespace

Result<LogFile> LogFile::open(const std::filesystem::path& path, std::uint64_t most_bytes, std::size_t backups) {
  LogFile file(path, most_bytes, backups);
  if (auto opened = file.reopen(); !opened) {
    return std::unexpected(std::move(opened.error()));
  }
  return file;
}

LogFile::LogFile(LogFile&& other) noexcept
    : path_(std::move(other.path_)),
      most_bytes_(other.most_bytes_),
      backups_(other.backups_),
      bound_(other.bound_),
      bytes_(other.bytes_),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

LogFile& LogFile::operator=(LogFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  most_bytes_ = other.most_bytes_;
  backups_ = other.backups_;
  bound_ = other.bound_;
  bytes_ = other.bytes_;
  return *this;
}

LogFile::~LogFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

void LogFile::write(std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = ::write(descriptor_, line.data(), line.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return;
    }
    bytes_ += static_cast<std::uint64_t>(written);
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

bool LogFile::full_for(std::size_t bytes) const { return most_bytes_ > 0 && bytes_ > 0 && bytes_ + bytes > bound_; }

Result<std::filesystem::path> LogFile::rotate(WallTime now) {
  std::filesystem::path backup = path_;
  backup += "." + backup_ending(now);
  if (::rename(path_.c_str(), backup.c_str()) != 0) {
    const int why = errno;
    bound_ = bytes_ + most_bytes_;
    return fail(Errc::file_unwritable, fmt::format("{}: {}", backup.string(), std::generic_category().message(why)));
  }
  if (auto opened = reopen(); !opened) {
    bound_ = bytes_ + most_bytes_;
    return std::unexpected(std::move(opened.error()));
  }
  remove_old_backups();
  return backup;
}

Result<void> LogFile::reopen() {
  const auto opened = open_for_append(path_);
  if (!opened) {
    return std::unexpected(opened.error());
  }
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
  descriptor_ = *opened;
  bytes_ = size_of(descriptor_);
  bound_ = most_bytes_;
  return {};
}

void LogFile::remove_old_backups() const {
  if (backups_ == 0) {
    return;
  }
  const std::string prefix = path_.filename().string() + ".";
  const std::filesystem::path directory = path_.has_parent_path() ? path_.parent_path() : ".";
  std::vector<std::filesystem::path> found;
  std::error_code failed;
  for (std::filesystem::directory_iterator at(directory, failed), end; !failed && at != end; at.increment(failed)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with(prefix) && is_backup_ending(std::string_view(name).substr(prefix.size()))) {
      found.push_back(at->path());
    }
  }
  std::sort(found.begin(), found.end());
  for (std::size_t i = 0; i + backups_ < found.size(); ++i) {
    std::filesystem::remove(found[i], failed);
  }
}

}  // namespace hawser::log
