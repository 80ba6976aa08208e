#include "net/listener.hpp"

#include <netinet/tcp.h>
#include <sys/resource.h>

#include <vector>

#include "base/log.hpp"
#include "net/loop.hpp"

namespace hawser::net {
namespace {

using namespace test;

Fd connect_to(const Address& address) {
  Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(fd.value(), address.raw(), address.size()), 0);
  return fd;
}

struct Listening : ::testing::Test {
  std::unique_ptr<Reactor> reactor = must(Reactor::create());
  std::vector<Fd> accepted;
  std::vector<Address> peers;

  std::unique_ptr<Listener> open(const char* text) {
    return must(Listener::open(*reactor, must(Address::parse(text)), [this](Fd fd, const Address& peer) {
      accepted.push_back(std::move(fd));
      peers.push_back(peer);
    }));
  }
};

TEST_F(Listening, accepts_all_that_wait_on_ipv4_and_ipv6) {
  for (const char* text : {"127.0.0.1:0", "[::1]:0"}) {
    accepted.clear();
    peers.clear();
    const auto listener = open(text);
    ASSERT_NE(listener->address().port(), 0);
    std::vector<Fd> clients;
    for (int i = 0; i < 200; ++i) {  // more than one turn accepts, with one edge
      clients.push_back(connect_to(listener->address()));
    }
    ASSERT_TRUE(until(*reactor, [&] { return accepted.size() == clients.size(); })) << text;
    EXPECT_TRUE(peers.front().is_loopback());
    EXPECT_TRUE(peers.front() == Address::local_of(clients.front().value()));
    int on = 0;
    socklen_t size = sizeof on;
    ::getsockopt(accepted.front().value(), IPPROTO_TCP, TCP_NODELAY, &on, &size);
    EXPECT_EQ(on, 1);
    EXPECT_NE(::fcntl(accepted.front().value(), F_GETFL) & O_NONBLOCK, 0);
  }
}

TEST_F(Listening, hears_both_families_on_the_address_that_means_any) {
  for (const char* text : {"0.0.0.0:0", "[::]:0"}) {
    accepted.clear();
    peers.clear();
    const auto listener = open(text);
    const std::uint16_t port = listener->address().port();
    ASSERT_NE(port, 0);
    EXPECT_TRUE(listener->address().is_any());
    EXPECT_EQ(listener->address().family(), must(Address::parse(text)).family()) << "as asked for";
    std::vector<Fd> clients;
    for (const char* ip : {"127.0.0.1", "::1"}) {
      clients.push_back(connect_to(must(Address::literal(ip, port))));
      ASSERT_TRUE(until(*reactor, [&] { return accepted.size() == clients.size(); })) << text << " " << ip;
      EXPECT_EQ(peers.back().ip(), ip) << "an IPv4 peer is not shown in IPv6's form";
      EXPECT_EQ(Address::peer_of(accepted.back().value()).ip(), ip);
      EXPECT_EQ(Address::local_of(accepted.back().value()).ip(), ip);
    }
  }
}

TEST_F(Listening, hears_one_family_on_an_address_of_its_own) {
  const auto listener = open("127.0.0.1:0");
  EXPECT_FALSE(listener->address().is_any());
  Fd client(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Address other = must(Address::literal("::1", listener->address().port()));
  EXPECT_NE(::connect(client.value(), other.raw(), other.size()), 0);
}

TEST_F(Listening, says_which_address_it_could_not_have) {
  const auto first = open("127.0.0.1:0");
  const auto second = Listener::open(*reactor, first->address(), [](Fd, const Address&) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::listen_failed);
  EXPECT_NE(second.error().doing.find(first->address().text()), std::string::npos);
}

TEST_F(Listening, waits_while_descriptors_are_out_and_then_accepts_who_waited) {
  const auto listener = open("127.0.0.1:0");
  const Fd before_that = connect_to(listener->address());
  ASSERT_TRUE(until(*reactor, [&] { return accepted.size() == 1; }));
  // The log's thread and UBSan's first look at a type need descriptors too.
  log::info("descriptors are about to run out, as a test wants it");
  log::flush();
  const Fd client = connect_to(listener->address());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 3;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  spin(*reactor, 20);
  const std::size_t while_out = accepted.size();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(while_out, 1U);
  EXPECT_TRUE(until(*reactor, [&] { return accepted.size() == 2; }));  // nobody else connects: no edge
}

TEST_F(Listening, can_be_closed_from_its_callback) {
  std::unique_ptr<Listener> listener;
  int count = 0;
  listener = must(Listener::open(*reactor, must(Address::parse("127.0.0.1:0")), [&](Fd, const Address&) {
    ++count;
    listener->close();
  }));
  const Address address = listener->address();
  const Fd one = connect_to(address);
  const Fd two = connect_to(address);
  ASSERT_TRUE(until(*reactor, [&] { return count > 0; }));
  spin(*reactor);
  EXPECT_EQ(count, 1);
  const Fd late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_NE(::connect(late.value(), address.raw(), address.size()), 0);
}

}  // namespace
}  // namespace hawser::net
