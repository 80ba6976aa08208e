#include "admin/guard.hpp"

#include <gtest/gtest.h>

namespace hawser::admin {
namespace {

TEST(ListenAddress, is_a_loopback_address_with_a_port) {
  struct Case {
    std::string_view text, ip;
    int port;
  };
  for (const Case& c : {Case{"127.0.0.1:9222", "127.0.0.1", 9222}, Case{"127.8.9.10:0", "127.8.9.10", 0},
                        Case{"[::1]:1", "::1", 1}, Case{"localhost:65535", "127.0.0.1", 65535}}) {
    const Result<ListenAddress> address = parse_listen_address(c.text);
    ASSERT_TRUE(address) << c.text;
    EXPECT_EQ(address->ip, c.ip);
    EXPECT_EQ(address->port, c.port);
  }
}

TEST(ListenAddress, elsewhere_is_refused_with_its_own_error) {
  for (const std::string_view text :
       {"0.0.0.0:9222", "[::]:9222", "10.0.0.1:9222", "[fe80::1]:1", "[::ffff:127.0.0.1]:1", "128.0.0.1:1"}) {
    const Result<ListenAddress> address = parse_listen_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, Errc::not_loopback) << text;
  }
}

TEST(ListenAddress, that_is_none_is_refused_with_its_own_error) {
  for (const std::string_view text :
       {"", ":", ":9222", "9222", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1",
        "127.0.0.1:1x", "127.0.0.1: 1", "::1:9222", "[::1]", "[::1]9222", "[::1", "example.com:1", "localhost.:1",
        "127.1:1", "2130706433:1"}) {
    const Result<ListenAddress> address = parse_listen_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, Errc::bad_listen_address) << text;
  }
}

TEST(Host, is_loopback_in_each_way_of_writing_it_and_in_no_other) {
  for (const std::string_view host :
       {"127.0.0.1", "127.0.0.1:9222", "127.9.9.9:1", "[::1]", "[::1]:9222", "localhost", "LocalHost:9222"}) {
    EXPECT_TRUE(host_is_loopback(host)) << host;
  }
  for (const std::string_view host :
       {"", "evil.example", "evil.example:9222", "127.0.0.1.evil.example", "localhost.evil.example", "localhost@evil",
        "127.0.0.1:9222@evil", "[::1].evil", "10.0.0.1", "[::2]", "::1", "127.0.0.1:x", "127.0.0.1 ", " localhost",
        "localhost:", "0.0.0.0"}) {
    EXPECT_FALSE(host_is_loopback(host)) << host;
  }
}

TEST(Origin, must_be_this_endpoint_when_there_is_one) {
  EXPECT_TRUE(origin_is_ours("", "127.0.0.1:9222"));
  EXPECT_TRUE(origin_is_ours("http://127.0.0.1:9222", "127.0.0.1:9222"));
  for (const std::string_view origin :
       {"null", "https://127.0.0.1:9222", "http://127.0.0.1:9223", "http://localhost:9222", "http://evil.example",
        "http://127.0.0.1:9222.evil.example"}) {
    EXPECT_FALSE(origin_is_ours(origin, "127.0.0.1:9222")) << origin;
  }
}

}  // namespace
}  // namespace hawser::admin
