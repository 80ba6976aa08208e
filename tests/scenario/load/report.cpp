#include "report.hpp"

#include <algorithm>
#include <boost/json.hpp>

namespace hawser::load {
namespace {

namespace json = boost::json;

constexpr std::size_t kExamples = 40;

double milliseconds(Clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

json::object latency_json(const LatencyHistogram& h) {
  return {{"count", h.count()},          {"p50", h.percentile(0.5)},    {"p90", h.percentile(0.9)},
          {"p99", h.percentile(0.99)},   {"p999", h.percentile(0.999)}, {"max", h.max()}};
}

json::object counts_json(const StreamCounts& c) {
  return {{"expected", c.expected},     {"distinct", c.distinct},    {"lost", c.lost},
          {"duplicated", c.duplicated}, {"reordered", c.reordered}};
}

std::uint64_t sent(const Published& published) {
  std::uint64_t sum = 0;
  for (const auto& streams : published.numbered) {
    for (const auto n : streams) sum += n;
  }
  return sum;
}

std::uint64_t heartbeats_sent(const Published& published) {
  std::uint64_t sum = 0;
  for (const auto n : published.heartbeats) sum += n;
  return sum;
}

json::object client_json(const Run& run) {
  json::object errors;
  for (const auto& [text, count] : run.events().errors()) errors[text] = count;
  return {{"disconnects", run.events().disconnects.load()},
          {"reconnects", run.events().reconnects.load()},
          {"closed", run.events().closed.load()},
          {"errors", std::move(errors)}};
}

// Messages of a group may overtake each other between its members; only loss and repetition are faults there.
struct Totals {
  StreamCounts plain;
  StreamCounts queue;
  std::uint64_t corrupted = 0;
  std::uint64_t heartbeats_expected = 0;
  std::uint64_t heartbeats_received = 0;
  std::uint64_t too_few = 0;
  std::uint64_t too_many = 0;
};

Totals add_up(const Run& run, const Published& published) {
  Totals t;
  for (const auto& j : run.judgements()) {
    t.corrupted += j->corrupted();
    if (j->counts_heartbeats()) {
      const auto expected = heartbeats_sent(published);
      const auto received = j->heartbeats_received();
      t.heartbeats_expected += expected;
      t.heartbeats_received += received;
      t.too_few += expected > received ? expected - received : 0;
      t.too_many += received > expected ? received - expected : 0;
    } else {
      (j->ordered() ? t.plain : t.queue) += j->counts(published);
    }
  }
  return t;
}

json::object requests_json(const Run& run, bool& ok) {
  StreamCounts replies;
  LatencyHistogram latency;
  std::uint64_t wrong = 0;
  std::vector<std::uint64_t> asked;
  for (const auto& r : run.requesters()) {
    replies += r->counts();
    latency += r->latency();
    wrong += r->wrong_replies();
    asked.push_back(r->asked());
  }
  const auto requests = run.responder() != nullptr ? run.responder()->counts(asked) : StreamCounts{};
  ok = ok && replies.clean() && requests.clean() && wrong == 0;
  return {{"requests", counts_json(requests)},
          {"replies", counts_json(replies)},
          {"wrong", wrong},
          {"latency_us", latency_json(latency)}};
}

json::object churn_json(const Run& run, bool& ok) {
  StreamCounts counts;
  std::uint64_t subscriptions = 0;
  std::uint64_t wrong_maximum = 0;
  for (const auto& c : run.churners()) {
    counts += c->counts();
    subscriptions += c->subscriptions();
    wrong_maximum += c->wrong_maximum();
  }
  ok = ok && counts.clean() && wrong_maximum == 0;
  auto object = counts_json(counts);
  object["subscriptions"] = subscriptions;
  object["wrong_maximum"] = wrong_maximum;
  return object;
}

json::array subscriptions_json(const Run& run, const Published& published) {
  json::array result;
  for (const auto& j : run.judgements()) {
    auto row = counts_json(j->counts(published));
    row["name"] = j->name();
    row["received"] = j->counts_heartbeats() ? j->heartbeats_received() : j->received();
    row["longest_gap_ms"] = milliseconds(j->total().longest_gap);
    result.push_back(std::move(row));
  }
  return result;
}

json::array examples_json(const Run& run, const Published& published) {
  json::array result;
  for (const auto& j : run.judgements()) {
    for (auto& text : j->examples(published)) {
      if (result.size() < kExamples) result.emplace_back(text);
    }
  }
  return result;
}

void add_window(json::object& object, const Window& window) {
  object["latency_us"] = latency_json(window.latency);
  object["longest_gap_ms"] = milliseconds(window.longest_gap);
}

}  // namespace

std::string mark_line(Run& run, const std::string& name) {
  Window sum;
  for (const auto& j : run.judgements()) {
    const auto window = j->window(true);
    sum.latency += window.latency;
    sum.longest_gap = std::max(sum.longest_gap, window.longest_gap);
  }
  std::chrono::nanoseconds call{0};
  for (const auto& p : run.publishers()) call = std::max(call, p->take_longest_call());
  json::object object{{"mark", name}, {"publish_call_ms", milliseconds(call)}};
  add_window(object, sum);
  return json::serialize(object);
}

std::string status_line(const Run& run) {
  const auto published = run.published();
  const auto totals = add_up(run, published);
  json::object object{{"status", true},
                      {"sent", sent(published)},
                      {"received", totals.plain.distinct + totals.queue.distinct},
                      {"expected", totals.plain.expected + totals.queue.expected},
                      {"duplicated", totals.plain.duplicated + totals.queue.duplicated},
                      {"reordered", totals.plain.reordered},
                      {"client", client_json(run)}};
  return json::serialize(object);
}

FinalReport final_report(const Run& run) {
  const auto published = run.published();
  const auto t = add_up(run, published);
  bool ok = t.plain.clean() && t.queue.lost == 0 && t.queue.duplicated == 0 && t.corrupted == 0 && t.too_few == 0 &&
            t.too_many == 0;
  Window all;
  std::uint64_t received = 0;
  for (const auto& j : run.judgements()) {
    const auto total = j->total();
    all.latency += total.latency;
    all.longest_gap = std::max(all.longest_gap, total.longest_gap);
    received += j->received();
  }
  std::uint64_t refused = 0;
  for (const auto& p : run.publishers()) refused += p->refused();
  auto object = counts_json(t.plain);
  object["report"] = true;
  object["seconds"] = std::chrono::duration<double>(Clock::now() - run.began()).count();
  object["sent"] = sent(published);
  object["received"] = received;
  object["corrupted"] = t.corrupted;
  object["queue"] = counts_json(t.queue);
  object["heartbeats"] = json::object{{"sent", heartbeats_sent(published)}, {"expected", t.heartbeats_expected},
                                      {"received", t.heartbeats_received},  {"too_few", t.too_few},
                                      {"too_many", t.too_many}};
  if (!run.requesters().empty()) object["request_reply"] = requests_json(run, ok);
  if (!run.churners().empty()) object["churn"] = churn_json(run, ok);
  object["publish"] = json::object{{"refused", refused}, {"flushed", run.flushed()}};
  add_window(object, all);
  object["client"] = client_json(run);
  object["examples"] = examples_json(run, published);
  object["subscriptions"] = subscriptions_json(run, published);
  object["ok"] = ok;
  return {ok, json::serialize(object)};
}

}  // namespace hawser::load
