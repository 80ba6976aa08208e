#include "net/stream.hpp"

#include "net/loop.hpp"

namespace hawser::net {
namespace {

using namespace test;

struct Plain : ::testing::Test {
  std::unique_ptr<Reactor> reactor = must(Reactor::create());
};

// Reads from a raw socket what the stream sends, until it is all there.
bool collect(Reactor& reactor, int fd, std::string& into, std::size_t size) {
  return until(reactor, [&] {
    into += receive_some(fd).bytes;
    return into.size() >= size;
  });
}

TEST_F(Plain, echoes_megabytes_in_chunks_of_any_size) {
  auto [a, b] = tcp_pair();
  HeldEnd near(*reactor, std::move(a));
  HeldEnd far(*reactor, std::move(b));
  far->consume = [&](std::string_view bytes) {
    far->stream.write(bytes);
    return bytes.size();
  };
  const std::string sent = random_bytes(3 << 20, 1);
  std::mt19937 random(2);
  std::size_t at = 0;
  ASSERT_TRUE(until(*reactor, [&] {
    for (int i = 0; i < 10 && at < sent.size(); ++i) {
      const std::size_t size = std::min<std::size_t>(random() % 3 == 0 ? random() % 100000 : random() % 50, sent.size() - at);
      near->stream.write(std::string_view(sent).substr(at, size));
      at += size;
    }
    return near->received.size() == sent.size();
  }));
  EXPECT_TRUE(near->received == sent);
}

// Frames of four characters, kept until they are whole.
std::function<std::size_t(std::string_view)> by_fours(std::string& into) {
  return [&into](std::string_view bytes) {
    const std::size_t used = bytes.size() / 4 * 4;
    into += bytes.substr(0, used);
    return used;
  };
}

TEST_F(Plain, keeps_what_the_owner_leaves_and_shows_it_again_with_what_follows) {
  auto [a, raw] = socket_pair();
  HeldEnd near(*reactor, std::move(a));
  std::string whole;
  near->consume = by_fours(whole);
  const std::string sent = random_bytes(403, 3);
  for (std::size_t i = 0; i < sent.size(); ++i) {  // each byte is a read of its own
    const int shown = near->shown;
    ASSERT_EQ(send_some(raw.value(), std::string_view(sent).substr(i, 1)), 1U);
    ASSERT_TRUE(until(*reactor, [&] { return near->shown > shown; }));
  }
  EXPECT_EQ(whole, sent.substr(0, 400));
}

TEST_F(Plain, one_frame_of_64_mib_arrives_whole) {
  auto [a, raw] = socket_pair();
  HeldEnd near(*reactor, std::move(a));
  constexpr std::size_t kSize = 64UL << 20U;
  const std::string sent = random_bytes(kSize, 4);
  bool good = false;
  near->consume = [&](std::string_view bytes) -> std::size_t {
    if (bytes.size() < kSize) {
      return 0;
    }
    good = bytes.substr(0, kSize) == sent;
    return kSize;
  };
  std::size_t at = 0;
  ASSERT_TRUE(until(*reactor, [&] {
    at += send_some(raw.value(), std::string_view(sent).substr(at));
    return good;
  }, 60s));
  send_some(raw.value(), "next");
  std::string after;
  near->consume = by_fours(after);
  EXPECT_TRUE(until(*reactor, [&] { return after == "next"; }));
}

TEST_F(Plain, shows_nothing_new_while_paused_and_everything_after) {
  auto [a, raw] = tcp_pair();
  HeldEnd near(*reactor, std::move(a));
  near->stream.pause();
  ASSERT_EQ(send_some(raw.value(), "hello"), 5U);
  spin(*reactor, 20);
  EXPECT_EQ(near->shown, 0);
  near->stream.resume();  // there is no edge any more
  EXPECT_TRUE(until(*reactor, [&] { return near->received == "hello"; }));
}

TEST_F(Plain, what_was_left_unconsumed_by_pausing_is_shown_again_without_new_bytes) {
  auto [a, raw] = socket_pair();
  HeldEnd near(*reactor, std::move(a));
  std::string taken;
  near->consume = [&](std::string_view bytes) {
    taken += bytes.substr(0, 4);
    near->stream.pause();
    return std::min<std::size_t>(4, bytes.size());
  };
  send_some(raw.value(), "onceuponatime...");
  for (std::size_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(until(*reactor, [&] { return taken.size() == i * 4; }));
    spin(*reactor);
    ASSERT_EQ(taken.size(), i * 4) << "shown while paused";
    near->stream.resume();
  }
  EXPECT_EQ(taken, "onceuponatime...");
}

TEST_F(Plain, resuming_within_on_data_loses_nothing) {
  auto [a, raw] = socket_pair();
  HeldEnd near(*reactor, std::move(a));
  std::string taken;
  near->consume = [&](std::string_view bytes) {
    taken += bytes.substr(0, 4);
    near->stream.pause();
    near->stream.resume();
    return std::min<std::size_t>(4, bytes.size());
  };
  send_some(raw.value(), "onceuponatime...");
  EXPECT_TRUE(until(*reactor, [&] { return taken == "onceuponatime..."; }));
}

TEST_F(Plain, sends_what_a_slow_reader_takes_and_goes_on_when_it_takes_more) {
  auto [a, raw] = tcp_pair();
  set_buffers(a.value(), 16 << 10);
  set_buffers(raw.value(), 16 << 10);
  HeldEnd near(*reactor, std::move(a));
  const std::string sent = random_bytes(2 << 20, 5);
  near->stream.write(sent);
  spin(*reactor, 20);
  EXPECT_GT(near->stream.output().unsent_bytes(), 1U << 20U);
  const int written = near->written;
  spin(*reactor, 20);
  EXPECT_EQ(near->written, written) << "told of writes that did not happen";
  std::string received;
  ASSERT_TRUE(collect(*reactor, raw.value(), received, sent.size()));
  EXPECT_TRUE(received == sent);
  EXPECT_EQ(near->stream.output().bytes(), 0U);
}

TEST_F(Plain, what_fills_chunks_is_sent_within_the_turn_if_asked_for) {
  auto [a, raw] = socket_pair();
  HeldEnd near(*reactor, std::move(a));
  const std::string sent = random_bytes(3 * PooledChunk::kBytes + 100, 5);
  near->stream.write(sent);
  near->stream.write_full_chunks();
  EXPECT_GE(receive_some(raw.value()).bytes.size(), 3 * PooledChunk::kBytes);
  EXPECT_EQ(near->written, 1);
  near->stream.write("more");
  std::string rest;
  EXPECT_TRUE(until(*reactor, [&] { return (rest += receive_some(raw.value()).bytes).ends_with("more"); }));
}

TEST_F(Plain, keeps_what_was_sent_until_it_is_released_if_asked_to) {
  auto [a, raw] = socket_pair();
  HeldEnd near(*reactor, std::move(a));
  near->stream.keep_sent();
  near->stream.write("abcdef");
  std::string received;
  ASSERT_TRUE(collect(*reactor, raw.value(), received, 6));
  EXPECT_EQ(near->stream.output().bytes(), 6U);
  near->stream.output().release(4);
  std::string kept;
  near->stream.output().read(4, 6, [&](std::string_view piece) { kept += piece; });
  EXPECT_EQ(kept, "ef");
}

TEST_F(Plain, closes_once_all_is_written_and_the_other_side_has_closed) {
  auto [a, raw] = tcp_pair();
  set_buffers(a.value(), 16 << 10);
  set_buffers(raw.value(), 16 << 10);
  HeldEnd near(*reactor, std::move(a));
  const std::string sent = random_bytes(1 << 20, 6);
  near->stream.write(sent);
  near->stream.close_when_written();
  std::string received;
  bool ended = false;
  ASSERT_TRUE(until(*reactor, [&] {
    const Received piece = receive_some(raw.value());
    received += piece.bytes;
    ended = ended || piece.ended;
    return ended;
  }));
  EXPECT_TRUE(received == sent);
  EXPECT_FALSE(near->closed);
  raw.reset();
  ASSERT_TRUE(until(*reactor, [&] { return near->closed.has_value(); }));
  EXPECT_EQ(near->closed->code, Errc::connection_closed);
}

// A close with unread input would be a reset, after which a peer may see ECONNRESET instead of the last words.
TEST_F(Plain, last_words_reach_a_peer_whose_bytes_were_not_read) {
  auto [a, raw] = tcp_pair();
  HeldEnd near(*reactor, std::move(a));
  near->consume = [&](std::string_view bytes) {
    near->stream.pause();
    near->stream.write("-ERR 'no'\r\n");
    near->stream.close_when_written();
    return bytes.size();
  };
  send_some(raw.value(), "rubbish");
  spin(*reactor, 3);
  send_some(raw.value(), std::string(50000, 'x'));
  std::string received;
  ASSERT_TRUE(until(*reactor, [&] {
    const Received piece = receive_some(raw.value());
    EXPECT_EQ(piece.error, 0) << "reset";
    received += piece.bytes;
    return piece.ended || piece.error != 0;
  }));
  EXPECT_EQ(received, "-ERR 'no'\r\n");
  EXPECT_EQ(near->shown, 1) << "input after the goodbye";
  raw.reset();
  EXPECT_TRUE(until(*reactor, [&] { return near->closed.has_value(); }));
}

TEST_F(Plain, an_end_is_seen_even_if_its_edge_came_with_the_last_bytes) {
  auto [a, raw] = tcp_pair();
  HeldEnd near(*reactor, std::move(a));
  send_some(raw.value(), "bye");
  ::shutdown(raw.value(), SHUT_WR);
  ASSERT_TRUE(until(*reactor, [&] { return near->closed.has_value(); }));
  EXPECT_EQ(near->received, "bye");
  EXPECT_EQ(near->closed->code, Errc::connection_closed);
}

TEST_F(Plain, an_end_that_comes_while_paused_is_seen_after_the_bytes_before_it) {
  auto [a, raw] = tcp_pair();
  HeldEnd near(*reactor, std::move(a));
  near->stream.pause();
  send_some(raw.value(), "bye");
  raw.reset();
  spin(*reactor, 10);
  EXPECT_FALSE(near->closed);
  near->stream.resume();
  ASSERT_TRUE(until(*reactor, [&] { return near->closed.has_value(); }));
  EXPECT_EQ(near->received, "bye");
}

TEST_F(Plain, a_reset_is_a_lost_connection) {
  auto [a, raw] = tcp_pair();
  HeldEnd near(*reactor, std::move(a));
  spin(*reactor);
  reset_on_close(raw.value());
  raw.reset();
  ASSERT_TRUE(until(*reactor, [&] { return near->closed.has_value(); }));
  EXPECT_EQ(near->closed->code, Errc::connection_lost);
}

// A server that refuses says why and closes; our next write fails before its words are read.
TEST_F(Plain, what_was_received_before_a_write_fails_is_still_shown) {
  auto [a, raw] = tcp_pair();
  HeldEnd near(*reactor, std::move(a));
  spin(*reactor);
  near->stream.write("unread");
  spin(*reactor, 3);
  send_some(raw.value(), "-ERR 'why'\r\n");
  raw.reset();  // with unread bytes: a reset
  near->stream.write("more");
  ASSERT_TRUE(until(*reactor, [&] { return near->closed.has_value(); }));
  EXPECT_EQ(near->received, "-ERR 'why'\r\n");
  EXPECT_EQ(near->closed->code, Errc::connection_lost);
}

TEST_F(Plain, a_write_that_fails_while_paused_ends_the_stream) {
  auto [a, raw] = tcp_pair();
  HeldEnd near(*reactor, std::move(a));
  spin(*reactor);
  near->stream.pause();
  send_some(raw.value(), "x");
  reset_on_close(raw.value());
  raw.reset();
  ASSERT_TRUE(until(*reactor, [&] {
    near->stream.write("more");
    return near->closed.has_value();
  }));
  EXPECT_EQ(near->closed->code, Errc::connection_lost);
  EXPECT_EQ(near->shown, 0);
}

TEST_F(Plain, can_be_retired_by_its_owner_within_every_callback) {
  for (const int callback : {0, 1, 2}) {
    auto [a, raw] = tcp_pair();
    auto near = std::make_unique<HeldEnd>(*reactor, std::move(a));
    bool gone = false;
    const auto retire = [&] {
      near.reset();
      gone = true;
    };
    if (callback == 0) {
      (*near)->consume = [&](std::string_view bytes) {
        retire();
        return bytes.size() / 2;
      };
    } else if (callback == 1) {
      (*near)->when_written = retire;
    } else {
      (*near)->when_closed = retire;
    }
    (*near)->stream.write("hello");
    send_some(raw.value(), "hello");
    if (callback == 2) {
      raw.reset();
    }
    ASSERT_TRUE(until(*reactor, [&] { return gone; })) << callback;
    spin(*reactor);
  }
}

TEST_F(Plain, after_close_nothing_is_called_any_more) {
  auto [a, raw] = tcp_pair();
  HeldEnd near(*reactor, std::move(a));
  near->stream.write("never");
  near->stream.close();
  near->stream.write("never");
  near->stream.close_when_written();
  near->stream.resume();
  spin(*reactor, 10);
  EXPECT_FALSE(near->closed);
  EXPECT_EQ(near->written, 0);
  const Received end = receive_some(raw.value());
  EXPECT_TRUE(end.ended);
  EXPECT_EQ(end.bytes, "");
}

// An owner that writes whenever it was written must not keep the loop in one turn.
TEST_F(Plain, a_stream_written_to_whenever_it_was_written_leaves_the_others_their_turn) {
  auto [a, raw] = socket_pair();
  HeldEnd near(*reactor, std::move(a));
  near->when_written = [&] {
    receive_some(raw.value());
    near->stream.write("again");
  };
  near->stream.write("once");
  for (int i = 0; i < 10; ++i) {
    const int before = near->written;
    reactor->turn(0ms);
    ASSERT_LE(near->written - before, 2);
  }
  EXPECT_GE(near->written, 10);
}

// Met in a prototype: back-pressure that was not looked at again. Each end stops reading while it has much to send.
TEST_F(Plain, two_ends_that_push_back_at_each_other_get_everything_through) {
  auto [a, b] = socket_pair();
  set_buffers(a.value(), 8 << 10);
  set_buffers(b.value(), 8 << 10);
  HeldEnd near(*reactor, std::move(a));
  HeldEnd far(*reactor, std::move(b));
  const std::string sent = random_bytes(4 << 20, 7);
  constexpr std::size_t kHigh = 64 << 10;
  far->consume = [&](std::string_view bytes) -> std::size_t {
    if (far->stream.output().unsent_bytes() > kHigh) {
      far->stream.pause();
      return 0;
    }
    const std::size_t size = std::min<std::size_t>(bytes.size(), 5000);
    far->stream.write(bytes.substr(0, size));
    if (size < bytes.size()) {
      far->stream.pause();
      far->stream.resume();
    }
    return size;
  };
  far->when_written = [&] {
    if (far->stream.paused() && far->stream.output().unsent_bytes() < kHigh / 2) {
      far->stream.resume();
    }
  };
  std::size_t at = 0;
  std::size_t most = 0;
  ASSERT_TRUE(until(*reactor, [&] {
    while (at < sent.size() && near->stream.output().unsent_bytes() < kHigh) {
      const std::size_t size = std::min<std::size_t>(7777, sent.size() - at);
      near->stream.write(std::string_view(sent).substr(at, size));
      at += size;
    }
    most = std::max(most, far->stream.output().unsent_bytes());
    return near->received.size() == sent.size();
  }, 60s));
  EXPECT_TRUE(near->received == sent);
  EXPECT_LE(most, kHigh + 5000) << "not bounded";
}

TEST_F(Plain, who_yields_is_shown_the_rest_in_the_next_turn_and_nothing_new_before) {
  auto [a, raw] = socket_pair();
  HeldEnd near(*reactor, std::move(a));
  std::string order;
  near->consume = [&](std::string_view bytes) {
    order += std::string(bytes) + "|";
    near->stream.yield();
    EXPECT_TRUE(near->stream.paused());
    return std::size_t{1};
  };
  send_some(raw.value(), "abc");
  reactor->turn(0ms);
  EXPECT_EQ(order, "abc|");
  send_some(raw.value(), "d");
  spin(*reactor, 6);
  EXPECT_EQ(order, "abc|bc|c|d|");
}

TEST_F(Plain, who_yields_may_be_paused_as_well) {
  auto [a, raw] = socket_pair();
  HeldEnd near(*reactor, std::move(a));
  std::string seen;
  near->consume = [&](std::string_view bytes) {
    seen += bytes.front();
    near->stream.yield();
    near->stream.pause();
    return std::size_t{1};
  };
  send_some(raw.value(), "ab");
  spin(*reactor);
  EXPECT_EQ(seen, "a") << "the turn that ends the one does not end the other";
  near->stream.resume();
  spin(*reactor);
  EXPECT_EQ(seen, "ab");
}

TEST_F(Plain, what_is_written_early_does_not_wait_for_the_turn_to_end) {
  auto [a, raw] = socket_pair();
  HeldEnd near(*reactor, std::move(a));
  near->stream.write("now");
  near->stream.write_early();
  EXPECT_EQ(receive_some(raw.value()).bytes, "now");
  EXPECT_EQ(near->written, 1);
  near->stream.write(" and later");
  reactor->turn(0ms);
  EXPECT_EQ(receive_some(raw.value()).bytes, " and later");
}

}  // namespace
}  // namespace hawser::net
