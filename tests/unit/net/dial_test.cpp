#include "net/dial.hpp"

#include <netinet/tcp.h>

#include <vector>

#include "net/listener.hpp"
#include "net/loop.hpp"

namespace hawser::net {
namespace {

using namespace test;

// A port where nothing listens.
Address dead_address() {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Address any = must(Address::parse("127.0.0.1:0"));
  EXPECT_EQ(::bind(fd.value(), any.raw(), any.size()), 0);
  return Address::local_of(fd.value());
}

// An address that answers no SYN: a listener whose queue is full.
class Silent {
 public:
  Silent() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const Address any = must(Address::parse("127.0.0.1:0"));
    EXPECT_EQ(::bind(listener_.value(), any.raw(), any.size()), 0);
    EXPECT_EQ(::listen(listener_.value(), 0), 0);
    const Address at = address();
    for (int i = 0; i < 8; ++i) {
      fillers_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      ::connect(fillers_.back().value(), at.raw(), at.size());
    }
  }
  [[nodiscard]] Address address() const { return Address::local_of(listener_.value()); }

 private:
  Fd listener_;
  std::vector<Fd> fillers_;
};

struct Dialling : ::testing::Test {
  std::unique_ptr<Reactor> reactor = must(Reactor::create());
  std::vector<Address> known;  // what the name "servers" stands for
  Resolver resolver{[this](const std::string& host, std::uint16_t /*port*/) -> Result<std::vector<Address>> {
    if (host == "servers") {
      return known;
    }
    return fail(Errc::resolve_failed, "\"" + host + "\": unknown here");
  }};
  std::optional<Result<Fd>> result;
  std::unique_ptr<Dial> dial;

  void start(const std::string& host, std::uint16_t port, Duration timeout = 10s) {
    dial = std::make_unique<Dial>(*reactor, resolver, [this](Result<Fd> done) {
      EXPECT_FALSE(result) << "called twice";
      result = std::move(done);
    });
    dial->start(host, port, timeout);
    EXPECT_FALSE(result) << "called from within start()";
  }
  bool done() {
    return until(*reactor, [&] { return result.has_value(); });
  }
  ~Dialling() override {
    resolver.stop();
    reactor->retire(std::move(dial));
  }
};

TEST_F(Dialling, connects_to_a_literal_address_of_either_family) {
  for (const char* ip : {"127.0.0.1", "::1"}) {
    int accepted = 0;
    const auto listener = must(
        Listener::open(*reactor, must(Address::literal(ip, 0)), [&](Fd, const Address&) { ++accepted; }));
    result.reset();
    start(ip, listener->address().port());
    ASSERT_TRUE(done()) << ip;
    ASSERT_TRUE(result->has_value()) << result->error().message();
    EXPECT_TRUE(Address::peer_of((**result).value()) == listener->address());
    int on = 0;
    socklen_t size = sizeof on;
    ::getsockopt((**result).value(), IPPROTO_TCP, TCP_NODELAY, &on, &size);
    EXPECT_EQ(on, 1);
    EXPECT_TRUE(until(*reactor, [&] { return accepted == 1; }));
    reactor->retire(std::move(dial));
  }
}

TEST_F(Dialling, the_socket_can_be_watched_anew_by_who_takes_it_over) {
  HeldEnd* far = nullptr;
  std::unique_ptr<HeldEnd> far_end;
  const auto listener = must(Listener::open(*reactor, must(Address::parse("127.0.0.1:0")), [&](Fd fd, const Address&) {
    far_end = std::make_unique<HeldEnd>(*reactor, std::move(fd));
    far = far_end.get();
    (*far)->stream.write("INFO\r\n");
  }));
  start("127.0.0.1", listener->address().port());
  ASSERT_TRUE(done());
  HeldEnd near(*reactor, std::move(**result));
  EXPECT_TRUE(until(*reactor, [&] { return near->received == "INFO\r\n"; }));
}

TEST_F(Dialling, says_that_it_was_refused) {
  const Address address = dead_address();
  start("127.0.0.1", address.port());
  ASSERT_TRUE(done());
  ASSERT_FALSE(result->has_value());
  EXPECT_EQ(result->error().code, Errc::connect_refused);
  EXPECT_NE(result->error().doing.find(address.text()), std::string::npos) << result->error().message();
}

TEST_F(Dialling, gives_up_after_its_time) {
  const Silent silent;
  start("127.0.0.1", silent.address().port(), 30ms);
  ASSERT_TRUE(done());
  ASSERT_FALSE(result->has_value());
  EXPECT_EQ(result->error().code, Errc::connect_timeout);
}

TEST_F(Dialling, tries_the_next_address_after_a_refusal_and_after_a_silence) {
  const auto listener = must(Listener::open(*reactor, must(Address::parse("127.0.0.1:0")), [](Fd, const Address&) {}));
  const Silent silent;
  for (const Address& first : {dead_address(), silent.address()}) {
    result.reset();
    known = {first, listener->address()};
    start("servers", 1, first == silent.address() ? Duration(200ms) : Duration(10s));
    ASSERT_TRUE(done());
    ASSERT_TRUE(result->has_value()) << result->error().message();
    EXPECT_TRUE(Address::peer_of((**result).value()) == listener->address());
    reactor->retire(std::move(dial));
  }
}

TEST_F(Dialling, the_last_address_has_all_the_time_that_is_left) {
  const Silent silent;
  known = {dead_address(), silent.address()};
  reactor->turn(0ms);
  const Time begin = reactor->now();  // what timers count from
  start("servers", 1, 400ms);  // half of it was the first one's share, which was refused at once
  ASSERT_TRUE(done());
  ASSERT_FALSE(result->has_value());
  EXPECT_GE(hawser::now() - begin, 400ms);
}

TEST_F(Dialling, a_name_that_does_not_resolve_is_its_own_error) {
  start("nobody", 4222);
  ASSERT_TRUE(done());
  ASSERT_FALSE(result->has_value());
  EXPECT_EQ(result->error().code, Errc::resolve_failed);
}

TEST_F(Dialling, a_name_without_addresses_is_a_failure) {
  start("servers", 4222);
  ASSERT_TRUE(done());
  EXPECT_FALSE(result->has_value());
}

TEST_F(Dialling, calls_nobody_after_cancel_or_when_retired) {
  for (const bool cancel : {true, false}) {
    const Silent silent;
    start("127.0.0.1", silent.address().port(), 20ms);
    spin(*reactor);
    if (cancel) {
      dial->cancel();
    }
    reactor->retire(std::move(dial));
    Timer later(*reactor, [] {});
    later.start(40ms);
    ASSERT_TRUE(until(*reactor, [&] { return !later.armed(); }));
    EXPECT_FALSE(result);
  }
}

// Without a listener on a port of the ephemeral range, an attempt can pick that port for its own end and meet itself. The
// system tries the ports in turn, so that it happens within some ten thousand attempts.
TEST_F(Dialling, a_connection_that_meets_itself_counts_as_refused) {
  Address address = dead_address();
  while (address.port() % 2 != 0) {  // connect() tries the even ones first
    address = *Address::literal("127.0.0.1", static_cast<std::uint16_t>(address.port() - 1));
  }
  const Time end = hawser::now() + 3s;
  bool met = false;
  while (!met && hawser::now() < end) {
    result.reset();
    start("127.0.0.1", address.port());
    ASSERT_TRUE(done());
    ASSERT_FALSE(result->has_value()) << "connected to itself, or something listens there";
    met = result->error().doing.find("itself") != std::string::npos;
    reactor->retire(std::move(dial));
  }
  if (!met) {
    GTEST_SKIP() << "did not happen this time";
  }
  EXPECT_EQ(result->error().code, Errc::connect_refused);
}

}  // namespace
}  // namespace hawser::net
