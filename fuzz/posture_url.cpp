// Server lists: whatever is accepted can be printed and read again as the same server, and a password is never printed.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "posture/server_url.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser::posture;
  for (const std::string_view part : split_server_list({reinterpret_cast<const char*>(data), size})) {
    const auto url = parse_server_url(part);
    if (!url) {
      // The reasons are fixed texts; eight characters of a password in one would be a quote.
      const std::size_t at = part.find('@');
      if (at != std::string_view::npos && at >= 12 && part.find("://") == std::string_view::npos &&
          part.find("user:password@") == std::string_view::npos &&
          url.error().message().find(part.substr(at - 12, 13)) != std::string::npos) {
        std::abort();
      }
      continue;
    }
    const auto again = parse_server_url(url->printable());
    if (!again || again->host != url->host || again->port != url->port || again->scheme != url->scheme ||
        again->has_userinfo || url->port == 0 || url->host.empty()) {
      std::abort();
    }
  }
  return 0;
}
