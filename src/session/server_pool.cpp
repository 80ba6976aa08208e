#include "session/server_pool.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <tuple>
#include <utility>

namespace hawser::session {
namespace {

constexpr std::size_t kMaxHostBytes = 253;

bool is_address(const std::string& host) {
  in6_addr parsed{};
  return inet_pton(AF_INET, host.c_str(), &parsed) == 1 || inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

bool plausible_host(std::string_view host) {
  if (host.empty() || host.size() > kMaxHostBytes) return false;
  return std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_' || c == ':';
  });
}

bool same_place(const Server& a, const Server& b) { return a.port == b.port && a.host == b.host; }

}  // namespace

std::string Server::text() const {
  const bool bare_v6 = host.find(':') != std::string::npos;
  return (bare_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

ServerPool::ServerPool(const ServerPoolOptions& options, RandomBits random)
    : options_(options), random_(std::move(random)) {}

Result<ServerPool> ServerPool::make(std::vector<Server> configured, const ServerPoolOptions& options,
                                    RandomBits random) {
  if (configured.empty()) return fail(Errc::no_servers, "choosing a server");
  ServerPool pool(options, std::move(random));
  pool.tls_ = std::ranges::any_of(configured, &Server::tls);
  if (options.randomize) {
    for (std::size_t i = configured.size(); i > 1; --i) std::swap(configured[i - 1], configured[pool.random_() % i]);
  }
  for (Server& server : configured) {
    const bool known =
        std::ranges::any_of(pool.members_, [&](const Member& m) { return same_place(m.server, server); });
    if (known) continue;
    server.tls = pool.tls_;
    if (server.server_name.empty()) server.server_name = server.host;
    pool.add(std::move(server));
  }
  return pool;
}

void ServerPool::add(Server server) { members_.emplace_back(next_id_++, std::move(server), Backoff(options_.backoff)); }

ServerPool::Member* ServerPool::member(Id id) {
  const auto found = std::ranges::find(members_, id, &Member::id);
  return found == members_.end() ? nullptr : &*found;
}

const Server* ServerPool::server(Id id) const {
  const auto found = std::ranges::find(members_, id, &Member::id);
  return found == members_.end() ? nullptr : &found->server;
}

// Of those that may be tried now: the preferred one, the last good one, then who failed least lately, lame ducks last.
// If none may be tried, the one whose wait ends first.
ServerPool::Attempt ServerPool::next(Time now, std::optional<Id> prefer) const {
  const Member* best = nullptr;
  const auto rank = [&](const Member& m) {
    const bool waits = m.ready > now;
    return std::tuple(waits, waits ? m.ready : Time{}, m.lame_until > now, m.id != prefer.value_or(0),
                      m.id != last_good_, m.failed_at);
  };
  for (const Member& m : members_) {
    if (best == nullptr || rank(m) < rank(*best)) best = &m;
  }
  return {best->id, std::max(now, best->ready)};
}

void ServerPool::connected(Id id) {
  Member* const m = member(id);
  if (m == nullptr) return;
  m->backoff.succeeded();
  m->ready = {};
  m->failed_at = {};
  last_good_ = id;
}

void ServerPool::failed(Id id, Backoff::Failure failure, Time now) {
  Member* const m = member(id);
  if (m == nullptr) return;
  m->ready = now + m->backoff.failed(failure, random_);
  m->failed_at = now;
}

void ServerPool::lame_duck(Id id, Time now) {
  if (Member* const m = member(id); m != nullptr) m->lame_until = now + options_.lame_duck;
}

void ServerPool::inputs_changed() {
  for (Member& m : members_) {
    m.backoff.inputs_changed();
    m.ready = {};
  }
}

// "host:port" or "[v6]:port", as a server writes them.
std::optional<Server> ServerPool::parse_gossip(std::string_view url, const Server& from) const {
  const std::size_t colon = url.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = url.substr(0, colon);
  const std::string_view digits = url.substr(colon + 1);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!plausible_host(host) || (!bracketed && host.find(':') != std::string_view::npos)) return std::nullopt;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || port == 0) return std::nullopt;

  Server server{.host = std::string(host), .port = port, .tls = tls_ || from.tls, .server_name = {}, .gossiped = true};
  server.name_is_fixed = from.name_is_fixed;
  // A certificate seldom carries the addresses of a cluster: then it is asked for the name that was good for the server
  // that told us of it.
  const bool by_name = is_address(server.host) && !is_address(from.server_name);
  server.server_name = from.name_is_fixed || by_name ? from.server_name : server.host;
  return server;
}

std::size_t ServerPool::gossip(std::span<const std::string> connect_urls, Id from) {
  const Member* const teller = member(from);
  if (teller == nullptr) return connect_urls.size();
  const Server source = teller->server;
  std::vector<Server> named;
  std::size_t left_out = 0;
  for (const std::string& url : connect_urls) {
    std::optional<Server> server = named.size() < options_.max_gossiped ? parse_gossip(url, source) : std::nullopt;
    if (!server) {
      ++left_out;
    } else if (std::ranges::none_of(named, [&](const Server& s) { return same_place(s, *server); })) {
      named.push_back(std::move(*server));
    }
  }
  std::erase_if(members_, [&](const Member& m) {
    const bool still = std::ranges::any_of(named, [&](const Server& s) { return same_place(s, m.server); });
    return m.server.gossiped && m.id != from && !still;
  });
  for (Server& server : named) {
    const bool known = std::ranges::any_of(members_, [&](const Member& m) { return same_place(m.server, server); });
    if (known) continue;
    add(std::move(server));
  }
  return left_out;
}

}  // namespace hawser::session
