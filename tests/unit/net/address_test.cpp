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

}  // namespace
}  // namespace hawser::net
