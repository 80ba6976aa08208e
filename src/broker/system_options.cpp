#include "broker/system_options.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace hawser::broker {
namespace {

namespace json = boost::json;

// Members by their type; the first of another type is the error. null counts as absent.
class Members {
 public:
  explicit Members(const json::object& object) : object_(object) {}

  std::string text(std::string_view name) {
    const json::value* value = find(name);
    if (value != nullptr && !value->is_string()) {
      fail(name, "string");
    }
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
  }
  bool boolean(std::string_view name) {
    const json::value* value = find(name);
    if (value != nullptr && !value->is_bool()) {
      fail(name, "bool");
    }
    return value != nullptr && value->is_bool() && value->get_bool();
  }
  // Below zero counts as absent.
  std::uint64_t number(std::string_view name) {
    const json::value* value = find(name);
    if (value == nullptr) {
      return 0;
    }
    if (value->is_uint64()) {
      return value->get_uint64();
    }
    if (!value->is_int64()) {
      fail(name, "int");
      return 0;
    }
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, value->get_int64()));
  }
  std::vector<std::string> texts(std::string_view name) {
    std::vector<std::string> all;
    const json::value* value = find(name);
    if (value != nullptr && !value->is_array()) {
      fail(name, "[]string");
    } else if (value != nullptr) {
      for (const json::value& each : value->get_array()) {
        if (!each.is_string()) {
          fail(name, "[]string");
          break;
        }
        all.emplace_back(each.get_string());
      }
    }
    return all;
  }
  void note(std::string error) {
    if (error_.empty()) {
      error_ = std::move(error);
    }
  }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  const json::value* find(std::string_view name) const {
    const json::value* value = object_.if_contains({name.data(), name.size()});
    return value == nullptr || value->is_null() ? nullptr : value;
  }
  void fail(std::string_view name, std::string_view type) {
    note(fmt::format("json: cannot unmarshal field {} into a value of type {}", name, type));
  }

  const json::object& object_;
  std::string error_;
};

bool contains(std::string_view text, std::string_view part) {
  return part.empty() || text.find(part) != std::string_view::npos;
}

}  // namespace

struct SystemOptions::Object {
  json::object members;
};

SystemOptions::SystemOptions(std::unique_ptr<Object> object) : object_(std::move(object)) {}
SystemOptions::~SystemOptions() = default;
SystemOptions::SystemOptions(SystemOptions&&) noexcept = default;
SystemOptions& SystemOptions::operator=(SystemOptions&&) noexcept = default;

Parsed<SystemOptions> SystemOptions::parse(std::string_view payload) {
  auto object = std::make_unique<Object>();
  if (!payload.empty()) {
    boost::system::error_code failed;
    json::value value = json::parse({payload.data(), payload.size()}, failed);
    if (failed) {
      return std::unexpected("the request is not JSON: " + failed.message());
    }
    if (!value.is_object() && !value.is_null()) {
      return std::unexpected("the request is not a JSON object");
    }
    if (value.is_object()) {
      object->members = std::move(value.get_object());
    }
  }
  SystemOptions options(std::move(object));
  Members filter(options.object_->members);
  for (const char* name : {"server_name", "host", "cluster", "domain"}) {
    std::ignore = filter.text(name);
  }
  std::ignore = filter.texts("tags");
  if (!filter.error().empty()) {
    return std::unexpected(filter.error());
  }
  return options;
}

bool SystemOptions::meant_for(const ServerFacts& server) const {
  Members filter(object_->members);
  return contains(server.name, filter.text("server_name")) && contains(server.host, filter.text("host")) &&
         filter.text("cluster").empty() && filter.text("domain").empty() && filter.texts("tags").empty();
}

Parsed<ConnzQuery> SystemOptions::connz() const {
  Members members(object_->members);
  ConnzQuery query;
  query.auth = members.boolean("auth");
  query.subscriptions_detail = members.boolean("subscriptions_detail");
  query.subscriptions = !query.subscriptions_detail && members.boolean("subscriptions");
  query.offset = members.number("offset");
  query.limit = members.number("limit");
  query.cid = members.number("cid");
  query.user = members.text("user");
  query.account = members.text("acc");
  query.filter_subject = members.text("filter_subject");
  query.mqtt_client = members.text("mqtt_client");
  const std::string sort = members.text("sort");
  const std::uint64_t state = members.number("state");
  if (!members.error().empty()) {
    return std::unexpected(members.error());
  }
  query.state = state == 0 ? ConnzState::open : state == 1 ? ConnzState::closed : ConnzState::all;
  const Parsed<ConnzSort> by = connz_sort(sort);
  if (!by) {
    return std::unexpected(by.error());
  }
  query.sort = *by;
  return checked(std::move(query));
}

Parsed<SubszQuery> SystemOptions::subsz() const {
  Members members(object_->members);
  SubszQuery query;
  query.subscriptions = members.boolean("subscriptions");
  query.offset = members.number("offset");
  query.limit = members.number("limit");
  query.account = members.text("account");
  query.test = members.text("test");
  return members.error().empty() ? checked(std::move(query)) : std::unexpected(members.error());
}

Parsed<AccstatzQuery> SystemOptions::accstatz() const {
  Members members(object_->members);
  AccstatzQuery query;
  query.unused = members.boolean("include_unused");
  query.accounts = members.texts("accounts");
  return members.error().empty() ? Parsed<AccstatzQuery>(std::move(query)) : std::unexpected(members.error());
}

Parsed<std::string> SystemOptions::account() const {
  Members members(object_->members);
  std::string name = members.text("account");
  return members.error().empty() ? Parsed<std::string>(std::move(name)) : std::unexpected(members.error());
}

Parsed<std::uint64_t> SystemOptions::cid() const {
  Members members(object_->members);
  const std::uint64_t cid = members.number("cid");
  return members.error().empty() ? Parsed<std::uint64_t>(cid) : std::unexpected(members.error());
}

}  // namespace hawser::broker
