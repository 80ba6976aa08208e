#include "session/splice_world.hpp"

#include <algorithm>
#include <bit>

#include "wire/parser.hpp"

namespace hawser::session::model {

using namespace splice_action;

namespace {

constexpr Duration kSettle{1000};
constexpr std::array<std::string_view, 4> kSids{"1", "2", "8", "9"};
constexpr std::array<std::string_view, 4> kSubjects{"a.b", "a.b", "q", "inbox"};

// Targets of a job: links by topic, then servers.
constexpr std::uint8_t target_of(std::uint8_t node, std::uint8_t topic) {
  return static_cast<std::uint8_t>(node * 4 + topic);
}
constexpr std::uint8_t kFirstServer = kNodes * 4;
constexpr std::uint8_t kRival = kFirstServer + kServers;

constexpr std::size_t between(std::size_t from, std::size_t to) { return from * kServers + to; }

SpliceOptions options_of(const Scenario& scenario) {
  SpliceOptions options;
  options.settle = options.settle_far = options.linger = kSettle;
  options.step_timeout = std::chrono::hours(1);
  options.same_server = !scenario.far;
  options.echo = scenario.echo;
  options.key = {1, 2};
  return options;
}

std::string frame_text(std::string_view subject, std::string_view sid, std::string_view payload) {
  std::string raw = "MSG ";
  raw.append(subject)
      .append(" ")
      .append(sid)
      .append(payload.empty() ? " 0\r\n" : " 2\r\n")
      .append(payload)
      .append("\r\n");
  return raw;
}

wire::Frame frame_of(std::string_view raw, std::string_view subject, std::string_view sid, std::string_view payload) {
  wire::Frame frame;
  frame.op = wire::Op::msg;
  frame.raw = raw;
  frame.subject = subject;
  frame.sid = sid;
  frame.payload = payload;
  return frame;
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9E37'79B9'7F4A'7C15U;
  return hash ^ (hash >> 31U);
}

}  // namespace

World::World(const Scenario& scenario, Subscriptions& subscriptions)
    : scenario_(&scenario),
      subscriptions_(&subscriptions),
      splice_(options_of(scenario), subscriptions, scenario.rules),
      jobs_(scenario.publishers.size() + kNodes + kServers * kServers),
      published_(scenario.publishers.size()),
      expected_(scenario.publishers.size() + 1),
      queued_(scenario.publishers.size()) {
  subscriptions.add("1", scenario.plain_sids > 1 ? "a.*" : "a.b", "");
  if (scenario.plain_sids > 1) subscriptions.add("2", "a.>", "");
  if (scenario.queue) subscriptions.add("8", "q", "group");
  lines_[kNew].server = scenario.far ? 1 : 0;
  lines_[kOutsider].server = static_cast<std::uint8_t>(std::max(scenario.outsider, 0));
  lines_[kOutsider].open = scenario.outsider >= 0;
  const auto known = [&](std::uint8_t server, Topic topic) {
    for (std::uint8_t from = 0; from < kServers; ++from) routes_[between(from, server)].interest[topic] = true;
  };
  for (const Topic topic : {kPlain, kPlainToo}) {
    if (topic >= scenario.plain_sids) continue;
    lines_[kOld].topics[topic] = true;
    known(0, kPlain);
  }
  if (lines_[kOutsider].open) {
    lines_[kOutsider].topics[kPlain] = true;
    known(lines_[kOutsider].server, kPlain);
  }
  if (scenario.queue) {
    lines_[kOld].topics[kQueue] = true;
    known(0, kQueue);
    if (scenario.rival >= 0) known(static_cast<std::uint8_t>(scenario.rival), kQueue);
  }
}

// Whom a server may give a message of the queue group to: members of its own first, then another server that has some.
// So does nats-server also with what came by a route when its own member has just left.
std::vector<std::uint8_t> World::members(std::uint8_t server, int from_line, int origin) const {
  std::vector<std::uint8_t> found;
  for (const std::uint8_t node : {kOld, kNew}) {
    const bool echo = node == from_line && !scenario_->echo;
    if (lines_[node].server == server && lines_[node].topics[kQueue] && !echo) found.push_back(target_of(node, kQueue));
  }
  if (scenario_->rival == server) found.push_back(kRival);
  if (!found.empty()) return found;
  for (std::uint8_t to = 0; to < kServers; ++to) {
    if (to != server && to != origin && routes_[between(server, to)].interest[kQueue]) {
      found.push_back(static_cast<std::uint8_t>(kFirstServer + to));
    }
  }
  return found;
}

std::size_t World::choices(const Item& item, std::uint8_t server, int from_line, int origin) const {
  if (item.what != What::message || item.topic != kQueue) return 1;
  return std::max<std::size_t>(1, members(server, from_line, origin).size());
}

// A server finds out, at one instant, who is to get a message. They get it later, one after another.
void World::spread(Job& job, const Item& item, std::uint8_t server, int from_line, int origin, std::uint8_t choice) {
  job.item = item;
  job.targets = 0;
  if (item.topic == kRequest) {
    if (lines_[kOutsider].server == server) {
      requested_ = true;
    } else {
      job.targets = 1U << (kFirstServer + lines_[kOutsider].server);
    }
    return;
  }
  if (item.topic == kQueue) {
    const std::vector<std::uint8_t> found = members(server, from_line, origin);
    if (!found.empty()) job.targets = 1U << found[choice];
    return;
  }
  for (std::uint8_t node = 0; node < kNodes; ++node) {
    if (lines_[node].server != server || (node == from_line && !scenario_->echo)) continue;
    if (node == kOutsider && item.publisher != kUser) continue;  // is not asked about those
    for (std::uint8_t topic = 0; topic < 4; ++topic) {
      const bool match = item.topic == kInbox ? topic == kInbox : topic < kQueue;
      if (match && lines_[node].topics[topic]) job.targets |= 1U << target_of(node, topic);
    }
  }
  for (std::uint8_t to = 0; to < kServers && origin < 0; ++to) {
    if (to == server || !routes_[between(server, to)].interest[item.topic]) continue;
    job.targets |= 1U << (kFirstServer + to);
  }
}

void World::deliver(Job& job, std::uint8_t target) {
  job.targets &= ~(1U << target);
  Item item = job.item;
  if (target == kRival) {
    if (item.publisher == kUser) own_queue_given_ |= std::uint64_t{1} << item.sequence;
    if (item.publisher != kUser) queued_[item.publisher] |= std::uint64_t{1} << item.sequence;
    return;
  }
  if (target >= kFirstServer) {
    const auto source = static_cast<std::size_t>(&job - jobs_.data());
    const std::size_t from = source < line_job(0)    ? scenario_->publishers[source].server
                             : source < route_job(0) ? lines_[source - line_job(0)].server
                                                     : (source - route_job(0)) % kServers;
    routes_[between(from, target - kFirstServer)].items.push_back(item);
    return;
  }
  const auto node = static_cast<std::uint8_t>(target / 4);
  const auto topic = static_cast<Topic>(target % 4);
  Line& line = lines_[node];
  if (!line.open) return;
  if (node == kOutsider) return give_outsider(item);
  item.topic = topic;
  // A limit counts what was sent since SUB.
  if (line.limit[topic] != 0 && line.sent[topic] >= line.limit[topic]) return;
  if (++line.sent[topic] == line.limit[topic]) line.topics[topic] = false;
  line.to_client.push_back(item);
}

void World::announce(std::uint8_t server, Topic topic, bool on) {
  Item item;
  item.what = on ? What::subscribe : What::unsubscribe;
  item.topic = topic;
  for (std::uint8_t to = 0; to < kServers; ++to) {
    if (to != server) routes_[between(server, to)].items.push_back(item);
  }
}

void World::subscribe(std::uint8_t node, Topic topic, bool on) {
  Line& line = lines_[node];
  if (line.topics[topic] == on) return;
  line.topics[topic] = on;
  line.sent[topic] = 0;
  line.limit[topic] = 0;
  const Topic shared = topic == kPlainToo ? kPlain : topic;
  bool others = topic == kQueue && scenario_->rival == line.server;
  for (std::uint8_t other = 0; other < kNodes; ++other) {
    for (std::uint8_t t = 0; t < 4; ++t) {
      const bool same = t == shared || (shared == kPlain && t == kPlainToo);
      const bool self = other == node && t == topic;
      others = others || (same && !self && lines_[other].server == line.server && lines_[other].topics[t]);
    }
  }
  if (!others) announce(line.server, shared, on);
}

void World::command(std::uint8_t node, std::uint8_t choice) {
  Line& line = lines_[node];
  Item item = line.to_server.front();
  line.to_server.erase(line.to_server.begin());
  switch (item.what) {
    case What::subscribe: return subscribe(node, item.topic, true);
    case What::unsubscribe:
      if (item.tag == 0 || line.sent[item.topic] >= item.tag) return subscribe(node, item.topic, false);
      if (line.topics[item.topic]) line.limit[item.topic] = static_cast<std::uint8_t>(item.tag);
      return;
    case What::ping:
      item.what = What::pong;
      line.to_client.push_back(item);
      return;
    default: spread(jobs_[line_job(node)], item, line.server, node, -1, choice);
  }
}

void World::give_outsider(const Item& item) {
  if (item.publisher != kUser) return;
  if (item.sequence != own_seen_by_outsider_ && deaths_ == 0) fail("own publishes out of order for others");
  own_seen_by_outsider_ = static_cast<std::uint8_t>(item.sequence + 1);
}

void World::give_user(const Item& item) {
  if (item.topic == kInbox) {
    got_reply_ = true;
    return;
  }
  if (item.publisher == kUser && !scenario_->echo) {
    // What was under way when O died may come back, as after any reconnect.
    if (!old_died_) fail("an echo of its own publish");
    return;
  }
  if (item.topic == kQueue) {
    std::uint64_t& given = item.publisher == kUser ? own_queue_given_ : queued_[item.publisher];
    const std::uint64_t bit = std::uint64_t{1} << item.sequence;
    if ((given & bit) != 0) fail("twice through a queue group");
    given |= bit;
    return;
  }
  if (item.topic == kPlain) ++limited_;
  const bool own = item.publisher == kUser;
  if (!own && scenario_->publishers[item.publisher].kind == Publisher::heartbeat) {
    ++heartbeats_[item.topic];
    return;
  }
  if (own && deaths_ > 0)
    return;  // what a dead link had not confirmed is sent again by its owner, who is not played here
  std::uint8_t& expected = expected_[own ? published_.size() : item.publisher][item.topic];
  if (item.sequence < expected) {
    ++repeated_;
    if (deaths_ == 0) fail("delivered twice, or too late");
  } else {
    if (item.sequence > expected && deaths_ == 0) fail("lost, or overtaken");
    missed_ += static_cast<std::uint64_t>(item.sequence - expected);
    expected = static_cast<std::uint8_t>(item.sequence + 1);
  }
}

void World::count_given(std::string_view sid, SpliceActions& more) {
  if (subscriptions_->count(sid) == Subscriptions::Counted::last) splice_.on_unsubscribe(sid, more);
}

void World::receive(Side side) {
  Line& line = lines_[side == Side::old_link ? kOld : kNew];
  const Item item = line.to_client.front();
  line.to_client.erase(line.to_client.begin());
  SpliceActions actions;
  if (item.what == What::pong) {
    splice_.on_pong(side, item.tag, now_, actions);
    return perform(actions);
  }
  const bool heartbeat = item.publisher < scenario_->publishers.size() &&
                         scenario_->publishers[item.publisher].kind == Publisher::heartbeat;
  const std::array<char, 2> text{static_cast<char>('0' + item.publisher), static_cast<char>('0' + item.sequence)};
  const std::string_view payload(text.data(), heartbeat ? 0 : text.size());
  const std::string raw = frame_text(kSubjects[item.topic], kSids[item.topic], payload);
  const wire::Frame frame = frame_of(raw, kSubjects[item.topic], kSids[item.topic], payload);
  const Splice::Verdict verdict = splice_.on_message(side, frame, now_, actions);
  perform(actions);
  if (verdict != Splice::Verdict::deliver) return;
  const bool known = subscriptions_->find(kSids[item.topic]) != nullptr;
  if (!known) return;
  give_user(item);
  SpliceActions more;
  count_given(kSids[item.topic], more);
  perform(more);
}

void World::act() {
  const Act what = scenario_->user[acted_];
  SpliceActions actions;
  Item item;
  item.publisher = kUser;
  switch (what) {
    case Act::subscribe_inbox: {
      Splice::Route route = Splice::Route::old_link;
      if (started_) route = splice_.on_subscribe(actions);
      perform(actions);
      if (route == Splice::Route::wait) return;  // the same again when publishes are released
      subscriptions_->add("9", "inbox", "");
      item.what = What::subscribe;
      item.topic = kInbox;
      send(route == Splice::Route::old_link ? kOld : kNew, item);
      break;
    }
    case Act::unsubscribe:
      unsubscribed_ = true;
      subscriptions_->remove("2");
      remove_or_limit("2", kPlainToo);
      break;
    case Act::limit:
      subscriptions_->limit("1", scenario_->limit);
      remove_or_limit("1", kPlain);
      break;
    default: {
      item.topic = what == Act::request ? kRequest : what == Act::publish ? kPlain : kQueue;
      if (what == Act::publish) item.sequence = own_published_++;
      if (what == Act::publish_to_queue) item.sequence = own_queued_++;
      const std::array<char, 2> text{static_cast<char>('0' + kUser), static_cast<char>('0' + item.sequence)};
      const std::string_view subject = what == Act::request ? "service" : kSubjects[item.topic];
      wire::Frame frame = frame_of({}, subject, {}, {text.data(), text.size()});
      frame.op = wire::Op::pub;
      splice_.on_own_publish(frame);
      send(publishes_on_, item);
    }
  }
  ++acted_;
}

// After the registry changed. In a splice the machine says what the links are told.
void World::remove_or_limit(std::string_view sid, Topic topic) {
  SpliceActions actions;
  if (started_ && !splice_.finished()) {
    splice_.on_unsubscribe(sid, actions);
    return perform(actions);
  }
  const Subscription* const left = subscriptions_->find(sid);
  Item item;
  item.what = What::unsubscribe;
  item.topic = topic;
  item.tag = left == nullptr ? 0 : static_cast<std::uint32_t>(left->limit_on_link());
  send(splice_.live() == Side::old_link ? kOld : kNew, item);
}

void World::kill(std::uint8_t node) {
  Line& line = lines_[node];
  for (const Topic topic : {kPlain, kPlainToo, kQueue, kInbox}) subscribe(node, topic, false);
  line.open = false;
  line.to_server.clear();
  line.to_client.clear();
  ++deaths_;
  old_died_ = old_died_ || node == kOld;
  SpliceActions actions;
  splice_.on_closed(node == kOld ? Side::old_link : Side::new_link, now_, actions);
  perform(actions);
}

void World::perform(const SpliceActions& actions) {
  for (const SpliceAction& action : actions) perform_one(action);
}

void World::perform_one(const SpliceAction& action) {
  const auto node_of = [](Side side) { return side == Side::old_link ? kOld : kNew; };
  const auto each = [&](Side side, What what, bool queues, std::string_view only, std::uint32_t tag) {
    for (const Topic topic : {kPlain, kPlainToo, kQueue, kInbox}) {
      const Subscription* const found = subscriptions_->find(kSids[topic]);
      if (only.empty() ? found == nullptr || found->queue.empty() == queues : kSids[topic] != only) continue;
      Item item;
      item.what = what;
      item.topic = topic;
      item.tag = tag;
      send(node_of(side), item);
    }
  };
  if (const auto* a = std::get_if<SendSubscriptions>(&action)) each(a->side, What::subscribe, false, {}, 0);
  if (const auto* a = std::get_if<SendQueueSubscriptions>(&action)) each(a->side, What::subscribe, true, {}, 0);
  if (const auto* a = std::get_if<RemoveQueueSubscriptions>(&action)) each(a->side, What::unsubscribe, true, {}, 0);
  if (const auto* a = std::get_if<Subscribe>(&action)) each(a->side, What::subscribe, false, a->sid, 0);
  if (const auto* a = std::get_if<Unsubscribe>(&action)) {
    each(a->side, What::unsubscribe, false, a->sid, static_cast<std::uint32_t>(a->max));
  }
  if (const auto* a = std::get_if<Ping>(&action)) {
    Item item;
    item.what = What::ping;
    item.tag = a->tag;
    send(node_of(a->side), item);
  }
  if (std::holds_alternative<HoldPublishes>(action)) held_ = true;
  if (const auto* a = std::get_if<ReleasePublishes>(&action)) {
    held_ = false;
    publishes_on_ = node_of(a->side);
  }
  if (const auto* a = std::get_if<Live>(&action); a != nullptr && !held_) publishes_on_ = node_of(a->side);
  if (const auto* a = std::get_if<Close>(&action)) {
    Line& line = lines_[node_of(a->side)];
    for (const Topic topic : {kPlain, kPlainToo, kQueue, kInbox}) subscribe(node_of(a->side), topic, false);
    line.open = false;
    line.to_server.clear();
    line.to_client.clear();
  }
  if (const auto* a = std::get_if<Timer>(&action)) {
    timer_ = true;
    timer_at_ = a->at;
    age();
  }
  if (std::holds_alternative<Finished>(action)) timer_ = false;
  if (const auto* a = std::get_if<Deliver>(&action)) {
    wire::Parser parser(wire::Peer::server);
    wire::Frame frame;
    std::string_view rest = a->frames;
    while (!rest.empty() && parser.next(rest, frame) == wire::Parser::Status::frame) {
      Item item;
      item.topic = frame.sid == "1" ? kPlain : frame.sid == "2" ? kPlainToo : frame.sid == "8" ? kQueue : kInbox;
      if (frame.payload.empty()) {
        ++heartbeats_[item.topic];
        if (item.topic == kPlain) ++limited_;
      } else {
        item.publisher = static_cast<std::uint8_t>(frame.payload[0] - '0');
        item.sequence = static_cast<std::uint8_t>(frame.payload[1] - '0');
        give_user(item);
      }
      rest.remove_prefix(frame.raw.size());
    }
    if (!rest.empty()) fail("what was held is not whole frames");
  }
}

void World::age() {
  for (Job& job : jobs_) job.item.old = true;
  for (Route& route : routes_) {
    for (Item& item : route.items) item.old = true;
  }
}

bool World::settled() const {
  for (const Job& job : jobs_) {
    if (job.targets != 0 && job.item.old) return false;
  }
  for (const Route& route : routes_) {
    if (std::ranges::any_of(route.items, &Item::old)) return false;
  }
  return true;
}

void World::steps(std::vector<Step>& out) const {
  out.clear();
  const auto add = [&out](Step::Kind kind, std::size_t who, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      out.push_back({kind, static_cast<std::uint8_t>(who), static_cast<std::uint8_t>(i)});
    }
  };
  if (!started_) add(Step::start, 0, 1);
  for (std::size_t i = 0; i < published_.size(); ++i) {
    const Publisher& publisher = scenario_->publishers[i];
    if (jobs_[i].targets != 0 || published_[i] == publisher.messages) continue;
    Item item;
    item.topic = publisher.kind == Publisher::queue ? kQueue : kPlain;
    add(Step::begin, i, choices(item, publisher.server, -1, -1));
  }
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    if (jobs_[route_job(i)].targets != 0 || routes_[i].items.empty()) continue;
    add(Step::route, i,
        choices(routes_[i].items.front(), static_cast<std::uint8_t>(i % kServers), -1, static_cast<int>(i / kServers)));
  }
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    for (std::uint32_t left = jobs_[i].targets; left != 0; left &= left - 1) {
      out.push_back({Step::deliver, static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(std::countr_zero(left))});
    }
  }
  for (const std::uint8_t node : {kOld, kNew}) {
    const Line& line = lines_[node];
    if (!line.open) continue;
    if (!line.to_server.empty() && jobs_[line_job(node)].targets == 0) {
      add(Step::command, node, choices(line.to_server.front(), line.server, node, -1));
    }
    if (!line.to_client.empty()) add(Step::receive, node, 1);
  }
  const Duration left = timer_at_ - now_;
  if (timer_ && (left <= Duration{} || (left <= kSettle && settled()))) add(Step::settled, 0, 1);
  if (acted_ < scenario_->user.size() && !held_ && !cannot_act()) add(Step::act, 0, 1);
  if (requested_ && !replied_) add(Step::respond, 0, 1);
  if (!started_ || splice_.finished()) return;
  if (scenario_->kill_old && lines_[kOld].open) add(Step::kill, kOld, 1);
  if (scenario_->kill_new && lines_[kNew].open) add(Step::kill, kNew, 1);
}

// Nobody is left to publish on.
bool World::cannot_act() const { return !lines_[publishes_on_].open; }

void World::take(const Step& step) {
  Item item;
  switch (step.kind) {
    case Step::start: {
      started_ = true;
      SpliceActions actions;
      splice_.start(now_, actions);
      return perform(actions);
    }
    case Step::begin: {
      const Publisher& publisher = scenario_->publishers[step.who];
      item.topic = publisher.kind == Publisher::queue ? kQueue : kPlain;
      item.publisher = step.who;
      item.sequence = published_[step.who]++;
      return spread(jobs_[step.who], item, publisher.server, -1, -1, step.choice);
    }
    case Step::route: {
      Route& route = routes_[step.who];
      item = route.items.front();
      route.items.erase(route.items.begin());
      const std::size_t from = step.who / kServers;
      const std::size_t to = step.who % kServers;
      if (item.what != What::message) {
        routes_[between(to, from)].interest[item.topic] = item.what == What::subscribe;
        return;
      }
      return spread(jobs_[route_job(step.who)], item, static_cast<std::uint8_t>(to), -1, static_cast<int>(from),
                    step.choice);
    }
    case Step::deliver: return deliver(jobs_[step.who], step.choice);
    case Step::command: return command(step.who, step.choice);
    case Step::receive: return receive(step.who == kOld ? Side::old_link : Side::new_link);
    case Step::settled: {
      now_ = std::max(now_, timer_at_);
      timer_ = false;
      SpliceActions actions;
      splice_.on_timer(now_, actions);
      return perform(actions);
    }
    case Step::act: return act();
    case Step::respond:
      replied_ = true;
      item.topic = kInbox;
      item.publisher = kResponder;
      return spread(jobs_[line_job(kOutsider)], item, lines_[kOutsider].server, -1, -1, 0);
    case Step::kill: return kill(step.who);
  }
}

void World::judge_end() {
  if (!started_ || !splice_.finished())
    return fail("the splice did not end: " + std::string(to_string(splice_.phase())));
  const SpliceCounters& counters = splice_.counters();
  const bool dead = !lines_[splice_.live() == Side::old_link ? kOld : kNew].open;
  if (dead) return;  // a reconnect follows
  std::uint32_t beats = 0;
  for (std::size_t i = 0; i < published_.size(); ++i) {
    const Publisher& publisher = scenario_->publishers[i];
    const std::uint64_t all = (std::uint64_t{1} << publisher.messages) - 1;
    if (publisher.kind == Publisher::heartbeat) beats += publisher.messages;
    if (publisher.kind == Publisher::queue && queued_[i] != all) {
      if (counters.losses_possible == 0) fail("lost in a queue group");
      ++missed_;
    }
    for (std::uint8_t sid = 0; publisher.kind == Publisher::plain && sid < scenario_->plain_sids; ++sid) {
      if ((sid == 1 && unsubscribed_) || (sid == 0 && scenario_->limit != 0)) continue;
      missed_ += static_cast<std::uint64_t>(publisher.messages - expected_[i][sid]);
    }
  }
  for (std::uint8_t sid = 0; sid < scenario_->plain_sids; ++sid) {
    if ((sid == 1 && unsubscribed_) || scenario_->limit != 0) continue;
    if (heartbeats_[sid] < beats && counters.losses_possible == 0) fail("an identical message was dropped");
  }
  if (deaths_ == 0 && missed_ > 0) fail("lost");
  if (scenario_->limit != 0) {
    std::uint32_t all = scenario_->echo ? own_published_ : 0;
    for (const Publisher& publisher : scenario_->publishers)
      all += publisher.kind == Publisher::queue ? 0U : publisher.messages;
    if (deaths_ == 0 && limited_ < std::min<std::uint32_t>(all, scenario_->limit)) fail("less than UNSUB's max");
  }
  if (deaths_ == 0 && scenario_->outsider >= 0 && own_seen_by_outsider_ != own_published_) fail("own publish lost");
  if (deaths_ == 0 && (own_queue_given_ + 1) != (std::uint64_t{1} << own_queued_)) fail("own publish to a group lost");
  if (deaths_ == 0 && scenario_->limit == 0 && scenario_->echo && expected_.back()[0] != own_published_)
    fail("own publish did not come back");
  if (deaths_ == 0 && replied_ && !got_reply_) fail("a reply was lost");
  if (deaths_ == 0 && counters.unsettled != 0) fail("said that D was too short");
  if (deaths_ == 0 && (counters.losses_possible != 0 || counters.duplicates_possible != 0))
    fail("counted without a cause");
  if (missed_ > 0 && counters.losses_possible == 0) fail("lost without being counted");
  if (repeated_ > 0 && counters.duplicates_possible == 0) fail("repeated without being counted");
}

std::uint64_t World::digest() const {
  std::uint64_t hash = splice_.digest();
  const auto add = [&hash](std::uint64_t value) { hash = mix(hash, value); };
  const auto add_item = [&add](const Item& item) {
    add(static_cast<std::uint64_t>(item.what) << 56U | std::uint64_t{item.topic} << 48U |
        std::uint64_t{item.publisher} << 40U | (item.old ? 1ULL << 39U : 0) | std::uint64_t{item.sequence} << 32U |
        item.tag);
  };
  for (const Line& line : lines_) {
    std::uint64_t bits = line.open ? 1 : 0;
    for (const bool topic : line.topics) bits = bits << 1U | (topic ? 1U : 0U);
    add(bits << 32U | line.to_server.size() << 16U | line.to_client.size());
    for (const Item& item : line.to_server) add_item(item);
    for (const Item& item : line.to_client) add_item(item);
  }
  for (const Route& route : routes_) {
    std::uint64_t bits = 0;
    for (const bool topic : route.interest) bits = bits << 1U | (topic ? 1U : 0U);
    add(bits << 16U | route.items.size());
    for (const Item& item : route.items) add_item(item);
  }
  for (const Job& job : jobs_) {
    add(job.targets);
    if (job.targets != 0) add_item(job.item);
  }
  for (const std::uint8_t count : published_) add(count);
  for (const auto& by_sid : expected_) add(std::uint64_t{by_sid[0]} << 8U | by_sid[1]);
  for (const std::uint64_t bits : queued_) add(bits);
  add(std::uint64_t{heartbeats_[0]} << 32U | heartbeats_[1]);
  add(std::uint64_t{own_seen_by_outsider_} << 24U | std::uint64_t{own_published_} << 16U |
      std::uint64_t{own_queued_} << 8U | acted_);
  add(own_queue_given_);
  add(repeated_ << 32U | missed_);
  add((started_ ? 1U : 0U) | (held_ ? 2U : 0U) | (timer_ ? 4U : 0U) | (timer_at_ - now_ <= Duration{} ? 8U : 0U) |
      (timer_at_ - now_ <= kSettle ? 16U : 0U) | std::uint64_t{publishes_on_} << 8U | std::uint64_t{deaths_} << 16U |
      (requested_ ? 32U : 0U) | (replied_ ? 64U : 0U) | (got_reply_ ? 128U : 0U));
  return hash;
}

}  // namespace hawser::session::model
