// A socket address: IPv4 or IPv6 with a port. A value. An IPv4 address in IPv6 form (::ffff:…) from the kernel is IPv4.
//
//   auto address = Address::parse("127.0.0.1:4222");
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace hawser::net {

class Address {
 public:
  // "127.0.0.1:4222", "[::1]:4222", "localhost:4222" (127.0.0.1). No resolution takes place.
  [[nodiscard]] static Result<Address> parse(std::string_view host_and_port);
  // A literal IP address and a port. Fails for a name.
  [[nodiscard]] static Result<Address> literal(std::string_view ip, std::uint16_t port);
  [[nodiscard]] static Address from(const sockaddr* raw, socklen_t size);
  // Of the near and the far end of a socket.
  [[nodiscard]] static Address local_of(int fd);
  [[nodiscard]] static Address peer_of(int fd);

  [[nodiscard]] const sockaddr* raw() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t size() const noexcept;
  [[nodiscard]] int family() const noexcept { return storage_.sin6_family; }
  [[nodiscard]] std::uint16_t port() const noexcept { return ntohs(storage_.sin6_port); }  // same place in sockaddr_in
  [[nodiscard]] bool is_loopback() const noexcept;
  [[nodiscard]] bool is_any() const noexcept;  // 0.0.0.0 or ::
  // [::]:PORT, on which an IPv6 socket hears both families; and this address with another port.
  [[nodiscard]] static Address any_v6(std::uint16_t port) noexcept;
  [[nodiscard]] Address with_port(std::uint16_t port) const noexcept;
  friend bool operator==(const Address& a, const Address& b) noexcept;  // family, IP address and port
  [[nodiscard]] std::string ip() const;
  [[nodiscard]] std::string text() const;  // "127.0.0.1:4222", "[::1]:4222"

 private:
  void unmap() noexcept;

  sockaddr_in6 storage_{};  // large enough for both families
};

}  // namespace hawser::net
