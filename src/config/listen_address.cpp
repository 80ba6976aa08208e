#include <arpa/inet.h>
#include <charconv>
#include <fmt/format.h>
#include <netinet/in.h>

#include "config/agent_file.hpp"
#include "config/letters.hpp"

namespace hawser::config {

namespace {

bool is_loopback(const std::string& host) {
  if (same_letters(host, "localhost")) return true;
  in_addr four{};
  if (inet_pton(AF_INET, host.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24U) == 127;
  in6_addr six{};
  return inet_pton(AF_INET6, host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six) != 0;
}

}  // namespace

std::string ListenAddress::text() const {
  const bool six = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", six ? "[" : "", host, six ? "]" : "", port);
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const std::string_view whole = trimmed(text);
  const std::size_t colon = whole.rfind(':');
  const std::string_view port = colon == std::string_view::npos ? whole : whole.substr(colon + 1);
  std::string_view host = colon == std::string_view::npos ? std::string_view("127.0.0.1") : whole.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  ListenAddress out{std::string(host), 0};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc() || end != port.data() + port.size() ||
      (!bracketed && host.find(':') != std::string_view::npos)) {
    return fail(Errc::config_bad_value, "is not an address like 127.0.0.1:4222 or [::1]:4222");
  }
  if (host.empty() || host == "*") return fail(Errc::config_listen_not_loopback, "names every interface");
  if (!is_loopback(out.host)) return fail(Errc::config_listen_not_loopback, "is not a loopback address");
  return out;
}

}  // namespace hawser::config
