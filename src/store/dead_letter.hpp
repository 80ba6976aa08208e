// A message that the server would not take, and why.
#pragma once

#include <cstdint>
#include <string>

#include "store/batch.hpp"

namespace hawser::store {

struct DeadLetter {
  Ticket batch = 0;         // with `index` its name: where it was queued
  std::uint32_t index = 0;  // among the batch's messages, from 0
  std::uint64_t client = 0;
  std::int64_t arrived_ms = 0;      // since 1970
  std::int64_t died_ms = 0;         // 0: now
  std::uint32_t payload_bytes = 0;  // headers included
  std::string subject = {};
  std::string reason = {};  // the server's words
  std::string frame = {};   // the whole PUB or HPUB
};

}  // namespace hawser::store
