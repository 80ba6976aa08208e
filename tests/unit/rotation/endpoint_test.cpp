#include "rotation/endpoint.hpp"

#include <gtest/gtest.h>

namespace hawser::rotation {
namespace {

TEST(RotationEndpoint, takes_what_people_write) {
  struct Row {
    std::string_view url;
    EndpointUse use;
    Endpoint wanted;
  };
  for (const Row& row : {Row{"http://n1:8222", EndpointUse::http, {"n1", 8222, "", false}},
                         Row{"https://n1.example.com/nats/", EndpointUse::http, {"n1.example.com", 443, "/nats", true}},
                         Row{"http://[::1]:1/", EndpointUse::http, {"::1", 1, "", false}},
                         Row{"tls://10.0.0.1", EndpointUse::nats, {"10.0.0.1", 4222, "", true}},
                         Row{"nats://n:4223", EndpointUse::nats, {"n", 4223, "", true}}}) {
    const Result<Endpoint> parsed = Endpoint::parse(row.url, row.use);
    ASSERT_TRUE(parsed.has_value()) << row.url;
    EXPECT_EQ(*parsed, row.wanted) << row.url;
  }
  EXPECT_EQ(Endpoint::parse("http://[::1]:82", EndpointUse::http)->authority(), "[::1]:82");
}

TEST(RotationEndpoint, refuses_the_rest_without_repeating_it) {
  for (const std::string_view url :
       {"", "n1:8222", "ftp://n1", "http://", "http://:80", "http://user:hunter2@n1", "http://n1:0", "http://n1:65536",
        "http://n1:8x", "http://n1:", "http://[::1", "http://n1/a b", "http://n1/?x", "http://n 1", "tls://n1",
        "http://n1\r\nHost: x"}) {
    const Result<Endpoint> parsed = Endpoint::parse(url, EndpointUse::http);
    ASSERT_FALSE(parsed.has_value()) << url;
    EXPECT_EQ(parsed.error().doing.find("hunter2"), std::string::npos);
  }
  EXPECT_FALSE(Endpoint::parse("http://n1", EndpointUse::nats).has_value());
  EXPECT_FALSE(Endpoint::parse("tls://n1/x", EndpointUse::nats).has_value());
  EXPECT_FALSE(Endpoint::parse("http://" + std::string(2000, 'a'), EndpointUse::http).has_value());
}

}  // namespace
}  // namespace hawser::rotation
