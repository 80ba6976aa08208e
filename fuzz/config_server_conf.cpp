// nats-server's language, hostile: it must end within its bounds, and what it reads must lint. The input is the file;
// it may include itself, and an "other.conf" that is its second half; variables of the environment hold its first line.
#include <cstdint>
#include <string>
#include <string_view>

#include "config/nats_conf.hpp"
#include "config/server_conf_lint.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const config::ConfReach reach{[text](const std::filesystem::path& path) -> Result<std::string> {
                                  if (path == "n.conf") return std::string(text);
                                  if (path == "other.conf") return std::string(text.substr(text.size() / 2));
                                  return fail(Errc::file_unreadable, "none");
                                },
                                [text](std::string_view name) -> std::optional<std::string> {
                                  if (name.size() > 2) return std::nullopt;
                                  return std::string(text.substr(0, text.find('\n')));
                                }};
  const Result<config::ConfDocument> conf = config::parse_nats_conf(text, "n.conf", reach);
  if (!conf) {
    if (conf.error().doing.find("n.conf") == std::string::npos &&
        conf.error().doing.find("other.conf") == std::string::npos)
      __builtin_trap();
    return 0;
  }
  for (const posture::Finding& finding :
       config::lint_server_conf(*conf, [](const tls::Source&) { return tls::Assessment{}; })) {
    if (finding.message.empty() || finding.sources.empty()) __builtin_trap();
  }
  return 0;
}
