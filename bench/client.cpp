// A lean NATS client for measurements, on libnats: as little work of its own as can be, so that what is measured is the path.
//
//   hawser_bench_client publish --url U --messages 1000000 --size 128
//   hawser_bench_client stream  --url U --sub-url V …      # one publisher, --subscribers N, until all has arrived
//   hawser_bench_client request --url U --sub-url V …      # one requester, one responder that echoes, one at a time
//   hawser_bench_client connect --url U --messages 1000    # as many connections, one after the other; --resume
//   hawser_bench_client idle    --url U --messages 2000    # as many at once; says "ready", until its input ends
//
// Prints one line of JSON: seconds, messages a second, CPU seconds of this process, latency percentiles in µs.
#include <nats/nats.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <deque>
#include <semaphore>
#include <string>
#include <vector>

#include "connection.hpp"
#include "latency_histogram.hpp"
#include "options.hpp"
#include "raw_link.hpp"

namespace {

using hawser::load::ClientEvents;
using hawser::load::Connection;
using Clock = std::chrono::steady_clock;

constexpr auto kLimit = std::chrono::minutes(5);

struct Work {
  hawser::load::Options connection;
  std::string url;
  std::string sub_url;
  std::uint64_t messages = 100000;
  std::size_t size = 128;
  std::size_t subscribers = 1;
  bool headers = false;
  bool resume = false;
};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double since(Clock::time_point began) { return std::chrono::duration<double>(Clock::now() - began).count(); }

// What every mode needs to say; exits the program when the path is not there, since nothing could be measured.
[[noreturn]] void give_up(const std::string& reason) {
  std::fprintf(stderr, "%s\n", reason.c_str());
  std::exit(3);
}

Connection connect(const Work& work, const std::string& url, const char* name, ClientEvents& events) {
  auto connection = Connection::open(work.connection, url, name, events);
  if (!connection) give_up(connection.error());
  return std::move(*connection);
}

// Publishes the same message again and again.
class Publisher {
 public:
  Publisher(natsConnection* to, const Work& work) : to_(to), payload_(work.size, 'b') {
    if (work.headers && (natsMsg_Create(&message_, kSubject, nullptr, payload_.data(), size()) != NATS_OK ||
                         natsMsgHeader_Set(message_, "Trace", "4bf92f3577b34da6a3ce929d0e0e4736") != NATS_OK)) {
      give_up("cannot make a message with a header");
    }
  }
  ~Publisher() { natsMsg_Destroy(message_); }
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  void publish() const {
    const natsStatus done = message_ != nullptr ? natsConnection_PublishMsg(to_, message_)
                                                : natsConnection_Publish(to_, kSubject, payload_.data(), size());
    if (done != NATS_OK) give_up("a publish was refused");
  }
  void publish_empty() const { natsConnection_Publish(to_, kSubject, nullptr, 0); }

  static constexpr const char* kSubject = "bench.subject";

 private:
  [[nodiscard]] int size() const { return static_cast<int>(payload_.size()); }

  natsConnection* to_;
  std::string payload_;
  natsMsg* message_ = nullptr;
};

void print(double seconds, double cpu, std::uint64_t messages, const hawser::load::LatencyHistogram& latency) {
  std::printf("{\"seconds\":%.6f,\"messages\":%llu,\"per_second\":%.1f,\"cpu_seconds\":%.4f,"
              "\"latency_us\":{\"p50\":%.2f,\"p90\":%.2f,\"p99\":%.2f,\"max\":%.2f}}\n",
              seconds, static_cast<unsigned long long>(messages), static_cast<double>(messages) / seconds, cpu,
              latency.percentile(0.5), latency.percentile(0.9), latency.percentile(0.99), latency.max());
}

int publish_only(const Work& work) {
  ClientEvents events;
  const auto connection = connect(work, work.url, "bench publisher", events);
  const Publisher publisher(connection.raw(), work);
  const auto cpu = cpu_seconds();
  const auto began = Clock::now();
  for (std::uint64_t i = 0; i < work.messages; ++i) publisher.publish();
  if (!connection.flush(kLimit)) give_up("the flush was not answered");
  print(since(began), cpu_seconds() - cpu, work.messages, {});
  return 0;
}

// One subscriber: counts what arrives, on libnats' delivery thread.
struct Arrival {
  std::uint64_t wanted;
  std::atomic<std::uint64_t> count{0};
  std::atomic<bool> warm{false};
  std::binary_semaphore done{0};

  static void on_message(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
    auto& self = *static_cast<Arrival*>(closure);
    if (natsMsg_GetDataLength(message) == 0) {
      self.warm = true;
    } else {
      const auto count = self.count.load(std::memory_order_relaxed) + 1;
      self.count.store(count, std::memory_order_relaxed);
      if (count == self.wanted) self.done.release();
    }
    natsMsg_Destroy(message);
  }
};

struct Listener {
  Connection connection;
  Arrival arrival;
  natsSubscription* subscription = nullptr;

  Listener(Connection over, std::uint64_t wanted) : connection(std::move(over)), arrival{wanted} {
    if (natsConnection_Subscribe(&subscription, connection.raw(), Publisher::kSubject, Arrival::on_message, &arrival) != NATS_OK) {
      give_up("cannot subscribe");
    }
    natsSubscription_SetPendingLimits(subscription, -1, -1);
    static_cast<void>(connection.flush(kLimit));
  }
  ~Listener() { natsSubscription_Destroy(subscription); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
};

// Not so far ahead of the slowest that the server cuts it off: what is measured is delivery, not that.
void wait_for_the_slowest(const std::deque<Listener>& listeners, std::uint64_t published, std::uint64_t window) {
  for (const Listener& listener : listeners) {
    while (published - listener.arrival.count.load(std::memory_order_relaxed) > window) nats_Sleep(1);
  }
}

int stream(const Work& work) {
  constexpr std::uint64_t kInFlight = 16U << 20U;  // bytes
  constexpr std::uint64_t kLookEvery = 256;
  ClientEvents events;
  std::deque<Listener> listeners;
  for (std::size_t i = 0; i < work.subscribers; ++i) {
    listeners.emplace_back(connect(work, work.sub_url, "bench subscriber", events), work.messages);
  }
  const auto connection = connect(work, work.url, "bench publisher", events);
  const Publisher publisher(connection.raw(), work);
  for (const Listener& listener : listeners) {
    for (int i = 0; i < 1000 && !listener.arrival.warm; ++i) {
      publisher.publish_empty();
      nats_Sleep(10);
    }
  }
  const std::uint64_t window = kInFlight / (work.size + 64);
  const auto cpu = cpu_seconds();
  const auto began = Clock::now();
  for (std::uint64_t i = 0; i < work.messages; ++i) {
    if (i % kLookEvery == 0) wait_for_the_slowest(listeners, i, window);
    publisher.publish();
  }
  static_cast<void>(connection.flush(kLimit));
  for (Listener& listener : listeners) {
    if (!listener.arrival.done.try_acquire_for(kLimit)) give_up("not all messages arrived");
  }
  print(since(began), cpu_seconds() - cpu, work.messages, {});
  return 0;
}

void echo(natsConnection* connection, natsSubscription*, natsMsg* message, void*) {
  natsConnection_Publish(connection, natsMsg_GetReply(message), natsMsg_GetData(message), natsMsg_GetDataLength(message));
  natsMsg_Destroy(message);
}

int request(const Work& work) {
  ClientEvents events;
  const auto responder = connect(work, work.sub_url, "bench responder", events);
  const auto requester = connect(work, work.url, "bench requester", events);
  natsSubscription* subscription = nullptr;
  if (natsConnection_Subscribe(&subscription, responder.raw(), "bench.request", echo, nullptr) != NATS_OK) {
    give_up("cannot subscribe");
  }
  static_cast<void>(responder.flush(kLimit));
  const std::string payload(work.size, 'b');
  const auto ask = [&] {
    natsMsg* reply = nullptr;
    const auto status =
        natsConnection_Request(&reply, requester.raw(), "bench.request", payload.data(), static_cast<int>(payload.size()), 10000);
    natsMsg_Destroy(reply);
    return status == NATS_OK;
  };
  const auto warm_requests = work.messages / 10 + 1;
  for (std::uint64_t i = 0; i < warm_requests; ++i) ask();
  hawser::load::LatencyHistogram latency;
  const auto cpu = cpu_seconds();
  const auto began = Clock::now();
  for (std::uint64_t i = 0; i < work.messages; ++i) {
    const auto asked = Clock::now();
    if (!ask()) give_up("a request had no reply");
    latency.record(Clock::now() - asked);
  }
  print(since(began), cpu_seconds() - cpu, work.messages, latency);
  natsSubscription_Destroy(subscription);
  return 0;
}

hawser::bench::TlsContext tls_of(const Work& work) {
  if (!work.url.starts_with("tls://")) return nullptr;
  auto tls = hawser::bench::open_tls(work.connection.tls.ca, work.connection.tls.cert, work.connection.tls.key);
  if (!tls) give_up("cannot use the TLS files");
  return tls;
}

hawser::bench::RawLink open_raw(const Work& work, SSL_CTX* tls, SSL_SESSION* session = nullptr) {
  auto link = hawser::bench::RawLink::open(work.url, tls, session);
  if (!link) give_up(link.error());
  return std::move(*link);
}

int connect_often(const Work& work) {
  const auto tls = tls_of(work);
  auto session = open_raw(work, tls.get()).session();
  std::uint64_t resumed = 0;
  const auto cpu = cpu_seconds();
  const auto began = Clock::now();
  for (std::uint64_t i = 0; i < work.messages; ++i) {
    const auto link = open_raw(work, tls.get(), work.resume ? session.get() : nullptr);
    resumed += link.resumed() ? 1U : 0U;
    if (work.resume) session = link.session();
  }
  if (work.resume && resumed != work.messages) give_up("only " + std::to_string(resumed) + " handshakes were resumed");
  print(since(began), cpu_seconds() - cpu, work.messages, {});
  return 0;
}

int hold_idle(const Work& work) {
  const auto tls = tls_of(work);
  std::vector<hawser::bench::RawLink> links;
  for (std::uint64_t i = 0; i < work.messages; ++i) {
    links.push_back(open_raw(work, tls.get()));
    if (!links.back().subscribe("idle." + std::to_string(i))) give_up("a subscription was not answered");
  }
  std::puts("ready");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Work work;
  std::string mode;
  CLI::App app{"Measures a NATS path with libnats: publish, stream, request, connect or idle."};
  app.add_option("mode", mode)->required()->check(CLI::IsMember({"publish", "stream", "request", "connect", "idle"}));
  app.add_option("--url", work.url)->required();
  app.add_option("--sub-url", work.sub_url, "of the subscriber or responder; --url without it");
  app.add_option("--messages", work.messages);
  app.add_option("--size", work.size);
  app.add_option("--subscribers", work.subscribers, "each on a connection of its own");
  app.add_flag("--headers", work.headers, "each message has one");
  app.add_flag("--resume", work.resume, "connect with the session of the connection before");
  app.add_option("--tls-ca", work.connection.tls.ca);
  app.add_option("--tls-cert", work.connection.tls.cert);
  app.add_option("--tls-key", work.connection.tls.key);
  CLI11_PARSE(app, argc, argv);
  if (work.sub_url.empty()) work.sub_url = work.url;
  work.connection.send_asap = mode == "request";
  const int code = mode == "publish"   ? publish_only(work)
                   : mode == "stream"  ? stream(work)
                   : mode == "request" ? request(work)
                   : mode == "connect" ? connect_often(work)
                                       : hold_idle(work);
  nats_Close();
  return code;
}
