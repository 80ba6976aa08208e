#include "session/server_error.hpp"

#include <algorithm>
#include <cctype>

namespace hawser::session {
namespace {

struct Row {
  std::string_view prefix;  // lower case
  ServerErrorMeaning meaning;
};

// nats-server's texts, docs/compatibility of the protocol; the first match counts.
constexpr Row kRows[] = {
    {"permissions violation", {ServerErrorKind::client, Errc::server_error}},
    {"invalid subject", {ServerErrorKind::client, Errc::server_error}},
    {"invalid publish subject", {ServerErrorKind::client, Errc::server_error}},
    {"maximum subscriptions exceeded", {ServerErrorKind::client, Errc::server_error}},
    {"authorization violation", {ServerErrorKind::auth, Errc::auth_refused}},
    {"authentication timeout", {ServerErrorKind::auth, Errc::auth_refused}},
    {"user authentication expired", {ServerErrorKind::auth, Errc::auth_expired}},
    {"account authentication expired", {ServerErrorKind::auth, Errc::auth_expired}},
    {"user authentication revoked", {ServerErrorKind::auth, Errc::auth_revoked}},
    {"failed account registration", {ServerErrorKind::auth, Errc::auth_refused}},
    {"maximum connections exceeded", {ServerErrorKind::limit, Errc::server_limit}},
    {"maximum account active connections exceeded", {ServerErrorKind::limit, Errc::server_limit}},
    {"connection throttling is active", {ServerErrorKind::limit, Errc::server_limit}},
    {"stale connection", {ServerErrorKind::stale, Errc::stale_connection}},
};

bool starts_with_ignoring_case(std::string_view text, std::string_view lower_prefix) {
  return text.size() >= lower_prefix.size() &&
         std::equal(lower_prefix.begin(), lower_prefix.end(), text.begin(), [](char lower, char c) {
           return lower == static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
         });
}

}  // namespace

ServerErrorMeaning meaning_of(std::string_view text) {
  for (const Row& row : kRows) {
    if (starts_with_ignoring_case(text, row.prefix)) {
      return row.meaning;
    }
  }
  return {ServerErrorKind::fatal, Errc::server_error};
}

}  // namespace hawser::session
