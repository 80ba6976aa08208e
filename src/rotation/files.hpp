// Files that a rotation replaces: atomically, with mode and owner kept, and with what was there kept beside them.
//
// Blocking; thread-safe for different paths. A path that is a symlink stays one: its target is replaced. Repeating a
// call does no harm: what is kept is what was there before the first one.
//
//   replace_file("/etc/nats/ca.crt", both, mark, new_ca);   // beside it: ca.crt.before-<mark>
//   bring_back("/etc/nats/ca.crt", mark);
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace hawser::rotation {

// Where what was there is kept, for the rotation of this mark (RotationRow::mark).
[[nodiscard]] std::filesystem::path kept_path(const std::filesystem::path& path, std::string_view mark);

// `mode_like`: whose mode a file gets that was not there. Errors: rotation_delivery_failed, with the system's reason.
[[nodiscard]] Result<void> replace_file(const std::filesystem::path& path, std::string_view content,
                                        std::string_view mark, const std::filesystem::path& mode_like);
// Byte for byte, or gone, if it was not there. Errors: rotation_not_rolled_back.
[[nodiscard]] Result<void> bring_back(const std::filesystem::path& path, std::string_view mark);
// Whether there is something to bring back.
[[nodiscard]] bool is_kept(const std::filesystem::path& path, std::string_view mark);

}  // namespace hawser::rotation
