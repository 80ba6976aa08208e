// One session, driven by the thread that asks for something: connect, publish, wait, end. What the everyday commands
// stand on.
//
// Main thread only. Nothing happens between calls; every wait turns the reactor and ends at ^C. Messages are shown to
// the callback during a wait; it must not call back into this object, but may set what `done` looks at.
//
//   auto session = UserSession::connect(connection, Away::give_up, [&](const wire::Frame& m) { seen.push_back(…); });
//   (*session)->publish(frames, 3);
//   (*session)->flush();          // the server has processed them
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/metrics.hpp"
#include "cli/command.hpp"
#include "cli/connection.hpp"
#include "net/reactor.hpp"
#include "net/resolver.hpp"
#include "session/session.hpp"
#include "tls/watcher.hpp"

namespace hawser::cli {

// What a lost connection means once there was one.
enum class Away : std::uint8_t {
  give_up,     // an error when it does not come back within the connection's timeout
  keep_trying  // for ever, with a notice; new certificates and credentials on disk are taken up as well
};

class UserSession final : private session::SessionUser {
 public:
  using OnMessage = std::function<void(const wire::Frame&)>;

  // Connects. What is transient is tried again until the connection's timeout; then the error is the last one.
  [[nodiscard]] static Result<std::unique_ptr<UserSession>> connect(const Connection& connection, Away away,
                                                                    OnMessage on_message);
  ~UserSession();
  UserSession(const UserSession&) = delete;
  UserSession& operator=(const UserSession&) = delete;

  // Whole PUB and HPUB frames; waits while too much is unconfirmed.
  Result<void> publish(std::string_view frames, std::size_t count);
  // max 0: no limit.
  void subscribe(std::string_view sid, std::string_view subject, std::string_view queue, std::uint64_t max = 0);
  // Waits until the server has processed everything before it. Error server_refused: it said -ERR about some of it.
  Result<void> flush();
  // Waits until done() or `until`: false. Errors: interrupted; the connection's, when it was given up.
  Result<bool> wait(const std::function<bool()>& done, std::optional<Time> until = std::nullopt);
  // Holds messages back at the server, or lets them come again.
  void hold(bool on);
  // Wakes a wait; any thread.
  void wake();

  // What the server said with -ERR since the last call, if it did.
  [[nodiscard]] std::optional<Error> take_complaint();
  [[nodiscard]] const wire::ServerInfo& server() const noexcept { return server_; }
  // "tls://host:4222".
  [[nodiscard]] std::string server_url() const;
  [[nodiscard]] bool up() const noexcept { return up_; }
  // "TLSv1.3", or "none".
  [[nodiscard]] std::string tls_version() const;

 private:
  class StopEvent;

  UserSession(const Connection& connection, Away away, OnMessage on_message);

  void on_messages(std::string_view frames, std::size_t count) override;
  void on_flushed(std::uint64_t token) override;
  void on_client_error(std::string_view text) override;
  void on_up(const wire::ServerInfo& info) override;
  void on_down(const Error& error) override;
  void on_relieved() override {}

  Result<void> start();
  Result<void> wait_with_progress(const std::function<bool()>& done, std::string_view what);
  void start_watching();
  void take_up(tls::MaterialPtr material);
  [[nodiscard]] bool hopeless(const Error& error) const;

  const Connection& connection_;
  const Away away_;
  const OnMessage on_message_;
  metrics::Registry registry_;
  session::Metrics metrics_;
  session::SessionOptions options_;
  std::unique_ptr<net::Reactor> reactor_;
  std::unique_ptr<StopEvent> stop_event_;
  std::unique_ptr<net::Resolver> resolver_;
  std::unique_ptr<session::Session> session_;
  std::unique_ptr<tls::Watcher> watcher_;

  wire::ServerInfo server_;
  bool up_ = false;
  bool was_up_ = false;
  std::size_t attempts_ = 0;  // failed ones, before the first success
  Time down_since_{};
  std::optional<Error> last_error_;
  std::optional<Error> failure_;  // ends every wait
  std::optional<std::string> complaint_;
  std::uint64_t asked_ = 0;    // flush tokens
  std::uint64_t flushed_ = 0;  // the last one answered
  tls::MaterialPtr material_;
  std::uint64_t generation_ = 0;
};

// How a command ends: quietly with 130 (or 143) when it was asked to stop.
void end_with(Exit& exit, Result<ExitCode> outcome);

}  // namespace hawser::cli
