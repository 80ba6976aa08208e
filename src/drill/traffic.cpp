#include "drill/traffic.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <future>
#include <iterator>
#include <optional>

#include "drill/plain_client.hpp"
#include "wire/writer.hpp"

namespace hawser::drill {

namespace {

using namespace std::chrono_literals;

constexpr Duration kTick = 5ms;
constexpr Duration kMoment = 100ms;
constexpr std::size_t kMoments = 36'000;         // an hour; later ones are not kept
constexpr double kCatchUp = 0.2;                 // seconds of traffic that may be made up for at once
constexpr std::size_t kUnsentBytes = 1UL << 20;  // of a client: beyond it, nothing more is published

struct Flow {
  std::string subject;
  std::size_t from = 0;
  std::size_t to = 0;
  std::uint64_t sent = 0;
  std::uint64_t asked = 0;    // up to it, a flush is under way
  std::uint64_t flushed = 0;  // up to it, one has been answered
  double credit = 0;          // messages that are due
  bool heard = false;
  FlowCount count;
  std::optional<Duration> longest_from;  // while its publisher's agent is watched
  std::optional<Duration> longest_to;    // while its subscriber's is
};

// "12 345678901 .....": its number, and when it was sent.
std::string payload_of(std::uint64_t number, std::size_t bytes) {
  std::string text = fmt::format("{} {} ", number, now().time_since_epoch().count());
  text.resize(std::max(text.size(), bytes), '.');
  return text;
}

struct Numbered {
  std::uint64_t number = 0;
  Time sent;
};

std::optional<Numbered> parse_payload(std::string_view text) {
  Numbered out;
  const char* const end = text.data() + text.size();
  const auto [number_end, bad_number] = std::from_chars(text.data(), end, out.number);
  Duration::rep since = 0;
  if (bad_number != std::errc() || number_end == end || std::from_chars(number_end + 1, end, since).ec != std::errc()) {
    return std::nullopt;
  }
  out.sent = Time(Duration(since));
  return out;
}

// Each neighbour to the next and back. A pair has two ways and no more; one alone speaks to itself.
std::vector<Flow> flows_between(std::size_t agents) {
  std::vector<Flow> flows;
  const auto add = [&flows](std::size_t from, std::size_t to) {
    Flow flow;
    flow.subject = fmt::format("drill.{}.{}", from + 1, to + 1);
    flow.from = from;
    flow.to = to;
    flows.push_back(std::move(flow));
  };
  if (agents == 1) {
    add(0, 0);
  }
  for (std::size_t i = 0; agents > 1 && i < (agents == 2 ? 1 : agents); ++i) {
    add(i, (i + 1) % agents);
    add((i + 1) % agents, i);
  }
  return flows;
}

}  // namespace

// All of it belongs to the traffic's thread.
struct Traffic::Parts {
  struct Publisher final : PlainClientUser {
    Publisher(Parts& whole, std::size_t at) : parts(whole), agent(at) {}
    void on_ready(PlainClient& ready) override {
      flushing = false;
      parts.send_again(agent, ready);
    }
    void on_pong(PlainClient&) override {
      flushing = false;
      parts.flushed(agent);
    }
    void on_down(PlainClient&) override { flushing = false; }

    Parts& parts;
    std::size_t agent;
    bool flushing = false;
    std::unique_ptr<PlainClient> client{};
  };

  struct Subscriber final : PlainClientUser {
    Subscriber(Parts& whole, std::size_t at) : parts(whole), agent(at) {}
    void on_ready(PlainClient&) override {}
    void on_message(std::string_view sid, std::string_view payload) override { parts.take(sid, payload); }
    void on_down(PlainClient&) override { parts.left(agent); }

    Parts& parts;
    std::size_t agent;
    std::unique_ptr<PlainClient> client{};
  };

  Parts(net::Reactor& reactor, net::Resolver& resolver, TrafficOptions wanted)
      : options(std::move(wanted)), flows(flows_between(options.ports.size())), tick(reactor, [this] { on_tick(); }) {
    for (std::size_t i = 0; i < options.ports.size(); ++i) {
      std::string interest;
      for (std::size_t flow = 0; flow < flows.size(); ++flow) {
        if (flows[flow].to == i) {
          wire::append_sub(interest, flows[flow].subject, "", std::to_string(flow));
        }
      }
      subscribers.push_back(std::make_unique<Subscriber>(*this, i));
      publishers.push_back(std::make_unique<Publisher>(*this, i));
      const std::uint16_t port = options.ports[i];
      subscribers[i]->client = std::make_unique<PlainClient>(
          reactor, resolver,
          PlainClientOptions{.port = port, .name = fmt::format("drill-subscriber-{}", i + 1), .hello = interest},
          *subscribers[i]);
      publishers[i]->client = std::make_unique<PlainClient>(
          reactor, resolver,
          PlainClientOptions{.port = port, .name = fmt::format("drill-publisher-{}", i + 1), .hello = {}},
          *publishers[i]);
    }
    tick.start(kTick);
  }

  void on_tick() {
    const Time at = now();
    const double seconds = std::chrono::duration<double>(at - last_tick).count();
    last_tick = at;
    for (const auto& publisher : publishers) {
      if (publisher->client->ready() && publisher->client->unsent() < kUnsentBytes) {
        publish(*publisher, seconds);
      }
    }
    tick.start(kTick);
  }

  void publish(Publisher& publisher, double seconds) {
    std::string frames;
    bool unflushed = false;
    for (Flow& flow : flows) {
      if (flow.from != publisher.agent) {
        continue;
      }
      if (publishing && flowing()) {
        flow.credit = std::min(flow.credit + seconds * options.rate, options.rate * kCatchUp + 1);
        for (; flow.credit >= 1; flow.credit -= 1) {
          append(frames, flow, ++flow.sent);
          ++moment().sent;
        }
      } else if (publishing && !flow.heard) {
        append(frames, flow, 0);
      }
      unflushed = unflushed || flow.flushed < flow.sent;
    }
    if (unflushed && !publisher.flushing) {
      publisher.flushing = true;
      for (Flow& flow : flows) {
        flow.asked = flow.from == publisher.agent ? flow.sent : flow.asked;
      }
      frames += wire::kPing;
    }
    if (!frames.empty()) {
      publisher.client->write(frames);
    }
  }

  void append(std::string& frames, const Flow& flow, std::uint64_t number) const {
    wire::append_pub(frames, flow.subject, "", payload_of(number, options.payload_bytes));
  }

  // What no flush has confirmed may not have been taken.
  void send_again(std::size_t agent, PlainClient& client) {
    std::string frames;
    for (const Flow& flow : flows) {
      for (std::uint64_t number = flow.flushed + 1; flow.from == agent && number <= flow.sent; ++number) {
        append(frames, flow, number);
      }
    }
    client.write(frames);
  }

  void flushed(std::size_t agent) {
    for (Flow& flow : flows) {
      flow.flushed = flow.from == agent ? flow.asked : flow.flushed;
    }
  }

  void left(std::size_t agent) {
    for (Flow& flow : flows) {
      if (flow.to == agent) {
        flow.count.was_away();
      }
    }
  }

  void take(std::string_view sid, std::string_view payload) {
    std::size_t number = flows.size();
    std::from_chars(sid.data(), sid.data() + sid.size(), number);
    const auto message = parse_payload(payload);
    if (!message || number >= flows.size()) {
      return;
    }
    Flow& flow = flows[number];
    flow.heard = true;
    if (message->number == 0) {
      return;  // only to see that the way is open
    }
    flow.count.see(message->number);
    const Duration took = now() - message->sent;
    for (std::optional<Duration>* longest : {&flow.longest_from, &flow.longest_to}) {
      if (*longest) {
        **longest = std::max(**longest, took);
      }
    }
    Moment& when = moment();
    ++when.delivered;
    when.longest = std::max(when.longest, took);
  }

  [[nodiscard]] bool flowing() const {
    return std::all_of(flows.begin(), flows.end(), [](const Flow& flow) { return flow.heard; });
  }

  [[nodiscard]] bool settled() const {
    return std::all_of(flows.begin(), flows.end(),
                       [](const Flow& flow) { return flow.flushed == flow.sent && flow.count.complete(flow.sent); });
  }

  // That of now.
  Moment& moment() {
    const auto wall = std::chrono::floor<std::chrono::milliseconds>(wall_now()).time_since_epoch().count();
    const auto length = std::chrono::duration_cast<std::chrono::milliseconds>(kMoment).count();
    const std::int64_t at = wall / length * length;
    while ((moments.empty() || moments.back().at_ms < at) && moments.size() < kMoments) {
      moments.push_back({.at_ms = moments.empty() ? at : moments.back().at_ms + length});
    }
    return moments.back();
  }

  [[nodiscard]] TrafficReport report() const {
    TrafficReport out{.all = {}, .flows = {}, .moments = moments};
    for (const Flow& flow : flows) {
      out.flows.push_back({flow.subject, flow.from, flow.to, flow.count.counts(flow.sent)});
      out.all += out.flows.back().counts;
    }
    return out;
  }

  TrafficOptions options;
  std::vector<Flow> flows;
  std::vector<Moment> moments;
  bool publishing = true;
  Time last_tick = now();
  std::vector<std::unique_ptr<Subscriber>> subscribers;
  std::vector<std::unique_ptr<Publisher>> publishers;
  net::Timer tick;
};

Result<std::unique_ptr<Traffic>> Traffic::start(TrafficOptions options) {
  auto reactor = net::Reactor::create();
  if (!reactor) {
    return fail(Errc::drill_impossible, reactor.error().message());
  }
  std::unique_ptr<Traffic> traffic(new Traffic(nullptr));
  traffic->reactor_ = std::move(*reactor);
  traffic->resolver_ = std::make_unique<net::Resolver>();
  traffic->parts_ = std::make_unique<Parts>(*traffic->reactor_, *traffic->resolver_, std::move(options));
  traffic->thread_ = std::thread([loop = traffic->reactor_.get()] { loop->run(); });
  return traffic;
}

Traffic::Traffic(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Traffic::~Traffic() {
  if (thread_.joinable()) {
    reactor_->stop();
    thread_.join();
  }
  resolver_->stop();
  parts_.reset();
  reactor_->turn(Duration::zero());  // what was retired
}

void Traffic::ask(const std::function<void(Parts&)>& question) {
  std::promise<void> answered;
  reactor_->post([&] {
    question(*parts_);
    answered.set_value();
  });
  answered.get_future().wait();
}

bool Traffic::flowing() {
  bool out = false;
  ask([&out](Parts& parts) { out = parts.flowing(); });
  return out;
}

void Traffic::stop_publishing() {
  ask([](Parts& parts) { parts.publishing = false; });
}

bool Traffic::settled() {
  bool out = false;
  ask([&out](Parts& parts) { out = parts.settled(); });
  return out;
}

TrafficReport Traffic::report() {
  TrafficReport out;
  ask([&out](Parts& parts) { out = parts.report(); });
  return out;
}

void Traffic::set_broken(std::size_t agent, bool broken) {
  ask([=](Parts& parts) {
    for (Flow& flow : parts.flows) {
      if (flow.from == agent || flow.to == agent) {
        flow.count.set_broken(broken);
      }
    }
  });
}

void Traffic::watch(std::size_t agent) {
  ask([agent](Parts& parts) {
    for (Flow& flow : parts.flows) {
      flow.longest_from = flow.from == agent ? Duration::zero() : flow.longest_from;
      flow.longest_to = flow.to == agent ? Duration::zero() : flow.longest_to;
    }
  });
}

std::vector<Duration> Traffic::stop_watching(std::size_t agent) {
  std::vector<Duration> out;
  ask([&out, agent](Parts& parts) {
    for (Flow& flow : parts.flows) {
      if (flow.from == agent && flow.longest_from) {
        out.push_back(*std::exchange(flow.longest_from, std::nullopt));
      }
      if (flow.to == agent && flow.longest_to) {
        const Duration longest = *std::exchange(flow.longest_to, std::nullopt);
        if (flow.from != agent) {
          out.push_back(longest);
        }
      }
    }
  });
  return out;
}

}  // namespace hawser::drill
