#include "routing/sublist.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <string>
#include <unistd.h>
#include <utility>

#include "routing/token_hash.hpp"
#include "routing/token_table.hpp"

namespace hawser::routing {
namespace {

constexpr std::size_t kChangeBytes = 256;  // of a subject that is kept as a change
constexpr char kSeparator = '.';

using Members = std::vector<SubscriptionPtr>;
using Groups = std::map<std::string, Members, std::less<>>;

std::string_view take_token(std::string_view& rest, bool& last) noexcept {
  const std::size_t dot = rest.find(kSeparator);
  last = dot == std::string_view::npos;
  const std::string_view token = rest.substr(0, dot);
  rest.remove_prefix(last ? rest.size() : dot + 1);
  return token;
}

// The subject of a message, split once; each token is hashed when a level first asks for it.
class Tokens {
 public:
  Tokens(std::string_view subject, std::uint64_t seed) : seed_(seed) {
    bool last = false;
    while (!last) {
      const std::string_view token = take_token(subject, last);
      valid_ = valid_ && !token.empty();
      if (size_ < few_.size()) {
        few_[size_].text = token;
      } else {
        many_.push_back({token, 0, false});
      }
      ++size_;
    }
  }
  [[nodiscard]] bool valid() const noexcept { return valid_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::string_view text(std::size_t at) noexcept { return token(at).text; }
  [[nodiscard]] std::uint64_t hash(std::size_t at) noexcept {
    Token& wanted = token(at);
    if (!wanted.hashed) {
      wanted.hash = hash_of(wanted.text, seed_);
      wanted.hashed = true;
    }
    return wanted.hash;
  }

 private:
  struct Token {
    std::string_view text;
    std::uint64_t hash = 0;
    bool hashed = false;
  };
  static constexpr std::size_t kFew = 16;

  Token& token(std::size_t at) noexcept { return at < kFew ? few_[at] : many_[at - kFew]; }

  std::array<Token, kFew> few_;
  std::vector<Token> many_;
  std::uint64_t seed_;
  std::size_t size_ = 0;
  bool valid_ = true;
};

// Several nodes may have had a group of the same name: make it one.
void join_groups(std::vector<QueueGroup>& groups) {
  std::sort(groups.begin(), groups.end(), [](const QueueGroup& a, const QueueGroup& b) { return a.name < b.name; });
  std::size_t kept = 0;
  for (std::size_t at = 1; at < groups.size(); ++at) {
    if (groups[at].name == groups[kept].name) {
      groups[kept].members.insert(groups[kept].members.end(), groups[at].members.begin(), groups[at].members.end());
    } else if (++kept != at) {
      groups[kept] = std::move(groups[at]);
    }
  }
  groups.resize(kept + 1);
}

void sort_by_thread(Members& plain) {
  const auto before = [](const SubscriptionPtr& a, const SubscriptionPtr& b) { return a->thread < b->thread; };
  if (!std::is_sorted(plain.begin(), plain.end(), before)) {
    std::sort(plain.begin(), plain.end(), before);
  }
}

}  // namespace

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  if (getentropy(&seed, sizeof seed) != 0) {  // a kernel older than everything else that is needed
    std::random_device device;
    seed = (static_cast<std::uint64_t>(device()) << 32U) | device();
  }
  return seed;
}

struct Sublist::Node {
  std::string token;
  std::unique_ptr<Level> next;
  Members plain;
  std::unique_ptr<Groups> groups;  // most have none

  [[nodiscard]] bool has_subscriptions() const noexcept { return !plain.empty() || groups; }
};

struct Sublist::Level {
  TokenTable<Node> literals;
  std::unique_ptr<Node> one;   // `*`
  std::unique_ptr<Node> full;  // `>`

  [[nodiscard]] bool empty() const noexcept { return literals.empty() && !one && !full; }

  [[nodiscard]] Node* find(std::string_view token, std::uint64_t seed) const {
    return token == "*" ? one.get() : token == ">" ? full.get() : literals.find(token, hash_of(token, seed));
  }
  Node& find_or_make(std::string_view token, std::uint64_t seed) {
    if (token == "*" || token == ">") {
      std::unique_ptr<Node>& node = token == "*" ? one : full;
      if (!node) {
        node = std::make_unique<Node>();
      }
      return *node;
    }
    const std::uint64_t hash = hash_of(token, seed);
    if (Node* node = literals.find(token, hash)) {
      return *node;
    }
    auto node = std::make_unique<Node>();
    node->token = token;
    return literals.insert(std::move(node), hash);
  }
  void erase(std::string_view token, std::uint64_t seed) {
    if (token == "*") {
      one.reset();
    } else if (token == ">") {
      full.reset();
    } else {
      literals.erase(token, hash_of(token, seed));
    }
  }
};

// One way through the trie along a message's subject; each node is visited once at most.
class Sublist::Walk {
 public:
  Walk(Tokens& tokens, Route* route) : tokens_(tokens), route_(route) {}

  // Without a route, ends at the first subscription and tells whether there was one.
  bool descend(const Level& level, std::size_t depth) {
    if (level.full && take(*level.full)) {
      return true;
    }
    if (!level.literals.empty() && follow(level.literals.find(tokens_.text(depth), tokens_.hash(depth)), depth)) {
      return true;
    }
    return follow(level.one.get(), depth);
  }
  [[nodiscard]] bool groups_of_several_nodes() const noexcept { return nodes_with_groups_ > 1; }

 private:
  bool follow(const Node* node, std::size_t depth) {
    if (node == nullptr) {
      return false;
    }
    if (depth + 1 == tokens_.size()) {
      return take(*node);
    }
    return node->next && descend(*node->next, depth + 1);
  }

  bool take(const Node& node) {
    if (route_ == nullptr) {
      return node.has_subscriptions();
    }
    route_->plain.insert(route_->plain.end(), node.plain.begin(), node.plain.end());
    if (node.groups) {
      ++nodes_with_groups_;
      for (const auto& [name, members] : *node.groups) {
        route_->groups.push_back({name, members});
      }
    }
    return false;
  }

  Tokens& tokens_;
  Route* route_;
  std::size_t nodes_with_groups_ = 0;
};

Sublist::Sublist() : seed_(random_seed()), root_(std::make_unique<Level>()) {}
Sublist::~Sublist() = default;

void Sublist::insert(SubscriptionPtr subscription) {
  const std::unique_lock lock(mutex_);
  Subscription& inserted = *subscription;
  if (inserted.slot_ != Subscription::kNowhere) {
    return;
  }
  Level* level = root_.get();
  std::string_view rest = inserted.subject;
  for (bool last = false; !last;) {
    const std::string_view token = take_token(rest, last);
    Node& node = level->find_or_make(token, seed_);
    if (last) {
      if (!inserted.queue.empty() && !node.groups) {
        node.groups = std::make_unique<Groups>();
      }
      Members& members = inserted.queue.empty() ? node.plain : (*node.groups)[inserted.queue];
      inserted.slot_ = static_cast<std::uint32_t>(members.size());
      members.push_back(std::move(subscription));
    } else {
      if (!node.next) {
        node.next = std::make_unique<Level>();
      }
      level = node.next.get();
    }
  }
  ++count_;
  ++inserts_;
  note_change(inserted.subject);
}

bool Sublist::remove(const SubscriptionPtr& subscription) {
  const SubscriptionPtr kept = subscription;  // so that the last reference is not let go of with the lock held
  const std::unique_lock lock(mutex_);
  if (kept->slot_ == Subscription::kNowhere || !prune(*root_, kept->subject, kept)) {
    return false;
  }
  kept->slot_ = Subscription::kNowhere;
  --count_;
  ++removes_;
  note_change(kept->subject);
  return true;
}

namespace {

// Takes out by its place; the last one moves there.
bool take_out(Members& members, const SubscriptionPtr& subscription, std::uint32_t slot) {
  if (slot >= members.size() || members[slot] != subscription) {
    return false;
  }
  if (slot + 1 != members.size()) {
    members[slot] = std::move(members.back());
  }
  members.pop_back();
  if (members.capacity() > 16 && members.size() < members.capacity() / 4) {
    members.shrink_to_fit();
  }
  return true;
}

}  // namespace

// Takes the subscription out below `level`, and the nodes that have nothing left.
bool Sublist::prune(Level& level, std::string_view rest, const SubscriptionPtr& subscription) {
  bool last = false;
  const std::string_view token = take_token(rest, last);
  Node* node = level.find(token, seed_);
  if (node == nullptr) {
    return false;
  }
  if (!last) {
    if (!node->next || !prune(*node->next, rest, subscription)) {
      return false;
    }
    if (node->next->empty()) {
      node->next.reset();
    }
  } else {
    Members* members = &node->plain;
    if (!subscription->queue.empty()) {
      if (!node->groups) {
        return false;
      }
      const auto group = node->groups->find(subscription->queue);
      if (group == node->groups->end()) {
        return false;
      }
      members = &group->second;
    }
    const std::uint32_t slot = subscription->slot_;
    if (!take_out(*members, subscription, slot)) {
      return false;
    }
    if (slot < members->size()) {
      (*members)[slot]->slot_ = slot;
    }
    if (!subscription->queue.empty() && members->empty()) {
      node->groups->erase(node->groups->find(subscription->queue));
      if (node->groups->empty()) {
        node->groups.reset();
      }
    }
  }
  if (!node->next && !node->has_subscriptions()) {
    level.erase(token, seed_);
  }
  return true;
}

void Sublist::note_change(std::string_view subject) {
  const std::uint64_t generation = generation_.load(std::memory_order_relaxed) + 1;
  const std::size_t at = generation % kChangesKept;
  if (changes_.size() <= at) {
    changes_.resize(std::min<std::size_t>(kChangesKept, std::max(at + 1, changes_.size() * 2)));
  }
  changes_[at].too_long = subject.size() > kChangeBytes;
  changes_[at].subject.assign(changes_[at].too_long ? std::string_view() : subject);
  generation_.store(generation, std::memory_order_release);
}

bool Sublist::visit_changes(std::uint64_t since, std::uint64_t& now,
                            const std::function<void(std::string_view subject)>& visit) const {
  const std::shared_lock lock(mutex_);
  now = generation_.load(std::memory_order_relaxed);
  if (now - since > kChangesKept) {
    return false;
  }
  for (std::uint64_t at = since + 1; at <= now; ++at) {
    if (changes_[at % kChangesKept].too_long) {
      return false;
    }
  }
  for (std::uint64_t at = since + 1; at <= now; ++at) {
    visit(changes_[at % kChangesKept].subject);
  }
  return true;
}

void Sublist::match(std::string_view subject, Route& route) const {
  route.clear();
  matches_.fetch_add(1, std::memory_order_relaxed);
  Tokens tokens(subject, seed_);
  if (!tokens.valid()) {
    return;
  }
  Walk walk(tokens, &route);
  {
    const std::shared_lock lock(mutex_);
    walk.descend(*root_, 0);
  }
  if (walk.groups_of_several_nodes()) {
    join_groups(route.groups);
  }
  sort_by_thread(route.plain);
}

bool Sublist::has_interest(std::string_view subject) const {
  Tokens tokens(subject, seed_);
  if (!tokens.valid()) {
    return false;
  }
  const std::shared_lock lock(mutex_);
  return Walk(tokens, nullptr).descend(*root_, 0);
}

void Sublist::visit(const std::function<void(const SubscriptionPtr&)>& visit) const {
  const auto visit_node = [&](const auto& self, const Node& node) -> void {
    std::for_each(node.plain.begin(), node.plain.end(), visit);
    if (node.groups) {
      for (const auto& [name, members] : *node.groups) {
        std::for_each(members.begin(), members.end(), visit);
      }
    }
    if (!node.next) {
      return;
    }
    const Level& level = *node.next;
    level.literals.for_each([&](const Node& child) { self(self, child); });
    for (const Node* child : {level.one.get(), level.full.get()}) {
      if (child != nullptr) {
        self(self, *child);
      }
    }
  };
  const std::shared_lock lock(mutex_);
  root_->literals.for_each([&](const Node& child) { visit_node(visit_node, child); });
  for (const Node* child : {root_->one.get(), root_->full.get()}) {
    if (child != nullptr) {
      visit_node(visit_node, *child);
    }
  }
}

Sublist::Stats Sublist::stats() const {
  const std::shared_lock lock(mutex_);
  return {count_, inserts_, removes_, matches_.load(std::memory_order_relaxed)};
}

}  // namespace hawser::routing
