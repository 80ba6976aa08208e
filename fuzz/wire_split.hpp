// What the parser's fuzz targets share: the same bytes, whole and in pieces, must give the same frames, and each frame
// must hold together.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "wire/headers.hpp"
#include "wire/parser.hpp"
#include "wire/writer.hpp"

namespace hawser::wire {

inline void require(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
  }
}

inline bool inside(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

inline void check_headers(std::string_view block) {
  const auto headers = Headers::parse(block);
  if (!headers) {
    return;
  }
  require(looks_like_headers(block), "a block that parses looks like one");
  require(header_status(block).code == headers->status(), "both ways find the same status");
  for (const Header& header : headers->all()) {
    require(find_header(block, header.name) == headers->first(header.name), "both ways find the same value");
  }
  auto builder = HeaderBuilder::from(block);
  require(builder && builder->finish() == block, "a block can be taken up again");
}

inline void check_frame(const Frame& frame, std::string_view bytes) {
  require(!frame.raw.empty() && frame.raw.data() == bytes.data() && frame.raw.size() <= bytes.size(),
          "a frame is a prefix");
  for (const std::string_view part :
       {frame.subject, frame.reply, frame.queue, frame.sid, frame.headers, frame.payload}) {
    require(inside(part, frame.raw), "a frame's parts are inside it");
  }
  if (frame.op == Op::hpub || frame.op == Op::hmsg) {
    check_headers(frame.headers);
  }
}

// A frame as the writer writes it; without text operations, whose blanks vary.
inline std::string rewritten(const Frame& frame) {
  std::string out;
  switch (frame.op) {
    case Op::pub: append_pub(out, frame.subject, frame.reply, frame.payload); break;
    case Op::msg: append_msg(out, frame.subject, frame.sid, frame.reply, frame.payload); break;
    case Op::hpub: append_hpub(out, frame.subject, frame.reply, frame.headers, frame.payload); break;
    case Op::hmsg: append_hmsg(out, frame.subject, frame.sid, frame.reply, frame.headers, frame.payload); break;
    case Op::sub: append_sub(out, frame.subject, frame.queue, frame.sid); break;
    case Op::unsub: append_unsub(out, frame.sid, frame.max); break;
    default: break;
  }
  return out;
}

struct Found {
  std::string frames;  // all that was found, in one text
  bool refused = false;
  Errc code{};
  std::string server_text;
  std::size_t consumed = 0;
};

// Shows the bytes in pieces whose lengths come from `seed`; 0: all at once.
inline Found run(Peer peer, ParserLimits limits, std::string_view bytes, std::uint64_t seed) {
  Parser parser(peer, limits);
  Found result;
  std::size_t shown = seed == 0 ? bytes.size() : 0;
  while (true) {
    const std::vector<char> copy(bytes.data() + result.consumed, bytes.data() + shown);  // a read past it is seen
    const std::string_view view(copy.data(), copy.size());
    Frame frame;
    const Parser::Status status = parser.next(view, frame);
    if (status == Parser::Status::error) {
      result.refused = true;
      result.code = parser.error().code;
      result.server_text = parser.server_text();
      return result;
    }
    if (status == Parser::Status::frame) {
      check_frame(frame, view);
      result.consumed += frame.raw.size();
      for (const std::string_view part :
           {frame.raw, frame.subject, frame.reply, frame.queue, frame.sid, frame.headers, frame.payload}) {
        result.frames.append(std::to_string(part.size())).append(":").append(part);
      }
      result.frames += static_cast<char>('a' + static_cast<int>(frame.op));
      result.frames += std::to_string(frame.max);
      continue;
    }
    require(parser.wanted() == 0 || parser.wanted() > view.size(), "more is wanted than is there");
    if (shown == bytes.size()) {
      return result;
    }
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    const std::size_t step = 1 + (seed >> 33U) % ((seed >> 60U) < 8 ? 3 : 40);
    shown = std::min(bytes.size(), shown + step);
  }
}

inline void check_rewriting(Peer peer, std::string_view bytes) {
  Parser parser(peer);
  Frame frame;
  while (parser.next(bytes, frame) == Parser::Status::frame) {
    const std::string again = rewritten(frame);
    bytes.remove_prefix(frame.raw.size());
    if (again.empty() || (frame.headers.empty() && (frame.op == Op::hpub || frame.op == Op::hmsg))) {
      continue;  // an HPUB without headers is written as none: the writer's callers give a block
    }
    Parser second(peer);
    Frame other;
    require(second.next(again, other) == Parser::Status::frame && other.raw.size() == again.size(),
            "what is written parses");
    require(other.op == frame.op && other.subject == frame.subject && other.reply == frame.reply &&
                other.queue == frame.queue && other.sid == frame.sid && other.headers == frame.headers &&
                other.payload == frame.payload && other.max == frame.max,
            "what is written means the same");
  }
}

inline void check_split(Peer peer, std::string_view bytes) {
  std::uint64_t seed = 0x9e3779b97f4a7c15U;
  for (const char c : bytes) {
    seed = (seed ^ static_cast<unsigned char>(c)) * 1099511628211U;
  }
  for (const ParserLimits limits : {ParserLimits{}, ParserLimits{.control_line_bytes = 24, .payload_bytes = 40}}) {
    const Found whole = run(peer, limits, bytes, 0);
    const Found split = run(peer, limits, bytes, seed | 1U);
    require(whole.frames == split.frames, "the same frames");
    require(whole.refused == split.refused && whole.code == split.code && whole.server_text == split.server_text,
            "the same refusal");
    require(whole.consumed == split.consumed, "the same bytes consumed");
  }
  check_rewriting(peer, bytes);
}

}  // namespace hawser::wire
