#include "posture/server_url.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <cctype>
#include <charconv>
#include <optional>

namespace hawser::posture {
namespace {

constexpr std::size_t kUrlBytes = 4096;
constexpr std::size_t kHostBytes = 253;  // RFC 1035's bound for a name as text

// Never with the text: it may hold a password, and what was misread may be one.
std::unexpected<Error> malformed(std::string_view why) {
  return fail(Errc::url_malformed, "reading a server URL: " + std::string(why));
}

std::optional<Scheme> scheme_of(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "nats") {
    return Scheme::nats;
  }
  if (lower == "tls") {
    return Scheme::tls;
  }
  if (lower == "ws") {
    return Scheme::ws;
  }
  return lower == "wss" ? std::optional(Scheme::wss) : std::nullopt;
}

std::uint16_t default_port(Scheme scheme) {
  switch (scheme) {
    case Scheme::nats:
    case Scheme::tls: return 4222;
    case Scheme::ws: return 80;
    case Scheme::wss: return 443;
  }
  return 4222;
}

bool is_host_character(unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_'; }

Result<void> read_host(const boost::urls::url_view& view, ServerUrl& url) {
  url.host_is_ipv6 = view.host_type() == boost::urls::host_type::ipv6;
  url.host = view.host_address();
  if (view.host_type() == boost::urls::host_type::ipvfuture || url.host.empty()) {
    return malformed("it names no host");
  }
  if (url.host.size() > kHostBytes) {
    return malformed("its host is longer than 253 characters");
  }
  if (!url.host_is_ipv6 && !std::ranges::all_of(url.host, is_host_character)) {
    return malformed("its host has a character that no host name has");
  }
  return {};
}

Result<void> read_port(const boost::urls::url_view& view, ServerUrl& url) {
  const std::string text = view.port();
  if (text.empty()) {
    url.port = default_port(url.scheme);
    return {};
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), url.port);
  if (error != std::errc() || end != text.data() + text.size() || url.port == 0) {
    return malformed("its port is not a number from 1 to 65535");
  }
  return {};
}

}  // namespace

std::string ServerUrl::printable() const {
  const std::string address = host_is_ipv6 ? '[' + host + ']' : host;
  return std::string(to_string(scheme)) + "://" + address + ':' + std::to_string(port) + path;
}

ServerUrl ServerUrl::copy() const {
  return {.scheme = scheme,
          .host = host,
          .port = port,
          .host_is_ipv6 = host_is_ipv6,
          .user = user.copy(),
          .password = password.copy(),
          .has_userinfo = has_userinfo,
          .path = path};
}

Result<ServerUrl> parse_server_url(std::string_view text) {
  if (text.size() > kUrlBytes) {
    return malformed("it is longer than 4096 characters");
  }
  // "host:4222" alone would read as the scheme "host".
  const Secret whole = Secret::take((text.find("://") == std::string_view::npos ? "nats://" : "") + std::string(text));
  const auto parsed = boost::urls::parse_uri({whole.reveal().data(), whole.reveal().size()});
  if (!parsed || !parsed->has_authority()) {
    return malformed(text.find('@') == std::string_view::npos
                         ? "it is not of the form tls://host:port"
                         : "it is not of the form tls://user:password@host:port (special characters as %40)");
  }
  const boost::urls::url_view& view = *parsed;
  const std::optional<Scheme> scheme = scheme_of({view.scheme().data(), view.scheme().size()});
  if (!scheme) {
    return malformed("its scheme is none of tls, nats, wss, ws");
  }
  ServerUrl url;
  url.scheme = *scheme;
  if (const auto host = read_host(view, url); !host) {
    return std::unexpected(host.error());
  }
  if (const auto port = read_port(view, url); !port) {
    return std::unexpected(port.error());
  }
  if (view.has_userinfo()) {
    url.user = Secret::take(view.user());
    url.password = Secret::take(view.password());
    url.has_userinfo = !url.user.empty() || !url.password.empty();
  }
  const std::string path(view.encoded_path().data(), view.encoded_path().size());
  if (!path.empty() && !path.starts_with('/')) {
    return malformed("its host is followed by what is neither a port nor a path");  // Boost.URL 1.81 lets "h@x" through
  }
  const bool websocket = url.scheme == Scheme::ws || url.scheme == Scheme::wss;
  if (view.has_query() || view.has_fragment() || (!websocket && !path.empty() && path != "/")) {
    return malformed("nothing may follow host and port");
  }
  if (websocket && path != "/") {
    url.path = path;
  }
  return url;
}

std::vector<std::string_view> split_server_list(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    while (!part.empty() && std::isspace(static_cast<unsigned char>(part.front())) != 0) {
      part.remove_prefix(1);
    }
    while (!part.empty() && std::isspace(static_cast<unsigned char>(part.back())) != 0) {
      part.remove_suffix(1);
    }
    if (!part.empty()) {
      parts.push_back(part);
    }
  }
  return parts;
}

std::string_view to_string(Scheme scheme) {
  switch (scheme) {
    case Scheme::nats: return "nats";
    case Scheme::tls: return "tls";
    case Scheme::ws: return "ws";
    case Scheme::wss: return "wss";
  }
  return "nats";
}

}  // namespace hawser::posture
