// The file that log lines are appended to: opened again when asked, and begun anew when it is full.
//
// Owned by the log's writer, under its lock. A full file is renamed as nats-server does it, "hawser.log" to
// "hawser.log.2026.11.22.10.00.00.123456789". Nothing is thrown away but backups beyond the number to keep.
//
//   Result<LogFile> file = LogFile::open("/var/log/hawser.log", 64 << 20, 5);
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace hawser::log {

class LogFile {
 public:
  // Bytes 0: never full; backups 0: all are kept. Errors: file_unwritable.
  [[nodiscard]] static Result<LogFile> open(const std::filesystem::path& path, std::uint64_t most_bytes,
                                            std::size_t backups);
  LogFile(LogFile&& other) noexcept;
  LogFile& operator=(LogFile&& other) noexcept;
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  ~LogFile();

  // A line, whole; what cannot be written is lost, there is no place left to complain to.
  void write(std::string_view line);
  // Whether a line of this length would go beyond the bound; the caller then rotates first.
  [[nodiscard]] bool full_for(std::size_t bytes) const;
  // Sets the file aside and begins a new one; returns the backup's path. Errors: file_unwritable; the file stays, and
  // the next attempt is made when as much again was written.
  [[nodiscard]] Result<std::filesystem::path> rotate(WallTime now);
  // Errors: file_unwritable; the open file stays.
  [[nodiscard]] Result<void> reopen();

 private:
  LogFile(std::filesystem::path path, std::uint64_t most_bytes, std::size_t backups)
      : path_(std::move(path)), most_bytes_(most_bytes), backups_(backups), bound_(most_bytes) {}
  void remove_old_backups() const;

  std::filesystem::path path_;
  std::uint64_t most_bytes_;
  std::size_t backups_;
  std::uint64_t bound_;  // most_bytes_, and more after a rotation that failed
  std::uint64_t bytes_ = 0;
  int descriptor_ = -1;
};

}  // namespace hawser::log
