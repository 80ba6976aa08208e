// The admin endpoint: metrics, health, a status page and reload over HTTP/1.1, on loopback only.
//
// It knows nothing of what it shows: it is handed callbacks. Runs in a thread of its own and calls them there, one
// request at a time, so they must be thread-safe and quick (`reload` may take seconds). Everything is bounded:
// connections, header and body bytes, and the time a request may take to arrive. `stop()` (and the destructor) ends the
// thread and every connection at once, after the callback that may be running.
//
//   auto server = admin::Server::start("127.0.0.1:9222", std::move(endpoints));
//   log::info("admin endpoint", {{"listen", (*server)->address()}});
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace hawser::admin {

// One thing that must be so for a program to be healthy or ready.
struct Check {
  std::string name;  // "upstream", "certificate"
  bool ok = true;
  std::string reason;  // why not; may be given when ok, too
};

struct Health {
  std::vector<Check> checks;
  [[nodiscard]] bool ok() const;
};

enum class Tone : std::uint8_t { neutral, good, warning, bad };

// A snapshot for the status page: a headline, then sections of name and value, then tables.
struct Status {
  struct Item {
    std::string name;
    std::string value;
    Tone tone = Tone::neutral;
  };
  struct Section {
    std::string title;
    std::vector<Item> items;
  };
  struct Table {
    std::string title;
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;  // the page shows the first 200, and says how many there are
    std::size_t total = 0;                       // when more exist than are handed over
  };
  std::string title;     // "hawser agent"
  std::string headline;  // "connected to tls://nats:4222 since 10:00:00"
  Tone tone = Tone::neutral;
  std::vector<Section> sections;
  std::vector<Table> tables;
};

// An empty callback answers 404.
struct Endpoints {
  std::function<std::string()> metrics;         // GET /metrics: Prometheus text
  std::function<Health()> health;               // GET /healthz: 200 or 503, JSON with reasons
  std::function<Health()> ready;                // GET /readyz: the same
  std::function<Result<std::string>()> reload;  // POST /reload: 200 with what was done, or 422 with the error
  std::function<Status()> status;               // GET /: the page; GET /status: JSON
};

struct Options {
  std::size_t max_connections = 64;                    // one more is answered 503 and closed
  Duration request_timeout = std::chrono::seconds(5);  // from accept or the last answer to the last byte of the request
  Duration idle_timeout = std::chrono::seconds(30);    // of a kept connection between requests
};

class Server {
 public:
  // "127.0.0.1:9222", "[::1]:0"; port 0 takes a free one. Errors: not_loopback, bad_listen_address, listen_failed.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(std::string_view listen, Endpoints endpoints,
                                                             Options options = {});

  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Where it listens, with the port that it got: "127.0.0.1:41233".
  [[nodiscard]] std::string address() const;
  void stop();

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hawser::admin
