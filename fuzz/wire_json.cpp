// INFO and CONNECT: what was read, written and read again is the same.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "wire/connect.hpp"
#include "wire/info.hpp"

namespace {

void require(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser::wire;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto info = parse_info(text)) {
    const std::string written = to_json(*info);
    require(written.find_first_of("\r\n") == std::string::npos, "INFO is one line");
    const auto again = parse_info(written);
    require(again && *again == *info, "INFO is the same again");
  }
  if (const auto options = parse_connect(text)) {
    const hawser::Secret written = to_json(*options);
    require(written.reveal().find_first_of("\r\n") == std::string_view::npos, "CONNECT is one line");
    const auto again = parse_connect(written.reveal());
    require(again && to_json(*again).reveal() == written.reveal(), "CONNECT is the same again");
    (void)connect_refusal(*options, true);
  }
  return 0;
}
