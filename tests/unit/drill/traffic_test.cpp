// The traffic against a small server that loses, repeats and holds back what it is told to: each shows in the counts.
#include "drill/traffic.hpp"

#include <atomic>
#include <functional>
#include <gtest/gtest.h>
#include <list>
#include <map>
#include <thread>

#include "net/listener.hpp"
#include "net/loop.hpp"
#include "wire/parser.hpp"
#include "wire/writer.hpp"

namespace hawser::drill {
namespace {

using namespace std::chrono_literals;

enum class Fate { once, never, twice, late };  // late: behind the next one

// Takes plain NATS clients on loopback and passes messages on; `fate` decides of each that has a number.
class Relay {
 public:
  explicit Relay(std::function<Fate(std::uint64_t number)> fate) : fate_(std::move(fate)) {
    open(*net::Address::parse("127.0.0.1:0"));
    thread_ = std::thread([this] { reactor_->run(); });
  }
  ~Relay() {
    reactor_->stop();
    thread_.join();
    drop_all();
    listener_->close();
    reactor_->retire(std::move(listener_));
    reactor_->turn(Duration::zero());
  }

  [[nodiscard]] std::uint16_t port() const { return address_.port(); }
  // All clients lose their connections; they may come back at once.
  void drop_clients() {
    reactor_->post([this] { drop_all(); });
  }

 private:
  struct Client final : net::StreamOwner {
    Client(Relay& of, net::Fd fd) : relay(of), stream(std::make_unique<net::Stream>(*of.reactor_, *this)) {
      EXPECT_TRUE(stream->adopt(std::move(fd)).has_value());
      stream->write("INFO {\"server_id\":\"R\",\"version\":\"2.9.10\",\"max_payload\":1048576,\"proto\":1}\r\n");
    }
    std::size_t on_data(net::Stream&, std::string_view bytes) override {
      std::size_t used = 0;
      for (wire::Frame frame; parser.next(bytes.substr(used), frame) == wire::Parser::Status::frame;) {
        used += frame.raw.size();
        relay.take(*this, frame);
      }
      return used;
    }
    void on_closed(net::Stream&, const Error&) override { subscriptions.clear(); }

    Relay& relay;
    wire::Parser parser{wire::Peer::client};
    std::unique_ptr<net::Stream> stream;
    std::map<std::string, std::string, std::less<>> subscriptions;  // subject to sid
  };

  void open(const net::Address& at) {
    listener_ = net::test::must(net::Listener::open(
        *reactor_, at, [this](net::Fd fd, const net::Address&) { clients_.emplace_back(*this, std::move(fd)); }));
    address_ = listener_->address();
  }

  void take(Client& from, const wire::Frame& frame) {
    if (frame.op == wire::Op::ping) {
      from.stream->write(wire::kPong);
    } else if (frame.op == wire::Op::sub) {
      from.subscriptions.emplace(frame.subject, frame.sid);
    } else if (frame.op == wire::Op::pub) {
      const std::uint64_t number = std::strtoull(std::string(frame.payload.substr(0, 20)).c_str(), nullptr, 10);
      const Fate fate = number == 0 ? Fate::once : fate_(number);
      const std::pair<std::string, std::string> message(frame.subject, frame.payload);
      if (fate == Fate::late) {
        held_.push_back(message);
        return;
      }
      for (int i = 0; i < (fate == Fate::never ? 0 : fate == Fate::twice ? 2 : 1); ++i) {
        give(message);
      }
      for (const auto& late : std::exchange(held_, {})) {
        give(late);
      }
    }
  }

  void give(const std::pair<std::string, std::string>& message) {
    for (Client& client : clients_) {
      const auto found = client.subscriptions.find(message.first);
      if (found != client.subscriptions.end() && client.stream->is_open()) {
        std::string out;
        wire::append_msg(out, message.first, found->second, "", message.second);
        client.stream->write(out);
      }
    }
  }

  void drop_all() {
    for (Client& client : clients_) {
      client.stream->close();
      client.subscriptions.clear();
    }
  }

  const std::function<Fate(std::uint64_t)> fate_;
  std::unique_ptr<net::Reactor> reactor_ = net::test::must(net::Reactor::create());
  std::unique_ptr<net::Listener> listener_;
  net::Address address_;
  std::list<Client> clients_;
  std::vector<std::pair<std::string, std::string>> held_;
  std::thread thread_;
};

bool within(Duration at_most, const std::function<bool()>& there) {
  const Time until = now() + at_most;
  while (!there() && now() < until) {
    std::this_thread::sleep_for(1ms);
  }
  return there();
}

struct TrafficTest : ::testing::Test {
  std::unique_ptr<Traffic> traffic;

  void start(const Relay& relay, std::size_t agents = 1) {
    traffic = net::test::must(
        Traffic::start({.ports = std::vector<std::uint16_t>(agents, relay.port()), .rate = 500, .payload_bytes = 64}));
    ASSERT_TRUE(within(10s, [this] { return traffic->flowing(); }));
  }
  // Once so many have been sent in all, nothing more is.
  Counts stop_after(std::uint64_t messages) {
    EXPECT_TRUE(within(20s, [&] { return traffic->report().all.sent >= messages; }));
    traffic->stop_publishing();
    static_cast<void>(within(2s, [this] { return traffic->settled(); }));
    return traffic->report().all;
  }
};

TEST_F(TrafficTest, what_is_passed_on_once_is_counted_once_and_the_moments_add_up) {
  Relay relay([](std::uint64_t) { return Fate::once; });
  start(relay, 3);
  const Counts all = stop_after(300);
  EXPECT_TRUE(traffic->settled());
  EXPECT_EQ(all, (Counts{.sent = all.sent, .delivered = all.sent}));
  const TrafficReport report = traffic->report();
  EXPECT_EQ(report.flows.size(), 6U) << "each to its neighbours, both ways";
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  for (const Moment& moment : report.moments) {
    sent += moment.sent;
    delivered += moment.delivered;
  }
  EXPECT_EQ(sent, all.sent);
  EXPECT_EQ(delivered, all.delivered);
}

TEST_F(TrafficTest, what_is_not_passed_on_is_lost) {
  Relay relay([](std::uint64_t number) { return number % 10 == 0 ? Fate::never : Fate::once; });
  start(relay);
  const Counts all = stop_after(100);
  EXPECT_FALSE(traffic->settled());
  EXPECT_EQ(all.lost, all.sent / 10);
  EXPECT_EQ(all.delivered, all.sent - all.lost);
}

TEST_F(TrafficTest, what_is_passed_on_twice_is_a_repeat) {
  Relay relay([](std::uint64_t number) { return number % 10 == 0 ? Fate::twice : Fate::once; });
  start(relay);
  const Counts all = stop_after(100);
  EXPECT_EQ(all, (Counts{.sent = all.sent, .delivered = all.sent, .duplicated = all.sent / 10}));
}

TEST_F(TrafficTest, what_is_passed_on_behind_the_next_one_is_out_of_order) {
  Relay relay([](std::uint64_t number) { return number % 10 == 5 ? Fate::late : Fate::once; });
  start(relay);
  stop_after(100);
  const Counts all = traffic->report().all;
  EXPECT_GE(all.reordered, all.sent / 10 - 1);
  EXPECT_EQ(all.duplicated, 0U);
}

TEST_F(TrafficTest, a_client_that_loses_its_connection_comes_back_and_sends_again_what_is_not_flushed) {
  Relay relay([](std::uint64_t) { return Fate::once; });
  start(relay);
  ASSERT_TRUE(within(10s, [&] { return traffic->report().all.sent > 50; }));
  relay.drop_clients();
  const std::uint64_t before = traffic->report().all.sent;
  const Counts all = stop_after(before + 100);
  EXPECT_TRUE(traffic->settled());
  EXPECT_EQ(all.lost, 0U) << "what was sent while the subscriber was away is not";
  EXPECT_EQ(all.delivered + all.away, all.sent);
}

TEST_F(TrafficTest, the_longest_way_of_each_flow_is_that_of_its_time_only) {
  std::atomic<bool> hold = false;
  Relay relay([&hold](std::uint64_t) { return hold ? Fate::late : Fate::once; });
  start(relay, 2);
  traffic->watch(0);
  hold = true;
  std::this_thread::sleep_for(200ms);  // what is held back for so long, has so long a way
  hold = false;
  ASSERT_TRUE(within(5s, [&] {
    const Counts all = traffic->report().all;
    return all.reordered > 0;
  }));
  const std::vector<Duration> longest = traffic->stop_watching(0);
  ASSERT_EQ(longest.size(), 2U) << "a flow from it and one to it";
  EXPECT_GE(*std::max_element(longest.begin(), longest.end()), 150ms);
  EXPECT_TRUE(traffic->stop_watching(0).empty());
}

}  // namespace
}  // namespace hawser::drill
