// A shell command that answers requests: run on threads of its own, with bounded time and output.
//
// run_command blocks its thread; CommandPool is used from one thread, and calls `done` on its own ones.
//
//   CommandPool pool("date", {.time = 10s, .output_bytes = 1 << 20}, 1, [&](Request, CommandOutcome) { … });
//   pool.add({.subject = "time.now", .reply = inbox, .body = ""});
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "net/fd.hpp"

namespace hawser::cli {

struct Request {
  std::string subject;
  std::string reply;
  std::string body;
  std::string headers;  // the block, or nothing
  std::uint64_t number = 0;
};

struct CommandLimits {
  std::chrono::nanoseconds time{};
  std::size_t output_bytes = 0;
};

// What came of it. With `wrong` the output is what there was until then.
struct CommandOutcome {
  std::string output;
  std::string wrong;  // "exit status 3", "not done within 10s", …; empty: all went well
};

// Through sh -c, in a process group of its own, which is killed when its time is over, when its output is too long,
// and when it leaves something running. Its environment has NATS_REQUEST_SUBJECT, and NATS_REQUEST_BODY when the body
// is text of at most 64 KiB; the body is its standard input, standard error is ours. Ends early, killing it, when
// `stop` becomes readable.
[[nodiscard]] CommandOutcome run_command(const std::string& command, const Request& request,
                                         const CommandLimits& limits, int stop);

class CommandPool {
 public:
  using Done = std::function<void(Request, CommandOutcome)>;

  CommandPool(std::string command, CommandLimits limits, std::size_t parallel, Done done);
  // Kills what runs, drops what waits, and waits for the threads.
  ~CommandPool();
  CommandPool(const CommandPool&) = delete;
  CommandPool& operator=(const CommandPool&) = delete;

  // Whoever minds the bound asks waiting() first.
  void add(Request request);
  struct Waiting {
    std::size_t requests;
    std::size_t bytes;
  };
  [[nodiscard]] Waiting waiting() const;

 private:
  void work();

  const std::string command_;
  const CommandLimits limits_;
  const Done done_;
  net::Fd stop_;  // an eventfd
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Request> requests_;  // guarded by mutex_
  std::size_t bytes_ = 0;         // of requests_; guarded by mutex_
  bool stopping_ = false;         // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace hawser::cli
