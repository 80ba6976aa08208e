// What the broker says in the system account: answers to $SYS.REQ…, and its events. Text in, text out; no threads.
//
// The same JSON as over HTTP, in nats-server's envelope. Thread-safe if the source behind the views is.
//
//   SystemAnswers answers(views);
//   if (auto text = answers.answer({.subject = "$SYS.REQ.SERVER.PING.CONNZ", …})) publish(reply, *text);
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "broker/facts.hpp"
#include "broker/monitor_views.hpp"

namespace hawser::broker {

struct SystemRequest {
  std::string subject;
  std::string payload;  // JSON with options, or empty
  std::string account;  // the one whose own affairs these are; empty: the system account asks, about anything
};

class SystemAnswers {
 public:
  // Ends the connection with this id; false: there is none.
  using Kick = std::function<bool(std::uint64_t cid)>;

  explicit SystemAnswers(MonitorViews& views, Kick kick = {}) : views_(views), kick_(std::move(kick)) {}
  [[nodiscard]] MonitorSource& source() noexcept { return views_.source(); }

  // Nothing: this server has nothing to say to it (another is meant, or no such account is in use).
  [[nodiscard]] std::optional<std::string> answer(const SystemRequest& request);

  // {"server": …, MEMBER: JSON}.
  [[nodiscard]] std::string enveloped(std::string_view member, std::string_view json);

  [[nodiscard]] std::string statsz();
  [[nodiscard]] std::string connected(const ConnectionFacts& client);
  [[nodiscard]] std::string disconnected(const ConnectionFacts& client);
  // How many connections an account has.
  [[nodiscard]] std::string connections_of(const AccountFacts& account);

 private:
  struct Reply;
  [[nodiscard]] std::string server_info();
  [[nodiscard]] std::string event(const ConnectionFacts& client, bool ended);
  [[nodiscard]] Reply of_server(std::string_view name, std::string_view payload);
  [[nodiscard]] Reply kick(std::string_view payload);
  [[nodiscard]] Reply of_account(std::string_view name, std::string_view account, std::string_view payload);

  MonitorViews& views_;
  Kick kick_;
  std::atomic<std::uint64_t> sequence_{0};
};

}  // namespace hawser::broker
