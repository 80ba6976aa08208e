#include "admin/guard.hpp"

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <optional>

namespace hawser::admin {
namespace {

struct HostAndPort {
  std::string host;  // without brackets
  std::string_view port;
  bool has_port = false;
};

std::optional<HostAndPort> split(std::string_view text) {
  HostAndPort parts;
  std::size_t end = 0;
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    parts.host = text.substr(1, end - 1);
    ++end;
  } else {
    end = std::min(text.find(':'), text.size());
    parts.host = text.substr(0, end);
  }
  if (end < text.size()) {
    if (text[end] != ':') {
      return std::nullopt;
    }
    parts.port = text.substr(end + 1);
    parts.has_port = true;
  }
  return parts;
}

std::optional<std::uint16_t> port_number(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool whole = failed == std::errc() && end == digits.data() + digits.size();
  return whole ? std::optional(port) : std::nullopt;
}

enum class Kind : std::uint8_t { no_address, loopback, other };

Kind kind_of(const std::string& ip) {
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET, ip.c_str(), bytes.data()) == 1) {
    return bytes[0] == 127 ? Kind::loopback : Kind::other;
  }
  if (inet_pton(AF_INET6, ip.c_str(), bytes.data()) == 1) {
    constexpr std::array<unsigned char, 16> kLoopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return bytes == kLoopback ? Kind::loopback : Kind::other;
  }
  return Kind::no_address;
}

bool is_localhost(std::string_view host) {
  constexpr std::string_view kName = "localhost";
  return host.size() == kName.size() && std::equal(host.begin(), host.end(), kName.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
         });
}

}  // namespace

Result<ListenAddress> parse_host_and_port(std::string_view text) {
  std::optional<HostAndPort> parts = split(text);
  const std::optional<std::uint16_t> port = parts && parts->has_port ? port_number(parts->port) : std::nullopt;
  if (!port) {
    return fail(Errc::bad_listen_address, "\"" + std::string(text) + "\" is not ADDRESS:PORT");
  }
  return ListenAddress{std::move(parts->host), *port};
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const Result<ListenAddress> parts = parse_host_and_port(text);
  if (!parts) {
    return parts;
  }
  const std::string ip = is_localhost(parts->ip) ? "127.0.0.1" : parts->ip;
  switch (kind_of(ip)) {
    case Kind::loopback: return ListenAddress{ip, parts->port};
    case Kind::other: return fail(Errc::not_loopback, "\"" + std::string(text) + "\"");
    case Kind::no_address: break;
  }
  return fail(Errc::bad_listen_address, "\"" + ip + "\" is not a numeric address");
}

bool host_is_loopback(std::string_view host) {
  const std::optional<HostAndPort> parts = split(host);
  if (!parts || (parts->has_port && !port_number(parts->port))) {
    return false;
  }
  return is_localhost(parts->host) || kind_of(parts->host) == Kind::loopback;
}

bool origin_is_ours(std::string_view origin, std::string_view host, std::string_view scheme) {
  constexpr std::string_view kMark = "://";
  if (origin.empty()) {
    return true;
  }
  const bool same_scheme = origin.starts_with(scheme) && origin.substr(scheme.size()).starts_with(kMark);
  return same_scheme && origin.substr(scheme.size() + kMark.size()) == host;
}

}  // namespace hawser::admin
