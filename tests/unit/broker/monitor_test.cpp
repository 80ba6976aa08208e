// The monitoring over HTTP, through real sockets on loopback.
#include "broker/monitor.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/monitor_source.hpp"

namespace hawser::broker {
namespace {

std::string ask(const std::string& address, std::string_view target) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr generic{};
  std::memcpy(&generic, &to, sizeof to);
  EXPECT_EQ(::connect(fd, &generic, sizeof to), 0);
  const std::string request =
      "GET " + std::string(target) + " HTTP/1.1\r\nHost: broker.example:8222\r\nConnection: close\r\n\r\n";
  EXPECT_GT(::send(fd, request.data(), request.size(), MSG_NOSIGNAL), 0);
  std::string answer;
  std::array<char, 4096> chunk{};
  for (ssize_t got = 0; (got = ::recv(fd, chunk.data(), chunk.size(), 0)) > 0;) {
    answer.append(chunk.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  return answer;
}

class MonitorTest : public testing::Test {
 protected:
  void start(std::string base_path = "/") {
    Monitoring where;
    where.http = Listen{"127.0.0.1", 0};
    where.base_path = std::move(base_path);
    auto started = Monitor::start(where, source_);
    ASSERT_TRUE(started) << started.error().message();
    monitor_ = std::move(*started);
  }
  std::string get(std::string_view target) { return ask(*monitor_->http_address(), target); }

  test::MadeUpSource source_;
  std::unique_ptr<Monitor> monitor_;
};

TEST_F(MonitorTest, answers_each_path_with_its_type) {
  start();
  EXPECT_FALSE(monitor_->https_address());
  struct Case {
    std::string_view target, status, type, part;
  };
  for (const Case& c :
       {Case{"/", "200", "text/html", "hawser broker"},
        Case{"/varz", "200", "application/json", "\n  \"server_id\""},
        Case{"/connz?auth=1", "200", "application/json", "\"connections\": []"},
        Case{"/subsz", "200", "application/json", "\"num_subscriptions\": 0"},
        Case{"/subscriptionsz", "200", "application/json", "\"num_subscriptions\": 0"},
        Case{"/accountz", "200", "application/json", "\"accounts\": []"},
        Case{"/accountz?acc=NO", "400", "text/plain", "\r\n\r\nAccount NO does not exist"},
        Case{"/accstatz", "200", "application/json", "\"account_statz\": []"},
        Case{"/routez", "200", "application/json", "\"routes\": []"},
        Case{"/gatewayz", "200", "application/json", "\"outbound_gateways\": {}"},
        Case{"/leafz", "200", "application/json", "\"leafnodes\": 0"},
        Case{"/healthz", "200", "application/json", "\r\n\r\n{\"status\":\"ok\"}"},
        Case{"/metrics", "200", "text/plain; version=0.0.4", "hawser_broker_connections 0\n"},
        Case{"/connz?sort=bogus", "400", "text/plain", "\r\n\r\ninvalid sorting option: bogus"},
        Case{"/connz?callback=cb", "200", "application/javascript", "\r\n\r\ncb({\n"},
        Case{"/healthz?callback=cb", "200", "application/javascript", "\r\n\r\ncb({\"status\":\"ok\"})"},
        Case{"/varz?callback=alert(1)//", "400", "text/plain", "the name of a function"},
        Case{"/stacksz", "404", "text/plain", "not here"},
        Case{"/jsz", "404", "text/plain", "not here"},
        Case{"/reload", "404", "text/plain", "not here"}}) {
    const std::string answer = get(c.target);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::string(c.status))) << c.target << "\n" << answer;
    EXPECT_NE(answer.find("Content-Type: " + std::string(c.type)), std::string::npos) << c.target << "\n" << answer;
    EXPECT_NE(answer.find(c.part), std::string::npos) << c.target << "\n" << answer;
  }
}

TEST_F(MonitorTest, counts_requests_by_path_and_both_names_of_subsz_as_one) {
  start();
  for (const std::string_view target : {"/varz", "/subsz", "/subscriptionsz", "/nowhere"}) {
    EXPECT_TRUE(get(target).starts_with("HTTP/1.1"));
  }
  EXPECT_NE(get("/varz").find("\"http_req_stats\": {\n    \"/subsz\": 2,\n    \"/varz\": 2\n  }"), std::string::npos);
}

TEST_F(MonitorTest, answers_503_with_the_reason_when_the_broker_is_not_well) {
  start();
  source_.trouble_now = "thread 0 does not answer";
  const std::string answer = get("/healthz");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503")) << answer;
  EXPECT_TRUE(answer.ends_with(R"({"status":"error","error":"thread 0 does not answer"})")) << answer;
}

TEST_F(MonitorTest, stands_below_its_base_path) {
  start("/nats/mon");
  EXPECT_TRUE(get("/nats/mon/varz").starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(get("/nats/mon").starts_with("HTTP/1.1 200"));
  EXPECT_NE(get("/nats/mon/").find("href=\"/nats/mon/connz"), std::string::npos);
  EXPECT_TRUE(get("/varz").starts_with("HTTP/1.1 404"));
}

TEST_F(MonitorTest, needs_a_context_for_https_and_a_free_port) {
  Monitoring where;
  where.https = Listen{"127.0.0.1", 0};
  EXPECT_EQ(Monitor::start(where, source_).error().code, Errc::broker_tls_incomplete);
  start();
  const std::string taken = *monitor_->http_address();
  where.https.reset();
  where.http = Listen{"127.0.0.1", static_cast<std::uint16_t>(std::stoi(taken.substr(taken.rfind(':') + 1)))};
  EXPECT_EQ(Monitor::start(where, source_).error().code, Errc::listen_failed);
  const auto neither = Monitor::start({}, source_);
  ASSERT_TRUE(neither);
  EXPECT_FALSE((*neither)->http_address());
}

}  // namespace
}  // namespace hawser::broker
