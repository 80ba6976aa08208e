// Where something of a plan is reached: a broker's clients' port, its monitoring, an agent's admin endpoint. A value.
//
//   Result<Endpoint> monitor = Endpoint::parse("http://n1.example.com:8222", EndpointUse::http);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace hawser::rotation {

enum class EndpointUse : std::uint8_t {
  http,  // http:// or https://
  nats,  // tls://, or nats://, which means the same here: without TLS there is nothing to rotate
};

struct Endpoint {
  std::string host;  // a name, or an IP address without brackets
  std::uint16_t port = 0;
  std::string path{};   // of http: "/base", without the slash at its end
  bool secure = false;  // https; a NATS server always has TLS here

  // "http://HOST:PORT/base", "tls://HOST:PORT". Ports default to 80, 443 and 4222. No user information: secrets do not
  // stand in plans. Errors: bad_usage, saying what is wrong without the text.
  [[nodiscard]] static Result<Endpoint> parse(std::string_view url, EndpointUse use);

  // "n1:8222", "[::1]:8222".
  [[nodiscard]] std::string authority() const;
  bool operator==(const Endpoint&) const = default;
};

}  // namespace hawser::rotation
