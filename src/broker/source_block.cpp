#include "broker/source_block.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>

namespace hawser::broker {
namespace {

constexpr unsigned kMappedBits = 96;  // of ::ffff:0:0/96, in which IPv4 addresses are

// Either family as IPv6, so that one comparison does for both.
struct Address {
  std::array<std::uint8_t, 16> bytes{};
  bool v4 = false;
};

std::optional<Address> parse_address(std::string_view text) {
  constexpr std::size_t kLongest = 45;  // INET6_ADDRSTRLEN without its end
  if (text.size() > kLongest) {
    return std::nullopt;
  }
  const std::string terminated(text);
  Address address;
  in_addr four{};
  if (::inet_pton(AF_INET, terminated.c_str(), &four) == 1) {
    address.bytes[10] = address.bytes[11] = 0xFF;
    std::memcpy(address.bytes.data() + 12, &four, sizeof four);
    address.v4 = true;
    return address;
  }
  if (::inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) {
    return address;
  }
  return std::nullopt;
}

// Nothing when it is no block; else whether the address is in it.
std::optional<bool> contains(std::string_view block, const Address& address) {
  const std::size_t slash = block.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  const std::optional<Address> network = parse_address(block.substr(0, slash));
  const std::string_view digits = block.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  const unsigned most = network && network->v4 ? 32 : 128;
  if (!network || digits.empty() || failed != std::errc() || end != digits.data() + digits.size() || bits > most) {
    return std::nullopt;
  }
  bits += network->v4 ? kMappedBits : 0;
  const std::size_t whole = bits / 8;
  if (!std::equal(network->bytes.begin(), network->bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                  address.bytes.begin())) {
    return false;
  }
  const unsigned rest = bits % 8;
  const auto mask = static_cast<std::uint8_t>(0xFF00U >> rest);
  return rest == 0 || ((network->bytes[whole] ^ address.bytes[whole]) & mask) == 0;
}

}  // namespace

bool comes_from(const std::vector<std::string>& blocks, std::string_view ip) {
  if (blocks.empty()) {
    return true;
  }
  const std::optional<Address> address = parse_address(ip);
  if (!address) {
    return false;
  }
  bool inside = false;
  for (const std::string& block : blocks) {
    const std::optional<bool> found = contains(block, *address);
    if (!found) {
      return false;
    }
    inside = inside || *found;
  }
  return inside;
}

}  // namespace hawser::broker
