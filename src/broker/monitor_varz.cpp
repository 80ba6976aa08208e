// /varz, /healthz, and what has nothing to show here: /routez, /gatewayz, /leafz.
#include <boost/json.hpp>
#include <unistd.h>

#include "broker/monitor_text.hpp"
#include "broker/monitor_views.hpp"

namespace hawser::broker {
namespace {

namespace json = boost::json;

double in_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::int64_t in_ns(Duration duration) { return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count(); }

double auth_timeout(const Settings& settings) {
  if (settings.authorization.timeout) {
    return in_seconds(*settings.authorization.timeout);
  }
  return settings.tls ? in_seconds(settings.tls->timeout) + 1 : 2;
}

void put_identity(json::object& out, const ServerFacts& server, const Settings& settings) {
  out["server_id"] = server.id;
  out["server_name"] = server.name;
  out["version"] = server.version;
  out["proto"] = 1;
  out["go"] = "";
  out["host"] = server.host;
  out["port"] = server.port;
  if (!settings.open() || (settings.tls && settings.tls->verify_and_map)) {
    out["auth_required"] = true;
  }
  if (settings.tls && !settings.allow_non_tls) {
    out["tls_required"] = true;
  }
  if (settings.tls && (settings.tls->verify || settings.tls->verify_and_map)) {
    out["tls_verify"] = true;
  }
}

void put_limits(json::object& out, const Settings& settings) {
  const Limits& limits = settings.limits;
  out["max_connections"] = limits.max_connections;
  if (limits.max_subscriptions > 0) {
    out["max_subscriptions"] = limits.max_subscriptions;
  }
  out["ping_interval"] = in_ns(limits.ping_interval);
  out["ping_max"] = limits.ping_max;
}

void put_http(json::object& out, const Monitoring& monitoring, std::uint16_t http_port, std::uint16_t https_port) {
  const std::optional<Listen>& listen = monitoring.http ? monitoring.http : monitoring.https;
  out["http_host"] = listen ? listen->host : std::string();
  out["http_port"] = http_port;
  out["http_base_path"] = monitoring.base_path == "/" ? std::string() : monitoring.base_path;
  out["https_port"] = https_port;
}

void put_sizes(json::object& out, const Settings& settings) {
  out["auth_timeout"] = auth_timeout(settings);
  out["max_control_line"] = settings.limits.max_control_line;
  out["max_payload"] = settings.limits.max_payload;
  out["max_pending"] = settings.limits.max_pending;
  for (const char* absent : {"cluster", "gateway", "leaf", "mqtt", "websocket", "jetstream"}) {
    out[absent] = json::object();
  }
  out["tls_timeout"] = settings.tls ? in_seconds(settings.tls->timeout) : 2;
  out["write_deadline"] = in_ns(settings.limits.write_deadline);
}

void put_times(json::object& out, const ServerFacts& server, const ProcessUsage& usage, WallTime at) {
  out["start"] = rfc3339_nano(server.start);
  out["now"] = rfc3339_nano(at);
  out["uptime"] = uptime_text(at - server.start);
  out["mem"] = usage.resident_bytes;
  out["cores"] = ::sysconf(_SC_NPROCESSORS_ONLN);
  out["gomaxprocs"] = server.threads;
  out["cpu"] = usage.cpu_percent;
}

void put_counts(json::object& out, const ServerFacts& server) {
  out["connections"] = server.connections;
  out["total_connections"] = server.total_connections;
  out["routes"] = 0;
  out["remotes"] = 0;
  out["leafnodes"] = 0;
  out["in_msgs"] = server.traffic.in_msgs;
  out["out_msgs"] = server.traffic.out_msgs;
  out["in_bytes"] = server.traffic.in_bytes;
  out["out_bytes"] = server.traffic.out_bytes;
  out["slow_consumers"] = server.slow_consumers_pending + server.slow_consumers_deadline;
  out["subscriptions"] = server.sublist.subscriptions;
}

void put_newer(json::object& out, const ServerFacts& server, const Settings& settings) {
  const auto clients_only = [](std::uint64_t clients) {
    return json::object{{"clients", clients}, {"routes", 0}, {"gateways", 0}, {"leafs", 0}};
  };
  out["config_digest"] = settings.config_digest;
  out["slow_consumer_stats"] = clients_only(server.slow_consumers_pending + server.slow_consumers_deadline);
  out["stale_connections"] = server.stale_connections;
  out["stale_connection_stats"] = clients_only(server.stale_connections);
  if (server.tls_not_after) {
    out["tls_cert_not_after"] = rfc3339_nano(*server.tls_not_after);
  }
}

std::string none_of(MonitorSource& source, Form form, std::string_view count, std::string_view list) {
  json::object out;
  out["server_id"] = source.identity().id;
  out["now"] = rfc3339_nano(wall_now());
  out[{count.data(), count.size()}] = 0;
  out[{list.data(), list.size()}] = json::array();
  return json_text(out, form);
}

}  // namespace

void MonitorViews::listens(std::uint16_t http_port, std::uint16_t https_port) {
  const std::lock_guard lock(mutex_);
  http_port_ = http_port;
  https_port_ = https_port;
}

void MonitorViews::count_request(std::string_view path) {
  const std::lock_guard lock(mutex_);
  const auto found = requests_.find(path);
  ++(found != requests_.end() ? found : requests_.emplace(path, 0).first)->second;
}

std::string MonitorViews::varz(Form form) {
  const std::shared_ptr<const Settings> settings = source_.settings();
  const ServerFacts server = source_.server();
  json::object out;
  put_identity(out, server, *settings);
  put_limits(out, *settings);
  {
    const std::lock_guard lock(mutex_);
    put_http(out, settings->monitoring, http_port_, https_port_);
  }
  put_sizes(out, *settings);
  put_times(out, server, meter_.measure(), wall_now());
  put_counts(out, server);
  {
    const std::lock_guard lock(mutex_);
    json::object requests;
    for (const auto& [path, count] : requests_) {
      requests[path] = count;
    }
    out["http_req_stats"] = std::move(requests);
  }
  out["config_load_time"] = rfc3339_nano(server.config_loaded);
  if (!settings->system_account.empty()) {
    out["system_account"] = settings->system_account;
  }
  put_newer(out, server, *settings);
  return json_text(out, form);
}

std::string MonitorViews::routez(Form form) { return none_of(source_, form, "num_routes", "routes"); }
std::string MonitorViews::leafz(Form form) { return none_of(source_, form, "leafnodes", "leafs"); }

std::string MonitorViews::gatewayz(Form form) {
  json::object out;
  out["server_id"] = source_.identity().id;
  out["now"] = rfc3339_nano(wall_now());
  out["outbound_gateways"] = json::object();
  out["inbound_gateways"] = json::object();
  return json_text(out, form);
}

std::pair<bool, std::string> MonitorViews::healthz() {
  const std::string trouble = source_.trouble();
  if (trouble.empty()) {
    return {true, R"({"status":"ok"})"};
  }
  return {false, json_text(json::object{{"status", "error"}, {"error", trouble}}, Form::compact)};
}

}  // namespace hawser::broker
