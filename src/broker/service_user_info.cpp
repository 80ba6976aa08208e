#include "broker/service_user_info.hpp"

#include <boost/json.hpp>

#include "broker/monitor_json.hpp"

namespace hawser::broker {
namespace {

boost::json::array array_of(const std::vector<std::string>& subjects) {
  boost::json::array array;
  for (const std::string& subject : subjects) {
    array.emplace_back(subject);
  }
  return array;
}

boost::json::object object_of(const PermissionRules& rules) {
  boost::json::object object;
  if (rules.allow && !rules.allow->empty()) {
    object["allow"] = array_of(*rules.allow);
  }
  if (!rules.deny.empty()) {
    object["deny"] = array_of(rules.deny);
  }
  return object;
}

}  // namespace

std::string user_info_json(const UserInfo& info) {
  boost::json::object server;
  server["name"] = info.server_name;
  server["host"] = info.host;
  server["id"] = info.server_id;
  server["ver"] = info.version;
  server["jetstream"] = false;
  server["flags"] = 0;
  server["seq"] = 0;
  server["time"] = to_rfc3339(info.time, Precision::milliseconds);
  boost::json::object data;
  data["user"] = info.user;
  data["account"] = info.account;
  if (info.permissions != nullptr) {
    boost::json::object permissions;
    permissions["publish"] = object_of(info.permissions->publish);
    permissions["subscribe"] = object_of(info.permissions->subscribe);
    if (const auto& responses = info.permissions->responses) {
      permissions["responses"] = {
          {"max", responses->max},
          {"ttl", std::chrono::duration_cast<std::chrono::nanoseconds>(responses->expires).count()}};
    }
    data["permissions"] = std::move(permissions);
  }
  if (info.ends && *info.ends > info.time) {
    data["expires"] = (*info.ends - info.time).count();
  }
  return json_text({{"server", std::move(server)}, {"data", std::move(data)}}, Form::compact);
}

}  // namespace hawser::broker
