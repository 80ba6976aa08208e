// Publishes that wait for a link, oldest first: in memory, within the session's window.
//
// This is where a disk queue takes over: what comes in goes behind what waits, what a dead link had unconfirmed goes before it, and
// a new link gets everything in that order. Belongs to one session.
#pragma once

#include <string>
#include <string_view>

#include "net/byte_queue.hpp"
#include "session/link.hpp"

namespace hawser::session {

class Backlog {
 public:
  explicit Backlog(net::ChunkPool& chunks) noexcept : frames_(chunks) {}

  [[nodiscard]] std::size_t bytes() const noexcept { return frames_.bytes(); }
  [[nodiscard]] bool empty() const noexcept { return frames_.bytes() == 0; }

  // Whole frames, behind what waits.
  void append(std::string_view frames) { frames_.append(frames); }

  // What no PONG on that link has confirmed, before what waits.
  void put_back(const Link& link) {
    std::string waiting = take();
    link.unconfirmed([this](std::string_view piece) { frames_.append(piece); });
    frames_.append(waiting);
  }

  // Everything, as one string; nothing waits any more.
  [[nodiscard]] std::string take() {
    std::string all;
    all.reserve(frames_.bytes());
    frames_.read(frames_.begin(), frames_.end(), [&](std::string_view piece) { all += piece; });
    frames_.clear();
    return all;
  }

 private:
  net::ByteQueue frames_;
};

}  // namespace hawser::session
