#include "rotation/probe.hpp"

#include <gtest/gtest.h>

namespace hawser::rotation {
namespace {

TEST(RotationProbe, tells_a_refusal_of_the_credential_from_everything_else_that_a_server_says) {
  for (const std::string_view refused :
       {"-ERR 'Authorization Violation'", "-ERR 'authorization violation'", "-ERR 'User Authentication Expired'",
        "-ERR 'User Authentication Revoked'", "-ERR 'Account Authentication Expired'"})
    EXPECT_TRUE(is_refusal_of_credential(refused)) << refused;
  for (const std::string_view neither :
       {"-ERR 'maximum connections exceeded'", "-ERR 'maximum account active connections exceeded'",
        "-ERR 'Authentication Timeout'", "-ERR 'Secure Connection - TLS Required'", "-ERR 'Stale Connection'",
        "-ERR 'Connection throttling is active'", "-ERR 'Unknown Protocol Operation'", "-ERR", "-ERR '", "-ERR ''", ""})
    EXPECT_FALSE(is_refusal_of_credential(neither)) << neither;
}

}  // namespace
}  // namespace hawser::rotation
