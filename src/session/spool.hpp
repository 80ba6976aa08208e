// Where a session's publishes go while no link can take them: the disk queue, as one session sees it.
//
// Who owns the queue implements it (agent/client_spool.hpp); the session asks and puts, and is told by
// Session::spool_progressed() when an answer may have changed. Belongs to the session's thread. Without one, a session
// keeps what waits in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hawser::session {

class Spool {
 public:
  enum class Why : std::uint8_t {
    away,    // no link
    behind,  // a link, but what is queued goes first
  };

  // Takes whole PUB and HPUB frames, behind everything that was put before. Answers how many bytes it took, up to the
  // end of a frame: all of them unless the queue is full.
  [[nodiscard]] virtual std::size_t put(std::string_view frames, Why why) = 0;
  // A mark of what was put so far, and whether everything up to a mark is safe.
  [[nodiscard]] virtual std::uint64_t mark() const = 0;
  [[nodiscard]] virtual bool safe(std::uint64_t mark) const = 0;

  // What this session has to stand behind has reached the server: it may publish by itself again.
  [[nodiscard]] virtual bool clear() const = 0;
  // So little is left before it that to wait in memory is quicker than another round over the disk.
  [[nodiscard]] virtual bool nearly_clear() const = 0;
  // The server that took it. If the session's own is another one, the two need a moment to agree.
  [[nodiscard]] virtual std::string_view server_id() const = 0;
  // Whether more is welcome: the disk keeps up, and catching up gets on.
  [[nodiscard]] virtual bool accepts(Why why) const = 0;

 protected:
  ~Spool() = default;
};

}  // namespace hawser::session
