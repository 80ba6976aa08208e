#include "broker/service_request.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "base/clock.hpp"
#include "broker/monitor_json.hpp"
#include "wire/headers.hpp"

namespace hawser::broker {
namespace {

constexpr std::string_view kRequestInfo = "Nats-Request-Info";
constexpr std::string_view kEnd = "\r\n";

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, [lower](char x, char y) { return lower(x) == lower(y); });
}

// The lines of a block but for the empty last one, without what the client itself said under that name, in whatever
// case, and folded lines that go on with it.
void append_other_headers(std::string& to, std::string_view block) {
  bool left_out = false;
  for (bool first = true; !block.empty(); first = false) {
    const std::size_t end = block.find(kEnd);
    const std::string_view line = block.substr(0, end);
    block.remove_prefix(end == std::string_view::npos ? block.size() : end + kEnd.size());
    if (line.empty()) {
      return;
    }
    const bool folded = line.front() == ' ' || line.front() == '\t';
    std::string_view name = line.substr(0, line.find(':'));
    name = name.substr(0, name.find_last_not_of(" \t") + 1);
    left_out = !first && ((folded && left_out) || equal_ignoring_case(name, kRequestInfo));
    if (!left_out) {
      to.append(line).append(kEnd);
    }
  }
}

}  // namespace

std::string request_info_json(const RequestInfo& info) {
  boost::json::object json;
  const ConnectionFacts& client = info.client;
  const auto add = [&json](const char* name, std::string_view value) {
    if (!value.empty()) {
      json[name] = value;
    }
  };
  if (info.share) {
    json["start"] = to_rfc3339(client.start, Precision::milliseconds);
    add("host", client.ip);
    json["id"] = client.cid;
  }
  add("acc", info.account);
  add("svc", info.via);
  if (info.share) {
    add("user", client.authorized_user);
    add("name", client.name);
    add("lang", client.lang);
    add("ver", client.version);
  }
  if (client.rtt.count() > 0) {
    json["rtt"] = std::chrono::duration_cast<std::chrono::nanoseconds>(client.rtt).count();
  }
  add("server", info.server);
  if (info.share) {
    json["kind"] = "Client";
    json["client_type"] = "nats";
  }
  return json_text(json, Form::compact);
}

std::string with_request_info(std::string_view headers, std::string_view payload_and_end, std::string_view json,
                              std::size_t& header_bytes) {
  std::string body;
  body.reserve(headers.size() + payload_and_end.size() + json.size() + 48);
  if (headers.empty()) {
    body.append(wire::kHeaderVersion).append(kEnd);
  } else {
    append_other_headers(body, headers);
  }
  body.append(kRequestInfo).append(": ").append(json).append(kEnd).append(kEnd);
  header_bytes = body.size();
  return body.append(payload_and_end);
}

}  // namespace hawser::broker
