#include "net/address.hpp"

#include <gtest/gtest.h>

namespace hawser::net {
namespace {

TEST(Address, parses_what_people_write) {
  struct Row {
    const char* text;
    const char* canonical;  // null: refused
    bool loopback;
  };
  const Row rows[] = {
      {"127.0.0.1:4222", "127.0.0.1:4222", true},
      {"localhost:4222", "127.0.0.1:4222", true},
      {"[::1]:4222", "[::1]:4222", true},
      {"127.8.9.10:0", "127.8.9.10:0", true},
      {"0.0.0.0:65535", "0.0.0.0:65535", false},
      {"[::]:1", "[::]:1", false},
      {"10.1.2.3:4222", "10.1.2.3:4222", false},
      {"[2001:db8::1]:4222", "[2001:db8::1]:4222", false},
      {"", nullptr, false},
      {"4222", nullptr, false},
      {":4222", nullptr, false},
      {"127.0.0.1:", nullptr, false},
      {"127.0.0.1:65536", nullptr, false},
      {"127.0.0.1:-1", nullptr, false},
      {"127.0.0.1:42x", nullptr, false},
      {"127.0.0.1:+1", nullptr, false},
      {"nats.example.com:4222", nullptr, false},
      {"[::1:4222", nullptr, false},
      {"256.0.0.1:1", nullptr, false},
  };
  for (const Row& row : rows) {
    const auto address = Address::parse(row.text);
    ASSERT_EQ(address.has_value(), row.canonical != nullptr) << row.text;
    if (address) {
      EXPECT_EQ(address->text(), row.canonical);
      EXPECT_EQ(address->is_loopback(), row.loopback) << row.text;
    }
  }
}

TEST(Address, is_equal_by_family_ip_and_port) {
  const auto at = [](const char* text) { return *Address::parse(text); };
  EXPECT_TRUE(at("127.0.0.1:1") == at("localhost:1"));
  EXPECT_FALSE(at("127.0.0.1:1") == at("127.0.0.1:2"));
  EXPECT_FALSE(at("127.0.0.1:1") == at("127.0.0.2:1"));
  EXPECT_TRUE(at("[::1]:1") == at("[0:0::1]:1"));
  EXPECT_FALSE(at("[::1]:1") == at("[::2]:1"));
  EXPECT_FALSE(at("[::]:1") == at("0.0.0.0:1"));
}

TEST(Address, knows_the_address_that_means_any) {
  EXPECT_TRUE(Address::parse("0.0.0.0:1")->is_any());
  EXPECT_TRUE(Address::parse("[::]:1")->is_any());
  EXPECT_FALSE(Address::parse("0.0.0.1:1")->is_any());
  EXPECT_FALSE(Address::parse("[::1]:1")->is_any());
  EXPECT_EQ(Address::any_v6(7).text(), "[::]:7");
  EXPECT_EQ(Address::parse("127.0.0.1:1")->with_port(9).text(), "127.0.0.1:9");
}

TEST(Address, shows_an_ipv4_peer_of_an_ipv6_socket_as_ipv4) {
  const Address mapped = *Address::literal("::ffff:127.0.0.1", 4222);
  const Address seen = Address::from(mapped.raw(), mapped.size());
  EXPECT_EQ(seen.text(), "127.0.0.1:4222");
  EXPECT_TRUE(seen.is_loopback());
  EXPECT_TRUE(seen == *Address::parse("127.0.0.1:4222"));
}

}  // namespace
}  // namespace hawser::net
