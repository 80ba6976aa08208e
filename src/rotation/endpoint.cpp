#include "rotation/endpoint.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace hawser::rotation {
namespace {

constexpr std::size_t kLongestUrl = 1024;

bool is_host_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_ipv6_letter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.' || c == '%';
}

bool is_path_letter(char c) { return c > ' ' && c <= '~' && c != '?' && c != '#'; }

std::unexpected<Error> refused(std::string_view why) { return fail(Errc::bad_usage, std::string(why)); }

// Takes the scheme off; the port that it stands for.
Result<std::uint16_t> take_scheme(std::string_view& url, EndpointUse use, bool& secure) {
  const std::size_t end = url.find("://");
  const std::string_view scheme = end == std::string_view::npos ? std::string_view() : url.substr(0, end);
  if (use == EndpointUse::http ? scheme != "http" && scheme != "https" : scheme != "tls" && scheme != "nats") {
    return refused(use == EndpointUse::http ? "must begin with http:// or https://" : "must begin with tls://");
  }
  url.remove_prefix(end + 3);
  secure = scheme != "http";
  return static_cast<std::uint16_t>(use == EndpointUse::nats ? 4222 : secure ? 443 : 80);
}

Result<std::string> take_host(std::string_view& url) {
  if (url.substr(0, url.find('/')).find('@') != std::string_view::npos) {
    return refused("holds user information, and secrets do not stand in plans");
  }
  const bool bracketed = url.starts_with('[');
  const std::size_t end = bracketed ? url.find(']') : std::min(url.find_first_of(":/"), url.size());
  if (end == std::string_view::npos) {
    return refused("has a [ without its ]");
  }
  const std::string_view host = url.substr(bracketed ? 1 : 0, end - (bracketed ? 1 : 0));
  if (host.empty() || !std::all_of(host.begin(), host.end(), bracketed ? is_ipv6_letter : is_host_letter)) {
    return refused("has no host name or address where one must be");
  }
  url.remove_prefix(end + (bracketed ? 1 : 0));
  return std::string(host);
}

Result<void> take_port(std::string_view& url, std::uint16_t& port) {
  if (!url.starts_with(':')) {
    return {};
  }
  const std::size_t end = std::min(url.find('/'), url.size());
  const char* last = url.data() + end;
  const auto [stopped, error] = std::from_chars(url.data() + 1, last, port);
  if (error != std::errc() || stopped != last || port == 0) {
    return refused("has a port that is none");
  }
  url.remove_prefix(end);
  return {};
}

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view url, EndpointUse use) {
  if (url.size() > kLongestUrl) {
    return refused(fmt::format("is over {} bytes", kLongestUrl));
  }
  Endpoint out;
  const Result<std::uint16_t> usual = take_scheme(url, use, out.secure);
  if (!usual) {
    return std::unexpected(usual.error());
  }
  out.port = *usual;
  Result<std::string> named = take_host(url);
  if (!named) {
    return std::unexpected(std::move(named.error()));
  }
  out.host = std::move(*named);
  if (Result<void> taken = take_port(url, out.port); !taken) {
    return std::unexpected(std::move(taken.error()));
  }
  while (url.ends_with('/')) {
    url.remove_suffix(1);
  }
  if (!url.empty() &&
      (use == EndpointUse::nats || !url.starts_with('/') || !std::all_of(url.begin(), url.end(), is_path_letter))) {
    return refused("has something behind its port that does not belong there");
  }
  out.path = url;
  return out;
}

std::string Endpoint::authority() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

}  // namespace hawser::rotation
