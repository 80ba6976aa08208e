// The admin endpoint: metrics, health, a status page, reload and whatever routes it is handed, over HTTP/1.1 or HTTPS.
//
// It listens on loopback only, unless it is told that anywhere is meant (a broker's monitoring, which Prometheus asks
// by the machine's name). It knows nothing of what it shows: it is handed callbacks. Runs in a thread of its own and
// calls them there, one request at a time, so they must be thread-safe and quick (`reload` may take seconds).
// Everything is bounded: connections, header and body bytes, and the time a request may take to arrive and an answer to
// be taken. `stop()` (and the destructor) ends the thread and every connection at once, after the callback that may be
// running.
//
//   auto server = admin::Server::start("127.0.0.1:9222", std::move(endpoints));
//   log::info("admin endpoint", {{"listen", (*server)->address()}});
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/query.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "tls/context.hpp"

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
  struct Progress {
    double done = 0;
    double of = 0;  // over 0
  };
  struct Item {
    std::string name;
    std::string value;
    Tone tone = Tone::neutral;
    std::optional<Progress> progress{};  // a bar beside the value, which has to say it in words
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
  struct Link {
    std::string href;   // "/connz?subs=1"
    std::string name;   // "Connections"
    std::string about;  // one line
  };
  std::string title;     // "hawser agent"
  std::string headline;  // "connected to tls://nats:4222 since 10:00:00"
  Tone tone = Tone::neutral;
  std::vector<Section> sections;
  std::vector<Table> tables;
  std::vector<Link> links{};  // where to go from here; without them, the endpoint's own paths stand at the foot
};

struct Request {
  std::string path;  // without the base path and the query: "/connz"
  Query query;
};

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
};

// GET (and HEAD) of a path. One that throws is answered 500.
using Handler = std::function<Response(const Request&)>;

// An empty callback answers 404.
struct Endpoints {
  std::function<std::string()> metrics;                // GET /metrics: Prometheus text
  std::function<Health()> health;                      // GET /healthz: 200 or 503, JSON with reasons
  std::function<Health()> ready;                       // GET /readyz: the same
  std::function<Result<std::string>()> reload;         // POST /reload: 200 with what was done, or 422 with the error
  std::function<Status()> status;                      // GET /: the page; GET /status: JSON; GET /events: its changes
  std::map<std::string, Handler, std::less<>> routes;  // by path; before those above
};

enum class Audience : std::uint8_t {
  loopback,  // listens on loopback only, and answers only requests whose Host is one
  anywhere,  // any address or name, any Host: it has no authentication, so a network has to be what keeps others away
};

struct Options {
  std::size_t max_connections = 64;                    // one more is answered 503 and closed
  Duration request_timeout = std::chrono::seconds(5);  // from accept or the last answer to the last byte of the request
  Duration idle_timeout = std::chrono::seconds(30);    // of a kept connection between requests
  Duration answer_timeout = std::chrono::minutes(1);   // for the whole of an answer; of each part, the request_timeout
  std::size_t max_streams = 16;                        // of GET /events; one more is answered 503
  Duration stream_step = std::chrono::seconds(1);      // between looks for a change
  Duration stream_time = std::chrono::minutes(30);     // then it ends; browsers come again by themselves
  Audience audience = Audience::loopback;
  std::string base_path{};  // "/broker": every path begins with it
  // Given: HTTPS. Asked for each connection, so that a change of certificates is seen; clients need no certificate.
  std::function<tls::ContextPtr()> tls{};
};

class Server {
 public:
  // "127.0.0.1:9222", "[::1]:0"; with Audience::anywhere also names, and ":8222" for every interface. Port 0 takes a
  // free one. Errors: not_loopback, bad_listen_address, listen_failed.
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
