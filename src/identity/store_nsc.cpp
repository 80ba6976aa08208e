#include "identity/store_nsc.hpp"

#include <boost/json.hpp>
#include <system_error>

#include "base/file.hpp"
#include "base/limits.hpp"

namespace hawser::identity {
namespace {

std::filesystem::path config_directory(const EnvironmentLookup& environment) {
  const auto named = [&environment](std::string_view name) { return environment(name).value_or(""); };
  if (const std::string own = named("NSC_HOME"); !own.empty()) {
    return own;
  }
  const std::string config = named("XDG_CONFIG_HOME");
  const std::string home = named("HOME");
  if (config.empty() && home.empty()) {
    return {};
  }
  return (config.empty() ? std::filesystem::path(home) / ".config" : std::filesystem::path(config)) / "nats" / "nsc";
}

std::string text_at(const boost::json::object& object, std::string_view name) {
  const boost::json::value* found = object.if_contains(name);
  const boost::json::string* text = found != nullptr ? found->if_string() : nullptr;
  return text != nullptr ? std::string(text->data(), text->size()) : std::string();
}

}  // namespace

Result<NscContext> read_nsc_context(const EnvironmentLookup& environment) {
  const std::filesystem::path directory = config_directory(environment);
  const std::filesystem::path path = directory / "nsc.json";
  std::error_code ignored;
  if (directory.empty() || !std::filesystem::exists(path, ignored)) {
    return NscContext{};
  }
  const Result<std::string> text = read_file(path, limits::kConfigFileBytes);
  if (!text) {
    return std::unexpected(text.error());
  }
  boost::system::error_code failed;
  const boost::json::value document = boost::json::parse(*text, failed);
  if (failed || !document.is_object()) {
    return fail(Errc::id_store_unusable, path.string() + ": not nsc's configuration");
  }
  const boost::json::object& fields = document.get_object();
  return NscContext{.store_root = text_at(fields, "store_root"), .operator_name = text_at(fields, "operator")};
}

}  // namespace hawser::identity
