#include "probe.hpp"

#include <algorithm>
#include <charconv>
#include <exception>
#include <thread>

#include "swarm.hpp"

namespace abuse {
namespace {

constexpr Milliseconds kPause(5);
constexpr std::chrono::seconds kLastMessages(30);

double ms_since(Time then) { return std::chrono::duration<double, std::milli>(Clock::now() - then).count(); }

std::uint64_t number_at(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Payloads are "<number> <nanoseconds> ....", most of them small.
std::string message(const std::string& subject, std::uint64_t number) {
  std::string payload = std::to_string(number) + " " + std::to_string(Clock::now().time_since_epoch().count()) + " ";
  payload.resize(number % 50 == 0 ? 20'000 : 100, '.');
  return "PUB " + subject + " " + std::to_string(payload.size()) + "\r\n" + payload + "\r\n";
}

class Ear {
 public:
  explicit Ear(Findings& findings) : findings_(findings) {}

  // PINGs to be answered.
  unsigned hear(std::string_view bytes) {
    unsigned pings = 0;
    rest_ += bytes;
    while (true) {
      const std::size_t line = rest_.find("\r\n", at_);
      if (line == std::string::npos) {
        break;
      }
      const std::string_view head = std::string_view(rest_).substr(at_, line - at_);
      if (!head.starts_with("MSG ")) {
        pings += head == "PING" ? 1U : 0U;
        if (head.starts_with("-ERR")) {
          findings_.failure = head;
        }
        at_ = line + 2;
        continue;
      }
      const std::size_t size = number_at(head.substr(head.rfind(' ') + 1));
      if (rest_.size() < line + 2 + size + 2) {
        break;
      }
      take(std::string_view(rest_).substr(line + 2, size));
      at_ = line + 2 + size + 2;
    }
    rest_.erase(0, at_);
    at_ = 0;
    return pings;
  }

 private:
  void take(std::string_view payload) {
    const std::uint64_t number = number_at(payload);
    findings_.out_of_order += number != next_ ? 1 : 0;
    next_ = number + 1;
    ++findings_.received;
    const auto sent = static_cast<Clock::rep>(number_at(payload.substr(payload.find(' ') + 1)));
    findings_.trips_ms.push_back(ms_since(Time(Clock::duration(sent))));
  }

  Findings& findings_;
  std::string rest_;
  std::size_t at_ = 0;
  std::uint64_t next_ = 0;
};

// Answers the broker's PINGs.
void keep_alive(Link& link) {
  const std::string said = link.receive(Milliseconds(0));
  if (said.find("PING\r\n") != std::string::npos) {
    link.send("PONG\r\n");
  }
}

}  // namespace

Findings publish_and_listen(const LinkOptions& options, const std::string& user, const std::string& subject,
                            const std::atomic<bool>& stop) {
  Findings findings;
  Ear ear(findings);
  try {
    Link listener(options);
    listener.login(user);
    listener.send("SUB " + subject + " 1\r\nPING\r\n");
    listener.expect("PONG\r\n");
    Link publisher(options);
    publisher.login(user);
    Time over = Time::max();
    Time next = Clock::now();
    while (findings.failure.empty() && Clock::now() < over && (!stop || findings.received < findings.sent)) {
      if (stop && over == Time::max()) {
        over = Clock::now() + kLastMessages;
      }
      const Time began = Clock::now();
      if (began >= next && !stop) {
        publisher.send(message(subject, findings.sent));
        ++findings.sent;
        keep_alive(publisher);
        next = std::max(next + kPause, began);
      }
      const Time asleep = Clock::now();
      const auto wait = std::max(Milliseconds(1), std::chrono::ceil<Milliseconds>(next - asleep));
      const std::string heard = listener.receive(wait);
      if (heard.empty()) {
        findings.late_ms = std::max(findings.late_ms, ms_since(asleep) - static_cast<double>(wait.count()));
      }
      for (unsigned pings = ear.hear(heard); pings > 0; --pings) {
        listener.send("PONG\r\n");
      }
    }
  } catch (const std::exception& error) {
    findings.failure = error.what();
  }
  return findings;
}

Findings connect_again_and_again(const LinkOptions& options, const std::string& user, const std::atomic<bool>& stop) {
  Findings findings;
  while (!stop && findings.failure.empty()) {
    const Time began = Clock::now();
    try {
      Link link(options);
      link.login(user);
      findings.connects_ms.push_back(ms_since(began));
    } catch (const std::exception& error) {
      findings.failure = error.what();
    }
    std::this_thread::sleep_for(Milliseconds(200));
  }
  return findings;
}

}  // namespace abuse
