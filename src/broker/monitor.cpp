#include "broker/monitor.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "admin/page.hpp"
#include "admin/server.hpp"
#include "broker/metrics.hpp"
#include "broker/monitor_page.hpp"
#include "broker/monitor_text.hpp"
#include "broker/monitor_views.hpp"

namespace hawser::broker {
namespace {

using admin::Request;
using admin::Response;
using View = std::function<Parsed<std::string>(const Request&)>;

constexpr const char* kPlain = "text/plain; charset=utf-8";

Response bad_request(std::string text) { return {400, kPlain, std::move(text)}; }

// JSON, or a call of the function that the query names (JSONP).
Response json_response(const Request& request, unsigned status, std::string body) {
  const std::string_view callback = request.query.value("callback");
  if (callback.empty()) {
    return {status, "application/json", std::move(body)};
  }
  if (!is_callback_name(callback)) {
    return bad_request("callback must be the name of a function");
  }
  return {status, "application/javascript", fmt::format("{}({})", callback, body)};
}

class Routes {
 public:
  Routes(admin::Endpoints& endpoints, MonitorViews& views) : endpoints_(endpoints), views_(views) {}

  void json(const std::string& path, View view) { json(path, path, std::move(view)); }
  void json(const std::string& path, const std::string& counted, View view) {
    add(path, counted, [view = std::move(view)](const Request& request) {
      Parsed<std::string> body = view(request);
      return body ? json_response(request, 200, std::move(*body)) : bad_request(std::move(body.error()));
    });
  }
  // `counted` is the name under which varz counts it.
  void add(const std::string& path, const std::string& counted, admin::Handler handler) {
    endpoints_.routes[path] = [&views = views_, counted, handler = std::move(handler)](const Request& request) {
      views.count_request(counted);
      return handler(request);
    };
  }

 private:
  admin::Endpoints& endpoints_;
  MonitorViews& views_;
};

// The view of a query that was understood; the text of a 400 otherwise.
template <class Query, class Show>
View asked(Parsed<Query> (*parse)(const admin::Query&), Show show) {
  return [parse, show](const Request& request) -> Parsed<std::string> {
    const Parsed<Query> query = parse(request.query);
    return query ? Parsed<std::string>(show(*query)) : std::unexpected(query.error());
  };
}

std::string metrics(MonitorViews& views) {
  MonitorSource& source = views.source();
  std::vector<AccountFacts> accounts = source.accounts();
  const ServerFacts server = with_sums(source.identity(), accounts);
  return metrics_text(server, std::move(accounts), views.usage(), source.trouble().empty());
}

admin::Endpoints endpoints_of(MonitorViews& views, const std::string& base_path) {
  admin::Endpoints endpoints;
  Routes routes(endpoints, views);
  routes.add("/", "/", [&views, base_path](const Request&) {
    return Response{200, "text/html; charset=utf-8", admin::render_page(index_page(views, base_path), wall_now())};
  });
  routes.json("/varz", [&views](const Request&) { return views.varz(Form::pretty); });
  routes.json("/connz",
              asked(connz_query, [&views](const ConnzQuery& query) { return views.connz(query, Form::pretty); }));
  for (const char* path : {"/subsz", "/subscriptionsz"}) {
    routes.json(path, "/subsz",
                asked(subsz_query, [&views](const SubszQuery& query) { return views.subsz(query, Form::pretty); }));
  }
  routes.json("/accountz",
              [&views](const Request& request) { return views.accountz(request.query.value("acc"), Form::pretty); });
  routes.json("/accstatz", asked(accstatz_query,
                                 [&views](const AccstatzQuery& query) { return views.accstatz(query, Form::pretty); }));
  routes.json("/routez", [&views](const Request&) { return views.routez(Form::pretty); });
  routes.json("/gatewayz", [&views](const Request&) { return views.gatewayz(Form::pretty); });
  routes.json("/leafz", [&views](const Request&) { return views.leafz(Form::pretty); });
  routes.add("/healthz", "/healthz", [&views](const Request& request) {
    auto [well, body] = views.healthz();
    return json_response(request, well ? 200 : 503, std::move(body));
  });
  routes.add("/metrics", "/metrics", [&views](const Request&) {
    return Response{200, "text/plain; version=0.0.4; charset=utf-8", metrics(views)};
  });
  return endpoints;
}

std::string text_of(const Listen& listen) {
  return listen.host.find(':') == std::string::npos ? fmt::format("{}:{}", listen.host, listen.port)
                                                    : fmt::format("[{}]:{}", listen.host, listen.port);
}

std::uint16_t port_of(const std::unique_ptr<admin::Server>& server) {
  std::uint16_t port = 0;
  if (server != nullptr) {
    const std::string address = server->address();
    std::from_chars(address.data() + address.rfind(':') + 1, address.data() + address.size(), port);
  }
  return port;
}

}  // namespace

ServerFacts with_sums(ServerFacts server, const std::vector<AccountFacts>& accounts) {
  double fanout = 0;
  SublistFacts& sum = server.sublist;
  for (const AccountFacts& each : accounts) {
    server.traffic.in_msgs += each.traffic.in_msgs;
    server.traffic.in_bytes += each.traffic.in_bytes;
    server.traffic.out_msgs += each.traffic.out_msgs;
    server.traffic.out_bytes += each.traffic.out_bytes;
    sum.subscriptions += each.sublist.subscriptions;
    sum.cache += each.sublist.cache;
    sum.inserts += each.sublist.inserts;
    sum.removes += each.sublist.removes;
    sum.matches += each.sublist.matches;
    sum.cache_hits += each.sublist.cache_hits;
    sum.max_fanout = std::max(sum.max_fanout, each.sublist.max_fanout);
    fanout += each.sublist.avg_fanout * static_cast<double>(each.sublist.cache);
  }
  sum.avg_fanout = sum.cache == 0 ? 0 : fanout / static_cast<double>(sum.cache);
  return server;
}

ServerFacts MonitorSource::server() { return with_sums(identity(), accounts()); }

struct Monitor::Impl {
  explicit Impl(MonitorSource& source) : views(source) {}

  Result<void> listen(const std::optional<Listen>& at, const Monitoring& where, MonitorTls tls,
                      std::unique_ptr<admin::Server>& server) {
    if (!at) {
      return {};
    }
    admin::Options options;
    options.audience = admin::Audience::anywhere;
    options.base_path = where.base_path;
    options.tls = std::move(tls);
    auto started = admin::Server::start(text_of(*at), endpoints_of(views, where.base_path), std::move(options));
    if (!started) {
      return std::unexpected(std::move(started.error()));
    }
    server = std::move(*started);
    return {};
  }

  MonitorViews views;
  std::unique_ptr<admin::Server> http;
  std::unique_ptr<admin::Server> https;
};

Result<std::unique_ptr<Monitor>> Monitor::start(const Monitoring& where, MonitorSource& source, MonitorTls tls) {
  if (where.https && !tls) {
    return fail(Errc::broker_tls_incomplete, "https monitoring needs a tls block with a certificate");
  }
  auto impl = std::make_unique<Impl>(source);
  if (Result<void> listening = impl->listen(where.http, where, {}, impl->http); !listening) {
    return std::unexpected(std::move(listening.error()));
  }
  if (Result<void> listening = impl->listen(where.https, where, std::move(tls), impl->https); !listening) {
    return std::unexpected(std::move(listening.error()));
  }
  impl->views.listens(port_of(impl->http), port_of(impl->https));
  return std::unique_ptr<Monitor>(new Monitor(std::move(impl)));
}

Monitor::Monitor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Monitor::~Monitor() { stop(); }

MonitorViews& Monitor::views() noexcept { return impl_->views; }

std::optional<std::string> Monitor::http_address() const {
  return impl_->http ? std::optional(impl_->http->address()) : std::nullopt;
}
std::optional<std::string> Monitor::https_address() const {
  return impl_->https ? std::optional(impl_->https->address()) : std::nullopt;
}

void Monitor::stop() {
  for (const auto* server : {&impl_->http, &impl_->https}) {
    if (*server != nullptr) {
      (*server)->stop();
    }
  }
}

}  // namespace hawser::broker
