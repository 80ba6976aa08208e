#include "identity/store_layout.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>
#include <system_error>

namespace hawser::identity {
namespace {

constexpr std::size_t kLongestName = 128;

std::optional<std::string> lookup(const EnvironmentLookup& environment, std::string_view name) {
  std::optional<std::string> value = environment(name);
  return value && !value->empty() ? value : std::nullopt;
}

std::string named(std::string_view name, std::string_view ending) { return std::string(name) + std::string(ending); }

// C1 controls in UTF-8, which terminals obey as they do ESC.
bool holds_c1(std::string_view name) {
  for (std::size_t i = name.find('\xc2'); i != std::string_view::npos; i = name.find('\xc2', i + 1)) {
    if (i + 1 < name.size() && static_cast<unsigned char>(name[i + 1]) < 0xa0) {
      return true;
    }
  }
  return false;
}

bool printable(char c) { return c >= ' ' && c != '\x7f' && c != '/' && c != '\\'; }

}  // namespace

Result<StorePlaces> find_store_places(const StoreWishes& wishes, const EnvironmentLookup& environment) {
  StorePlaces places;
  if (!wishes.store.empty()) {
    places = {.stores = wishes.store, .keys = wishes.store};
  } else if (const auto store = lookup(environment, "HAWSER_ID_STORE")) {
    places = {.stores = *store, .keys = *store};
  } else {
    const auto data = lookup(environment, "XDG_DATA_HOME");
    const auto home = lookup(environment, "HOME");
    if (!data && !home) {
      return fail(Errc::id_store_missing, "looking for nsc's own place: neither XDG_DATA_HOME nor HOME is set");
    }
    const std::filesystem::path nsc =
        (data ? std::filesystem::path(*data) : std::filesystem::path(*home) / ".local" / "share") / "nats" / "nsc";
    const auto keys = lookup(environment, "NKEYS_PATH");
    places = {.stores = nsc / "stores", .keys = keys ? std::filesystem::path(*keys) : nsc / "keys"};
  }
  if (!wishes.keys.empty()) {
    places.keys = wishes.keys;
  }
  return places;
}

Result<void> check_store_name(std::string_view kind, std::string_view name) {
  constexpr std::string_view kNotInFront = ".- ";
  constexpr std::string_view kNotBehind = ". ";
  const auto bad = [kind](std::string why) {
    return fail(Errc::id_bad_name, "naming the " + std::string(kind) + ": " + why);
  };
  if (name.empty() || name.size() > kLongestName) {
    return bad(name.empty() ? "the name is empty" : "the name has over 128 bytes");
  }
  if (holds_c1(name) || !std::all_of(name.begin(), name.end(),
                                     [](char c) { return static_cast<unsigned char>(c) >= 0x80 || printable(c); })) {
    return bad("it holds a slash, a backslash or a control character");
  }
  if (kNotInFront.find(name.front()) != std::string_view::npos ||
      kNotBehind.find(name.back()) != std::string_view::npos) {
    return bad("\"" + std::string(name) + "\" begins or ends with a character that it may not");
  }
  if (kind == "operator" && (name == "keys" || name == "creds")) {
    return bad("\"" + std::string(name) + "\" is the name of a directory beside it");
  }
  return {};
}

std::filesystem::path operator_directory(const StorePlaces& places, std::string_view operator_name) {
  return places.stores / operator_name;
}

std::filesystem::path account_directory(const StorePlaces& places, std::string_view operator_name,
                                        std::string_view account) {
  return operator_directory(places, operator_name) / "accounts" / account;
}

std::filesystem::path creds_file(const StorePlaces& places, std::string_view operator_name, std::string_view account,
                                 std::string_view user) {
  return places.keys / "creds" / operator_name / account / named(user, ".creds");
}

std::filesystem::path key_file(const std::filesystem::path& keys, std::string_view public_key) {
  return keys / "keys" / public_key.substr(0, 1) / public_key.substr(1, 2) / named(public_key, ".nk");
}

Result<void> make_private_directories(const std::filesystem::path& directory) {
  std::filesystem::path so_far;
  for (const std::filesystem::path& part : directory) {
    so_far /= part;
    if (::mkdir(so_far.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
      const int reason = errno;
      std::error_code ignored;
      if (!std::filesystem::is_directory(so_far, ignored)) {  // a parent that may not be written is fine if it is there
        return fail(Errc::id_store_unusable,
                    "making " + so_far.string() + ": " + std::generic_category().message(reason));
      }
    }
  }
  return {};
}

}  // namespace hawser::identity
