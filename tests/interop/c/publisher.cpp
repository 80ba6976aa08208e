// The publisher of ../README.md with nats.c.
#include <nats/nats.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

volatile std::sig_atomic_t stop_asked = 0;

struct Options {
  std::string url = "nats://127.0.0.1:4222", client = "c", subject = "numbers.c";
  std::int64_t count = 0;  // 0: until SIGTERM
  std::int64_t every = 50;
  std::int64_t size = 128;
  double rate = 0;  // messages a second; 0: as fast as it goes
  milliseconds flush_wait{30000}, last_wait{60000};
};

milliseconds seconds_of(const char* text) { return milliseconds(static_cast<std::int64_t>(std::strtod(text, nullptr) * 1000)); }

Options parsed(int argc, char** argv) {
  Options o;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const char* value = argv[i + 1];
    if (name == "--url") o.url = value;
    else if (name == "--client") o.client = value;
    else if (name == "--subject") o.subject = value;
    else if (name == "--count") o.count = std::atoll(value);
    else if (name == "--every") o.every = std::atoll(value);
    else if (name == "--size") o.size = std::atoll(value);
    else if (name == "--rate") o.rate = std::strtod(value, nullptr);
    else if (name == "--flush-wait") o.flush_wait = seconds_of(value);
    else if (name == "--last-wait") o.last_wait = seconds_of(value);
    else std::fprintf(stderr, "unknown option %s\n", argv[i]), std::exit(2);
  }
  return o;
}

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

class Publisher {
 public:
  explicit Publisher(const Options& options)
      : options_(options), pad_(static_cast<std::size_t>(std::max<std::int64_t>(0, options.size - 50)), 'x') {
    open();
  }

  // Connects for ever; a connection that the library gave up is replaced.
  void open() {
    for (connection_.reset(); !connection_; nats_Sleep(50)) {
      natsOptions* o = nullptr;
      natsOptions_Create(&o);
      const std::unique_ptr<natsOptions, decltype(&natsOptions_Destroy)> owned(o, natsOptions_Destroy);
      natsOptions_SetURL(o, options_.url.c_str());
      natsOptions_SetName(o, options_.client.c_str());
      natsOptions_SetMaxReconnect(o, -1);
      natsOptions_SetReconnectWait(o, 20);
      natsOptions_SetReconnectJitter(o, 10, 10);
      natsOptions_SetTimeout(o, 5000);
      natsOptions_SetErrorHandler(
          o, [](natsConnection*, natsSubscription*, natsStatus, void* self) { ++static_cast<Publisher*>(self)->errors_; }, this);
      natsConnection* connection = nullptr;
      if (natsConnection_Connect(&connection, o) == NATS_OK) connection_.reset(connection);
      else natsConnection_Destroy(connection);
    }
  }

  // Publishes first…last and flushes; nothing: all of it is confirmed.
  std::optional<std::string> batch(std::int64_t first, std::int64_t last, milliseconds wait) {
    const auto before = incidents();
    for (std::int64_t seq = first; seq <= last; ++seq) {
      const auto payload = R"({"client":")" + options_.client + R"(","seq":)" + std::to_string(seq) + R"(,"n":)" + std::to_string(++n_) +
                           R"(,"pad":")" + pad_ + "\"}";
      // What the library would keep for later could come after what it lost: nothing is published while it reconnects.
      if (natsConnection_Status(connection_.get()) != NATS_CONN_STATUS_CONNECTED) return "not connected";
      const auto status = natsConnection_Publish(connection_.get(), options_.subject.c_str(), payload.data(), static_cast<int>(payload.size()));
      if (status != NATS_OK) return natsStatus_GetText(status);
    }
    if (const auto status = natsConnection_FlushTimeout(connection_.get(), wait.count()); status != NATS_OK) return natsStatus_GetText(status);
    const char* text = nullptr;
    if (natsConnection_GetLastError(connection_.get(), &text) != NATS_OK) nats_Sleep(20);  // its handler runs on another thread
    if (incidents() != before) return "a reconnect or an error in between";
    return std::nullopt;
  }

  void wait_connected() {
    while (!closed() && natsConnection_Status(connection_.get()) != NATS_CONN_STATUS_CONNECTED) nats_Sleep(2);
  }
  bool closed() const { return natsConnection_IsClosed(connection_.get()); }

 private:
  // Changes when something happened after which nothing unconfirmed can be relied on.
  std::uint64_t incidents() const {
    natsStatistics* statistics = nullptr;
    natsStatistics_Create(&statistics);
    const std::unique_ptr<natsStatistics, decltype(&natsStatistics_Destroy)> owned(statistics, natsStatistics_Destroy);
    natsConnection_GetStats(connection_.get(), statistics);
    std::uint64_t reconnects = 0;
    natsStatistics_GetCounts(statistics, nullptr, nullptr, nullptr, nullptr, &reconnects);
    return reconnects + errors_;
  }

  Options options_;
  std::string pad_;
  std::unique_ptr<natsConnection, decltype(&natsConnection_Destroy)> connection_{nullptr, natsConnection_Destroy};
  std::atomic<std::uint64_t> errors_ = 0;
  std::int64_t n_ = 0;  // calls of natsConnection_Publish
};

}  // namespace

int main(int argc, char** argv) {
  const auto options = parsed(argc, argv);
  std::signal(SIGTERM, [](int) { stop_asked = 1; });
  Publisher publisher(options);
  say("ready");

  std::int64_t confirmed = 0;
  std::int64_t last = 0;  // of the batch under way
  std::optional<Clock::time_point> deadline;
  auto due = Clock::now();
  while (options.count == 0 || confirmed < options.count) {
    if (stop_asked != 0 && !deadline) deadline = Clock::now() + options.last_wait;
    if (deadline && (confirmed == last || Clock::now() > *deadline)) break;
    if (confirmed == last) last = options.count > 0 ? std::min(options.count, confirmed + options.every) : confirmed + options.every;
    const auto wait = deadline ? std::max(milliseconds(1), std::chrono::ceil<milliseconds>(*deadline - Clock::now())) : options.flush_wait;
    if (const auto failure = publisher.batch(confirmed + 1, last, wait)) {
      say("again " + std::to_string(confirmed + 1) + " " + *failure);
      publisher.wait_connected();
      if (publisher.closed()) {
        say("reopened");
        publisher.open();
      }
      nats_Sleep(5);
      continue;
    }
    confirmed = last;
    say("confirmed " + std::to_string(confirmed));
    if (options.rate > 0) {
      const std::chrono::duration<double> pause(static_cast<double>(options.every) / options.rate);
      due = std::max(due + std::chrono::duration_cast<Clock::duration>(pause), Clock::now());
      std::this_thread::sleep_until(due);
    }
  }
  say("done " + std::to_string(confirmed) + " " + std::to_string(last));
  return confirmed < last ? 1 : 0;
}
