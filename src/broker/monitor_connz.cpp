// /connz: which connections, in which order, and what of each.
#include <algorithm>
#include <boost/json.hpp>
#include <iterator>
#include <set>
#include <span>

#include "broker/monitor_text.hpp"
#include "broker/monitor_views.hpp"
#include "wire/subject.hpp"

namespace hawser::broker {
namespace {

namespace json = boost::json;
using Connections = std::vector<ConnectionFacts>;

void put_unless_empty(json::object& out, std::string_view key, const std::string& value) {
  if (!value.empty()) {
    out[{key.data(), key.size()}] = value;
  }
}

json::array certificates(const std::vector<PeerCertificateFacts>& chain) {
  json::array out;
  for (const PeerCertificateFacts& certificate : chain) {
    json::object entry;
    put_unless_empty(entry, "subject", certificate.subject);
    put_unless_empty(entry, "spki_sha256", certificate.spki_sha256);
    put_unless_empty(entry, "cert_sha256", certificate.cert_sha256);
    out.push_back(std::move(entry));
  }
  return out;
}

void put_subscriptions(json::object& out, const ConnectionFacts& connection, const ConnzQuery& query) {
  json::array list;
  for (const SubscriptionFacts& subscription : connection.subscriptions_list) {
    if (!query.subscriptions_detail) {
      list.push_back(json::string(subscription.subject));
      continue;
    }
    json::object entry{{"subject", subscription.subject}};
    put_unless_empty(entry, "qgroup", subscription.queue);
    entry["sid"] = subscription.sid;
    entry["msgs"] = subscription.delivered;
    if (subscription.max > 0) {
      entry["max"] = subscription.max;
    }
    entry["cid"] = connection.cid;
    list.push_back(std::move(entry));
  }
  if (!list.empty()) {
    out[query.subscriptions_detail ? "subscriptions_list_detail" : "subscriptions_list"] = std::move(list);
  }
}

json::object entry_of(const ConnectionFacts& c, const ConnzQuery& query, WallTime at) {
  json::object out{{"cid", c.cid}, {"kind", "Client"}, {"type", "nats"}, {"ip", c.ip}, {"port", c.port}};
  out["start"] = rfc3339_nano(c.start);
  out["last_activity"] = rfc3339_nano(c.last_activity);
  if (c.stop) {
    out["stop"] = rfc3339_nano(*c.stop);
    out["reason"] = to_string(c.reason);
  }
  const WallTime until = c.stop.value_or(at);
  out["rtt"] = rtt_text(c.rtt);
  out["uptime"] = uptime_text(until - c.start);
  out["idle"] = uptime_text(until - c.last_activity);
  out["pending_bytes"] = c.pending_bytes;
  out["in_msgs"] = c.traffic.in_msgs;
  out["out_msgs"] = c.traffic.out_msgs;
  out["in_bytes"] = c.traffic.in_bytes;
  out["out_bytes"] = c.traffic.out_bytes;
  out["subscriptions"] = c.subscriptions;
  put_unless_empty(out, "name", c.name);
  put_unless_empty(out, "lang", c.lang);
  put_unless_empty(out, "version", c.version);
  put_unless_empty(out, "tls_version", c.tls_version);
  put_unless_empty(out, "tls_cipher_suite", c.tls_cipher_suite);
  if (query.auth && !c.tls_peer_certs.empty()) {
    out["tls_peer_certs"] = certificates(c.tls_peer_certs);
  }
  if (c.tls_first) {
    out["tls_first"] = true;
  }
  if (query.auth) {
    put_unless_empty(out, "authorized_user", c.authorized_user);
    if (c.account != kGlobalAccount) {
      put_unless_empty(out, "account", c.account);
    }
    put_unless_empty(out, "issuer_key", c.issuer_key);
    put_unless_empty(out, "name_tag", c.name_tag);
    if (!c.tags.empty()) {
      out["tags"] = json::value_from(c.tags);
    }
  }
  if (query.subscriptions || query.subscriptions_detail) {
    put_subscriptions(out, c, query);
  }
  return out;
}

using Sorted = std::vector<const ConnectionFacts*>;

template <class Key>
void sort_by(Sorted& all, Key key, bool largest_first) {
  std::sort(all.begin(), all.end(), [&](const ConnectionFacts* a, const ConnectionFacts* b) {
    const auto of_a = key(*a);
    const auto of_b = key(*b);
    return of_a == of_b ? a->cid < b->cid : largest_first ? of_b < of_a : of_a < of_b;
  });
}

void sort(Sorted& all, ConnzSort by, WallTime at) {
  using C = const ConnectionFacts&;
  switch (by) {
    case ConnzSort::cid:
    case ConnzSort::start: return sort_by(all, [](C c) { return c.cid; }, false);
    case ConnzSort::subs: return sort_by(all, [](C c) { return c.subscriptions; }, true);
    case ConnzSort::pending: return sort_by(all, [](C c) { return c.pending_bytes; }, true);
    case ConnzSort::msgs_to: return sort_by(all, [](C c) { return c.traffic.out_msgs; }, true);
    case ConnzSort::msgs_from: return sort_by(all, [](C c) { return c.traffic.in_msgs; }, true);
    case ConnzSort::bytes_to: return sort_by(all, [](C c) { return c.traffic.out_bytes; }, true);
    case ConnzSort::bytes_from: return sort_by(all, [](C c) { return c.traffic.in_bytes; }, true);
    case ConnzSort::last: return sort_by(all, [](C c) { return c.last_activity; }, true);
    case ConnzSort::idle: return sort_by(all, [at](C c) { return at - c.last_activity; }, true);
    case ConnzSort::uptime: return sort_by(all, [at](C c) { return c.stop.value_or(at) - c.start; }, false);
    case ConnzSort::stop: return sort_by(all, [](C c) { return c.stop.value_or(WallTime{}); }, true);
    case ConnzSort::reason: return sort_by(all, [](C c) { return to_string(c.reason); }, false);
    case ConnzSort::rtt: return sort_by(all, [](C c) { return c.rtt; }, true);
  }
}

// Of those on the page alone: all of everybody's may be millions.
void fetch_subscriptions(MonitorSource& source, Connections& all, std::span<const ConnectionFacts* const> page) {
  const std::set<const ConnectionFacts*> shown(page.begin(), page.end());
  for (ConnectionFacts& connection : all) {
    if (!connection.stop && connection.subscriptions_list.empty() && connection.subscriptions > 0 &&
        shown.contains(&connection)) {
      for (ConnectionFacts& now : source.connections({.cid = connection.cid, .subscriptions = true})) {
        connection.subscriptions_list = std::move(now.subscriptions_list);
      }
    }
  }
}

bool interested(const ConnectionFacts& connection, std::string_view subject) {
  const auto& list = connection.subscriptions_list;
  return std::any_of(list.begin(), list.end(),
                     [subject](const SubscriptionFacts& s) { return wire::overlaps(subject, s.subject); });
}

// Those of the state, the id and the account that are asked for; `total` is their number.
Connections candidates(MonitorSource& source, const ConnzQuery& query, std::size_t& total) {
  Connections all;
  if (query.state != ConnzState::closed) {
    all = source.connections({.cid = query.cid, .subscriptions = !query.filter_subject.empty()});
  }
  if (query.state != ConnzState::open && query.cid > 0) {
    if (std::optional<ConnectionFacts> closed = source.closed().find(query.cid); closed && all.empty()) {
      all.push_back(std::move(*closed));
    }
  } else if (query.state != ConnzState::open) {
    Connections closed = source.closed().list();
    all.insert(all.end(), std::make_move_iterator(closed.begin()), std::make_move_iterator(closed.end()));
  }
  if (!query.account.empty()) {
    std::erase_if(all, [&query](const ConnectionFacts& c) { return c.account != query.account; });
  }
  total = all.size();
  return all;
}

void filter(Connections& all, const ConnzQuery& query) {
  std::erase_if(all, [&query](const ConnectionFacts& c) {
    return (!query.user.empty() && c.authorized_user != query.user) || !query.mqtt_client.empty() ||
           (!query.filter_subject.empty() && !c.stop && !interested(c, query.filter_subject));
  });
}

}  // namespace

std::string MonitorViews::connz(const ConnzQuery& query, Form form) {
  const std::string id = source_.identity().id;
  std::size_t total = 0;
  Connections all = candidates(source_, query, total);
  filter(all, query);
  Sorted sorted;
  sorted.reserve(all.size());
  for (const ConnectionFacts& connection : all) {
    sorted.push_back(&connection);
  }
  const WallTime at = wall_now();
  sort(sorted, query.sort, at);
  const std::size_t first = std::min(query.offset, sorted.size());
  const std::size_t shown = std::min(query.limit, sorted.size() - first);
  if (query.subscriptions || query.subscriptions_detail) {
    fetch_subscriptions(source_, all, std::span(sorted).subspan(first, shown));
  }
  json::object head{{"server_id", id}, {"now", rfc3339_nano(at)}};
  head["num_connections"] = shown;
  head["total"] = total;
  head["offset"] = query.offset;
  head["limit"] = query.limit;
  Document document(form, head, "connections");
  for (std::size_t i = first; i < first + shown && document.add(entry_of(*sorted[i], query, at)); ++i) {
  }
  return std::move(document).finish();
}

}  // namespace hawser::broker
