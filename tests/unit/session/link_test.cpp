// How a connection comes to be, and every way in which it does not: through a session, since that is what a user sees.
#include <gtest/gtest.h>

#include "session/driven_session.hpp"

namespace hawser::session {
namespace {

using namespace test;

struct Connecting : Driven {
  // The first reason for not being connected.
  Error first_failure() {
    EXPECT_TRUE(until([&] { return !user.downs.empty() || session->up(); }));
    return user.downs.empty() ? Error{Errc::internal_error, "it connected"} : user.downs.front();
  }
};

TEST_F(Connecting, says_connect_and_ping_and_is_up_with_the_pong) {
  profile.echo = false;
  profile.version = "1.2.3";
  server.answers = false;
  open();
  ASSERT_TRUE(until([&] { return server.count() == 1 && server.newest()->pings == 1; }));
  spin(*reactor);
  EXPECT_FALSE(session->up()) << "up before the server judged";
  server.newest()->answer_pings();
  ASSERT_TRUE(until([&] { return session->up(); }));
  const auto& connect = *server.newest()->connect;
  EXPECT_FALSE(connect.verbose);
  EXPECT_FALSE(connect.pedantic);
  EXPECT_FALSE(connect.echo);
  EXPECT_TRUE(connect.headers);
  EXPECT_TRUE(connect.no_responders);
  EXPECT_FALSE(connect.tls_required);
  EXPECT_EQ(connect.protocol, 1);
  EXPECT_EQ(connect.name, "tester");
  ASSERT_EQ(user.ups.size(), 1U);
  EXPECT_EQ(user.ups[0].server_id, "SERVER-A");
}

TEST_F(Connecting, over_tls_after_info) {
  server.require_tls(pki().server());
  open(make_access({server.port()}, true));
  ASSERT_NE(connected(), nullptr);
  EXPECT_TRUE(server.newest()->secured());
  EXPECT_TRUE(server.newest()->connect->tls_required);
}

TEST_F(Connecting, over_tls_before_info) {
  server.require_tls(pki().server());
  server.handshake_first = true;
  open(make_access({server.port()}, true, 1, pki(), true));
  ASSERT_NE(connected(), nullptr);
  EXPECT_TRUE(server.newest()->secured());
}

TEST_F(Connecting, asks_for_nothing_that_the_server_does_not_have) {
  server.info.headers = false;
  open();
  ASSERT_NE(connected(), nullptr);
  EXPECT_FALSE(server.newest()->connect->headers);
  EXPECT_FALSE(server.newest()->connect->no_responders);
}

TEST_F(Connecting, waits_for_info_no_longer_than_its_time) {
  server.greeting = "";
  options.link.connect_timeout = 20ms;
  open();
  EXPECT_EQ(first_failure().code, Errc::info_timeout);
}

TEST_F(Connecting, waits_for_the_handshake_no_longer_than_its_time) {
  server.require_tls(pki().server());
  server.never_secures = true;
  server.greeting = "INFO {\"tls_required\":true}\r\n";
  options.link.connect_timeout = 50ms;
  server.on_ping = [](auto&) { return true; };
  open(make_access({server.port()}, true));
  ASSERT_TRUE(until([&] { return server.count() == 1; }));
  server.newest()->stop_reading();
  EXPECT_EQ(first_failure().code, Errc::handshake_timeout);
}

TEST_F(Connecting, waits_for_the_pong_no_longer_than_its_time) {
  server.answers = false;
  options.link.connect_timeout = 30ms;
  open();
  EXPECT_EQ(first_failure().code, Errc::accept_timeout);
}

TEST_F(Connecting, tells_what_is_not_a_nats_server) {
  struct Row {
    const char* greeting;
    Errc code;
  };
  const Row rows[] = {
      {"HTTP/1.1 400 Bad Request\r\n\r\n", Errc::not_a_nats_server},
      {"220 mail.example.com ESMTP\r\n", Errc::not_a_nats_server},
      {"SSH-2.0-OpenSSH_9.2\r\n", Errc::not_a_nats_server},
      {"INFO this is not JSON\r\n", Errc::not_a_nats_server},
      {"INFO {\"max_payload\":\"many\"}\r\n", Errc::not_a_nats_server},
      {"-ERR 'maximum connections exceeded'\r\n", Errc::server_limit},
  };
  for (const Row& row : rows) {
    user.downs.clear();
    server.greeting = row.greeting;
    open();
    EXPECT_EQ(first_failure().code, row.code) << row.greeting << " gave " << user.downs.front().message();
    session->stop();
    reactor->retire(std::move(session));
  }
}

TEST_F(Connecting, a_server_that_closes_without_a_word_is_a_closed_connection) {
  server.greeting = "";
  open();
  ASSERT_TRUE(until([&] { return server.count() == 1; }));
  server.newest()->drop();
  EXPECT_EQ(first_failure().code, Errc::connection_closed);
}

TEST_F(Connecting, never_says_connect_in_clear_where_tls_was_asked_for) {
  open(make_access({server.port()}, true));  // a plaintext server
  EXPECT_EQ(first_failure().code, Errc::tls_not_offered);
  spin(*reactor);
  for (const auto& connection : server.connections) {
    EXPECT_TRUE(connection->heard.empty());
  }
}

TEST_F(Connecting, once_on_tls_it_does_not_go_back_to_plaintext) {
  server.require_tls(pki().server());
  open(make_access({server.port()}, false));  // nats://, upgraded since the server requires it
  ASSERT_NE(connected(), nullptr);
  ASSERT_TRUE(server.newest()->secured());
  server.tls = nullptr;
  server.info.tls_required = false;
  user.downs.clear();
  server.newest()->drop();
  ASSERT_TRUE(until([&] { return user.downs.size() >= 2; }));
  EXPECT_EQ(user.downs[1].code, Errc::tls_downgrade_refused) << user.downs[1].message();
  EXPECT_FALSE(session->up());
}

TEST_F(Connecting, a_server_of_another_authority_is_refused_by_its_reason) {
  const net::test::Pki stranger;
  server.require_tls(stranger.server());
  open(make_access({server.port()}, true));
  EXPECT_EQ(first_failure().code, Errc::tls_unknown_authority);
}

// TLS 1.3: our side of the handshake is over before the server has looked at our certificate.
TEST_F(Connecting, a_certificate_that_the_server_refuses_is_the_reason_and_never_up) {
  const net::test::Pki stranger;
  tls::SourceBytes bytes;
  bytes.cert = pki().server_cert.chain_pem;
  bytes.key = pki().server_cert.key_pem.copy();
  bytes.ca = stranger.authority.certificate_pem();
  server.require_tls(must(tls::Context::server(
      must(tls::load(tls::Source{.usage = tls::Usage::server}, bytes, wall_now())), {})));
  open(make_access({server.port()}, true));
  const Error why = first_failure();
  EXPECT_EQ(why.code, Errc::tls_refused_unknown_authority) << why.message();
  EXPECT_TRUE(user.ups.empty());
}

TEST_F(Connecting, a_refused_credential_is_told_as_such) {
  server.on_ping = [](auto& connection) {
    connection.say("-ERR 'Authorization Violation'\r\n");
    connection.end();
    return true;
  };
  open();
  EXPECT_EQ(first_failure().code, Errc::auth_refused);
}

TEST_F(Connecting, goes_on_trying_for_ever_and_gets_in_when_it_can) {
  server.on_ping = [](auto& connection) {
    connection.say("-ERR 'Authorization Violation'\r\n");
    connection.end();
    return true;
  };
  open();
  ASSERT_TRUE(until([&] { return user.downs.size() >= 10; }));
  server.on_ping = nullptr;
  EXPECT_NE(connected(), nullptr);
}

TEST_F(Connecting, comes_back_when_the_port_listens_again) {
  server.close();
  open();
  ASSERT_TRUE(until([&] { return user.downs.size() >= 3; }));
  EXPECT_EQ(user.downs.back().code, Errc::connect_refused);
  server.reopen();
  EXPECT_NE(connected(), nullptr);
}

TEST_F(Connecting, goes_to_the_second_server_when_the_first_is_away) {
  ScriptedServer second(*reactor);
  second.info.server_id = "SERVER-B";
  server.close();
  open(make_access({server.port(), second.port()}, false));
  ASSERT_TRUE(until([&] { return session->up(); }));
  EXPECT_EQ(user.ups.back().server_id, "SERVER-B");
  session->stop();
}

// ---- a live link ----------------------------------------------------------------------------------------------------

TEST_F(Connecting, answers_the_servers_ping) {
  open();
  auto* link = connected();
  const std::size_t before = link->heard.size();
  link->say("PING\r\nPING\r\n");
  spin(*reactor, 10);
  EXPECT_EQ(link->heard.size(), before);  // PONG is recorded as nothing; the parser would have failed on rubbish
  EXPECT_FALSE(link->over);
}

TEST_F(Connecting, an_error_of_the_client_reaches_the_user_and_the_link_lives) {
  open();
  auto* link = connected();
  link->say("-ERR 'Permissions Violation for Publish to \"a\"'\r\n");
  ASSERT_TRUE(until([&] { return !user.errors.empty(); }));
  EXPECT_EQ(user.errors[0], "Permissions Violation for Publish to \"a\"");
  EXPECT_TRUE(session->up());
}

TEST_F(Connecting, an_error_of_ours_is_kept_from_the_user_and_ends_the_link) {
  struct Row {
    const char* line;
    Errc code;
  };
  const Row rows[] = {
      {"-ERR 'User Authentication Expired'\r\n", Errc::auth_expired},
      {"-ERR 'User Authentication Revoked'\r\n", Errc::auth_revoked},
      {"-ERR 'Stale Connection'\r\n", Errc::stale_connection},
      {"-ERR 'Unknown Protocol Operation'\r\n", Errc::server_error},
      {"MSG a 1 notanumber\r\n", Errc::server_protocol_error},
      {"PUB a 1\r\nx\r\n", Errc::server_protocol_error},
      {"INFO {\r\n", Errc::server_protocol_error},
  };
  open();
  for (const Row& row : rows) {
    auto* link = connected();
    user.downs.clear();
    link->say(row.line);
    ASSERT_TRUE(until([&] { return !user.downs.empty(); })) << row.line;
    EXPECT_EQ(user.downs[0].code, row.code) << row.line;
  }
  EXPECT_TRUE(user.errors.empty());
}

TEST_F(Connecting, a_silent_server_is_stale_after_its_time) {
  options.link.ping_interval = 20ms;
  options.link.pong_timeout = 30ms;
  open();
  auto* link = connected();
  link->keep_pongs = true;
  ASSERT_TRUE(until([&] { return !user.downs.empty(); }));
  EXPECT_EQ(user.downs[0].code, Errc::stale_connection);
  EXPECT_GE(link->pings, 2U);
  EXPECT_NE(connected(), link);
}

TEST_F(Connecting, a_server_that_answers_or_talks_is_never_stale) {
  options.link.ping_interval = 4ms;
  options.link.pong_timeout = 200ms;
  open();
  auto* link = connected();
  ASSERT_TRUE(until([&] { return link->pings >= 20; }));  // quiet, but it answers
  EXPECT_TRUE(user.downs.empty());
}

TEST_F(Connecting, a_later_info_reaches_the_user) {
  open();
  auto* link = connected();
  server.info.max_payload = 512;
  link->say_info();
  ASSERT_TRUE(until([&] { return user.ups.size() == 2; }));
  EXPECT_EQ(user.ups[1].max_payload, 512);
}

TEST_F(Connecting, a_pong_that_nobody_asked_for_confirms_nothing) {
  open();
  auto* link = connected();
  link->keep_pongs = true;
  link->say("PONG\r\nPONG\r\n");
  publish("kept");
  ASSERT_TRUE(until([&] { return link->pubs.size() == 1; }));
  EXPECT_GT(session->unconfirmed_bytes(), 0U);
}

}  // namespace
}  // namespace hawser::session
