#include "identity/store_retiring.hpp"

#include <boost/json.hpp>
#include <system_error>

#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/limits.hpp"

namespace hawser::identity {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostKeys = 100'000;

std::filesystem::path file_of(const Store& store) {
  return operator_directory(store.places(), store.operator_name()) / ".hawser-retiring.json";
}

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  const json::string* text = found != nullptr ? found->if_string() : nullptr;
  return text != nullptr ? std::string(text->data(), text->size()) : std::string();
}

std::optional<RetiringKey> key_in(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr) {
    return std::nullopt;
  }
  const std::optional<WallTime> until = parse_rfc3339(text_at(*object, "until"));
  RetiringKey key{
      .key = text_at(*object, "key"), .account = text_at(*object, "account"), .user = text_at(*object, "user")};
  if (!until || !PublicKey::parse(key.key)) {
    return std::nullopt;
  }
  key.until = std::chrono::floor<std::chrono::seconds>(*until);
  return key;
}

}  // namespace

Result<std::vector<RetiringKey>> read_retiring(const Store& store) {
  const std::filesystem::path path = file_of(store);
  std::vector<RetiringKey> keys;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return keys;
  }
  const Result<std::string> text = read_file(path, limits::kConfigFileBytes);
  if (!text) {
    return std::unexpected(text.error());
  }
  const auto damaged = [&path] {
    return fail(Errc::id_store_unusable, path.string() + ": not a list of retiring keys");
  };
  boost::system::error_code failed;
  const json::value document = json::parse(*text, failed);
  const json::array* rows = failed ? nullptr : document.if_array();
  if (rows == nullptr || rows->size() > kMostKeys) {
    return damaged();
  }
  for (const json::value& row : *rows) {
    std::optional<RetiringKey> key = key_in(row);
    if (!key) {
      return damaged();
    }
    keys.push_back(std::move(*key));
  }
  return keys;
}

Result<void> write_retiring(const Store& store, std::span<const RetiringKey> keys) {
  json::array rows;
  for (const RetiringKey& key : keys) {
    rows.push_back({{"key", key.key}, {"account", key.account}, {"user", key.user}, {"until", to_rfc3339(key.until)}});
  }
  return write_file_atomically(file_of(store), json::serialize(rows), FileMode::owner_only);
}

}  // namespace hawser::identity
