// What a user of a session is subscribed to, and what it has been given of it: the memory that a new link is set up from.
// Pure; belongs to one session.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hawser::session {

struct Subscription {
  std::string sid;
  std::string subject;
  std::string queue;            // empty: a plain subscription
  std::uint64_t delivered = 0;  // messages given to the user since SUB
  std::uint64_t max = 0;        // UNSUB's limit, counted from SUB as nats-server does; 0: none
};

}  // namespace hawser::session
