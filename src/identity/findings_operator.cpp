#include <algorithm>
#include <cctype>

#include "identity/findings_parts.hpp"

namespace hawser::identity {
namespace {

bool same_word(std::string_view a, std::string_view lower) {
  return std::ranges::equal(a, lower, [](unsigned char x, char y) { return static_cast<char>(std::tolower(x)) == y; });
}

void check_service_url(const std::string& url, const std::string& member, FindingList& list) {
  UrlParts parts;
  if (!split_url(url, parts) || !(same_word(parts.scheme, "nats") || same_word(parts.scheme, "tls"))) {
    list.error(member, quoted(url) + " is not a URL that begins with nats:// or tls://");
  } else if (parts.authority.find('@') != std::string_view::npos) {
    list.error(member, "a service URL holds no user or password");  // which is not shown here either
  } else if (!parts.rest.empty()) {
    list.error(member, quoted(url) + " has a path; a service URL ends with host and port");
  } else if (parts.authority.empty()) {
    list.error(member, quoted(url) + " has no host");
  }
}

// "2.9.10", or empty.
bool is_version(std::string_view text) {
  int dots = 0;
  bool digit = false;
  for (const char c : text) {
    if (c == '.') {
      if (!digit) {
        return false;
      }
      ++dots;
      digit = false;
    } else if (c >= '0' && c <= '9') {
      digit = true;
    } else {
      return false;
    }
  }
  return text.empty() || (dots == 2 && digit && text.size() <= 32);
}

}  // namespace

void check_operator(const OperatorClaims& claims, FindingList& list) {
  UrlParts parts;
  if (!claims.account_server_url.empty() && !split_url(claims.account_server_url, parts)) {
    list.error("account_server_url", quoted(claims.account_server_url) + " is not a URL with a scheme");
  }
  for (std::size_t i = 0; i < claims.service_urls.size(); ++i) {
    if (!claims.service_urls[i].empty()) {
      check_service_url(claims.service_urls[i], element_of("operator_service_urls", i), list);
    }
  }
  for (std::size_t i = 0; i < claims.signing_keys.size(); ++i) {
    check_key(claims.signing_keys[i], false, element_of("signing_keys", i), list);
  }
  if (!claims.system_account.empty()) {
    check_key(claims.system_account, true, "system_account", list);
  }
  if (!is_version(claims.assert_server_version)) {
    list.error("assert_server_version", quoted(claims.assert_server_version) + " is not a version such as 2.9.10");
  }
}

}  // namespace hawser::identity
