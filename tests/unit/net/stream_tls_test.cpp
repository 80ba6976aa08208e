#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/loop.hpp"
#include "net/stream.hpp"

namespace hawser::net {
namespace {

using namespace test;

struct Tls : ::testing::Test {
  std::unique_ptr<Reactor> reactor = must(Reactor::create());
  tls::ContextPtr server = pki().server();
  tls::ContextPtr client = pki().client();

  tls::SslPtr connect() { return must(client->connect({.host = "localhost"})); }
  tls::SslPtr accept() { return must(server->accept()); }

  // Both ends, secured.
  std::pair<HeldEnd, HeldEnd> secured_pair(std::pair<Fd, Fd> fds) {
    HeldEnd near(*reactor, std::move(fds.first));
    HeldEnd far(*reactor, std::move(fds.second));
    far->stream.start_tls(accept());
    near->stream.start_tls(connect());
    EXPECT_TRUE(until(*reactor, [&] { return near->secured == 1 && far->secured == 1; }));
    return {std::move(near), std::move(far)};
  }
};

// Bytes between two sockets, in pieces of a given size: a network that splits everywhere.
class Splitter {
 public:
  Splitter(Fd left, Fd right, std::size_t piece) : left_(std::move(left)), right_(std::move(right)), piece_(piece) {}
  void step() {
    move(left_, right_, to_right);
    move(right_, left_, to_left);
  }
  std::string to_right;
  std::string to_left;

 private:
  void move(const Fd& from, const Fd& to, std::string& seen) {
    const Received got = receive_some(from.value(), piece_);
    seen += got.bytes;
    ASSERT_EQ(send_some(to.value(), got.bytes), got.bytes.size());
    if (got.ended) {
      ::shutdown(to.value(), SHUT_WR);
    }
  }
  Fd left_;
  Fd right_;
  std::size_t piece_;
};

TEST_F(Tls, echoes_megabytes_in_chunks_of_any_size) {
  auto [near_end, far_end] = secured_pair(tcp_pair());
  HeldEnd& near = near_end;
  HeldEnd& far = far_end;
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
  }, 60s));
  EXPECT_TRUE(near->received == sent);
}

TEST_F(Tls, handshake_data_and_goodbye_survive_a_network_that_splits_everywhere) {
  for (const std::size_t piece : {1UL, 5UL, 1000UL}) {
    auto [a, left] = socket_pair();
    auto [b, right] = socket_pair();
    Splitter network(std::move(left), std::move(right), piece);
    HeldEnd one(*reactor, std::move(a));
    HeldEnd two(*reactor, std::move(b));
    two->stream.start_tls(accept());
    one->stream.start_tls(connect());
    one->stream.write("secret hello");
    ASSERT_TRUE(until(*reactor, [&] {
      network.step();
      return two->received == "secret hello";
    }, 60s)) << piece;
    EXPECT_EQ(network.to_right.find("secret"), std::string::npos);
    two->stream.write(std::string(3000, 'r'));
    two->stream.close_when_written();
    ASSERT_TRUE(until(*reactor, [&] {
      network.step();
      return one->closed.has_value();
    }, 60s)) << piece;
    EXPECT_EQ(one->received, std::string(3000, 'r'));
    EXPECT_EQ(one->closed->code, Errc::connection_closed);
  }
}

TEST_F(Tls, bytes_behind_the_ones_that_asked_for_tls_belong_to_tls) {
  auto [a, raw] = socket_pair();
  HeldEnd near(*reactor, std::move(a));
  near->consume = [&](std::string_view bytes) -> std::size_t {
    if (near->stream.ssl() == nullptr && bytes.size() >= 6) {
      near->stream.start_tls(connect());
      return 6;
    }
    ADD_FAILURE() << "shown what was injected in clear: " << bytes;
    return 0;
  };
  send_some(raw.value(), "INFO\r\n-ERR 'injected'\r\n");
  ASSERT_TRUE(until(*reactor, [&] { return near->closed.has_value(); }));
  EXPECT_EQ(near->secured, 0);
}

TEST_F(Tls, a_handshake_whose_first_bytes_came_with_the_clear_ones_goes_through) {
  auto [a, b] = tcp_pair();
  HeldEnd near(*reactor, std::move(a));
  HeldEnd far(*reactor, std::move(b));
  // A client that says where TLS starts and goes on at once: both in one read of the server.
  far->consume = [&](std::string_view bytes) -> std::size_t {
    if (far->stream.ssl() == nullptr) {
      EXPECT_TRUE(bytes.starts_with("START!"));
      EXPECT_GT(bytes.size(), 6U);
      far->stream.start_tls(accept());
      return 6;
    }
    far->received += bytes;
    return bytes.size();
  };
  near->stream.write("START!");
  near->stream.start_tls(connect());
  near->stream.write("hello");
  EXPECT_TRUE(until(*reactor, [&] { return far->received == "hello"; }));
}

TEST_F(Tls, fails_rather_than_start_behind_clear_bytes_that_the_peer_does_not_take) {
  auto [a, raw] = socket_pair();
  HeldEnd near(*reactor, std::move(a));
  near->stream.write(std::string(8 << 20, 'x'));
  near->stream.start_tls(connect());
  ASSERT_TRUE(near->closed.has_value());
  EXPECT_EQ(near->closed->code, Errc::write_stalled);
}

TEST_F(Tls, pushes_back_in_both_directions_and_stays_bounded) {
  auto fds = socket_pair();
  set_buffers(fds.first.value(), 8 << 10);
  set_buffers(fds.second.value(), 8 << 10);
  auto [near_end, far_end] = secured_pair(std::move(fds));
  HeldEnd& near = near_end;
  HeldEnd& far = far_end;
  far->stream.pause();
  const std::string sent = random_bytes(2 << 20, 5);
  near->stream.write(sent);
  spin(*reactor, 50);
  EXPECT_EQ(far->received.size(), 0U);
  EXPECT_GT(near->stream.output().unsent_bytes(), 1U << 20U) << "sealed more than the socket takes";
  far->stream.resume();
  ASSERT_TRUE(until(*reactor, [&] { return far->received.size() == sent.size(); }));
  EXPECT_TRUE(far->received == sent);
}

TEST_F(Tls, only_full_records_are_sent_within_the_turn) {
  auto [near_end, far_end] = secured_pair(tcp_pair());
  HeldEnd& near = near_end;
  HeldEnd& far = far_end;
  const std::string sent = random_bytes(2 * PooledChunk::kBytes + 100, 5);
  near->stream.write(sent);
  near->stream.write_full_chunks();
  EXPECT_EQ(near->stream.output().unsent_bytes(), 100U);
  ASSERT_TRUE(until(*reactor, [&] { return far->received.size() == sent.size(); }));
  EXPECT_TRUE(far->received == sent);
}

TEST_F(Tls, shows_again_after_resume_what_was_decrypted_before) {
  auto [near_end, far_end] = secured_pair(socket_pair());
  HeldEnd& near = near_end;
  HeldEnd& far = far_end;
  std::string taken;
  far->consume = [&](std::string_view bytes) {
    taken += bytes.substr(0, 4);
    far->stream.pause();
    return std::min<std::size_t>(4, bytes.size());
  };
  near->stream.write("onceuponatime...");
  for (std::size_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(until(*reactor, [&] { return taken.size() == i * 4; }));
    spin(*reactor);
    ASSERT_EQ(taken.size(), i * 4) << "shown while paused";
    far->stream.resume();
  }
  EXPECT_EQ(taken, "onceuponatime...");
}

TEST_F(Tls, one_frame_of_many_records_arrives_whole) {
  auto [near_end, far_end] = secured_pair(socket_pair());
  HeldEnd& near = near_end;
  HeldEnd& far = far_end;
  const std::string sent = random_bytes(8 << 20, 6);
  bool good = false;
  far->consume = [&](std::string_view bytes) -> std::size_t {
    if (bytes.size() < sent.size()) {
      return 0;
    }
    good = bytes == sent;
    return bytes.size();
  };
  near->stream.write(sent);
  EXPECT_TRUE(until(*reactor, [&] { return good; }));
}

TEST_F(Tls, a_callback_that_starts_another_handshake_does_not_mix_the_two) {
  auto [near_end, far_end] = secured_pair(tcp_pair());
  HeldEnd& near = near_end;
  HeldEnd& far = far_end;
  auto other_fds = tcp_pair();
  HeldEnd other(*reactor, std::move(other_fds.first));
  HeldEnd other_far(*reactor, std::move(other_fds.second));
  other_far->stream.start_tls(accept());
  far->consume = [&](std::string_view bytes) {
    if (other->stream.ssl() == nullptr) {
      other->stream.start_tls(connect());
    }
    far->stream.write(bytes);
    return bytes.size();
  };
  SSL_key_update(near->stream.ssl(), SSL_KEY_UPDATE_REQUESTED);  // makes the far end answer while it reads
  const std::string sent = random_bytes(400000, 8);
  near->stream.write(sent);
  ASSERT_TRUE(until(*reactor, [&] { return near->received.size() == sent.size() && other->secured == 1; }));
  EXPECT_TRUE(near->received == sent);
  EXPECT_FALSE(near->closed);
  EXPECT_FALSE(far->closed);
}

TEST_F(Tls, an_openssl_error_that_an_owner_leaves_behind_harms_nobody) {
  auto fds = tcp_pair();
  HeldEnd near(*reactor, std::move(fds.first));
  HeldEnd far(*reactor, std::move(fds.second));
  const auto leave_error = [] { ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR); };
  near->when_secured = leave_error;
  far->when_secured = leave_error;
  far->consume = [&](std::string_view bytes) {
    leave_error();
    far->stream.write(bytes);
    return bytes.size();
  };
  far->stream.start_tls(accept());
  near->stream.start_tls(connect());
  near->stream.write("hello");
  ASSERT_TRUE(until(*reactor, [&] { return near->received == "hello" || near->closed || far->closed; }));
  EXPECT_FALSE(near->closed);
  EXPECT_FALSE(far->closed);
  ERR_clear_error();
}

TEST_F(Tls, a_client_without_trust_says_so_and_the_server_hears_the_alert) {
  const Pki stranger;
  auto fds = tcp_pair();
  HeldEnd near(*reactor, std::move(fds.first));
  HeldEnd far(*reactor, std::move(fds.second));
  far->stream.start_tls(must(stranger.server()->accept()));
  near->stream.start_tls(connect());
  ASSERT_TRUE(until(*reactor, [&] { return near->closed && far->closed; }));
  EXPECT_EQ(near->closed->code, Errc::tls_unknown_authority) << near->closed->message();
  EXPECT_EQ(far->closed->code, Errc::tls_refused_unknown_authority) << far->closed->message();
  EXPECT_EQ(near->secured, 0);
}

// In TLS 1.3 the client's handshake ends before the server judges its certificate: the refusal is the first thing it reads,
// even if its own writes fail before that.
TEST_F(Tls, the_servers_judgement_of_the_certificate_is_the_reason_not_the_broken_pipe) {
  const Pki stranger;
  tls::SourceBytes bytes;
  bytes.cert = stranger.client_cert.chain_pem;
  bytes.key = stranger.client_cert.key_pem.copy();
  bytes.ca = pki().authority.certificate_pem();
  const auto odd = must(tls::Context::client(
      must(tls::load(tls::Source{.usage = tls::Usage::client}, bytes, wall_now())), {}));
  auto fds = tcp_pair();
  HeldEnd near(*reactor, std::move(fds.first));
  HeldEnd far(*reactor, std::move(fds.second));
  near->when_secured = [&] { near->stream.write("CONNECT {}\r\nPING\r\n"); };
  near->when_written = [&] { near->stream.write("PUB a 1\r\nx\r\n"); };
  far->stream.start_tls(accept());
  near->stream.start_tls(must(odd->connect({.host = "localhost"})));
  ASSERT_TRUE(until(*reactor, [&] { return near->closed && far->closed; }));
  EXPECT_EQ(near->closed->code, Errc::tls_refused_unknown_authority) << near->closed->message();
}

TEST_F(Tls, a_peer_that_closes_during_the_handshake_is_named_so) {
  auto [a, raw] = tcp_pair();
  HeldEnd near(*reactor, std::move(a));
  near->stream.start_tls(connect());
  spin(*reactor);
  receive_some(raw.value());
  raw.reset();
  ASSERT_TRUE(until(*reactor, [&] { return near->closed.has_value(); }));
  EXPECT_EQ(near->closed->code, Errc::tls_cut_short) << near->closed->message();
}

TEST_F(Tls, a_connection_that_ends_in_the_middle_of_a_record_shows_nothing_of_it) {
  auto [a, left] = socket_pair();
  auto [b, right] = tcp_pair();
  HeldEnd near(*reactor, std::move(a));
  HeldEnd far(*reactor, std::move(b));
  far->stream.start_tls(accept());
  near->stream.start_tls(connect());
  {
    Splitter network(std::move(left), std::move(right), 5000);
    ASSERT_TRUE(until(*reactor, [&] {
      network.step();
      return near->secured == 1 && far->secured == 1;
    }));
    near->stream.write(std::string(10000, 'x'));
    spin(*reactor);
    network.step();  // half of the record
    spin(*reactor);
  }
  ASSERT_TRUE(until(*reactor, [&] { return far->closed && near->closed; }));
  EXPECT_EQ(far->received, "");
}

TEST_F(Tls, can_be_retired_within_every_callback) {
  for (const int callback : {0, 1, 2, 3}) {
    auto fds = tcp_pair();
    auto near = std::make_unique<HeldEnd>(*reactor, std::move(fds.first));
    HeldEnd far(*reactor, std::move(fds.second));
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
    } else if (callback == 2) {
      (*near)->when_secured = retire;
    } else {
      (*near)->when_closed = retire;
    }
    far->stream.start_tls(accept());
    (*near)->stream.start_tls(connect());
    (*near)->stream.write("hello");
    far->stream.write("hello");
    far->when_secured = [&] { far->stream.close_when_written(); };
    ASSERT_TRUE(until(*reactor, [&] { return gone; })) << callback;
    ASSERT_TRUE(until(*reactor, [&] { return far->closed.has_value(); })) << callback;
  }
}

// Has a turn's share of handshakes used up before anybody else.
class Greedy final : public Watched {
 public:
  explicit Greedy(Reactor& reactor) : reactor_(reactor) { reactor_.call_again(*this); }
  void on_ready(std::uint32_t /*events*/) override {
    ++turns;
    if (!enough) {
      reactor_.shook_hands(1s);
      reactor_.call_again(*this);
    }
  }
  bool enough = false;
  int turns = 0;

 private:
  Reactor& reactor_;
};

TEST_F(Tls, handshakes_beyond_their_share_of_a_turn_wait_and_are_not_forgotten) {
  Greedy greedy(*reactor);
  auto [a, b] = socket_pair();
  HeldEnd near(*reactor, std::move(a));
  HeldEnd far(*reactor, std::move(b));
  far->stream.start_tls(accept());
  near->stream.start_tls(connect());
  spin(*reactor, 30);
  EXPECT_GE(greedy.turns, 30);
  EXPECT_EQ(near->secured + far->secured, 0);
  greedy.enough = true;
  EXPECT_TRUE(until(*reactor, [&] { return near->secured == 1 && far->secured == 1; }));
}

}  // namespace
}  // namespace hawser::net
