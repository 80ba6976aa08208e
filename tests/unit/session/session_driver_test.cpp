// The driver of sessions against scripted servers: what is kept, sent again, confirmed and moved.
#include <gtest/gtest.h>

#include <algorithm>

#include "session/driven_session.hpp"

namespace hawser::session {
namespace {

using namespace test;
using Strings = std::vector<std::string>;

struct SessionDriver : Driven {
  std::size_t index_of(const Strings& heard, const std::string& what) {
    return static_cast<std::size_t>(std::ranges::find(heard, what) - heard.begin());
  }
};

// ---- subscriptions --------------------------------------------------------------------------------------------------

TEST_F(SessionDriver, keeps_subscriptions_over_a_reconnect_with_what_is_left_of_their_limits) {
  open();
  session->subscribe("1", "orders.>", "");  // before the link is up
  auto* link = connected();
  session->subscribe("2", "jobs", "workers");
  session->subscribe("3", "few", "");
  session->unsubscribe("3", 5);
  session->subscribe("4", "gone", "");
  session->unsubscribe("4", 0);
  ASSERT_TRUE(until([&] { return link->unsubs.size() == 2; }));
  EXPECT_EQ(link->subs, (Strings{"SUB orders.> 1", "SUB jobs workers 2", "SUB few 3", "SUB gone 4"}));
  EXPECT_EQ(link->unsubs, (Strings{"UNSUB 3 5", "UNSUB 4"}));
  session->flush(1);
  ASSERT_TRUE(until([&] { return user.was_flushed(1); }));  // the server knows that 4 is gone
  link->message("few", "3", "a");
  link->message("few", "3", "b");
  link->message("gone", "4", "too late");
  ASSERT_TRUE(until([&] { return user.payloads.size() == 2; }));
  link->drop();
  ASSERT_TRUE(until([&] { return server.count() == 2 && server.newest()->unsubs.size() == 1; }));
  auto* next = server.newest();
  EXPECT_EQ(next->subs, (Strings{"SUB orders.> 1", "SUB jobs workers 2", "SUB few 3"}));
  EXPECT_EQ(next->unsubs, (Strings{"UNSUB 3 3"}));
  for (const char* payload : {"c", "d", "e", "one too many"}) {
    next->message("few", "3", payload);
  }
  ASSERT_TRUE(until([&] { return user.payloads.size() >= 5; }));
  spin(*reactor);
  EXPECT_EQ(user.payloads, (Strings{"a", "b", "c", "d", "e"}));
}

TEST_F(SessionDriver, gives_the_user_messages_as_the_bytes_that_came) {
  open();
  session->subscribe("7", "a", "");
  auto* link = connected();
  const std::string frames =
      "MSG a 7 2\r\nhi\r\n"
      "MSG a 7 reply.to 0\r\n\r\n"
      "HMSG a 7 12 14\r\nNATS/1.0\r\n\r\nyo\r\n";
  link->say(frames);
  ASSERT_TRUE(until([&] { return user.payloads.size() == 3; }));
  EXPECT_EQ(user.frames, frames);
}

TEST_F(SessionDriver, what_came_before_an_error_reaches_the_user_before_it) {
  open();
  session->subscribe("1", "a", "");
  auto* link = connected();
  link->say("MSG a 1 2\r\nhi\r\n-ERR 'Stale Connection'\r\n");
  ASSERT_TRUE(until([&] { return !user.downs.empty(); }));
  EXPECT_EQ(user.payloads, (Strings{"hi"}));
}

TEST_F(SessionDriver, back_pressure_of_the_user_stops_reading_and_nothing_is_lost) {
  open();
  session->subscribe("1", "a", "");
  auto* link = connected();
  session->pause();
  for (int i = 0; i < 1000; ++i) {
    link->message("a", "1", std::to_string(i));
  }
  spin(*reactor, 20);
  EXPECT_TRUE(user.payloads.empty());
  session->resume();
  ASSERT_TRUE(until([&] { return user.payloads.size() == 1000; }));
  EXPECT_EQ(user.payloads.back(), "999");
}

TEST_F(SessionDriver, back_pressure_outlives_a_reconnect) {
  open();
  session->subscribe("1", "a", "");
  auto* link = connected();
  session->pause();
  spin(*reactor);
  link->drop();
  session->resume();  // otherwise nobody would notice the end
  ASSERT_TRUE(until([&] { return !user.downs.empty(); }));
  session->pause();
  ASSERT_TRUE(until([&] { return server.count() == 2 && server.newest()->subs.size() == 1; }));
  server.newest()->message("a", "1", "held back");
  spin(*reactor, 20);
  EXPECT_TRUE(user.payloads.empty());
  session->resume();
  EXPECT_TRUE(until([&] { return user.payloads.size() == 1; }));
}

// ---- publishes ------------------------------------------------------------------------------------------------------

TEST_F(SessionDriver, sends_again_what_no_pong_confirmed_and_only_that) {
  open();
  auto* link = connected();
  publish("confirmed-1");
  publish("confirmed-2");
  session->flush(1);
  ASSERT_TRUE(until([&] { return user.was_flushed(1); }));
  EXPECT_EQ(session->unconfirmed_bytes(), 0U);
  link->keep_pongs = true;
  publish("unconfirmed-1");
  session->subscribe("1", "between", "");
  publish("unconfirmed-2");
  ASSERT_TRUE(until([&] { return link->pubs.size() == 4; }));
  link->drop();
  spin(*reactor);
  publish("while away");
  ASSERT_TRUE(until([&] { return server.count() == 2 && server.newest()->pubs.size() >= 3; }));
  spin(*reactor, 10);
  EXPECT_EQ(server.newest()->pubs, (Strings{"unconfirmed-1", "unconfirmed-2", "while away"}));
  EXPECT_EQ(server.newest()->subs, (Strings{"SUB between 1"}));
  EXPECT_LT(index_of(server.newest()->heard, "SUB between 1"), index_of(server.newest()->heard, "PUB unconfirmed-1"));
  EXPECT_GT(metrics.published_again.value(), 0U);
}

TEST_F(SessionDriver, what_was_published_before_the_first_link_goes_out_in_order) {
  server.close();
  open();
  for (int i = 0; i < 100; ++i) {
    publish(std::to_string(i));
  }
  ASSERT_TRUE(until([&] { return user.downs.size() >= 2; }));
  server.reopen();
  ASSERT_TRUE(until([&] { return server.published.size() == 100; }));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(server.published[static_cast<std::size_t>(i)], std::to_string(i));
  }
}

// A PING of the link's own must never come to stand within a frame, however long what waited is.
TEST_F(SessionDriver, a_long_backlog_arrives_as_whole_frames) {
  server.close();
  options.window_bytes = 64 << 20;
  open();
  const std::string big(100000, 'x');
  for (int i = 0; i < 30; ++i) {
    publish(big + std::to_string(i));
    publish(std::to_string(i));
  }
  server.reopen();
  ASSERT_TRUE(until([&] { return server.published.size() == 60; }));
  for (std::size_t i = 0; i < 30; ++i) {
    EXPECT_TRUE(server.published[2 * i] == big + std::to_string(i));
  }
  EXPECT_TRUE(until([&] { return session->unconfirmed_bytes() == 0; }));
}

TEST_F(SessionDriver, asks_for_confirmation_by_itself) {
  open();
  auto* link = connected();
  const std::size_t pings = link->pings;
  publish("x");
  EXPECT_TRUE(until([&] { return session->unconfirmed_bytes() == 0; }));
  EXPECT_EQ(link->pings, pings + 1);
}

TEST_F(SessionDriver, an_end_during_the_resend_keeps_the_order) {
  open();
  auto* link = connected();
  link->keep_pongs = true;
  for (int i = 0; i < 10; ++i) {
    publish(std::to_string(i));
  }
  ASSERT_TRUE(until([&] { return link->pubs.size() == 10; }));
  server.on_ping = [](auto& connection) { return !connection.pubs.empty(); };  // accepts, confirms nothing
  for (std::size_t round = 2; round <= 4; ++round) {
    server.newest()->drop();
    ASSERT_TRUE(until([&] { return server.count() == round && server.newest()->pubs.size() == 8 + round; }));
    publish("more " + std::to_string(round));
    ASSERT_TRUE(until([&] { return server.newest()->pubs.size() == 9 + round; }));
  }
  const Strings& last = server.newest()->pubs;
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(last[i], std::to_string(i));
  }
  EXPECT_EQ(last[10], "more 2");
  EXPECT_EQ(last[11], "more 3");
  EXPECT_EQ(last[12], "more 4");
}

// ---- flush ----------------------------------------------------------------------------------------------------------

TEST_F(SessionDriver, a_flush_is_answered_after_everything_before_it_was_confirmed_and_not_before) {
  open();
  auto* link = connected();
  link->keep_pongs = true;
  publish("a");
  session->flush(1);
  publish("b");
  session->flush(2);
  ASSERT_TRUE(until([&] { return link->unanswered >= 2; }));
  spin(*reactor, 10);
  EXPECT_TRUE(user.flushed.empty());
  link->answer_pings(1);
  ASSERT_TRUE(until([&] { return !user.flushed.empty(); }));
  spin(*reactor, 10);
  EXPECT_EQ(user.flushed, (std::vector<std::uint64_t>{1}));
  link->keep_pongs = false;
  link->answer_pings();
  ASSERT_TRUE(until([&] { return user.was_flushed(2); }));
}

TEST_F(SessionDriver, a_flush_over_an_abrupt_end_waits_for_the_confirmation_of_the_next_link) {
  open();
  auto* link = connected();
  link->keep_pongs = true;
  publish("a");
  session->flush(1);
  ASSERT_TRUE(until([&] { return link->pubs.size() == 1; }));
  server.close();
  link->drop();
  ASSERT_TRUE(until([&] { return user.downs.size() >= 3; }));  // an outage by now
  session->flush(2);
  EXPECT_TRUE(user.flushed.empty()) << "said safe what is in memory alone";
  server.reopen();
  ASSERT_TRUE(until([&] { return user.was_flushed(2); }));
  EXPECT_EQ(server.newest()->pubs, (Strings{"a"}));
  EXPECT_EQ(user.flushed, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(SessionDriver, without_a_link_and_with_nothing_unconfirmed_a_flush_is_answered_once_it_is_an_outage) {
  server.close();
  options.outage_after = 30s;  // the first failed attempt declares it too
  open();
  session->flush(1);
  EXPECT_TRUE(user.flushed.empty()) << "at once: a client that connects would not wait for the server";
  ASSERT_TRUE(until([&] { return user.was_flushed(1); }));
  EXPECT_FALSE(user.downs.empty() && session->up());
  session->flush(2);
  EXPECT_TRUE(user.was_flushed(2)) << "in an outage, with nothing that could be lost";
  publish("now there is something");
  session->flush(3);
  spin(*reactor, 20);
  EXPECT_FALSE(user.was_flushed(3));
}

// ---- the window -----------------------------------------------------------------------------------------------------

// Met in a prototype: back-pressure that was not looked at again when the window was confirmed.
TEST_F(SessionDriver, a_full_window_accepts_no_more_and_says_so_when_it_does_again) {
  options.window_bytes = 10000;
  open();
  auto* link = connected();
  link->keep_pongs = true;
  int published = 0;
  while (session->accepts()) {
    publish(std::string(500, 'x'));
    ASSERT_LT(++published, 100);
  }
  EXPECT_GE(session->unconfirmed_bytes(), options.window_bytes);
  EXPECT_LT(session->unconfirmed_bytes(), options.window_bytes + 600);
  ASSERT_TRUE(until([&] { return link->pubs.size() == static_cast<std::size_t>(published); }));
  spin(*reactor, 10);
  EXPECT_EQ(user.relieved, 0);
  link->keep_pongs = false;
  link->answer_pings();
  ASSERT_TRUE(until([&] { return user.relieved == 1; }));
  EXPECT_TRUE(session->accepts());
}

TEST_F(SessionDriver, a_window_that_filled_without_a_link_is_relieved_by_the_next_one) {
  options.window_bytes = 5000;
  server.close();
  open();
  while (session->accepts()) {
    publish(std::string(500, 'x'));
  }
  ASSERT_TRUE(until([&] { return user.downs.size() >= 2; }));
  EXPECT_EQ(user.relieved, 0);
  server.reopen();
  EXPECT_TRUE(until([&] { return user.relieved == 1; }));
}

// ---- splices --------------------------------------------------------------------------------------------------------

TEST_F(SessionDriver, new_access_moves_the_session_to_a_new_link_without_a_gap) {
  server.require_tls(pki().server());
  open(make_access({server.port()}, true));
  session->subscribe("1", "orders.>", "");
  session->subscribe("2", "jobs", "workers");
  auto* old = connected();
  publish("before");
  session->take_up(make_access({server.port()}, true, 2), 0ms);
  int sent = 0;
  ASSERT_TRUE(until([&] {
    if (session->accepts()) {
      publish("during " + std::to_string(sent++));
    }
    return spliced();
  }));
  ASSERT_EQ(server.count(), 2U);
  auto* next = server.newest();
  publish("after");
  session->flush(1);
  ASSERT_TRUE(until([&] { return user.was_flushed(1); }));
  EXPECT_EQ(next->subs, (Strings{"SUB orders.> 1", "SUB jobs workers 2"}));
  EXPECT_EQ(next->pubs.back(), "after");
  ASSERT_EQ(server.published.size(), static_cast<std::size_t>(sent) + 2);
  for (int i = 0; i < sent; ++i) {
    EXPECT_EQ(server.published[static_cast<std::size_t>(i) + 1], "during " + std::to_string(i));
  }
  EXPECT_TRUE(until([&] { return old->over; }));
  EXPECT_TRUE(user.downs.empty());
  EXPECT_EQ(session->live()->access()->generation, 2U);
  EXPECT_EQ(metrics.disconnects.value(), 0U);
}

TEST_F(SessionDriver, messages_reach_the_user_once_and_in_order_through_a_splice) {
  open();
  session->subscribe("1", "n", "");
  auto* old = connected();
  ASSERT_TRUE(until([&] { return old->subs.size() == 1; }));
  session->splice_now("test");
  int n = 0;
  const auto route = [&] {  // as a server would: to every connection that is subscribed
    const std::string payload = std::to_string(n++);
    for (const auto& connection : server.connections) {
      if (!connection->over && !connection->subs.empty()) {
        connection->message("n", "1", payload);
      }
    }
  };
  ASSERT_TRUE(until([&] {
    route();
    return spliced();
  }));
  for (int i = 0; i < 5; ++i) {
    route();
  }
  ASSERT_TRUE(until([&] { return user.payloads.size() >= static_cast<std::size_t>(n); }));
  spin(*reactor, 10);
  Strings expected;
  for (int i = 0; i < n; ++i) {
    expected.push_back(std::to_string(i));
  }
  EXPECT_EQ(user.payloads, expected);
}

TEST_F(SessionDriver, a_new_link_that_is_refused_leaves_the_old_one_alone) {
  const net::test::Pki stranger;
  server.require_tls(pki().server());
  open(make_access({server.port()}, true));
  auto* old = connected();
  // What the new link meets is a server of another authority; the old one's certificate is still good.
  server.tls = stranger.server();
  session->splice_now("test");
  ASSERT_TRUE(until([&] { return server.count() == 2 && server.newest()->over; }));
  publish("still here");
  session->flush(1);
  ASSERT_TRUE(until([&] { return user.was_flushed(1); }));
  EXPECT_EQ(old->pubs, (Strings{"still here"}));
  EXPECT_TRUE(user.downs.empty());
  EXPECT_FALSE(old->over);
  // And once the server is right again, the session moves by itself.
  server.tls = pki().server();
  EXPECT_TRUE(spliced());
}

TEST_F(SessionDriver, a_server_that_the_new_trust_does_not_cover_is_left_at_once) {
  const net::test::Pki stranger;
  server.require_tls(pki().server());
  open(make_access({server.port()}, true));
  ASSERT_NE(connected(), nullptr);
  session->take_up(make_access({server.port()}, true, 2, stranger), 10s);
  ASSERT_FALSE(user.downs.empty());
  EXPECT_EQ(user.downs[0].code, Errc::tls_unknown_authority);
  EXPECT_FALSE(session->up());
}

TEST_F(SessionDriver, a_link_dialled_under_trust_that_ended_is_not_taken_for_the_next_one) {
  const net::test::Pki stranger;
  server.require_tls(pki().server());
  open(make_access({server.port()}, true));
  ASSERT_NE(connected(), nullptr);
  server.answers = false;
  session->splice_now("test");
  ASSERT_TRUE(until([&] { return server.count() == 2 && server.newest()->pings == 1; }));
  publish("not for them");
  session->take_up(make_access({server.port()}, true, 2, stranger), 10s);
  server.newest()->answer_pings();
  ASSERT_TRUE(until([&] { return user.downs.size() >= 3; }));
  EXPECT_FALSE(session->up());
  EXPECT_EQ(user.ups.size(), 1U);
}

// SUBs and PINGs are not in the window, but they too must not pile up before a server that does not read.
TEST_F(SessionDriver, a_server_that_does_not_read_bounds_everything_that_is_sent) {
  options.window_bytes = 20000;
  open();
  auto* link = connected();
  link->stop_reading();
  int sid = 0;
  while (session->accepts()) {
    ++sid;
    session->subscribe(std::to_string(sid), "subject." + std::to_string(sid), "");
    if (sid % 100 == 0) {
      reactor->turn(0ms);
    }
    ASSERT_LT(sid, 1000000);
  }
  EXPECT_EQ(user.relieved, 0);
  link->read_on();
  ASSERT_TRUE(until([&] { return user.relieved == 1; }));
  ASSERT_TRUE(until([&] { return link->subs.size() == static_cast<std::size_t>(sid); }));
}

TEST_F(SessionDriver, flushes_that_nobody_answers_are_bounded_and_answered_in_order_at_last) {
  open();
  auto* link = connected();
  link->keep_pongs = true;
  std::uint64_t token = 0;
  while (session->accepts()) {
    session->flush(++token);
    ASSERT_LT(token, 1000000U);
  }
  link->keep_pongs = false;
  ASSERT_TRUE(until([&] {
    link->answer_pings();
    return user.relieved == 1 && user.was_flushed(token);
  }));
  EXPECT_EQ(user.flushed.size(), token);
  EXPECT_LT(link->pings, 100U);
}

TEST_F(SessionDriver, new_access_during_a_splice_makes_another_one_afterwards) {
  open();
  ASSERT_NE(connected(), nullptr);
  session->take_up(make_access({server.port()}, false, 2), 0ms);
  ASSERT_TRUE(until([&] { return session->splicing(); }));
  session->take_up(make_access({server.port()}, false, 3), 0ms);
  ASSERT_TRUE(spliced(2));
  EXPECT_EQ(session->live()->access()->generation, 3U);
  EXPECT_EQ(server.count(), 3U);
}

TEST_F(SessionDriver, new_access_while_there_is_no_link_is_used_for_the_next_one) {
  server.close();
  open();
  ASSERT_TRUE(until([&] { return user.downs.size() >= 2; }));
  session->take_up(make_access({server.port()}, false, 2), 10s);
  server.reopen();
  ASSERT_NE(connected(), nullptr);
  EXPECT_EQ(session->live()->access()->generation, 2U);
  EXPECT_EQ(server.count(), 1U);
}

TEST_F(SessionDriver, the_old_link_may_die_at_any_point_of_a_splice) {
  for (int turns = 0; turns < 60; ++turns) {
    open();
    session->subscribe("1", "a", "");
    auto* old = connected();
    session->splice_now("test");
    for (int i = 0; i < turns; ++i) {
      reactor->turn(1ms);
    }
    publish("over it");
    old->drop();
    session->flush(1);
    ASSERT_TRUE(until([&] { return user.was_flushed(1) && session->up() && !session->splicing(); })) << turns;
    EXPECT_GE(std::ranges::count(server.published, "over it"), 1) << turns;  // repeated, perhaps; lost, never
    session->stop();
    reactor->retire(std::move(session));
    server.published.clear();
    user.flushed.clear();
  }
}

TEST_F(SessionDriver, the_new_link_may_die_at_any_point_of_a_splice) {
  for (int turns = 0; turns < 60; ++turns) {
    open();
    session->subscribe("1", "a", "");
    ASSERT_NE(connected(), nullptr);
    const std::size_t before = server.count();
    session->splice_now("test");
    ASSERT_TRUE(until([&] { return server.count() > before; }));
    for (int i = 0; i < turns; ++i) {
      reactor->turn(1ms);
    }
    publish("over it");
    server.connections[before]->drop();
    session->flush(1);
    ASSERT_TRUE(until([&] { return user.was_flushed(1) && session->up(); })) << turns;
    EXPECT_GE(std::ranges::count(server.published, "over it"), 1) << turns;
    session->stop();
    reactor->retire(std::move(session));
    server.published.clear();
    user.flushed.clear();
  }
}

TEST_F(SessionDriver, a_lame_duck_is_left_for_another_server) {
  ScriptedServer second(*reactor);
  second.info.server_id = "SERVER-B";
  open(make_access({server.port(), second.port()}, false));
  session->subscribe("1", "a", "");
  auto* old = connected();
  server.info.ldm = true;
  old->say_info();
  ASSERT_TRUE(spliced());
  EXPECT_EQ(session->live()->info().server_id, "SERVER-B");
  EXPECT_EQ(second.newest()->subs, (Strings{"SUB a 1"}));
  EXPECT_TRUE(user.downs.empty());
  EXPECT_TRUE(until([&] { return old->over; }));
  session->stop();
}

TEST_F(SessionDriver, goes_to_a_server_that_gossip_named) {
  ScriptedServer second(*reactor);
  second.info.server_id = "SERVER-B";
  server.info.connect_urls = {"127.0.0.1:" + std::to_string(second.port()), "rubbish", "127.0.0.1:0"};
  open();
  auto* link = connected();
  server.close();
  link->drop();
  ASSERT_TRUE(until([&] { return second.count() > 0 && session->up(); }));
  EXPECT_EQ(user.ups.back().server_id, "SERVER-B");
  session->stop();
}

// ---- the end --------------------------------------------------------------------------------------------------------

TEST_F(SessionDriver, can_be_stopped_and_retired_in_every_phase) {
  for (int turns = 0; turns < 40; ++turns) {
    open();
    session->subscribe("1", "a", "");
    publish("x");
    for (int i = 0; i < turns; ++i) {
      reactor->turn(0ms);
      if (i == 12) {
        session->splice_now("test");
      }
    }
    session->stop();
    reactor->retire(std::move(session));
    spin(*reactor, 3);
  }
}

TEST_F(SessionDriver, unsubscribing_everything_leaves_the_publishes) {
  open();
  session->subscribe("1", "a", "");
  session->subscribe("2", "b", "q");
  auto* link = connected();
  ASSERT_TRUE(until([&] { return link->subs.size() == 2; }));
  publish("last words");
  session->unsubscribe_all();
  ASSERT_TRUE(until([&] { return link->unsubs.size() == 2 && session->unconfirmed_bytes() == 0; }));
  EXPECT_EQ(link->pubs, (Strings{"last words"}));
  EXPECT_TRUE(session->subscriptions().empty());
}

}  // namespace
}  // namespace hawser::session
