// Through real sockets on loopback: the bounds are about what arrives on them.
#include "admin/server.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace hawser::admin {
namespace {

// A client connection; reading gives up after ten seconds, so that a server that hangs fails a test and does not hang
// it.
class Client {
 public:
  explicit Client(const std::string& address) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr generic{};
    std::memcpy(&generic, &to, sizeof to);
    connected_ = ::connect(fd_, &generic, sizeof to) == 0;
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  void send(std::string_view text) const { EXPECT_GE(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL), 0); }

  // Until the server closes.
  [[nodiscard]] std::string read_all() const {
    return read_until([](const std::string&) { return false; });
  }
  // One answer, by its Content-Length.
  [[nodiscard]] std::string read_answer() const {
    return read_until([](const std::string& got) {
      const std::size_t head = got.find("\r\n\r\n");
      const std::size_t length = got.find("Content-Length: ");
      return head != std::string::npos && length < head && got.size() >= head + 4 + std::stoul(got.substr(length + 16, 20));
    });
  }

  // Up to a text.
  [[nodiscard]] std::string read_to(std::string_view text) const {
    return read_until([text](const std::string& got) { return got.find(text) != std::string::npos; });
  }

 private:
  template <class Enough>
  [[nodiscard]] std::string read_until(Enough enough) const {
    std::string got;
    std::array<char, 4096> chunk{};
    while (!enough(got)) {
      const ssize_t n = ::recv(fd_, chunk.data(), chunk.size(), 0);
      if (n < 0) {
        EXPECT_EQ(errno, ECONNRESET) << "the server neither answered nor closed";
      }
      if (n <= 0) {
        break;
      }
      got.append(chunk.data(), static_cast<std::size_t>(n));
    }
    return got;
  }

  int fd_ = -1;
  bool connected_ = false;
};

class AdminServer : public testing::Test {
 protected:
  void start(Options options = {}) {
    Endpoints endpoints;
    endpoints.metrics = [] { return std::string("up 1\n"); };
    endpoints.health = [] { return Health{}; };
    endpoints.ready = [] { return Health{{{"upstream", false, "connecting"}}}; };
    endpoints.reload = [this]() -> Result<std::string> {
      ++reloads_;
      if (reloads_ > 1) {
        return fail(Errc::file_unreadable, "reading tls.crt");
      }
      return "reloaded";
    };
    endpoints.status = [] { return Status{"hawser agent", "connected", Tone::good, {}, {}}; };
    run(std::move(endpoints), options);
  }

  void run(Endpoints endpoints, Options options = {}) {
    auto started = Server::start("127.0.0.1:0", std::move(endpoints), options);
    ASSERT_TRUE(started) << started.error().message();
    server_ = std::move(*started);
  }

  // The whole answer to one request, with the connection closed after it.
  std::string ask(std::string_view request_line, std::string_view headers = "Host: 127.0.0.1\r\n",
                  std::string_view body = "") {
    const Client client(server_->address());
    client.send(std::string(request_line) + " HTTP/1.1\r\nConnection: close\r\n" + std::string(headers) + "\r\n" +
                std::string(body));
    return client.read_all();
  }

  int reloads_ = 0;
  std::unique_ptr<Server> server_;
};

TEST_F(AdminServer, takes_a_free_port_and_says_which) {
  start();
  EXPECT_TRUE(server_->address().starts_with("127.0.0.1:"));
  EXPECT_FALSE(server_->address().ends_with(":0"));
  const auto second = Server::start(server_->address(), {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::listen_failed);
}

TEST_F(AdminServer, refuses_to_listen_beyond_loopback) {
  EXPECT_EQ(Server::start("0.0.0.0:0", {}).error().code, Errc::not_loopback);
  EXPECT_EQ(Server::start("nonsense", {}).error().code, Errc::bad_listen_address);
}

TEST_F(AdminServer, answers_each_path_with_its_type) {
  start();
  struct Case {
    std::string_view request, status, type, part;
  };
  for (const Case& c :
       {Case{"GET /metrics", "200", "text/plain; version=0.0.4", "\r\n\r\nup 1\n"},
        Case{"GET /metrics?x=1", "200", "text/plain", "up 1"},
        Case{"GET /healthz", "200", "application/json", R"({"ok":true,"checks":[]})"},
        Case{"GET /readyz", "503", "application/json", R"("reason":"connecting")"},
        Case{"GET /", "200", "text/html", "<title>hawser agent: connected</title>"},
        Case{"GET /status", "200", "application/json", R"("headline":"connected")"},
        Case{"GET /nowhere", "404", "text/plain", "not here"}, Case{"GET /metrics/", "404", "text/plain", "not here"},
        Case{"POST /metrics", "405", "text/plain", "Allow: GET, HEAD"},
        Case{"GET /reload", "405", "text/plain", "Allow: POST"}}) {
    const std::string answer = ask(c.request);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::string(c.status))) << c.request << "\n" << answer;
    EXPECT_NE(answer.find("Content-Type: " + std::string(c.type)), std::string::npos) << c.request << "\n" << answer;
    EXPECT_NE(answer.find(c.part), std::string::npos) << c.request << "\n" << answer;
  }
}

TEST_F(AdminServer, answers_head_without_a_body) {
  start();
  const std::string answer = ask("HEAD /metrics");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  EXPECT_NE(answer.find("Content-Length: 5\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST_F(AdminServer, reloads_on_post_and_says_what_came_of_it) {
  start();
  const std::string first = ask("POST /reload");
  EXPECT_TRUE(first.starts_with("HTTP/1.1 200")) << first;
  EXPECT_NE(first.find(R"({"ok":true,"detail":"reloaded"})"), std::string::npos) << first;
  const std::string second = ask("POST /reload");
  EXPECT_TRUE(second.starts_with("HTTP/1.1 422")) << second;
  EXPECT_NE(second.find("GEN-003"), std::string::npos) << second;
  EXPECT_EQ(reloads_, 2);
}

TEST_F(AdminServer, does_nothing_for_a_web_page_of_another_origin) {
  start();
  for (const std::string_view headers :
       {"Host: evil.example\r\n", "", "Host: 127.0.0.1\r\nOrigin: http://evil.example\r\n",
        "Host: 127.0.0.1\r\nOrigin: null\r\n"}) {
    const std::string answer = ask("POST /reload", headers);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 4")) << headers << "\n" << answer;
  }
  EXPECT_EQ(reloads_, 0);
  EXPECT_TRUE(ask("GET /metrics", "Host: rebound.example:9222\r\n").starts_with("HTTP/1.1 421"));
}

TEST_F(AdminServer, keeps_a_connection_for_the_next_request) {
  start();
  const Client client(server_->address());
  for (int i = 0; i < 3; ++i) {
    client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(client.read_answer().ends_with("up 1\n"));
  }
  client.send(
      "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: "
      "close\r\n\r\n");
  const std::string both = client.read_all();
  EXPECT_NE(both.find("up 1\n"), std::string::npos);
  EXPECT_NE(both.find(R"({"ok":true)"), std::string::npos);
}

TEST_F(AdminServer, refuses_requests_over_its_bounds_and_what_is_not_http) {
  start();
  EXPECT_TRUE(
      ask("GET /metrics", "Host: localhost\r\nX: " + std::string(9000, 'x') + "\r\n").starts_with("HTTP/1.1 431"));
  EXPECT_TRUE(ask("POST /reload", "Host: localhost\r\nContent-Length: 5000\r\n").starts_with("HTTP/1.1 413"));
  const Client client(server_->address());
  client.send("CONNECT {\"verbose\":false}\r\nPING\r\n");
  EXPECT_TRUE(client.read_all().starts_with("HTTP/1.1 400"));
  EXPECT_EQ(reloads_, 0);
}

TEST_F(AdminServer, closes_a_connection_that_trickles_its_request_or_stays_idle) {
  start({.max_connections = 8,
         .request_timeout = std::chrono::milliseconds(100),
         .idle_timeout = std::chrono::milliseconds(100)});
  const Client silent(server_->address());
  EXPECT_EQ(silent.read_all(), "");
  const Client partial(server_->address());
  partial.send("GET /metrics HTTP/1.1\r\nHost: loc");
  EXPECT_EQ(partial.read_all(), "");
  const Client idle(server_->address());
  idle.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(idle.read_all().ends_with("up 1\n"));
}

TEST_F(AdminServer, turns_away_connections_over_its_bound_and_serves_again_afterwards) {
  start({.max_connections = 2, .request_timeout = std::chrono::seconds(30), .idle_timeout = std::chrono::seconds(30)});
  {
    const Client first(server_->address());
    const Client second(server_->address());
    const Client third(server_->address());
    ASSERT_TRUE(third.connected());
    EXPECT_TRUE(third.read_all().starts_with("HTTP/1.1 503"));
    first.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(first.read_answer().starts_with("HTTP/1.1 200"));
  }
  std::string answer;
  for (int i = 0; i < 1000 && !answer.starts_with("HTTP/1.1 200"); ++i) {  // until it saw the two close
    answer = ask("GET /healthz");
  }
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
}

TEST_F(AdminServer, survives_a_callback_that_throws_and_has_no_path_without_a_callback) {
  Endpoints endpoints;
  endpoints.metrics = []() -> std::string { throw std::runtime_error("broken"); };
  run(std::move(endpoints));
  EXPECT_TRUE(ask("GET /metrics").starts_with("HTTP/1.1 500"));
  EXPECT_TRUE(ask("GET /").starts_with("HTTP/1.1 404"));
  EXPECT_TRUE(ask("POST /reload").starts_with("HTTP/1.1 404"));
}

TEST_F(AdminServer, listens_anywhere_and_answers_to_any_name_when_told_so) {
  Endpoints endpoints;
  endpoints.metrics = [] { return std::string("up 1\n"); };
  Options options;
  options.audience = Audience::anywhere;
  options.base_path = "/broker";
  for (const std::string_view listen : {"0.0.0.0:0", ":0", "localhost:0", "127.0.0.1:0"}) {
    auto started = Server::start(listen, endpoints, options);
    ASSERT_TRUE(started) << listen << ": " << started.error().message();
    server_ = std::move(*started);
    EXPECT_TRUE(ask("GET /broker/metrics", "Host: nats.example\r\n").ends_with("up 1\n")) << listen;
    EXPECT_TRUE(ask("GET /metrics", "Host: nats.example\r\n").starts_with("HTTP/1.1 404")) << listen;
  }
  EXPECT_EQ(Server::start("no port", {}, options).error().code, Errc::bad_listen_address);
  EXPECT_EQ(Server::start("name.invalid:1", {}, options).error().code, Errc::bad_listen_address);
}

TEST_F(AdminServer, sends_a_large_answer_whole_and_the_next_on_the_same_connection) {
  Endpoints endpoints;
  const std::string large(8'000'000, 'x');
  endpoints.routes["/large"] = [&large](const Request&) { return Response{200, "text/plain", large}; };
  endpoints.metrics = [] { return std::string("up 1\n"); };
  run(std::move(endpoints));
  const Client client(server_->address());
  client.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(client.read_answer().ends_with("\r\n\r\n" + large));
  client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(client.read_answer().ends_with("up 1\n"));
}

TEST_F(AdminServer, gives_up_on_a_reader_that_takes_nothing) {
  Endpoints endpoints;
  endpoints.routes["/large"] = [](const Request&) { return Response{200, "text/plain", std::string(64'000'000, 'x')}; };
  endpoints.metrics = [] { return std::string("up 1\n"); };
  Options options;
  options.max_connections = 1;
  options.request_timeout = std::chrono::milliseconds(100);
  run(std::move(endpoints), options);
  const Client idle(server_->address());
  idle.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::string answer;
  for (const Time until = now() + std::chrono::seconds(10); now() < until && !answer.ends_with("up 1\n");) {
    answer = ask("GET /metrics");  // 503 as long as the first holds the only place
  }
  EXPECT_TRUE(answer.ends_with("up 1\n")) << answer;
}

TEST_F(AdminServer, streams_the_status_page_as_it_changes) {
  std::atomic<int> headline{0};
  Endpoints endpoints;
  endpoints.status = [&] { return Status{"agent", "number " + std::to_string(headline), Tone::good, {}, {}}; };
  run(std::move(endpoints), {.stream_step = std::chrono::milliseconds(10)});
  Client client(server_->address());
  client.send("GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  EXPECT_NE(client.read_to("number 0").find("Content-Type: text/event-stream"), std::string::npos);
  headline = 1;
  EXPECT_NE(client.read_to("number 1").find("data: "), std::string::npos);
  server_.reset();  // it asks for what lives in this test
}

TEST_F(AdminServer, has_a_bound_for_streams_and_ends_them_in_time) {
  Endpoints endpoints;
  endpoints.status = [] { return Status{"agent", "well", Tone::good, {}, {}}; };
  run(std::move(endpoints), {.max_streams = 1, .stream_step = std::chrono::milliseconds(1), .stream_time = std::chrono::milliseconds(0)});
  {
    Client over_at_once(server_->address());
    over_at_once.send("GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    EXPECT_NE(over_at_once.read_all().find("200 OK"), std::string::npos);
  }
  server_.reset();
  Endpoints again;
  again.status = [] { return Status{"agent", "well", Tone::good, {}, {}}; };
  run(std::move(again), {.max_streams = 1});
  Client first(server_->address());
  first.send("GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  EXPECT_NE(first.read_to("well").find("200 OK"), std::string::npos);
  Client second(server_->address());
  second.send("GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
  EXPECT_NE(second.read_all().find("503 "), std::string::npos);
}

TEST_F(AdminServer, does_not_stream_to_a_page_of_another_origin) {
  start();
  Client client(server_->address());
  client.send("GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://elsewhere.example\r\nConnection: close\r\n\r\n");
  EXPECT_NE(client.read_all().find("403 "), std::string::npos);
}

TEST_F(AdminServer, stops_at_once_with_connections_open) {
  start();
  const Client idle(server_->address());
  const Client busy(server_->address());
  busy.send("GET /metr");
  const Time before = now();
  server_->stop();
  server_.reset();
  EXPECT_LT(now() - before, std::chrono::seconds(2));
  EXPECT_EQ(busy.read_all(), "");
}

}  // namespace
}  // namespace hawser::admin
