#include "net/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace hawser::net {

static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));

Result<Address> Address::literal(std::string_view ip, std::uint16_t port) {
  const std::string text(ip);
  Address address;
  sockaddr_in v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&address.storage_, &v4, sizeof v4);
    return address;
  }
  if (inet_pton(AF_INET6, text.c_str(), &address.storage_.sin6_addr) == 1) {
    address.storage_.sin6_family = AF_INET6;
    address.storage_.sin6_port = htons(port);
    return address;
  }
  return fail(Errc::resolve_failed, "\"" + text + "\" is not an IP address");
}

Result<Address> Address::parse(std::string_view host_and_port) {
  const auto colon = host_and_port.rfind(':');
  if (colon == std::string_view::npos) {
    return fail(Errc::listen_failed, "\"" + std::string(host_and_port) + "\" is not HOST:PORT");
  }
  std::string_view host = host_and_port.substr(0, colon);
  const std::string_view digits = host_and_port.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (ec != std::errc{} || end != digits.data() + digits.size()) {
    return fail(Errc::listen_failed, "\"" + std::string(digits) + "\" is not a port");
  }
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  if (host == "localhost") {
    host = "127.0.0.1";
  }
  return literal(host, port);
}

Address Address::from(const sockaddr* raw, socklen_t size) {
  Address address;
  std::memcpy(&address.storage_, raw, std::min<std::size_t>(size, sizeof address.storage_));
  address.unmap();
  return address;
}

Address Address::any_v6(std::uint16_t port) noexcept {
  Address address;
  address.storage_.sin6_family = AF_INET6;
  address.storage_.sin6_port = htons(port);
  return address;  // :: is all zeros
}

Address Address::with_port(std::uint16_t port) const noexcept {
  Address address = *this;
  address.storage_.sin6_port = htons(port);
  return address;
}

// What an IPv6 socket says of an IPv4 peer.
void Address::unmap() noexcept {
  if (family() != AF_INET6 || IN6_IS_ADDR_V4MAPPED(&storage_.sin6_addr) == 0) {
    return;
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = storage_.sin6_port;
  std::memcpy(&v4.sin_addr, &storage_.sin6_addr.s6_addr[12], sizeof v4.sin_addr);
  storage_ = {};
  std::memcpy(&storage_, &v4, sizeof v4);
}

Address Address::local_of(int fd) {
  Address address;
  socklen_t size = sizeof address.storage_;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage_), &size);
  address.unmap();
  return address;
}

Address Address::peer_of(int fd) {
  Address address;
  socklen_t size = sizeof address.storage_;
  getpeername(fd, reinterpret_cast<sockaddr*>(&address.storage_), &size);
  address.unmap();
  return address;
}

socklen_t Address::size() const noexcept { return family() == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6); }

bool Address::is_loopback() const noexcept {
  if (family() == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &storage_, sizeof v4);
    return (ntohl(v4.sin_addr.s_addr) >> 24U) == 127;
  }
  return family() == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&storage_.sin6_addr);
}

bool Address::is_any() const noexcept {
  if (family() == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &storage_, sizeof v4);
    return v4.sin_addr.s_addr == htonl(INADDR_ANY);
  }
  return family() == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&storage_.sin6_addr);
}

bool operator==(const Address& a, const Address& b) noexcept {
  if (a.family() != b.family() || a.port() != b.port()) {
    return false;
  }
  if (a.family() == AF_INET) {
    sockaddr_in left{};
    sockaddr_in right{};
    std::memcpy(&left, &a.storage_, sizeof left);
    std::memcpy(&right, &b.storage_, sizeof right);
    return left.sin_addr.s_addr == right.sin_addr.s_addr;
  }
  return a.storage_.sin6_scope_id == b.storage_.sin6_scope_id &&
         std::memcmp(&a.storage_.sin6_addr, &b.storage_.sin6_addr, sizeof(in6_addr)) == 0;
}

std::string Address::ip() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family() == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &storage_, sizeof v4);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, &storage_.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

std::string Address::text() const {
  const std::string port_text = std::to_string(port());
  return family() == AF_INET6 ? "[" + ip() + "]:" + port_text : ip() + ":" + port_text;
}

}  // namespace hawser::net
