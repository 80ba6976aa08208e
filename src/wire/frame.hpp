// One protocol frame, as views into the bytes that it was found in.
#pragma once

#include <cstdint>
#include <string_view>

namespace hawser::wire {

enum class Op : std::uint8_t { info, connect, pub, hpub, sub, unsub, msg, hmsg, ping, pong, ok, err };

// Views are into the buffer that the parser was given, and live as long as it does unchanged.
struct Frame {
  Op op{};
  std::string_view raw;      // the whole frame: control line, payload, and their CRLFs
  std::string_view subject;  // PUB HPUB SUB MSG HMSG
  std::string_view reply;    // PUB HPUB MSG HMSG; empty: none
  std::string_view queue;    // SUB; empty: none
  std::string_view sid;      // SUB UNSUB MSG HMSG
  std::string_view headers;  // HPUB HMSG: the block from "NATS/1.0" to its empty line, CRLFs included
  std::string_view
      payload;  // PUB HPUB MSG HMSG: without headers and CRLF. INFO CONNECT: the JSON. -ERR: the text without quotes
  std::uint64_t max = 0;  // UNSUB: 0 means at once
};

}  // namespace hawser::wire
