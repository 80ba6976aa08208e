#include "broker/metrics.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

namespace hawser::broker {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') {
      out += '\\';
    }
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return out;
}

// Writes families one after the other; HELP and TYPE once each.
class Exposition {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = fmt::format("hawser_broker_{}", name);
    fmt::format_to(std::back_inserter(text_), "# HELP {0} {2}\n# TYPE {0} {1}\n", name_, type, help);
  }
  template <class Number>
  void value(Number number, std::string_view labels = {}) {
    fmt::format_to(std::back_inserter(text_), "{}{} {}\n", name_, labels.empty() ? "" : fmt::format("{{{}}}", labels),
                   number);
  }
  template <class Number>
  void one(std::string_view name, std::string_view type, std::string_view help, Number number) {
    family(name, type, help);
    value(number);
  }
  [[nodiscard]] std::string finish() && { return std::move(text_); }

 private:
  std::string name_;
  std::string text_;
};

void put_server(Exposition& out, const ServerFacts& server, const ProcessUsage& usage, bool healthy) {
  const auto seconds = [](WallTime time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); };
  out.family("info", "gauge", "Always 1; the labels say which broker this is.");
  out.value(1, fmt::format("server_id=\"{}\",server_name=\"{}\",version=\"{}\"", escaped(server.id),
                           escaped(server.name), escaped(server.version)));
  out.one("healthy", "gauge", "1 when the broker is well, 0 when /healthz says why not.", healthy ? 1 : 0);
  out.one("lame_duck", "gauge", "1 while clients are told to go elsewhere.", server.lame_duck ? 1 : 0);
  out.one("start_time_seconds", "gauge", "When it was started, in seconds since 1970.", seconds(server.start));
  out.one("config_load_time_seconds", "gauge", "When the configuration in use was loaded, in seconds since 1970.",
          seconds(server.config_loaded));
  if (server.tls_not_after) {
    out.one("certificate_expiry_timestamp_seconds", "gauge", "When the certificate in use ends, in seconds since 1970.",
            seconds(*server.tls_not_after));
  }
  out.one("threads", "gauge", "Threads that serve clients.", server.threads);
  out.one("resident_memory_bytes", "gauge", "Memory of the process.", usage.resident_bytes);
  out.one("cpu_percent", "gauge", "Use of processors lately; 100 is one whole processor.", usage.cpu_percent);
}

void put_connections(Exposition& out, const ServerFacts& server) {
  out.one("connections", "gauge", "Open client connections.", server.connections);
  out.one("connections_total", "counter", "Client connections since the start.", server.total_connections);
  out.one("subscriptions", "gauge", "Subscriptions in all accounts.", server.sublist.subscriptions);
  out.family("slow_consumers_total", "counter", "Clients that were closed because they did not read fast enough.");
  out.value(server.slow_consumers_pending, "reason=\"pending_bytes\"");
  out.value(server.slow_consumers_deadline, "reason=\"write_deadline\"");
  out.one("stale_connections_total", "counter", "Clients that were closed because they left PINGs unanswered.",
          server.stale_connections);
}

void put_traffic(Exposition& out, const Traffic& traffic) {
  out.family("messages_total", "counter", "Messages from clients (in) and to them (out).");
  out.value(traffic.in_msgs, "direction=\"in\"");
  out.value(traffic.out_msgs, "direction=\"out\"");
  out.family("message_bytes_total", "counter", "Bytes of those messages, headers included.");
  out.value(traffic.in_bytes, "direction=\"in\"");
  out.value(traffic.out_bytes, "direction=\"out\"");
}

void put_refusals(Exposition& out, const ServerFacts& server) {
  out.one("auth_failures_total", "counter", "Clients that were refused because of who they said they are.",
          server.auth_failures);
  out.one("tls_failures_total", "counter", "TLS handshakes that failed.", server.tls_failures);
  out.family("denied_total", "counter", "Publishes and subscriptions that permissions did not allow.");
  out.value(server.denied_publishes, "operation=\"publish\"");
  out.value(server.denied_subscribes, "operation=\"subscribe\"");
  out.family("reloads_total", "counter", "Reloads of the configuration, by what came of them.");
  out.value(server.reloads, "result=\"applied\"");
  out.value(server.failed_reloads, "result=\"rejected\"");
}

void put_routing(Exposition& out, const SublistFacts& sublist) {
  out.one("route_matches_total", "counter", "Look-ups of where a message goes.", sublist.matches);
  out.one("route_cache_hits_total", "counter", "Look-ups that a thread's cache answered.", sublist.cache_hits);
  out.one("route_cache_entries", "gauge", "Subjects in the caches of all threads.", sublist.cache);
}

// The busiest by name; of the rest, one sum.
std::vector<AccountFacts> bounded(std::vector<AccountFacts> accounts) {
  if (accounts.size() <= kAccountSeries) {
    return accounts;
  }
  std::sort(accounts.begin(), accounts.end(), [](const AccountFacts& a, const AccountFacts& b) {
    return a.connections == b.connections ? a.name < b.name : a.connections > b.connections;
  });
  AccountFacts rest;
  rest.name = "other";
  for (std::size_t i = kAccountSeries; i < accounts.size(); ++i) {
    rest.connections += accounts[i].connections;
    rest.sublist.subscriptions += accounts[i].sublist.subscriptions;
    rest.slow_consumers += accounts[i].slow_consumers;
    rest.traffic.in_msgs += accounts[i].traffic.in_msgs;
    rest.traffic.in_bytes += accounts[i].traffic.in_bytes;
    rest.traffic.out_msgs += accounts[i].traffic.out_msgs;
    rest.traffic.out_bytes += accounts[i].traffic.out_bytes;
  }
  accounts.resize(kAccountSeries);
  accounts.push_back(std::move(rest));
  return accounts;
}

void put_accounts(Exposition& out, const std::vector<AccountFacts>& accounts) {
  const auto each = [&](auto number, std::string_view more = {}) {
    for (const AccountFacts& account : accounts) {
      out.value(number(account), fmt::format("account=\"{}\"{}", escaped(account.name), more));
    }
  };
  out.family("account_connections", "gauge", "Open client connections of an account.");
  each([](const AccountFacts& a) { return a.connections; });
  out.family("account_subscriptions", "gauge", "Subscriptions of an account.");
  each([](const AccountFacts& a) { return a.sublist.subscriptions; });
  out.family("account_slow_consumers_total", "counter", "Slow consumers of an account.");
  each([](const AccountFacts& a) { return a.slow_consumers; });
  out.family("account_messages_total", "counter", "Messages from clients of an account (in) and to them (out).");
  each([](const AccountFacts& a) { return a.traffic.in_msgs; }, ",direction=\"in\"");
  each([](const AccountFacts& a) { return a.traffic.out_msgs; }, ",direction=\"out\"");
  out.family("account_message_bytes_total", "counter", "Bytes of those messages, headers included.");
  each([](const AccountFacts& a) { return a.traffic.in_bytes; }, ",direction=\"in\"");
  each([](const AccountFacts& a) { return a.traffic.out_bytes; }, ",direction=\"out\"");
}

}  // namespace

std::string metrics_text(const ServerFacts& server, std::vector<AccountFacts> accounts, const ProcessUsage& usage,
                         bool healthy) {
  Exposition out;
  put_server(out, server, usage, healthy);
  put_connections(out, server);
  put_traffic(out, server.traffic);
  put_refusals(out, server);
  put_routing(out, server.sublist);
  put_accounts(out, bounded(std::move(accounts)));
  return std::move(out).finish();
}

}  // namespace hawser::broker
