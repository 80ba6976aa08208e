#include "admin/answer.hpp"

#include <exception>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "admin/guard.hpp"
#include "admin/page.hpp"
#include "base/log.hpp"

namespace hawser::admin {
namespace {

constexpr std::string_view kEvents = "/events";
constexpr const char* kPlain = "text/plain; charset=utf-8";

Response of_health(const Health& health) {
  return {health.ok() ? 200U : 503U, "application/json", health_json(health) + "\n"};
}

std::string normal_base(std::string_view path) {
  while (path.ends_with('/')) {
    path.remove_suffix(1);
  }
  while (path.starts_with('/')) {
    path.remove_prefix(1);
  }
  return path.empty() ? std::string() : "/" + std::string(path);
}

}  // namespace

Answer refusal(unsigned status, std::string_view reason) {
  return {.response = {status, kPlain, std::string(reason) + "\n"}, .allow = {}};
}

Answering::Answering(const Endpoints& endpoints, Audience audience, std::string_view base_path)
    : endpoints_(endpoints), audience_(audience), base_path_(normal_base(base_path)) {
  const Endpoints& e = endpoints_;
  for (const auto& [path, handler] : e.routes) {
    add(path, Method::get, bool(handler), handler);
  }
  add("/", Method::get, bool(e.status),
      [&e](const Request&) { return Response{200, "text/html; charset=utf-8", render_page(e.status(), wall_now())}; });
  add("/status", Method::get, bool(e.status),
      [&e](const Request&) { return Response{200, "application/json", status_json(e.status()) + "\n"}; });
  add(std::string(kEvents), Method::get, bool(e.status), [](const Request&) { return Response{200, "text/event-stream", {}}; });
  add("/metrics", Method::get, bool(e.metrics),
      [&e](const Request&) { return Response{200, "text/plain; version=0.0.4; charset=utf-8", e.metrics()}; });
  add("/healthz", Method::get, bool(e.health), [&e](const Request&) { return of_health(e.health()); });
  add("/readyz", Method::get, bool(e.ready), [&e](const Request&) { return of_health(e.ready()); });
  add("/reload", Method::post, bool(e.reload), [&e](const Request&) {
    const Result<std::string> outcome = e.reload();
    return Response{outcome ? 200U : 422U, "application/json", outcome_json(outcome) + "\n"};
  });
}

void Answering::add(std::string path, Method method, bool exists, Handler handler) {
  if (exists) {
    routes_.push_back({std::move(path), method, std::move(handler)});
  }
}

Answer Answering::not_found() const {
  std::vector<std::string> there;
  for (const Route& route : routes_) {
    there.push_back((route.method == Method::post ? "POST " : "") + base_path_ + route.path);
  }
  return refusal(404, fmt::format("not here; see {}", fmt::join(there, ", ")));
}

Answer Answering::answer(const Asked& asked) const {
  const bool changes = asked.method != Method::get && asked.method != Method::head;
  if (audience_ == Audience::loopback && !host_is_loopback(asked.host)) {
    return refusal(421, "the Host header does not name a loopback address");
  }
  if ((audience_ == Audience::loopback || changes) && !origin_is_ours(asked.origin, asked.host, asked.scheme)) {
    return refusal(403, "a page of another origin may not ask");
  }
  const std::size_t mark = std::min(asked.target.find('?'), asked.target.size());
  std::string_view path = asked.target.substr(0, mark);
  if (!path.starts_with(base_path_)) {
    return not_found();
  }
  path.remove_prefix(base_path_.size());
  path = path.empty() ? "/" : path;
  for (const Route& route : routes_) {
    if (route.path != path) {
      continue;
    }
    if (route.method != (asked.method == Method::head ? Method::get : asked.method)) {
      Answer wrong = refusal(405, "not with this method");
      wrong.allow = route.method == Method::post ? "POST" : "GET, HEAD";
      return wrong;
    }
    const std::string_view query = asked.target.substr(std::min(mark + 1, asked.target.size()));
    try {
      return {.response = route.handler({std::string(path), parse_query(query)}),
              .allow = {},
              .events = path == kEvents && asked.method == Method::get && bool(endpoints_.status)};
    } catch (const std::exception& failed) {
      log::error("admin request failed", {{"path", path}, {"reason", failed.what()}});
      return refusal(500, "failed; the log says why");
    }
  }
  return not_found();
}

std::string Answering::event() const {
  try {
    return event_of(render_parts(endpoints_.status()));
  } catch (const std::exception& failed) {
    log::error("admin request failed", {{"path", kEvents}, {"reason", failed.what()}});
    return {};
  }
}

}  // namespace hawser::admin
