#include "rotation/varz.hpp"

#include <array>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <string>
#include <utility>

#include "rotation/monitor.hpp"

namespace hawser::rotation {
namespace {

namespace json = boost::json;

constexpr std::size_t kDepth = 32;

}  // namespace

Result<Varz> parse_varz(std::string_view text) {
  json::parse_options options;
  options.max_depth = kDepth;
  boost::system::error_code failed;
  const json::value value = json::parse({text.data(), text.size()}, failed, {}, options);
  const json::object* object = failed ? nullptr : value.if_object();
  if (object == nullptr) {
    return fail(Errc::rotation_monitor_silent,
                fmt::format("/varz is not a JSON object: {}", failed ? failed.message() : "something else"));
  }
  Varz out;
  const std::array<std::pair<const char*, std::uint64_t*>, 5> fields{{{"in_msgs", &out.in_msgs},
                                                                      {"out_msgs", &out.out_msgs},
                                                                      {"in_bytes", &out.in_bytes},
                                                                      {"connections", &out.connections},
                                                                      {"slow_consumers", &out.slow_consumers}}};
  for (const auto& [key, into] : fields) {
    const json::value* found = object->if_contains(key);
    const auto number = found != nullptr ? found->to_number<std::uint64_t>(failed) : 0;
    if (found == nullptr || failed) {
      return fail(Errc::rotation_monitor_silent,
                  fmt::format("/varz has no {}: is this a NATS server's monitoring?", key));
    }
    *into = number;
  }
  return out;
}

Result<Varz> varz_of(const Broker& broker, const tls::ContextPtr& trust, Time until, const std::stop_token& stop) {
  const auto text = monitoring_of(broker, "/varz", trust, until, stop);
  if (!text) {
    return std::unexpected(text.error());
  }
  Result<Varz> varz = parse_varz(*text);
  return varz ? varz : fail(varz.error().code, fmt::format("{}: {}", broker.name, varz.error().doing));
}

}  // namespace hawser::rotation
