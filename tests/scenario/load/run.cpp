#include "run.hpp"

#include <algorithm>
#include <numeric>
#include <thread>

namespace hawser::load {
namespace {

constexpr auto kLook = std::chrono::milliseconds(10);
constexpr auto kLateDuplicates = std::chrono::milliseconds(300);  // how long to listen on when all is there

std::vector<std::uint32_t> all_subjects(const Options& options) {
  std::vector<std::uint32_t> result(options.subjects);
  std::iota(result.begin(), result.end(), 0U);
  return result;
}

const std::string& in_turn(const std::vector<std::string>& urls, std::uint32_t i) { return urls[i % urls.size()]; }

}  // namespace

std::expected<void, std::string> Run::start() {
  if (auto connected = connect(); !connected) return connected;
  const auto limit = Clock::now() + options_.warm_limit;
  while (!warm()) {
    if (Clock::now() > limit) {
      std::string cold;
      for (const auto& j : judgements_) cold += j->warm() ? "" : " " + j->name();
      return std::unexpected("these heard nothing from some publisher:" + (cold.empty() ? " a requester" : cold));
    }
    std::this_thread::sleep_for(kLook);
  }
  began_ = Clock::now();
  for (const auto& p : publishers_) p->start_counting();
  for (const auto& r : requesters_) r->start_counting();
  return {};
}

std::expected<void, std::string> Run::connect() {
  for (std::uint32_t i = 0; i < options_.subscribers; ++i) {
    auto c = Connection::open(options_, in_turn(options_.subscriber_urls, i), "subscriber " + std::to_string(i), events_);
    if (!c) return std::unexpected(c.error());
    connections_.push_back(std::move(*c));
    if (auto s = subscribe(i, connections_.back().raw()); !s) return s;
    if (i == 0 && options_.requesters > 0) responder_ = std::make_unique<Responder>(connections_[0].raw(), options_);
  }
  if (options_.shapes.queue) {
    if (auto s = subscribe_group(); !s) return s;
  }
  if (auto publishing = connect_publishers(); !publishing) return publishing;
  return connect_requesters_and_churners();
}

std::expected<void, std::string> Run::connect_publishers() {
  for (std::uint32_t i = 0; i < options_.publishers; ++i) {
    const auto who = "publisher " + std::to_string(i);
    auto c = Connection::open(options_, in_turn(options_.publisher_urls, i), who, events_,
                              options_.no_echo ? Connection::Echo::off : Connection::Echo::on);
    if (!c) return std::unexpected(c.error());
    publishers_.push_back(std::make_unique<Publisher>(options_, i, std::move(*c)));
    if (!options_.shapes.self) continue;
    auto s = add(publishers_.back()->connection(), who, options_.run + ".m.>", all_subjects(options_),
                 options_.no_echo ? i : Judgement::kNobody);
    if (!s) return s;
  }
  return {};
}

std::expected<void, std::string> Run::connect_requesters_and_churners() {
  for (std::uint32_t i = 0; i < options_.requesters; ++i) {
    auto c = Connection::open(options_, in_turn(options_.publisher_urls, i), "requester " + std::to_string(i), events_);
    if (!c) return std::unexpected(c.error());
    requesters_.push_back(std::make_unique<Requester>(options_, i, std::move(*c)));
  }
  for (std::uint32_t i = 0; i < options_.churners; ++i) {
    auto c = Connection::open(options_, in_turn(options_.subscriber_urls, i + 1), "churner " + std::to_string(i), events_);
    if (!c) return std::unexpected(c.error());
    churners_.push_back(std::make_unique<Churner>(options_, std::move(*c)));
  }
  return {};
}

std::expected<void, std::string> Run::subscribe(std::uint32_t subscriber, natsConnection* connection) {
  const auto who = "subscriber " + std::to_string(subscriber);
  std::expected<void, std::string> done;
  for (std::uint32_t s = 0; s < options_.subjects && done; ++s) {
    const auto index = std::to_string(s);
    if (options_.shapes.literal) done = add(connection, who, options_.run + ".m.s" + index, {s});
    if (options_.shapes.overlap && done) done = add(connection, who, options_.run + ".*.s" + index, {s});
  }
  if (options_.shapes.wildcard && done) done = add(connection, who, options_.run + ".m.>", all_subjects(options_));
  if (options_.heartbeat_rate > 0 && done) done = add(connection, who, options_.run + ".hb.*", {});
  return done;
}

std::expected<void, std::string> Run::subscribe_group() {
  auto judgement = std::make_shared<Judgement>("queue group workers", options_.publishers, options_.subjects,
                                               all_subjects(options_), false);
  judgements_.push_back(judgement);
  for (std::uint32_t i = 0; i < options_.queue_members; ++i) {
    auto c = Connection::open(options_, in_turn(options_.subscriber_urls, i), "member " + std::to_string(i), events_);
    if (!c) return std::unexpected(c.error());
    connections_.push_back(std::move(*c));
    auto s = Subscription::open(connections_.back().raw(), options_.run + ".m.>", "workers", judgement);
    if (!s) return std::unexpected(s.error());
    subscriptions_.push_back(std::move(*s));
  }
  return {};
}

std::expected<void, std::string> Run::add(natsConnection* connection, const std::string& who, const std::string& subject,
                                          std::vector<std::uint32_t> subjects, std::uint32_t unheard) {
  auto judgement = std::make_shared<Judgement>(who + " on " + subject, options_.publishers, options_.subjects,
                                               std::move(subjects), true, unheard);
  judgements_.push_back(judgement);
  auto s = Subscription::open(connection, subject, "", std::move(judgement));
  if (!s) return std::unexpected(s.error());
  subscriptions_.push_back(std::move(*s));
  return {};
}

bool Run::warm() const {
  return std::ranges::all_of(judgements_, [](const auto& j) { return j->warm(); }) &&
         std::ranges::all_of(requesters_, [](const auto& r) { return r->warm(); });
}

bool Run::publishers_finished() const {
  return std::ranges::all_of(publishers_, [](const auto& p) { return p->finished(); });
}

void Run::finish() {
  for (const auto& c : churners_) c->stop();  // while messages still flow, so that the last of them gets its share
  for (const auto& p : publishers_) flushed_ = p->stop() && flushed_;
  for (const auto& r : requesters_) r->stop_asking();
  const auto limit = Clock::now() + options_.drain_limit;
  auto last_change = Clock::now();
  for (auto before = arrived(); Clock::now() < limit && Clock::now() < last_change + options_.drain_quiet;) {
    const auto now = arrived();
    if (now != before) last_change = Clock::now();
    before = now;
    if (complete() && Clock::now() > last_change + kLateDuplicates) break;
    std::this_thread::sleep_for(kLook);
  }
}

bool Run::complete() const {
  const auto all = published();
  return std::ranges::all_of(judgements_, [&](const auto& j) { return j->complete(all); }) &&
         std::ranges::all_of(requesters_, [](const auto& r) { return r->complete(); });
}

std::uint64_t Run::arrived() const {
  std::uint64_t sum = 0;
  for (const auto& j : judgements_) sum += j->received() + j->heartbeats_received();
  for (const auto& r : requesters_) sum += r->counts().distinct;
  return sum;
}

Published Run::published() const {
  Published result;
  for (const auto& p : publishers_) {
    result.numbered.push_back(p->numbered());
    result.heartbeats.push_back(p->heartbeats());
  }
  return result;
}

}  // namespace hawser::load
