// Contexts of the nats CLI, read as they lie on disk.
#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "base/nearest.hpp"
#include "cli/connection.hpp"

namespace hawser::cli {
namespace {

namespace fs = std::filesystem;
using posture::Key;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

fs::path directory() {
  const std::string base = variable("XDG_CONFIG_HOME");
  return (base.empty() ? fs::path(variable("HOME")) / ".config" : fs::path(base)) / "nats" / "context";
}

std::unexpected<Error> unusable(const std::string& name, std::string_view why) {
  return fail(Errc::context_unusable, "\"" + name.substr(0, 64) + "\": " + std::string(why));
}

std::vector<std::string> known_contexts() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (fs::directory_iterator it(directory(), ignored), end; !ignored && it != end; it.increment(ignored)) {
    if (it->path().extension() == ".json") {
      names.push_back(it->path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::unexpected<Error> not_there(const std::string& name, const fs::path& file) {
  std::string why = "there is no " + file.string();
  const std::vector<std::string> names = known_contexts();
  if (const auto near = nearest(name, names)) {
    why += " (did you mean \"" + *near + "\"?)";
  }
  return unusable(name, why);
}

// "~/nats.creds" as a shell would.
std::string expand_home(std::string_view path) {
  return path.starts_with("~/") ? variable("HOME") + std::string(path.substr(1)) : std::string(path);
}

struct Row {
  std::string_view key;
  Key setting;
  bool path;
};
constexpr Row kRows[] = {
    {"url", Key::url, false},           {"token", Key::token, false}, {"user", Key::username, false},
    {"password", Key::password, false}, {"creds", Key::creds, true},  {"nkey", Key::nkey_file, true},
    {"cert", Key::tls_cert, true},      {"key", Key::tls_key, true},  {"ca", Key::tls_ca, true},
};
// What would change how the connection is made, and is not known here: better an error than another connection.
constexpr std::string_view kForeign[] = {"nsc",       "socks_proxy",        "user_jwt",
                                         "user_seed", "windows_cert_store", "windows_cert_match"};

std::string_view text_of(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(boost::json::string_view(key.data(), key.size()));
  return value != nullptr && value->is_string()
             ? std::string_view(value->get_string().data(), value->get_string().size())
             : std::string_view();
}

Result<Context> to_context(const std::string& name, const boost::json::object& object, const std::string& file) {
  Context context;
  const auto origin = [&](std::string_view key) { return file + " (" + std::string(key) + ")"; };
  for (const std::string_view key : kForeign) {
    if (!text_of(object, key).empty()) {
      return unusable(name, std::string(key) + " is not supported");
    }
  }
  for (const Row& row : kRows) {
    const std::string_view text = text_of(object, row.key);
    // The nats CLI saves a token as the user as well.
    const bool token_again =
        row.setting == Key::username && text == text_of(object, "token") && text_of(object, "password").empty();
    if (!text.empty() && !token_again) {
      posture::set(context.settings, row.setting, row.path ? expand_home(text) : text, origin(row.key));
    }
  }
  if (const boost::json::value* first = object.if_contains("tls_first");
      first != nullptr && first->is_bool() && first->get_bool()) {
    posture::set(context.settings, Key::tls_handshake_first, "true", origin("tls_first"));
  }
  context.inbox_prefix = text_of(object, "inbox_prefix");
  return context;
}

}  // namespace

Result<Context> read_context(const std::string& name) {
  if (name.find('/') != std::string::npos || name.starts_with('.')) {
    return unusable(name, "a context is named without a path");
  }
  const fs::path file = directory() / (name + ".json");
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    return not_there(name, file);
  }
  const auto text = read_secret_file(file, limits::kConfigFileBytes);
  if (!text) {
    return unusable(name, text.error().doing);
  }
  boost::json::error_code wrong;
  boost::json::parse_options options;
  options.max_depth = 8;
  const boost::json::value document =
      boost::json::parse(boost::json::string_view(text->reveal().data(), text->reveal().size()), wrong, {}, options);
  if (wrong || !document.is_object()) {
    return unusable(name, file.string() + " is not a JSON object");
  }
  return to_context(name, document.get_object(), file.string());
}

}  // namespace hawser::cli
