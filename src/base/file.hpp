// Whole files, bounded on the way in and atomic on the way out. Blocking: never on a reactor thread. Thread-safe.
//
//   auto text = read_file("./broker.yaml", limits::kConfigFileBytes);
//   auto done = write_file_atomically("./tls.key", pem, FileMode::owner_only);
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace hawser {

// Regular files, and what behaves like one (a pipe as in `<(command)`); read until its end. Errors: file_unreadable
// (with the system's reason), limit_exceeded.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes);
// The same, with no copy left behind.
[[nodiscard]] Result<Secret> read_secret_file(const std::filesystem::path& path, std::size_t max_bytes);

enum class FileMode : std::uint8_t { owner_only, world_readable };  // 0600, 0644
enum class Existing : std::uint8_t { replace, keep };               // keep: an existing file is an error

// What a file has besides its content and its name.
struct FileLook {
  mode_t mode = 0600;
  uid_t user = 0;
  gid_t group = 0;
};

// Readers see the old content or the new one, never a part: a temporary file beside it, fsync, rename. A symlink is
// followed, so that its target is replaced. Errors: file_unwritable (with the system's reason).
[[nodiscard]] Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content,
                                                 FileMode mode, Existing existing = Existing::replace);
// The same, with this mode and owner; the directory is on disk, too, when it returns.
[[nodiscard]] Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content,
                                                 const FileLook& look, Existing existing = Existing::replace);

}  // namespace hawser
