#include "identity/store_keys.hpp"

#include <algorithm>
#include <sys/stat.h>
#include <system_error>

#include "base/file.hpp"
#include "identity/store_layout.hpp"

namespace hawser::identity {
namespace {

constexpr std::size_t kKeyFileBytes = 4096;
constexpr std::string_view kIgnored = "# private keys and creds do not belong into a repository\n**/*.nk\n**/*.creds\n";

// The seed in a file's text: what stands between the blanks.
std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

Result<KeyPair> read_key(const std::filesystem::path& path) {
  const Result<Secret> text = read_secret_file(path, kKeyFileBytes);
  if (!text) {
    return std::unexpected(text.error());
  }
  return KeyPair::from_seed(trimmed(text->reveal()));
}

// Whoever can read the file can be that operator or account.
bool private_file(const std::filesystem::path& path) {
  struct stat about{};
  return ::stat(path.c_str(), &about) == 0 && (about.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

}  // namespace

Result<KeyPair> copy_of(const KeyPair& key) { return KeyPair::from_seed(key.seed().reveal()); }

Result<KeyPair> KeyRing::find(std::string_view public_key) const {
  const auto lent = std::find_if(lent_.begin(), lent_.end(),
                                 [public_key](const KeyPair& key) { return key.public_key().text() == public_key; });
  if (lent != lent_.end()) {
    return copy_of(*lent);
  }
  if (!PublicKey::parse(public_key)) {
    return fail(Errc::id_key_missing, "looking for a key that is no public NKey");
  }
  const std::filesystem::path path = key_file(directory_, public_key);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return fail(Errc::id_key_missing, path.string() + " is not there");
  }
  if (!private_file(path)) {
    return fail(Errc::id_store_unusable, path.string() + ": others may read it; make it 0600");
  }
  Result<KeyPair> key = read_key(path);
  if (!key) {
    return fail(Errc::id_store_unusable, path.string() + ": " + key.error().message());
  }
  if (key->public_key().text() != public_key) {
    return fail(Errc::id_store_unusable, path.string() + ": it holds the key of " + key->public_key().text());
  }
  return key;
}

bool KeyRing::holds(std::string_view public_key) const { return find(public_key).has_value(); }

Result<void> KeyRing::lend_file(const std::filesystem::path& path) {
  Result<KeyPair> key = read_key(path);
  if (!key) {
    key.error().doing = path.string() + ": " + key.error().doing;
    return std::unexpected(std::move(key.error()));
  }
  lend(std::move(*key));
  return {};
}

Result<void> KeyRing::save(const KeyPair& key) const {
  const std::filesystem::path path = key_file(directory_, key.public_key().text());
  if (auto made = make_private_directories(path.parent_path()); !made) {
    return made;
  }
  std::error_code ignored;
  if (const auto ignore = directory_ / ".gitignore"; !std::filesystem::exists(ignore, ignored)) {
    if (auto written = write_file_atomically(ignore, kIgnored, FileMode::owner_only); !written) {
      return written;
    }
  }
  const Secret seed = key.seed();
  return write_file_atomically(path, seed.reveal(), FileMode::owner_only);
}

Result<void> KeyRing::erase(std::string_view public_key) const {
  if (!PublicKey::parse(public_key)) {
    return {};
  }
  std::error_code failed;
  const std::filesystem::path path = key_file(directory_, public_key);
  std::filesystem::remove(path, failed);
  if (failed) {
    return fail(Errc::id_store_unusable, "removing " + path.string() + ": " + failed.message());
  }
  return {};
}

}  // namespace hawser::identity
