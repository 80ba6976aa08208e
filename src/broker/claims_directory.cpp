#include "broker/claims_directory.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "identity/nkey.hpp"

namespace hawser::broker {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExtension = ".jwt";

// The key that a file is named after.
std::optional<std::string> key_of(const fs::path& file) {
  if (file.extension() != kExtension) {
    return std::nullopt;
  }
  const std::string stem = file.stem().string();
  const auto key = identity::PublicKey::parse(stem);
  return key && key->kind() == identity::KeyKind::account ? std::optional(stem) : std::nullopt;
}

Result<AccountJwtPtr> read_one(const fs::path& file, const std::string& key) {
  const auto text = read_file(file, limits::kCredentialFileBytes);
  if (!text) {
    return std::unexpected(text.error());
  }
  const std::size_t end = text->find_last_not_of(" \t\r\n");
  auto jwt = read_account_jwt(std::string_view(*text).substr(0, end == std::string::npos ? 0 : end + 1));
  if (jwt && (*jwt)->claims.subject != key) {
    return fail(Errc::jwt_subject_wrong, "the JWT is of another account: " + (*jwt)->claims.subject);
  }
  return jwt;
}

}  // namespace

fs::path ClaimsDirectory::file(const std::string& key) const {
  return settings_.directory / (key + std::string(kExtension));
}

Result<void> ClaimsDirectory::make() const {
  std::error_code failed;
  if (const fs::path parent = settings_.directory.parent_path(); !parent.empty()) {
    fs::create_directories(parent, failed);
  }
  if (::mkdir(settings_.directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(Errc::broker_resolver_invalid, fmt::format("making the resolver's directory {}: {}",
                                                           settings_.directory.string(), std::strerror(errno)));
  }
  if (::access(settings_.directory.c_str(), R_OK | W_OK | X_OK) != 0 ||
      !fs::is_directory(settings_.directory, failed)) {
    return fail(Errc::broker_resolver_invalid,
                fmt::format("the resolver's directory {} cannot be read and written", settings_.directory.string()));
  }
  return {};
}

AccountJwts ClaimsDirectory::read(std::vector<Error>& problems) const {
  AccountJwts all;
  std::error_code failed;
  std::vector<fs::path> files;
  for (fs::directory_iterator at(settings_.directory, failed), end; !failed && at != end; at.increment(failed)) {
    if (key_of(at->path())) {
      files.push_back(at->path());
    }
  }
  if (failed && failed != std::errc::no_such_file_or_directory) {
    problems.push_back({Errc::broker_resolver_invalid, fmt::format("reading the resolver's directory {}: {}",
                                                                   settings_.directory.string(), failed.message())});
  }
  std::ranges::sort(files);
  std::size_t bytes = 0;
  for (const fs::path& path : files) {
    const std::string key = *key_of(path);
    if (all.size() >= settings_.limit || bytes > kMostBytes) {
      problems.push_back(
          {Errc::limit_exceeded, fmt::format("{} accounts are the most that are read of {}: not {}", all.size(),
                                             settings_.directory.string(), path.filename().string())});
      break;
    }
    auto jwt = read_one(path, key);
    if (!jwt) {
      problems.push_back({jwt.error().code, fmt::format("{}: {}", path.string(), jwt.error().doing)});
      continue;
    }
    bytes += (*jwt)->token.size();
    all.emplace(key, std::move(*jwt));
  }
  return all;
}

// A rename is there to stay once the directory is on the disk.
Result<void> ClaimsDirectory::settle(std::string_view doing) const {
  const int directory = ::open(settings_.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool done = directory >= 0 && ::fsync(directory) == 0;
  const int reason = errno;
  if (directory >= 0) {
    ::close(directory);
  }
  return done ? Result<void>()
              : fail(Errc::file_unwritable,
                     fmt::format("{} in {}: {}", doing, settings_.directory.string(), std::strerror(reason)));
}

Result<void> ClaimsDirectory::store(const std::string& key, std::string_view token) const {
  auto written = write_file_atomically(file(key), token, FileMode::owner_only);
  return written ? settle("storing an account") : written;
}

Result<void> ClaimsDirectory::remove(const std::string& key) const {
  const fs::path path = file(key);
  const bool done = settings_.hard_delete ? ::unlink(path.c_str()) == 0
                                          : ::rename(path.c_str(), (path.string() + ".deleted").c_str()) == 0;
  if (!done && errno == ENOENT) {
    return {};
  }
  return done ? settle("removing an account")
              : fail(Errc::file_unwritable, fmt::format("removing {}: {}", path.string(), std::strerror(errno)));
}

}  // namespace hawser::broker
