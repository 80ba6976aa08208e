// The checks of ../README.md with nats.c.
#include <nats/nats.h>

#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int kLimitMs = 10000;
std::string url;

// A check ends with an exception: this is a program of checks, not of the product.
void must(natsStatus status, const char* doing) {
  if (status != NATS_OK) throw std::runtime_error(std::string(doing) + ": " + natsStatus_GetText(status));
}
void must(bool so, const std::string& what) {
  if (!so) throw std::runtime_error(what);
}

using Connection = std::unique_ptr<natsConnection, decltype(&natsConnection_Destroy)>;
using Subscription = std::unique_ptr<natsSubscription, decltype(&natsSubscription_Destroy)>;
using Message = std::unique_ptr<natsMsg, decltype(&natsMsg_Destroy)>;

Connection open(const std::function<void(natsOptions*)>& change = {}) {
  natsOptions* options = nullptr;
  must(natsOptions_Create(&options), "options");
  const std::unique_ptr<natsOptions, decltype(&natsOptions_Destroy)> owned(options, natsOptions_Destroy);
  must(natsOptions_SetURL(options, url.c_str()), "url");
  must(natsOptions_SetName(options, "interop-c"), "name");
  if (change) change(options);
  natsConnection* connection = nullptr;
  must(natsConnection_Connect(&connection, options), "connect");
  return {connection, natsConnection_Destroy};
}

Subscription subscribe(const Connection& c, const char* subject) {
  natsSubscription* subscription = nullptr;
  must(natsConnection_SubscribeSync(&subscription, c.get(), subject), "subscribe");
  return {subscription, natsSubscription_Destroy};
}

Message next(const Subscription& subscription) {
  natsMsg* message = nullptr;
  must(natsSubscription_NextMsg(&message, subscription.get(), kLimitMs), "next message");
  return {message, natsMsg_Destroy};
}

std::string_view data(const natsMsg* message) {
  return {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))};
}

void publish(const Connection& c, const char* subject, const std::string& payload) {
  must(natsConnection_Publish(c.get(), subject, payload.data(), static_cast<int>(payload.size())), "publish");
}

void flush(const Connection& c) { must(natsConnection_FlushTimeout(c.get(), kLimitMs), "flush"); }

// What asynchronous subscriptions saw, by payload.
struct Seen {
  std::mutex mutex;
  std::map<std::string, int> counts;
  int total() {
    const std::scoped_lock lock(mutex);
    int sum = 0;
    for (const auto& [_, n] : counts) sum += n;
    return sum;
  }
};

void count(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
  auto& seen = *static_cast<Seen*>(closure);
  {
    const std::scoped_lock lock(seen.mutex);
    ++seen.counts[std::string(data(message))];
  }
  natsMsg_Destroy(message);
}

void publish_and_subscribe(const Connection& c) {
  const auto sub = subscribe(c, "c.plain.*");
  for (int i = 0; i < 100; ++i) publish(c, "c.plain.x", std::to_string(i));
  for (int i = 0; i < 100; ++i) must(data(next(sub).get()) == std::to_string(i), "out of order");
}

void between_connections(const Connection& c) {
  const auto other = open();
  const auto sub = subscribe(other, "c.between.>");
  flush(other);
  publish(c, "c.between.a.b", "across");
  const auto message = next(sub);
  must(data(message.get()) == "across" && std::string_view(natsMsg_GetSubject(message.get())) == "c.between.a.b", "changed");
}

void queue_group(const Connection& c) {
  Seen seen;
  std::vector<Connection> members;
  std::vector<Subscription> subscriptions;
  for (int i = 0; i < 3; ++i) {
    members.push_back(open());
    natsSubscription* sub = nullptr;
    must(natsConnection_QueueSubscribe(&sub, members.back().get(), "c.work", "group", count, &seen), "subscribe");
    subscriptions.emplace_back(sub, natsSubscription_Destroy);
    flush(members.back());
  }
  for (int i = 0; i < 300; ++i) publish(c, "c.work", std::to_string(i));
  flush(c);
  for (int look = 0; look < kLimitMs / 10 && seen.total() < 300; ++look) nats_Sleep(10);
  const std::scoped_lock lock(seen.mutex);
  must(seen.counts.size() == 300, std::to_string(seen.counts.size()) + " of 300");
  for (const auto& [text, n] : seen.counts) must(n == 1, text + " came more than once");
}

void headers(const Connection& c) {
  const auto sub = subscribe(c, "c.headers");
  natsMsg* raw = nullptr;
  must(natsMsg_Create(&raw, "c.headers", nullptr, "with headers", 12), "message");
  const Message out(raw, natsMsg_Destroy);
  must(natsMsgHeader_Add(raw, "Kind", "first"), "header");
  must(natsMsgHeader_Add(raw, "Kind", "second"), "header");
  must(natsMsgHeader_Set(raw, "Trace-Id", "4711"), "header");
  must(natsConnection_PublishMsg(c.get(), raw), "publish");
  const auto in = next(sub);
  const char** values = nullptr;
  int n = 0;
  must(natsMsgHeader_Values(in.get(), "Kind", &values, &n), "values");
  const bool both = n == 2 && std::string_view(values[0]) == "first" && std::string_view(values[1]) == "second";
  std::free(static_cast<void*>(values));
  const char* trace = nullptr;
  must(natsMsgHeader_Get(in.get(), "Trace-Id", &trace), "trace");
  must(both && std::string_view(trace) == "4711" && data(in.get()) == "with headers", "headers changed");
}

void request_and_reply(const Connection& c) {
  const auto server = open();
  natsSubscription* raw = nullptr;
  const auto echo = [](natsConnection* nc, natsSubscription*, natsMsg* message, void*) {
    const auto reply = "re: " + std::string(data(message));
    natsConnection_Publish(nc, natsMsg_GetReply(message), reply.data(), static_cast<int>(reply.size()));
    natsMsg_Destroy(message);
  };
  must(natsConnection_Subscribe(&raw, server.get(), "c.echo", echo, nullptr), "subscribe");
  const Subscription sub(raw, natsSubscription_Destroy);
  flush(server);
  for (int i = 0; i < 50; ++i) {
    const auto text = std::to_string(i);
    natsMsg* reply = nullptr;
    must(natsConnection_Request(&reply, c.get(), "c.echo", text.data(), static_cast<int>(text.size()), kLimitMs), "request");
    const Message owned(reply, natsMsg_Destroy);
    must(data(reply) == "re: " + text, "another reply");
  }
}

void no_responders(const Connection& c) {
  natsMsg* reply = nullptr;
  const auto status = natsConnection_Request(&reply, c.get(), "c.nobody.listens", "", 0, kLimitMs);
  natsMsg_Destroy(reply);
  must(status == NATS_NO_RESPONDERS, std::string("got ") + natsStatus_GetText(status));
}

void large_payload(const Connection& c) {
  const auto sub = subscribe(c, "c.large");
  std::string payload(static_cast<std::size_t>(natsConnection_GetMaxPayload(c.get())), '\0');
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(i * 7 & 255U);
  publish(c, "c.large", payload);
  must(data(next(sub).get()) == payload, "came back changed");
}

void unsubscribe_after_a_maximum(const Connection& c) {
  const auto sub = subscribe(c, "c.max");
  must(natsSubscription_AutoUnsubscribe(sub.get(), 3), "maximum");
  for (int i = 0; i < 5; ++i) publish(c, "c.max", std::to_string(i));
  flush(c);
  for (int i = 0; i < 3; ++i) must(data(next(sub).get()) == std::to_string(i), "out of order");
  natsMsg* fourth = nullptr;
  const auto status = natsSubscription_NextMsg(&fourth, sub.get(), kLimitMs);
  natsMsg_Destroy(fourth);
  must(status == NATS_MAX_DELIVERED_MSGS || status == NATS_INVALID_SUBSCRIPTION, "a fourth message");
}

void no_echo(const Connection&) {
  const auto c = open([](natsOptions* o) { natsOptions_SetNoEcho(o, true); });
  const auto sub = subscribe(c, "c.noecho");
  publish(c, "c.noecho", "own");
  flush(c);
  std::uint64_t pending = 0;
  must(natsSubscription_QueuedMsgs(sub.get(), &pending), "pending");
  must(pending == 0, "its own message");
}

void drain(const Connection& c) {
  Seen seen;
  const auto draining = open();
  natsSubscription* raw = nullptr;
  must(natsConnection_Subscribe(&raw, draining.get(), "c.drain", count, &seen), "subscribe");
  const Subscription sub(raw, natsSubscription_Destroy);
  flush(draining);
  for (int i = 0; i < 500; ++i) publish(c, "c.drain", "x");
  flush(c);
  must(natsConnection_DrainTimeout(draining.get(), kLimitMs), "drain");
  for (int look = 0; look < kLimitMs / 10 && !natsConnection_IsClosed(draining.get()); ++look) nats_Sleep(10);
  must(natsConnection_IsClosed(draining.get()), "not closed");
  must(seen.total() == 500, std::to_string(seen.total()) + " of 500 before it closed");
}

}  // namespace

int main(int argc, char** argv) {
  url = argc > 1 ? argv[1] : "nats://127.0.0.1:4222";
  const std::vector<std::pair<const char*, void (*)(const Connection&)>> checks = {
      {"publish and subscribe", publish_and_subscribe},
      {"between connections", between_connections},
      {"queue group", queue_group},
      {"headers", headers},
      {"request and reply", request_and_reply},
      {"no responders", no_responders},
      {"large payload", large_payload},
      {"unsubscribe after a maximum", unsubscribe_after_a_maximum},
      {"no echo", no_echo},
      {"drain", drain},
  };
  int failed = 0;
  for (const auto& [name, run] : checks) {
    try {
      run(open());
      std::printf("ok %s\n", name);
    } catch (const std::exception& e) {
      std::printf("not ok %s: %s\n", name, e.what());
      failed = 1;
    }
  }
  nats_Close();
  return failed;
}
