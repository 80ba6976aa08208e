// A lean NATS client for measurements, on libnats: as little work of its own as can be, so that what is measured is the path.
//
//   hawser_bench_client publish --url U --messages 1000000 --size 128
//   hawser_bench_client stream  --url U --sub-url V …      # one publisher, one subscriber, until all has arrived
//   hawser_bench_client request --url U --sub-url V …      # one requester, one responder that echoes, one at a time
//
// Prints one line of JSON: seconds, messages a second, CPU seconds of this process, latency percentiles in µs.
#include <nats/nats.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <semaphore>
#include <string>

#include "connection.hpp"
#include "latency_histogram.hpp"
#include "options.hpp"

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

void publish(natsConnection* to, const std::string& payload) {
  if (natsConnection_Publish(to, "bench.subject", payload.data(), static_cast<int>(payload.size())) != NATS_OK) {
    give_up("a publish was refused");
  }
}

void print(double seconds, double cpu, std::uint64_t messages, const hawser::load::LatencyHistogram& latency) {
  std::printf("{\"seconds\":%.6f,\"messages\":%llu,\"per_second\":%.1f,\"cpu_seconds\":%.4f,"
              "\"latency_us\":{\"p50\":%.2f,\"p90\":%.2f,\"p99\":%.2f,\"max\":%.2f}}\n",
              seconds, static_cast<unsigned long long>(messages), static_cast<double>(messages) / seconds, cpu,
              latency.percentile(0.5), latency.percentile(0.9), latency.percentile(0.99), latency.max());
}

int publish_only(const Work& work) {
  ClientEvents events;
  const auto connection = connect(work, work.url, "bench publisher", events);
  const std::string payload(work.size, 'b');
  const auto cpu = cpu_seconds();
  const auto began = Clock::now();
  for (std::uint64_t i = 0; i < work.messages; ++i) publish(connection.raw(), payload);
  if (!connection.flush(kLimit)) give_up("the flush was not answered");
  print(since(began), cpu_seconds() - cpu, work.messages, {});
  return 0;
}

// Counts down to the last message; the callback runs on libnats' delivery thread.
struct Arrival {
  std::uint64_t left;
  std::atomic<bool> warm{false};
  std::binary_semaphore done{0};

  static void on_message(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
    auto& self = *static_cast<Arrival*>(closure);
    if (natsMsg_GetDataLength(message) == 0) self.warm = true;
    else if (--self.left == 0) self.done.release();
    natsMsg_Destroy(message);
  }
};

int stream(const Work& work) {
  ClientEvents events;
  const auto subscriber = connect(work, work.sub_url, "bench subscriber", events);
  const auto publisher = connect(work, work.url, "bench publisher", events);
  Arrival arrival{work.messages};
  natsSubscription* subscription = nullptr;
  if (natsConnection_Subscribe(&subscription, subscriber.raw(), "bench.subject", Arrival::on_message, &arrival) != NATS_OK) {
    give_up("cannot subscribe");
  }
  natsSubscription_SetPendingLimits(subscription, -1, -1);
  static_cast<void>(subscriber.flush(kLimit));
  for (int i = 0; i < 1000 && !arrival.warm; ++i) {
    publish(publisher.raw(), {});
    nats_Sleep(10);
  }
  const std::string payload(work.size, 'b');
  const auto cpu = cpu_seconds();
  const auto began = Clock::now();
  for (std::uint64_t i = 0; i < work.messages; ++i) publish(publisher.raw(), payload);
  static_cast<void>(publisher.flush(kLimit));
  if (!arrival.done.try_acquire_for(kLimit)) give_up("not all messages arrived");
  print(since(began), cpu_seconds() - cpu, work.messages, {});
  natsSubscription_Destroy(subscription);
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

}  // namespace

int main(int argc, char** argv) {
  Work work;
  std::string mode;
  CLI::App app{"Measures a NATS path with libnats: publish, stream or request."};
  app.add_option("mode", mode)->required()->check(CLI::IsMember({"publish", "stream", "request"}));
  app.add_option("--url", work.url)->required();
  app.add_option("--sub-url", work.sub_url, "of the subscriber or responder; --url without it");
  app.add_option("--messages", work.messages);
  app.add_option("--size", work.size);
  app.add_option("--tls-ca", work.connection.tls.ca);
  app.add_option("--tls-cert", work.connection.tls.cert);
  app.add_option("--tls-key", work.connection.tls.key);
  CLI11_PARSE(app, argc, argv);
  if (work.sub_url.empty()) work.sub_url = work.url;
  work.connection.send_asap = mode == "request";
  const int code = mode == "publish" ? publish_only(work) : mode == "stream" ? stream(work) : request(work);
  nats_Close();
  return code;
}
