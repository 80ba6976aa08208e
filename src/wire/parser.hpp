// An incremental parser of the NATS client protocol that works in place.
//
// It keeps no bytes: the caller shows it what it has, from the start of a frame, and the parser either finds one whole
// frame there, or asks for more, or refuses. Bytes that were not consumed must be shown again, with more behind them.
// It accepts what nats-server accepts (verbs in any case, runs of blanks, LF for CRLF at the end of a control line),
// except for a CR inside a control line, from which nats-server cuts bytes, and a line without arguments, which it
// joins with the next: these are refused, so that a frame passed on as it came can never mean something else there. Not
// thread-safe; one a connection.
//
//   Parser parser(Peer::client, limits);
//   while (true) {
//     Frame frame;
//     switch (parser.next(bytes, frame)) {
//       case Parser::Status::frame: handle(frame); bytes.remove_prefix(frame.raw.size()); break;
//       case Parser::Status::more:  return;                   // parser.wanted() bytes would do, if it is not 0
//       case Parser::Status::error: refuse(parser.error());   // the stream cannot go on
//     }
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "wire/frame.hpp"

namespace hawser::wire {

// Who wrote the bytes: a client says PUB, SUB, CONNECT …; a server says INFO, MSG, +OK ….
enum class Peer : std::uint8_t { client, server };

struct ParserLimits {
  // What follows the verb, to the line's end. A server's lines may be 16 times as long, since it adds sids and relays
  // what other servers allowed. INFO and CONNECT have `text_bytes`.
  std::size_t control_line_bytes = limits::kControlLineBytes;
  std::size_t payload_bytes = limits::kMaxPayloadBytes;  // headers included
  std::size_t text_bytes = limits::kInfoBytes;           // what follows INFO or CONNECT
};

struct Line;  // line.hpp

class Parser {
 public:
  enum class Status : std::uint8_t { frame, more, error };

  explicit Parser(Peer peer, ParserLimits limits = {}) noexcept : limits_(limits), peer_(peer) {}

  // Finds the frame at the start of `bytes`. `bytes` starts where the last frame ended. A client's INFO is a frame, to
  // be ignored, as nats-server does. After `error` it answers `error` until reset().
  [[nodiscard]] Status next(std::string_view bytes, Frame& frame);

  // After `more`: how many bytes, from the start of the frame, make it whole; 0 while its control line is not whole.
  [[nodiscard]] std::size_t wanted() const noexcept { return wanted_; }
  // After `error`: WIR-4xx with what was seen (bounded, printable). `server_text()` is what nats-server would answer
  // with -ERR, without quotes; empty where it closes without a word.
  [[nodiscard]] const Error& error() const noexcept { return error_; }
  [[nodiscard]] std::string_view server_text() const noexcept { return server_text_; }

  // From the next call on.
  void set_limits(ParserLimits limits) noexcept { limits_ = limits; }
  // Forgets the unfinished frame and the error: for another connection.
  void reset() noexcept;

 private:
  static constexpr std::size_t kServerLineFactor = 16;

  Status identify(std::string_view bytes, Frame& frame);
  // The way of every message: each is compiled whole, so that nothing but the line is kept in memory.
  template <Op kOp>
  Status message(std::string_view bytes, Frame& frame);
  template <Op kOp>
  Status interest(std::string_view bytes, Frame& frame);
  template <Op kOp>
  bool read_line(std::string_view bytes, Line& line, Status& otherwise);
  Status with_text(Op op, std::size_t verb, std::string_view bytes, Frame& frame);
  [[nodiscard]] std::size_t line_limit(Op op) const noexcept {
    return op == Op::info || op == Op::connect ? limits_.text_bytes
           : peer_ == Peer::client             ? limits_.control_line_bytes
                                               : limits_.control_line_bytes * kServerLineFactor;
  }
  Status wait_for_line(std::size_t longest, std::string_view bytes);
  [[gnu::cold]] Status refuse_long_line(std::string_view bytes);
  [[gnu::cold]] Status refuse(Errc code, std::string_view bytes, std::string_view what,
                              std::string_view server_text = {});

  ParserLimits limits_;
  Peer peer_;
  bool failed_ = false;
  std::size_t wanted_ = 0;
  std::size_t scanned_ = 0;       // of the control line, so that a byte at a time stays linear
  std::size_t longest_line_ = 0;  // while scanned_ is not 0: what the line may have, without its end
  Error error_;
  std::string_view server_text_;
};

}  // namespace hawser::wire
