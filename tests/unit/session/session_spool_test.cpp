// A session whose publishes go to a spool while there is no link: what goes where, in which order, and when flushes are
// answered.
#include <gtest/gtest.h>

#include "session/driven_session.hpp"

namespace hawser::session {
namespace {

using namespace test;
using Strings = std::vector<std::string>;

// A queue that a test drains by hand.
class ScriptedSpool final : public Spool {
 public:
  std::size_t put(std::string_view frames, Why why) override {
    if (full) {
      return 0;
    }
    wire::Parser parser(wire::Peer::client);
    wire::Frame frame;
    for (std::string_view rest = frames; !rest.empty() && parser.next(rest, frame) == wire::Parser::Status::frame;) {
      rest.remove_prefix(frame.raw.size());
      queued.emplace_back(frame.payload);
      whys.push_back(why);
    }
    ++marks;
    return frames.size();
  }
  std::uint64_t mark() const override { return marks; }
  bool safe(std::uint64_t mark) const override { return on_disk >= mark; }
  bool clear() const override { return queued.empty() && !others; }
  bool nearly_clear() const override { return nearly; }
  std::string_view server_id() const override { return server; }
  bool accepts(Why /*why*/) const override { return !full; }

  Strings queued;
  std::vector<Why> whys;
  std::uint64_t marks = 0;
  std::uint64_t on_disk = 0;
  std::string server;
  bool full = false;
  bool nearly = false;
  bool others = false;  // what other clients have queued stands before this one
};

struct SessionSpool : Driven {
  ScriptedSpool spool;

  void open_with_spool() {
    session =
        must(Session::make(*reactor, resolver, user, make_access({server.port()}, false), profile, options, metrics));
    session->use(spool);
    reactor->turn(0ms);
    session->start();
  }
  // Cuts the link, and lets no other come for now.
  void cut() {
    server.close();
    server.newest()->drop();
    ASSERT_TRUE(until([&] { return session->spooling(); }));
  }
  // What was queued has reached the server.
  void drain() {
    spool.queued.clear();
    session->spool_progressed();
  }
  void everything_is_on_disk() {
    spool.on_disk = spool.marks;
    session->spool_progressed();
  }
};

TEST_F(SessionSpool, publishes_go_to_the_queue_behind_what_the_dead_link_had_not_confirmed) {
  open_with_spool();
  auto* link = connected();
  link->keep_pongs = true;
  publish("a");
  publish("b");
  ASSERT_TRUE(until([&] { return link->pubs.size() == 2; }));
  cut();
  publish("c");
  EXPECT_EQ(spool.queued, (Strings{"a", "b", "c"}));
  EXPECT_EQ(session->unconfirmed_bytes(), 0U);
}

TEST_F(SessionSpool, a_flush_in_an_outage_is_answered_once_everything_before_it_is_on_disk) {
  open_with_spool();
  connected();
  cut();
  publish("a");
  session->flush(1);
  publish("b");
  session->flush(2);
  spin(*reactor);
  EXPECT_TRUE(user.flushed.empty());
  spool.on_disk = 1;
  session->spool_progressed();
  EXPECT_EQ(user.flushed, (std::vector<std::uint64_t>{1}));
  everything_is_on_disk();
  EXPECT_EQ(user.flushed, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(SessionSpool, a_flush_of_before_the_outage_waits_for_what_the_link_had_not_confirmed) {
  open_with_spool();
  auto* link = connected();
  link->keep_pongs = true;
  publish("a");
  session->flush(1);
  ASSERT_TRUE(until([&] { return link->pubs.size() == 1; }));
  cut();
  spin(*reactor);
  EXPECT_TRUE(user.flushed.empty());
  everything_is_on_disk();
  EXPECT_EQ(user.flushed, (std::vector<std::uint64_t>{1}));
}

TEST_F(SessionSpool, with_a_link_again_publishes_go_behind_the_queue_until_it_is_clear) {
  open_with_spool();
  connected();
  cut();
  publish("a");
  server.reopen();
  auto* link = connected();
  publish("b");
  spin(*reactor);
  EXPECT_EQ(spool.queued, (Strings{"a", "b"}));
  EXPECT_EQ(spool.whys, (std::vector<Spool::Why>{Spool::Why::away, Spool::Why::behind}));
  EXPECT_TRUE(link->pubs.empty());
  drain();
  publish("c");
  ASSERT_TRUE(until([&] { return link->pubs.size() == 1; }));
  EXPECT_EQ(link->pubs, (Strings{"c"}));
  EXPECT_FALSE(session->spooling());
}

TEST_F(SessionSpool, the_last_publishes_before_the_queue_is_clear_wait_in_memory) {
  open_with_spool();
  connected();
  cut();
  publish("a");
  server.reopen();
  auto* link = connected();
  spool.nearly = true;
  publish("b");
  session->flush(1);
  everything_is_on_disk();
  spin(*reactor);
  EXPECT_EQ(spool.queued, (Strings{"a"}));
  EXPECT_TRUE(link->pubs.empty());
  EXPECT_TRUE(user.flushed.empty());
  drain();
  ASSERT_TRUE(until([&] { return user.was_flushed(1); }));
  EXPECT_EQ(link->pubs, (Strings{"b"}));
}

TEST_F(SessionSpool, what_waits_in_memory_goes_to_the_queue_when_the_link_is_lost_again) {
  open_with_spool();
  connected();
  cut();
  publish("a");
  server.reopen();
  connected();
  spool.nearly = true;
  publish("b");
  server.close();
  server.newest()->drop();
  ASSERT_TRUE(until([&] { return spool.queued.size() == 2; }));
  publish("c");
  EXPECT_EQ(spool.queued, (Strings{"a", "b", "c"}));
}

TEST_F(SessionSpool, a_new_session_stands_behind_what_others_have_queued) {
  spool.others = true;
  open_with_spool();
  auto* link = connected();
  publish("a");
  spin(*reactor);
  EXPECT_EQ(spool.queued, (Strings{"a"}));
  EXPECT_TRUE(link->pubs.empty());
  spool.others = false;
  drain();
  publish("b");
  ASSERT_TRUE(until([&] { return link->pubs.size() == 1; }));
}

TEST_F(SessionSpool, behind_the_queue_a_flush_needs_both_the_disk_and_the_server) {
  spool.others = true;
  open_with_spool();
  auto* link = connected();
  link->keep_pongs = true;
  publish("a");
  session->subscribe("1", "x", "");
  session->flush(1);
  everything_is_on_disk();
  spin(*reactor);
  EXPECT_TRUE(user.flushed.empty());
  link->answer_pings();
  ASSERT_TRUE(until([&] { return user.was_flushed(1); }));
}

TEST_F(SessionSpool, what_a_full_queue_does_not_take_stays_in_memory_and_in_order) {
  open_with_spool();
  connected();
  cut();
  publish("a");
  spool.full = true;
  publish("b");
  publish("c");
  session->flush(1);
  everything_is_on_disk();
  EXPECT_TRUE(user.flushed.empty());
  EXPECT_FALSE(session->accepts());
  spool.full = false;
  session->spool_progressed();
  EXPECT_EQ(spool.queued, (Strings{"a", "b", "c"}));
  EXPECT_EQ(user.relieved, 1);
  everything_is_on_disk();
  EXPECT_EQ(user.flushed, (std::vector<std::uint64_t>{1}));
}

TEST_F(SessionSpool, waits_for_two_servers_to_agree_when_the_queue_went_to_another_one) {
  spool.others = true;
  spool.server = "ELSEWHERE";
  open_with_spool();
  auto* link = connected();
  publish("a");
  spool.others = false;
  spool.queued.clear();
  session->spool_progressed();
  EXPECT_TRUE(session->spooling());
  publish("b");
  EXPECT_EQ(spool.queued, (Strings{"b"}));
  drain();
  ASSERT_TRUE(until([&] { return !session->spooling(); }));
  publish("c");
  ASSERT_TRUE(until([&] { return link->pubs.size() == 1; }));
}

TEST_F(SessionSpool, at_the_end_what_is_not_confirmed_is_put_away) {
  open_with_spool();
  auto* link = connected();
  link->keep_pongs = true;
  publish("a");
  ASSERT_TRUE(until([&] { return link->pubs.size() == 1; }));
  session->put_away();
  EXPECT_EQ(spool.queued, (Strings{"a"}));
}

}  // namespace
}  // namespace hawser::session
