// Who may talk to the admin endpoint, and where it may listen. Pure.
//
// An agent's has no authentication; that only processes of this machine reach it is its protection. A browser on this
// machine could be talked into asking on behalf of a web page, by a name that the page's owner points at 127.0.0.1 (DNS
// rebinding) or by a form that posts across origins; hence a look at Host and Origin.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace hawser::admin {

struct ListenAddress {
  std::string ip;  // numeric, without brackets
  std::uint16_t port = 0;
};

// "HOST:PORT" taken apart; the host may be a name, an address or empty. Errors: bad_listen_address.
[[nodiscard]] Result<ListenAddress> parse_host_and_port(std::string_view text);

// "127.0.0.1:9222", "[::1]:0", "localhost:9222" (which means 127.0.0.1). Errors: bad_listen_address, not_loopback.
[[nodiscard]] Result<ListenAddress> parse_listen_address(std::string_view text);

// A Host header that names this machine's loopback: an address of 127.0.0.0/8, [::1] or localhost, with any port.
[[nodiscard]] bool host_is_loopback(std::string_view host);

// An Origin header that is this very endpoint (the scheme, "://" and Host); an absent one (empty) is a program, not a
// browser's page.
[[nodiscard]] bool origin_is_ours(std::string_view origin, std::string_view host, std::string_view scheme = "http");

}  // namespace hawser::admin
