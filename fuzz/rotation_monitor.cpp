// What a broker's monitoring and an agent's metrics may answer: read or refused, and nothing in it that moves a cursor.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "rotation/connz.hpp"
#include "rotation/counters.hpp"
#include "rotation/varz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser::rotation;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto harmless = [](const std::string& shown) {
    return std::none_of(shown.begin(), shown.end(),
                        [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
  };
  if (const auto page = parse_connz(text)) {
    for (const SeenConnection& one : page->connections) {
      if (!harmless(one.name + one.user.shown({}) + one.subject + one.issuer + one.address + one.since)) __builtin_trap();
      if (!one.certificate.empty() && one.certificate.size() != 64) __builtin_trap();
    }
  }
  static_cast<void>(parse_varz(text));
  // What has a sum over 0 is there.
  if (sum_of_metric(text, "hawser_disconnects_total").value_or(0) != 0 && !has_metric(text, "hawser_disconnects_total")) {
    __builtin_trap();
  }
  return 0;
}
