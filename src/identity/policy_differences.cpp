// What changed from one JWT to the next, for people: paths of claims with both values.
#include <boost/json.hpp>
#include <map>
#include <set>

#include "base/clock.hpp"
#include "identity/policy_plan.hpp"
#include "identity/token.hpp"

namespace hawser::identity {
namespace {

namespace json = boost::json;
using Flat = std::map<std::string, std::string>;

constexpr std::size_t kLongestValue = 120;

bool is_plain_list(const json::array& list) {
  return std::all_of(list.begin(), list.end(),
                     [](const json::value& one) { return !one.is_object() && !one.is_array(); });
}

std::string plain(const json::value& value) {
  const json::string* text = value.if_string();
  return text != nullptr ? std::string(text->data(), text->size()) : json::serialize(value);
}

std::string list_text(const json::array& list) {
  std::string all = "[";
  for (const json::value& one : list) {
    all += (all.size() == 1 ? "" : ", ") + plain(one);
  }
  return all + "]";
}

// What people know an entry of a list by: its subject or key.
std::string label_of(const json::value& entry) {
  const json::object* object = entry.if_object();
  for (const std::string_view name : {"subject", "key"}) {
    const json::value* found = object != nullptr ? object->if_contains(name) : nullptr;
    if (found != nullptr && found->is_string()) {
      return plain(*found);
    }
  }
  return {};
}

bool ends_with_token(std::string_view path) { return path.ends_with("].token"); }

// NOLINTNEXTLINE(misc-no-recursion): the depth of a token is bounded
void flatten(const json::value& value, const std::string& path, Flat& out) {
  if (const json::object* object = value.if_object()) {
    for (const auto& [name, member] : *object) {
      flatten(member, path.empty() ? std::string(name) : path + "." + std::string(name), out);
    }
  } else if (const json::array* list = value.if_array(); list != nullptr && !is_plain_list(*list)) {
    std::set<std::string> labels;
    for (std::size_t i = 0; i < list->size(); ++i) {
      std::string label = label_of((*list)[i]);
      if (label.empty() || !labels.insert(label).second) {
        label += "#" + std::to_string(i);
      }
      flatten((*list)[i], path + "[" + label + "]", out);
    }
  } else {
    out[path] = list != nullptr ? list_text(*list) : plain(value);
  }
}

Flat flat_claims(std::string_view token) {
  Flat flat;
  const auto text = payload_json(token, false);
  boost::system::error_code failed;
  const json::value payload = text ? json::parse(*text, failed) : json::value();
  if (const json::object* claims = payload.if_object()) {
    for (const auto& [name, value] : *claims) {
      if (name == "iat" || name == "jti" || name == "iss") {
        continue;
      }
      if (name == "exp" && value.is_int64()) {
        flat["expires"] = to_rfc3339(std::chrono::sys_seconds(std::chrono::seconds(value.get_int64())));
      } else {
        flatten(value, name == "nats" ? std::string() : std::string(name), flat);
      }
    }
  }
  return flat;
}

std::string shown(std::string_view path, const std::string& value) {
  if (ends_with_token(path)) {
    return "an activation";
  }
  return value.size() <= kLongestValue ? value : value.substr(0, kLongestValue) + "…";
}

}  // namespace

std::vector<std::string> differences(std::string_view before, std::string_view after) {
  const Flat old = flat_claims(before);
  const Flat fresh = flat_claims(after);
  std::vector<std::string> lines;
  for (const auto& [path, value] : fresh) {
    const auto was = old.find(path);
    if (was == old.end()) {
      lines.push_back(path + ": " + shown(path, value));
    } else if (was->second != value) {
      lines.push_back(path + ": " + shown(path, was->second) + " -> " + shown(path, value));
    }
  }
  for (const auto& [path, value] : old) {
    if (!fresh.contains(path)) {
      lines.push_back(path + ": " + shown(path, value) + " -> nothing");
    }
  }
  return lines;
}

}  // namespace hawser::identity
