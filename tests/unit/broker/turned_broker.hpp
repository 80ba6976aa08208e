// A whole broker without threads: workers whose reactors the caller turns by hand, and clients on socket pairs.
//
// For tests and the fuzz target; deterministic but for the order in which epoll tells of sockets. One thread.
//
//   TurnedBroker broker(must(TurnedBroker::make({})));  TurnedClient client = broker.connect();
//   client.send("PING\r\n"); broker.turn(); client.receive();
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include "broker/hub.hpp"
#include "broker/worker.hpp"
#include "net/address.hpp"
#include "net/fd.hpp"
#include "wire/parser.hpp"

namespace hawser::broker::test {

// The far end of a client's connection.
class TurnedClient {
 public:
  TurnedClient(net::Fd fd, std::size_t worker) : worker_(worker), fd_(std::move(fd)) {}

  // As much as the socket takes now; returns how much that was.
  std::size_t send(std::string_view bytes) {
    if (!fd_) {
      return 0;
    }
    const auto n = ::send(fd_.value(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n < 0 ? 0 : static_cast<std::size_t>(n);
  }
  // What is there now is appended to received().
  void receive() {
    char piece[65536];
    while (fd_) {
      const auto n = ::recv(fd_.value(), piece, sizeof piece, MSG_DONTWAIT);
      if (n > 0) {
        received_.append(piece, static_cast<std::size_t>(n));
        continue;
      }
      ended_ = ended_ || n == 0 || (errno != EAGAIN && errno != EINTR);
      return;
    }
  }
  void close() { fd_.reset(); }
  void end_writing() { ::shutdown(fd_.value(), SHUT_WR); }

  [[nodiscard]] const std::string& received() const noexcept { return received_; }
  [[nodiscard]] std::string take_received() { return std::exchange(received_, {}); }
  // The broker has closed it.
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] bool open() const noexcept { return fd_.value() >= 0; }
  [[nodiscard]] std::size_t worker() const noexcept { return worker_; }
  [[nodiscard]] int fd() const noexcept { return fd_.value(); }

 private:
  std::size_t worker_;
  net::Fd fd_;
  std::string received_;
  bool ended_ = false;
};

class TurnedBroker {
 public:
  enum class Turning : std::uint8_t { by_hand, by_threads };  // the latter's workers are to be stopped by the caller
  [[nodiscard]] static Result<std::unique_ptr<TurnedBroker>> make(Settings settings,
                                                                  Turning turning = Turning::by_hand) {
    auto configuration = configure(std::move(settings));
    if (!configuration) {
      return std::unexpected(std::move(configuration.error()));
    }
    std::unique_ptr<TurnedBroker> broker(new TurnedBroker(std::move(*configuration)));
    for (std::uint32_t i = 0; i < broker->configuration_->settings->threads; ++i) {
      auto worker = Worker::make(broker->hub_, i, broker->configuration_);
      if (!worker) {
        return std::unexpected(std::move(worker.error()));
      }
      broker->hub_.workers.push_back(worker->get());
      broker->workers_.push_back(std::move(*worker));
    }
    for (const auto& worker : broker->workers_) {
      turning == Turning::by_hand ? worker->start_here() : worker->start();
    }
    return broker;
  }

  [[nodiscard]] TurnedClient connect(std::size_t worker = 0, Door door = Door::listener) {
    int fds[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) {
      return {net::Fd(), worker};
    }
    workers_[worker]->accept(net::Fd(fds[1]), *net::Address::parse("127.0.0.1:4711"), door);
    return {net::Fd(fds[0]), worker};
  }

  // Turns that wait for nothing.
  void turn(int times = 1) {
    for (int i = 0; i < times; ++i) {
      for (const auto& worker : workers_) {
        worker->reactor().turn(Duration::zero());
      }
    }
  }
  // Turns until the condition holds; false when it does not come true in a time that only a defect needs.
  bool until(const std::function<bool()>& condition) {
    const Time end = hawser::now() + std::chrono::seconds(20);
    for (int rounds = 0; !condition(); ++rounds) {
      if (hawser::now() > end) {
        return false;
      }
      for (const auto& worker : workers_) {
        worker->reactor().turn(std::chrono::milliseconds(rounds < 20 ? 0 : 1));
      }
    }
    return true;
  }

  // Every client is judged again in the next turn.
  Result<void> reload(Settings settings) {
    auto configuration = configure(std::move(settings));
    if (!configuration) {
      return std::unexpected(std::move(configuration.error()));
    }
    configuration_ = std::move(*configuration);
    name_accounts();
    for (const auto& worker : workers_) {
      worker->take_up(configuration_, [] {});
    }
    return {};
  }

  [[nodiscard]] Hub& hub() noexcept { return hub_; }
  [[nodiscard]] Worker& worker(std::size_t index) { return *workers_[index]; }
  [[nodiscard]] std::size_t workers() const noexcept { return workers_.size(); }
  [[nodiscard]] const ConfigurationPtr& configuration() const noexcept { return configuration_; }

 private:
  explicit TurnedBroker(ConfigurationPtr configuration) : configuration_(std::move(configuration)) {
    hub_.server_id = "NTURNED";
    hub_.version = "2.10.29-hawser.test";
    name_accounts();
  }
  void name_accounts() {
    hub_.closed.keep(configuration_->settings->max_closed_clients);
    std::ignore = hub_.accounts.at(kGlobalAccount);
    for (const Account& account : configuration_->settings->accounts) {
      std::ignore = hub_.accounts.at(account.name);
    }
  }

  Hub hub_;
  ConfigurationPtr configuration_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace hawser::broker::test
