// Server lists: whatever is accepted can be printed and read again as the same server, and a password is never printed.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "posture/server_url.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser::posture;
  for (const std::string_view part : split_server_list({reinterpret_cast<const char*>(data), size})) {
    const auto url = parse_server_url(part);
    if (!url) {
      // The reasons are fixed texts: more of them than the parser has would mean that one quotes the input.
      static std::set<std::string> reasons;
      reasons.insert(url.error().message());
      if (reasons.size() > 12) {
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
