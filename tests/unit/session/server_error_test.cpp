#include "session/server_error.hpp"

#include <gtest/gtest.h>

namespace hawser::session {
namespace {

TEST(ServerError, every_text_of_nats_server_is_somebodys_business) {
  struct Row {
    const char* text;
    ServerErrorKind kind;
    Errc code;
  };
  const Row rows[] = {
      {"Permissions Violation for Publish to \"a\"", ServerErrorKind::client, Errc::server_error},
      {"permissions violation for subscription to \"a\"", ServerErrorKind::client, Errc::server_error},
      {"Invalid Subject", ServerErrorKind::client, Errc::server_error},
      {"Invalid Publish Subject", ServerErrorKind::client, Errc::server_error},
      {"maximum subscriptions exceeded", ServerErrorKind::client, Errc::server_error},
      {"Authorization Violation", ServerErrorKind::auth, Errc::auth_refused},
      {"AUTHORIZATION VIOLATION", ServerErrorKind::auth, Errc::auth_refused},
      {"Authentication Timeout", ServerErrorKind::auth, Errc::auth_refused},
      {"User Authentication Expired", ServerErrorKind::auth, Errc::auth_expired},
      {"Account Authentication Expired", ServerErrorKind::auth, Errc::auth_expired},
      {"User Authentication Revoked", ServerErrorKind::auth, Errc::auth_revoked},
      {"maximum connections exceeded", ServerErrorKind::limit, Errc::server_limit},
      {"maximum account active connections exceeded", ServerErrorKind::limit, Errc::server_limit},
      {"Stale Connection", ServerErrorKind::stale, Errc::stale_connection},
      {"Unknown Protocol Operation", ServerErrorKind::fatal, Errc::server_error},
      {"Maximum Payload Violation", ServerErrorKind::fatal, Errc::server_error},
      {"", ServerErrorKind::fatal, Errc::server_error},
      {"Authorization", ServerErrorKind::fatal, Errc::server_error},
      {"no Authorization Violation", ServerErrorKind::fatal, Errc::server_error},
  };
  for (const Row& row : rows) {
    const auto meaning = meaning_of(row.text);
    EXPECT_EQ(meaning.kind, row.kind) << row.text;
    if (meaning.kind != ServerErrorKind::client) {
      EXPECT_EQ(meaning.code, row.code) << row.text;
    }
  }
}

}  // namespace
}  // namespace hawser::session
