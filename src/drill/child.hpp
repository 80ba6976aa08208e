// A process of the throw-away system: started without a shell, its output in a file, ended with this object.
//
// It also ends when this program does, in whatever way: the kernel kills it when the thread that started it is gone. So
// it is started from a thread that lives as long as it is wanted.
//
//   auto broker = Child::start({hawser, "broker", "-c", conf}, directory / "log", {"HAWSER_ENV=production"});
#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace hawser::drill {

class Child {
 public:
  Child() = default;
  // `environment` is all of it, but for PATH, HOME and TMPDIR. What it prints goes behind what stands in `log`. Errors:
  // drill_impossible, with the system's reason.
  [[nodiscard]] static Result<Child> start(const std::vector<std::string>& words, const std::filesystem::path& log,
                                           const std::vector<std::string>& environment);
  ~Child() { kill(); }
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  Child& operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] bool running();
  // SIGTERM, and SIGKILL when it does not end within `patience`. Returns when it has ended.
  void end(Duration patience);
  // SIGKILL. Returns when it has ended.
  void kill();

 private:
  explicit Child(pid_t pid) noexcept : pid_(pid) {}

  pid_t pid_ = 0;  // 0: none, or it has ended
};

// The last lines that a program printed, for an error.
[[nodiscard]] std::string end_of_log(const std::filesystem::path& log);

}  // namespace hawser::drill
