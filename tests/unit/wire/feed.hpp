// Feeds bytes to a parser in pieces, as a connection would, and keeps what came out.
#pragma once

#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "wire/parser.hpp"

namespace hawser::wire {

// A frame that outlives its bytes.
struct Seen {
  Op op{};
  std::string raw, subject, reply, queue, sid, headers, payload;
  std::uint64_t max = 0;

  explicit Seen(const Frame& frame)
      : op(frame.op),
        raw(frame.raw),
        subject(frame.subject),
        reply(frame.reply),
        queue(frame.queue),
        sid(frame.sid),
        headers(frame.headers),
        payload(frame.payload),
        max(frame.max) {}
  friend bool operator==(const Seen&, const Seen&) = default;
  friend void PrintTo(const Seen& seen, std::ostream* out) {
    *out << "{op " << int(seen.op) << " raw '" << seen.raw << "' subject '" << seen.subject << "' reply '" << seen.reply
         << "' queue '" << seen.queue << "' sid '" << seen.sid << "' headers '" << seen.headers << "' payload '"
         << seen.payload << "' max " << seen.max << "}";
  }
};

struct Outcome {
  std::vector<Seen> frames;
  std::optional<Errc> error;
  std::string server_text;
  std::string left;  // not consumed; after an error, from the frame that was refused: how much of it had come varies
  friend bool operator==(const Outcome& a, const Outcome& b) {
    return a.frames == b.frames && a.error == b.error && a.server_text == b.server_text &&
           (a.error || a.left == b.left);
  }
};

// `piece_ends`: where the stream is cut; its end need not be named. Each piece is shown in memory of its own, so that a
// sanitizer sees a read past what has come.
inline Outcome feed(Parser& parser, std::string_view stream, const std::vector<std::size_t>& piece_ends) {
  Outcome outcome;
  std::size_t consumed = 0;
  auto show = [&](std::size_t end) {
    while (true) {
      const std::vector<char> shown(stream.begin() + static_cast<std::ptrdiff_t>(consumed),
                                    stream.begin() + static_cast<std::ptrdiff_t>(end));
      Frame frame;
      switch (parser.next({shown.data(), shown.size()}, frame)) {
        case Parser::Status::frame:
          outcome.frames.emplace_back(frame);
          consumed += frame.raw.size();
          continue;
        case Parser::Status::more: return true;
        case Parser::Status::error:
          outcome.error = parser.error().code;
          outcome.server_text = parser.server_text();
          return false;
      }
    }
  };
  bool going = true;
  for (const std::size_t end : piece_ends) {
    if (!(going = show(end))) {
      break;
    }
  }
  if (going) {
    show(stream.size());
  }
  outcome.left = stream.substr(consumed);
  return outcome;
}

inline Outcome feed_whole(Peer peer, std::string_view stream, ParserLimits limits = {}) {
  Parser parser(peer, limits);
  return feed(parser, stream, {});
}

inline std::vector<std::size_t> every_byte(std::string_view stream) {
  std::vector<std::size_t> ends;
  for (std::size_t i = 1; i < stream.size(); ++i) {
    ends.push_back(i);
  }
  return ends;
}

}  // namespace hawser::wire
