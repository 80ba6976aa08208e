// A broker's configuration, hostile: it must end within its bounds in all its forms, mistakes must have a text, and
// what is read must be judged without harm. The first byte picks the syntax; the file may include itself.
#include <cstdint>
#include <string>
#include <string_view>

#include "broker/validate.hpp"
#include "config/broker_conf.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const char pick = static_cast<char>(*data);
  const config::ConfSyntax syntax = pick == 'y'   ? config::ConfSyntax::yaml
                                    : pick == 'n' ? config::ConfSyntax::nats
                                                  : config::ConfSyntax::by_name;
  const config::ConfReach reach{[text](const std::filesystem::path& path) -> Result<std::string> {
                                  if (path == "b.conf") return std::string(text);
                                  if (path == "other.conf") return std::string(text.substr(text.size() / 2));
                                  return fail(Errc::file_unreadable, "none");
                                },
                                [text](std::string_view name) -> std::optional<std::string> {
                                  if (name.size() > 2) return std::nullopt;
                                  return std::string(text.substr(0, text.find('\n')));
                                }};
  const Result<config::BrokerConf> conf = config::parse_broker_conf(text, "b.conf", reach, syntax);
  if (!conf) {
    if (conf.error().doing.empty()) __builtin_trap();
    return 0;
  }
  for (const config::Notice& notice : conf->notices) {
    if (notice.message.empty()) __builtin_trap();
  }
  for (const Error& mistake : broker::find_mistakes(conf->settings)) {
    if (mistake.doing.empty()) __builtin_trap();
  }
  for (const config::Notice& notice : config::broker_posture(conf->settings)) {
    if (notice.text().empty()) __builtin_trap();
  }
  return 0;
}
