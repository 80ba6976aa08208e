#include "broker/monitor_page.hpp"

#include <array>
#include <fmt/format.h>

#include "broker/monitor_text.hpp"

namespace hawser::broker {
namespace {

using admin::Status;
using admin::Tone;

struct Place {
  const char* path;
  const char* name;
  const char* about;
};
constexpr std::array kPlaces{
    Place{"/varz", "General", "Configuration and counters of the server"},
    Place{"/connz?auth=1&subs=1", "Connections", "Who is connected, with user, account and subjects"},
    Place{"/connz?state=closed&sort=stop&auth=1", "Closed connections", "Who has left, and why"},
    Place{"/subsz?subs=1", "Subscriptions", "What is subscribed to, and how messages are routed"},
    Place{"/accountz", "Accounts", "Exports, imports and mappings: /accountz?acc=NAME"},
    Place{"/accstatz?unused=1", "Account statistics", "Connections and messages by account"},
    Place{"/healthz", "Health", "200 when it is well, for probes"},
    Place{"/metrics", "Metrics", "The figures for Prometheus"},
};

// "1,234,567".
std::string grouped(std::uint64_t number) {
  std::string text = fmt::format("{}", number);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array kUnits{"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) {
    return fmt::format("{} B", bytes);
  }
  double value = static_cast<double>(bytes);
  const char* unit = "";
  for (const char* next : kUnits) {
    value /= 1024;
    unit = next;
    if (value < 1024) {
      break;
    }
  }
  return fmt::format("{:.1f} {}", value, unit);
}

Status::Item counted(std::string name, std::uint64_t number, Tone tone_unless_none = Tone::neutral) {
  return {std::move(name), grouped(number), number == 0 ? Tone::neutral : tone_unless_none};
}

Status::Section server_section(const ServerFacts& server, const Settings& settings, WallTime at) {
  Status::Section section{.title = "Server", .items = {}};
  section.items.push_back({"name", server.name});
  section.items.push_back({"version", server.version});
  section.items.push_back({"up for", uptime_text(at - server.start)});
  section.items.push_back({"configuration loaded", uptime_text(at - server.config_loaded) + " ago"});
  const bool open = settings.open() && !(settings.tls && settings.tls->verify_and_map);
  section.items.push_back({"authentication", open ? "none" : "required", open ? Tone::warning : Tone::good});
  if (!settings.tls) {
    section.items.push_back({"TLS", "off", Tone::warning});
    return section;
  }
  const bool mutual = settings.tls->verify || settings.tls->verify_and_map;
  const std::string_view optional = settings.allow_non_tls ? ", plain allowed" : "";
  section.items.push_back({"TLS", fmt::format("{}{}", mutual ? "mutual" : "on", optional),
                           settings.allow_non_tls ? Tone::warning : Tone::good});
  if (server.tls_not_after) {
    const Duration left = *server.tls_not_after - at;
    const Tone tone = left <= Duration::zero()            ? Tone::bad
                      : left < std::chrono::hours(24 * 7) ? Tone::warning
                                                          : Tone::good;
    constexpr std::size_t kDate = 10;
    section.items.push_back({"certificate ends", to_rfc3339(*server.tls_not_after).substr(0, kDate), tone});
  }
  return section;
}

Status::Section traffic_section(const ServerFacts& server, const ProcessUsage& usage) {
  Status::Section section{.title = "Traffic", .items = {}};
  section.items.push_back(counted("messages in", server.traffic.in_msgs));
  section.items.push_back(counted("messages out", server.traffic.out_msgs));
  section.items.push_back({"bytes in", size_text(server.traffic.in_bytes)});
  section.items.push_back({"bytes out", size_text(server.traffic.out_bytes)});
  section.items.push_back({"memory", size_text(usage.resident_bytes)});
  section.items.push_back({"CPU", fmt::format("{} %", usage.cpu_percent)});
  return section;
}

Status::Section clients_section(const ServerFacts& server) {
  Status::Section section{.title = "Clients", .items = {}};
  section.items.push_back(counted("connected", server.connections));
  section.items.push_back(counted("since the start", server.total_connections));
  section.items.push_back(counted("subscriptions", server.sublist.subscriptions));
  section.items.push_back(
      counted("slow consumers", server.slow_consumers_pending + server.slow_consumers_deadline, Tone::warning));
  section.items.push_back(counted("refused: authentication", server.auth_failures, Tone::warning));
  section.items.push_back(counted("refused: TLS", server.tls_failures, Tone::warning));
  section.items.push_back(
      counted("refused: permissions", server.denied_publishes + server.denied_subscribes, Tone::warning));
  return section;
}

}  // namespace

admin::Status index_page(MonitorViews& views, std::string_view base_path) {
  MonitorSource& source = views.source();
  const ServerFacts server = source.server();
  const std::shared_ptr<const Settings> settings = source.settings();
  const std::string trouble = source.trouble();
  Status status;
  status.title = "hawser broker";
  if (!trouble.empty()) {
    status.headline = "not well: " + trouble;
    status.tone = Tone::bad;
  } else if (server.lame_duck) {
    status.headline = "in lame duck mode: clients are told to go elsewhere";
    status.tone = Tone::warning;
  } else {
    status.headline = settings->listen ? fmt::format("serving clients on {}:{}", server.host, server.port)
                                       : std::string("serving clients of this machine");
    status.tone = Tone::good;
  }
  status.sections = {server_section(server, *settings, wall_now()), traffic_section(server, views.usage()),
                     clients_section(server)};
  while (base_path.ends_with('/')) {
    base_path.remove_suffix(1);
  }
  for (const Place& place : kPlaces) {
    status.links.push_back({std::string(base_path) + place.path, place.name, place.about});
  }
  return status;
}

}  // namespace hawser::broker
