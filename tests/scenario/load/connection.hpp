// A NATS client connection of the load, by libnats, that never gives up; and what its client library noticed.
//
// ClientEvents is shared by all connections of a run and thread-safe. A Connection is made and destroyed by one thread;
// libnats calls from its own.
//
//   auto c = Connection::open(options, "nats://127.0.0.1:4222", "publisher 1", events);
#pragma once

#include <nats/nats.h>

#include <atomic>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "options.hpp"

namespace hawser::load {

struct ClientEvents {
  std::atomic<std::uint64_t> disconnects{0};
  std::atomic<std::uint64_t> reconnects{0};
  std::atomic<std::uint64_t> closed{0};

  void error(const std::string& text);
  [[nodiscard]] std::map<std::string, std::uint64_t> errors() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> errors_;  // at most kErrorTexts different ones
};

class Connection {
 public:
  enum class Echo : bool { off, on };
  static std::expected<Connection, std::string> open(const Options& options, const std::string& url,
                                                     const std::string& name, ClientEvents& events,
                                                     Echo echo = Echo::on);
  [[nodiscard]] natsConnection* raw() const { return connection_.get(); }
  // Everything published so far was taken by the other end.
  [[nodiscard]] bool flush(std::chrono::milliseconds limit) const;

 private:
  struct Close {
    void operator()(natsConnection* c) const { natsConnection_Destroy(c); }
  };
  explicit Connection(natsConnection* c) : connection_(c) {}

  std::unique_ptr<natsConnection, Close> connection_;
};

}  // namespace hawser::load
