#include "rotation/files.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "base/file.hpp"
#include "base/limits.hpp"

namespace hawser::rotation {
namespace {

using std::filesystem::path;

constexpr std::string_view kAbsent = ".absent";

std::unexpected<Error> failed(Errc code, std::string_view doing, const path& file) {
  return fail(code, fmt::format("{} {}: {}", doing, file.string(), std::generic_category().message(errno)));
}

// What a symlink leads to, whether it is there or not.
path behind_links(const path& file) {
  std::error_code ignored;
  path found = std::filesystem::weakly_canonical(file, ignored);
  return found.empty() ? file : found;
}

// Nothing: it is not there.
std::optional<FileLook> look_at(const path& file) {
  struct stat about{};
  if (::stat(file.c_str(), &about) != 0) {
    return std::nullopt;
  }
  return FileLook{.mode = about.st_mode & 07777U, .user = about.st_uid, .group = about.st_gid};
}

FileLook our_own() { return {.mode = S_IRUSR | S_IWUSR, .user = ::geteuid(), .group = ::getegid()}; }

// In one step for whoever reads it, and on disk when it returns.
Result<void> put(const path& file, std::string_view content, const FileLook& look, Existing existing, Errc code) {
  const Result<void> written = write_file_atomically(file, content, look, existing);
  return written ? Result<void>() : fail(code, written.error().doing);
}

path absent_path(const path& file, std::string_view mark) {
  return kept_path(file, mark).string() + std::string(kAbsent);
}

// Before anything is replaced; a second time it changes nothing.
Result<void> keep(const path& file, const std::optional<FileLook>& look, std::string_view mark) {
  if (is_kept(file, mark)) {
    return {};
  }
  if (!look) {
    return put(absent_path(file, mark), "", our_own(), Existing::replace, Errc::rotation_delivery_failed);
  }
  const Result<Secret> before = read_secret_file(file, limits::kCrlFileBytes);
  if (!before) {
    return fail(Errc::rotation_delivery_failed, "keeping what is there: " + before.error().doing);
  }
  const Result<void> kept =
      put(kept_path(file, mark), before->reveal(), *look, Existing::keep, Errc::rotation_delivery_failed);
  return kept || is_kept(file, mark) ? Result<void>() : kept;  // another step has kept it
}

}  // namespace

path kept_path(const path& file, std::string_view mark) {
  return fmt::format("{}.before-{}", behind_links(file).string(), mark);
}

bool is_kept(const path& file, std::string_view mark) {
  std::error_code ignored;
  return std::filesystem::exists(kept_path(file, mark), ignored) ||
         std::filesystem::exists(absent_path(file, mark), ignored);
}

Result<void> replace_file(const path& file, std::string_view content, std::string_view mark, const path& mode_like) {
  const path real = behind_links(file);
  const std::optional<FileLook> before = look_at(real);
  if (Result<void> kept = keep(real, before, mark); !kept) {
    return kept;
  }
  FileLook look = before.value_or(our_own());
  if (const std::optional<FileLook> like = look_at(mode_like); !before && like) {
    look.mode = like->mode & 0777U;
  }
  return put(real, content, look, Existing::replace, Errc::rotation_delivery_failed);
}

Result<void> bring_back(const path& file, std::string_view mark) {
  const path real = behind_links(file);
  std::error_code ignored;
  if (std::filesystem::exists(absent_path(real, mark), ignored)) {
    return ::unlink(real.c_str()) == 0 || errno == ENOENT ? Result<void>()
                                                          : failed(Errc::rotation_not_rolled_back, "removing", real);
  }
  const path kept = kept_path(real, mark);
  const Result<Secret> before = read_secret_file(kept, limits::kCrlFileBytes);
  if (!before) {
    return fail(Errc::rotation_not_rolled_back, before.error().doing);
  }
  const FileLook look = look_at(kept).value_or(our_own());
  return put(real, before->reveal(), look, Existing::replace, Errc::rotation_not_rolled_back);
}

}  // namespace hawser::rotation
