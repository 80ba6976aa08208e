#include "broker/source_block.hpp"

#include <gtest/gtest.h>

namespace hawser::broker {
namespace {

TEST(SourceBlock, holds_the_addresses_that_share_its_first_bits) {
  struct Case {
    const char* block;
    const char* ip;
    bool inside;
  };
  for (const Case& c :
       {Case{"10.0.0.0/8", "10.255.1.2", true}, Case{"10.0.0.0/8", "11.0.0.1", false},
        Case{"192.168.1.128/25", "192.168.1.129", true}, Case{"192.168.1.128/25", "192.168.1.127", false},
        Case{"1.2.3.4/32", "1.2.3.4", true}, Case{"1.2.3.4/32", "1.2.3.5", false}, Case{"0.0.0.0/0", "8.8.8.8", true},
        Case{"0.0.0.0/0", "2001:db8::1", false}, Case{"::/0", "2001:db8::1", true},
        Case{"2001:db8::/33", "2001:db8:7fff::1", true}, Case{"2001:db8::/33", "2001:db8:8000::1", false},
        Case{"fd00::/8", "fe00::1", false}, Case{"::1/128", "::1", true}, Case{"127.0.0.0/8", "::ffff:127.0.0.1", true},
        Case{"::ffff:127.0.0.0/104", "127.9.9.9", true}}) {
    EXPECT_EQ(comes_from({c.block}, c.ip), c.inside) << c.block << " " << c.ip;
  }
}

TEST(SourceBlock, is_one_of_several) {
  EXPECT_TRUE(comes_from({"10.0.0.0/8", "127.0.0.0/8"}, "127.0.0.1"));
  EXPECT_FALSE(comes_from({"10.0.0.0/8", "11.0.0.0/8"}, "127.0.0.1"));
  EXPECT_TRUE(comes_from({}, "127.0.0.1"));
}

TEST(SourceBlock, lets_nobody_in_when_it_is_none) {
  for (const char* block : {"", "/", "127.0.0.1", "127.0.0.1/", "127.0.0.0/33", "127.0.0.0/-1", "127.0.0.0/8x",
                            "::1/129", "localhost/8", "127.0.0.0/99999999999", "127.0.0/8"}) {
    EXPECT_FALSE(comes_from({block}, "127.0.0.1")) << block;
    EXPECT_FALSE(comes_from({"0.0.0.0/0", block}, "127.0.0.1")) << block;
  }
  for (const char* ip : {"", "localhost", "127.0.0.1.5"}) {
    EXPECT_FALSE(comes_from({"0.0.0.0/0", "::/0"}, ip)) << ip;
  }
}

}  // namespace
}  // namespace hawser::broker
