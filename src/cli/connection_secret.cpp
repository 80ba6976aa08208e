// Secrets on their way in: typed on a terminal, or found in the arguments, where they must not stay.
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.hpp"
#include "cli/command.hpp"
#include "cli/connection.hpp"
#include "net/fd.hpp"

namespace hawser::cli {
namespace {

constexpr std::size_t kLongestSecret = 4096;

// The terminal without echo, for as long as it lives.
class Silence {
 public:
  explicit Silence(int terminal) : terminal_(terminal) {
    changed_ = ::tcgetattr(terminal_, &before_) == 0;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = changed_ && ::tcsetattr(terminal_, TCSAFLUSH, &silent) == 0;
  }
  ~Silence() {
    if (changed_) {
      ::tcsetattr(terminal_, TCSAFLUSH, &before_);
    }
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  int terminal_;
  termios before_{};
  bool changed_ = false;
};

void say(int terminal, std::string_view text) {
  [[maybe_unused]] const auto written = ::write(terminal, text.data(), text.size());
}

// What follows in `arguments` at `at` up to its NUL.
std::span<char> word_at(std::span<char> arguments, std::size_t at) {
  std::size_t end = at;
  while (end < arguments.size() && arguments[end] != '\0') {
    ++end;
  }
  return arguments.subspan(at, end - at);
}

void cover(std::span<char> text) { std::fill(text.begin(), text.end(), 'x'); }

// The kernel shows the memory between arg_start and arg_end, fields 48 and 49 of /proc/self/stat, and it is ours.
std::span<char> process_arguments() {
  const auto stat = read_file("/proc/self/stat", 8192);
  if (!stat) {
    return {};
  }
  std::string_view rest = *stat;
  rest.remove_prefix(std::min(rest.size(), rest.rfind(')') + 2));  // field 3 begins there
  for (int field = 3; field < 48; ++field) {
    rest.remove_prefix(std::min(rest.size(), rest.find(' ') + 1));
  }
  char* end = nullptr;
  const auto begin_address = std::strtoull(rest.data(), &end, 10);
  const auto end_address = std::strtoull(end, nullptr, 10);
  if (begin_address == 0 || end_address <= begin_address || end_address - begin_address > (16UL << 20U)) {
    return {};
  }
  return {reinterpret_cast<char*>(begin_address), end_address - begin_address};  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace

Result<Secret> ask_secret(std::string_view what) {
  const net::Fd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal) {
    return fail(Errc::bad_usage, "there is no terminal to ask for the " + std::string(what) + " on");
  }
  const int stop = stop_descriptor();  // ^C must not leave the terminal silent
  std::string typed;
  {
    const Silence silence(terminal.value());
    say(terminal.value(), std::string(what) + ": ");
    while (typed.size() < kLongestSecret && !typed.ends_with('\n')) {
      std::array<pollfd, 2> watched{{{terminal.value(), POLLIN, 0}, {stop, POLLIN, 0}}};
      if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) {
        break;
      }
      if (stop_signal() != 0) {
        say(terminal.value(), "\n");
        return fail(Errc::interrupted, "asking for the " + std::string(what));
      }
      char c = 0;
      if ((watched[0].revents & (POLLIN | POLLHUP)) != 0) {
        if (::read(terminal.value(), &c, 1) != 1) {
          break;
        }
        typed += c;
      }
    }
    say(terminal.value(), "\n");
  }
  while (typed.ends_with('\n') || typed.ends_with('\r')) {
    typed.pop_back();
  }
  return Secret::take(std::move(typed));
}

void hide_secret_arguments() {
  const std::span<char> arguments = process_arguments();
  bool value_of_secret = false;
  for (std::size_t at = 0; at < arguments.size();) {
    const std::span<char> word = word_at(arguments, at);
    const std::string_view text(word.data(), word.size());
    if (std::exchange(value_of_secret, text == "--password" || text == "--token")) {
      cover(word);
    }
    for (const std::string_view flag : {"--password=", "--token="}) {
      if (text.starts_with(flag)) {
        cover(word.subspan(flag.size()));
      }
    }
    for (std::size_t scheme = text.find("://"); scheme != std::string_view::npos;
         scheme = text.find("://", scheme + 3)) {
      const std::size_t end = std::min(text.find_first_of(",/", scheme + 3), text.size());
      const std::size_t host = text.substr(0, end).rfind('@');
      if (host != std::string_view::npos && host > scheme) {
        cover(word.subspan(scheme + 3, host - scheme - 3));
      }
    }
    at += word.size() + 1;
  }
}

}  // namespace hawser::cli
