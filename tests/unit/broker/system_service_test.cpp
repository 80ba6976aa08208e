// A whole broker with a system account, through real sockets on loopback.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/broker.hpp"

namespace hawser::broker {
namespace {

// Speaks the protocol as text; reading gives up after ten seconds.
class Client {
 public:
  Client(std::uint16_t port, std::string_view user, std::string_view more = {}) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr generic{};
    std::memcpy(&generic, &to, sizeof to);
    EXPECT_EQ(::connect(fd_, &generic, sizeof to), 0);
    send("CONNECT {\"verbose\":false,\"user\":\"" + std::string(user) + "\",\"pass\":\"" + std::string(user) +
         "\",\"name\":\"the " + std::string(user) + "\",\"headers\":true,\"no_responders\":true}\r\n" +
         std::string(more) + "PING\r\n");
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void close() {
    if (fd_ >= 0) {
      ::close(std::exchange(fd_, -1));
    }
  }
  void send(std::string_view text) const { EXPECT_GE(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL), 0); }
  // Until this was read; what came up to and with it.
  std::string read_until(std::string_view wanted) {
    std::array<char, 65536> chunk{};
    std::size_t at = 0;
    while ((at = got_.find(wanted)) == std::string::npos) {
      const ssize_t n = ::recv(fd_, chunk.data(), chunk.size(), 0);
      if (n <= 0) {
        ADD_FAILURE() << "no " << wanted << " in " << got_;
        return std::exchange(got_, {});
      }
      got_.append(chunk.data(), static_cast<std::size_t>(n));
    }
    std::string text = got_.substr(0, at + wanted.size());
    got_.erase(0, at + wanted.size());
    return text;
  }

 private:
  int fd_ = -1;
  std::string got_;
};

class SystemServiceTest : public testing::Test {
 protected:
  void start(std::size_t threads = 1) {
    Settings settings;
    settings.listen = Listen{"127.0.0.1", 0};
    settings.threads = threads;
    for (const char* name : {"A", "SYS"}) {
      Account account;
      account.name = name;
      settings.accounts.push_back(std::move(account));
      User user;
      user.name = name;
      user.password = Secret(std::string(name));
      user.account = name;
      settings.authorization.users.push_back(std::move(user));
    }
    settings.system_account = "SYS";
    auto started = Broker::start(std::move(settings), {});
    ASSERT_TRUE(started) << started.error().message();
    broker_ = std::move(*started);
  }
  std::uint16_t port() const { return broker_->listen_address()->port(); }

  std::unique_ptr<Broker> broker_;
};

TEST_F(SystemServiceTest, answers_requests_of_the_system_account) {
  start();
  Client system(port(), "SYS", "SUB r 1\r\n");
  system.read_until("PONG\r\n");
  for (const char* name : {"VARZ", "CONNZ", "SUBSZ", "STATSZ", "HEALTHZ", "ACCOUNTZ"}) {
    system.send("PUB $SYS.REQ.SERVER.PING." + std::string(name) + " r 0\r\n\r\n");
    const std::string answer = system.read_until("}\r\n");
    EXPECT_NE(answer.find("MSG r 1 "), std::string::npos) << answer;
    EXPECT_NE(answer.find(broker_->server_id()), std::string::npos) << answer;
  }
  system.send("PUB $SYS.REQ.SERVER." + broker_->server_id() + ".CONNZ r 13\r\n{\"auth\":true}\r\n");
  EXPECT_NE(system.read_until("}\r\n").find("\"authorized_user\":\"SYS\""), std::string::npos);
  system.send("PUB $SYS.REQ.SERVER.PING.NOTHING r 0\r\n\r\n");
  EXPECT_NE(system.read_until("503").find("HMSG r 1"), std::string::npos) << "nobody answers";
}

TEST_F(SystemServiceTest, tells_other_accounts_of_themselves_only) {
  start();
  Client other(port(), "A", "SUB r 1\r\n");
  other.read_until("PONG\r\n");
  Client system(port(), "SYS");
  system.read_until("PONG\r\n");
  other.send("PUB $SYS.REQ.ACCOUNT.PING.CONNZ r 13\r\n{\"auth\":true}\r\n");
  const std::string answer = other.read_until("]}}\r\n");
  EXPECT_NE(answer.find("\"authorized_user\":\"A\""), std::string::npos) << answer;
  EXPECT_EQ(answer.find("\"authorized_user\":\"SYS\""), std::string::npos) << answer;
  other.send("PUB $SYS.REQ.SERVER.PING.VARZ r 0\r\n\r\n");
  EXPECT_NE(other.read_until("503").find("HMSG r 1"), std::string::npos);
}

TEST_F(SystemServiceTest, publishes_who_comes_goes_and_is_refused_whatever_thread_serves_them) {
  start(2);
  Client system(port(), "SYS", "SUB $SYS.ACCOUNT.A.> 1\r\nSUB $SYS.SERVER.*.CLIENT.AUTH.ERR 2\r\n");
  system.read_until("PONG\r\n");
  for (int i = 0; i < 4; ++i) {
    Client one(port(), "A");
    one.read_until("PONG\r\n");
    const std::string came = system.read_until("}}\r\n");
    EXPECT_NE(came.find("MSG $SYS.ACCOUNT.A.CONNECT 1 "), std::string::npos) << came;
    EXPECT_NE(came.find("\"name\":\"the A\""), std::string::npos) << came;
    EXPECT_NE(system.read_until("\"conns\":1,").find("MSG $SYS.ACCOUNT.A.SERVER.CONNS 1 "), std::string::npos);
    one.close();
    const std::string went = system.read_until("\"reason\":\"Client Closed\"}\r\n");
    EXPECT_NE(went.find("MSG $SYS.ACCOUNT.A.DISCONNECT 1 "), std::string::npos) << went;
    EXPECT_NE(system.read_until("\"conns\":0,").find("MSG $SYS.ACCOUNT.A.SERVER.CONNS 1 "), std::string::npos);
  }
  Client stranger(port(), "nobody");
  const std::string refused = system.read_until("\"reason\":\"Authentication Failure\"}\r\n");
  EXPECT_NE(refused.find("MSG $SYS.SERVER." + broker_->server_id() + ".CLIENT.AUTH.ERR 2 "), std::string::npos)
      << refused;
}

TEST_F(SystemServiceTest, kicks_a_client_on_whatever_thread_it_lives) {
  start(2);
  Client system(port(), "SYS", "SUB r 1\r\nSUB $SYS.ACCOUNT.A.DISCONNECT 2\r\n");
  system.read_until("PONG\r\n");
  for (const int cid : {2, 3}) {
    Client one(port(), "A");
    one.read_until("PONG\r\n");
    const std::string wish = "{\"cid\":" + std::to_string(cid) + "}";
    system.send("PUB $SYS.REQ.SERVER." + broker_->server_id() + ".KICK r " + std::to_string(wish.size()) + "\r\n" +
                wish + "\r\n");
    EXPECT_NE(system.read_until("\"reason\":\"Kicked\"}\r\n").find("\"id\":" + std::to_string(cid)), std::string::npos);
  }
}

TEST_F(SystemServiceTest, stops_with_requests_still_waiting) {
  start(2);
  Client system(port(), "SYS", "SUB r 1\r\n");
  system.read_until("PONG\r\n");
  std::string many;
  for (int i = 0; i < 3000; ++i) {
    many += "PUB $SYS.REQ.SERVER.PING.CONNZ r 0\r\n\r\n";
  }
  system.send(many);
  system.read_until("}\r\n");
  const Time before = now();
  broker_.reset();
  EXPECT_LT(now() - before, std::chrono::seconds(5));
}

}  // namespace
}  // namespace hawser::broker
