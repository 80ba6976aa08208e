// Name resolution off the loop: getaddrinfo on a thread of its own, the answer posted back to the reactor that asked.
//
// Thread-safe. Literal addresses answer at once, without the thread; who waits for the same name gets the same answer.
// Destroying it drops the queries that wait and joins the one that runs (the system's resolver bounds it).
//
//   query_ = resolver.resolve(reactor, "nats.example.com", 4222, [](Result<std::vector<Address>> found) { … });
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "net/address.hpp"
#include "net/reactor.hpp"

namespace hawser::net {

class Resolver {
 public:
  using Answer = std::function<void(Result<std::vector<Address>>)>;
  // Holding it keeps the query wanted; once it is gone the answer is dropped.
  using Query = std::shared_ptr<Answer>;

  using LookUp = std::function<Result<std::vector<Address>>(const std::string& host, std::uint16_t port)>;

  Resolver();  // the system's: getaddrinfo
  // With another way to look names up; called on the resolver's thread.
  explicit Resolver(LookUp look_up) : look_up_(std::move(look_up)) {}
  ~Resolver();
  // No answer is posted from here on; call it before the reactors that asked are destroyed.
  void stop();
  // Whether stop() has been called; it may not have returned.
  [[nodiscard]] bool stopping();

  // Calls `answer` on the reactor's thread, in a later turn.
  [[nodiscard]] Query resolve(Reactor& reactor, std::string host, std::uint16_t port, Answer answer);

 private:
  struct Job {
    Reactor* reactor;
    std::string host;
    std::uint16_t port;
    std::weak_ptr<Answer> query;
  };
  static constexpr std::size_t kMaxWaiting = 16384;

  void work();

  const LookUp look_up_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;  // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace hawser::net
