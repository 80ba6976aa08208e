// Nanoseconds to find who gets a message: in the trie, and through a thread's cache, still and under change.
#include <benchmark/benchmark.h>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "routing/route_cache.hpp"
#include "routing/sublist.hpp"

namespace hawser::routing {
namespace {

SubscriptionPtr subscription(std::string subject, std::string queue = {}) {
  auto made = std::make_shared<Subscription>();
  made->subject = std::move(subject);
  made->queue = std::move(queue);
  return made;
}

std::string topic(std::int64_t i) { return "shop." + std::to_string(i % 100) + ".orders." + std::to_string(i / 100); }

// `count` subscriptions: nine literal ones to one inbox with a wildcard.
void fill(Sublist& sublist, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    sublist.insert(subscription(i % 10 == 9 ? "_INBOX.client" + std::to_string(i) + ".*" : topic(i)));
  }
}

void match(benchmark::State& state, const std::string& subject, std::size_t expected) {
  Sublist sublist;
  fill(sublist, state.range(0));
  Route route;
  for (auto _ : state) {
    sublist.match(subject, route);
    benchmark::DoNotOptimize(route);
  }
  if (route.fanout() != expected) {
    std::abort();  // measured something else
  }
}

void match_literal(benchmark::State& state) { match(state, topic(523), 1); }
BENCHMARK(match_literal)->Arg(1000)->Arg(100000);

void match_inbox(benchmark::State& state) { match(state, "_INBOX.client529.JmWjyt3z", 1); }
BENCHMARK(match_inbox)->Arg(1000)->Arg(100000);

void match_nobody(benchmark::State& state) { match(state, "shop.23.orders.none", 0); }
BENCHMARK(match_nobody)->Arg(1000)->Arg(100000);

void match_many(benchmark::State& state) {
  Sublist sublist;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    sublist.insert(subscription(i % 2 == 0 ? "news.*" : "news.>"));
  }
  Route route;
  for (auto _ : state) {
    sublist.match("news.today", route);
    benchmark::DoNotOptimize(route);
  }
}
BENCHMARK(match_many)->Arg(8)->Arg(1000);

void interest(benchmark::State& state) {
  Sublist sublist;
  fill(sublist, state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(sublist.has_interest("shop.23.orders.5"));
  }
}
BENCHMARK(interest)->Arg(100000);

void cached(benchmark::State& state) {
  Sublist sublist;
  fill(sublist, state.range(0));
  RouteCache routes(sublist);
  const std::string subject = topic(523);
  for (auto _ : state) {
    benchmark::DoNotOptimize(routes.find(subject));
    routes.trim();
  }
}
BENCHMARK(cached)->Arg(1000)->Arg(100000);

void cached_among_thousand(benchmark::State& state) {
  Sublist sublist;
  fill(sublist, 100000);
  RouteCache routes(sublist);
  std::vector<std::string> subjects;
  for (std::int64_t i = 0; i < 1000; ++i) {
    subjects.push_back(topic(i * 7));
  }
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(routes.find(subjects[next]));
    routes.trim();
    next = next + 1 == subjects.size() ? 0 : next + 1;
  }
}
BENCHMARK(cached_among_thousand);

// Replies: each subject comes once.
void missed(benchmark::State& state) {
  Sublist sublist;
  fill(sublist, state.range(0));
  RouteCache routes(sublist);
  std::string subject = "_INBOX.client529.00000000";
  for (auto _ : state) {
    for (std::size_t at = subject.size() - 1; ++subject[at] > '9' && at > 17; --at) {
      subject[at] = '0';
    }
    benchmark::DoNotOptimize(routes.find(subject));
    routes.trim();
  }
  if (routes.find(subject).fanout() != 1) {
    std::abort();
  }
}
BENCHMARK(missed)->Arg(1000)->Arg(100000);

// A request in the old way: subscribe to an inbox, look a subject up, be answered, unsubscribe.
void cached_under_literal_change(benchmark::State& state) {
  Sublist sublist;
  fill(sublist, state.range(0));
  RouteCache routes(sublist);
  const std::string subject = topic(523);
  const SubscriptionPtr inbox = subscription("_INBOX.Zq3nCKu2xvgLVx6iHpDXr9");
  for (auto _ : state) {
    sublist.insert(inbox);
    benchmark::DoNotOptimize(routes.find(subject));
    sublist.remove(inbox);
    benchmark::DoNotOptimize(routes.find(subject));
    routes.trim();
  }
}
BENCHMARK(cached_under_literal_change)->Arg(1000)->Arg(100000);

// Clients that come and go.
void cached_under_wildcard_change(benchmark::State& state) {
  Sublist sublist;
  fill(sublist, state.range(0));
  RouteCache routes(sublist);
  const std::string subject = topic(523);
  const SubscriptionPtr inbox = subscription("_INBOX.Zq3nCKu2xvgLVx6iHpDXr9.*");
  for (auto _ : state) {
    sublist.insert(inbox);
    benchmark::DoNotOptimize(routes.find(subject));
    sublist.remove(inbox);
    benchmark::DoNotOptimize(routes.find(subject));
    routes.trim();
  }
}
BENCHMARK(cached_under_wildcard_change)->Arg(1000)->Arg(100000);

void insert_and_remove(benchmark::State& state) {
  Sublist sublist;
  fill(sublist, state.range(0));
  const SubscriptionPtr one = subscription("shop.23.orders.*", "workers");
  for (auto _ : state) {
    sublist.insert(one);
    sublist.remove(one);
  }
}
BENCHMARK(insert_and_remove)->Arg(1000)->Arg(100000);

}  // namespace
}  // namespace hawser::routing

BENCHMARK_MAIN();
