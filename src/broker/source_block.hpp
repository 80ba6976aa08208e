// Blocks of IP addresses, as a user's JWT lists where it may come from: CIDR, RFC 4632 and RFC 4291.
//
// Pure; thread-safe.
//
//   if (!comes_from(user.sources, peer.ip())) refuse();
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hawser::broker {

// Whether the address ("127.0.0.1", "::1") is in one of the blocks ("10.0.0.0/8", "fd00::/8"); without blocks, always.
// A block that is none lets nobody in, whatever the others say. IPv4 in IPv6 form is IPv4, in addresses and blocks.
[[nodiscard]] bool comes_from(const std::vector<std::string>& blocks, std::string_view ip);

}  // namespace hawser::broker
