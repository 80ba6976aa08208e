#include "broker/reload_changes.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "base/quantity.hpp"

namespace hawser::broker {
namespace {

bool same(const User& a, const User& b) {
  return a.name == b.name && a.nkey == b.nkey && equal_in_constant_time(a.password, b.password) &&
         a.account == b.account && a.permissions == b.permissions && a.connection_types == b.connection_types;
}

bool same(const Authorization& a, const Authorization& b) {
  return a.user == b.user && equal_in_constant_time(a.password, b.password) &&
         equal_in_constant_time(a.token, b.token) && a.default_permissions == b.default_permissions &&
         a.no_auth_user == b.no_auth_user && a.timeout == b.timeout &&
         std::ranges::equal(a.users, b.users, [](const User& x, const User& y) { return same(x, y); });
}

bool same(const Account& a, const Account& b) {
  return a.name == b.name && a.nkey == b.nkey && a.exports == b.exports && a.imports == b.imports &&
         a.mappings == b.mappings && a.default_permissions == b.default_permissions &&
         a.max_connections == b.max_connections && a.max_subscriptions == b.max_subscriptions &&
         a.max_payload == b.max_payload;
}

class Changes {
 public:
  template <class T>
  void number(const char* name, const T& before, const T& after) {
    if (before != after) {
      lines_.push_back(fmt::format("{} = {}", name, after));
    }
  }
  void duration(const char* name, Duration before, Duration after) {
    if (before != after) {
      lines_.push_back(fmt::format("{} = {}", name, format_duration(after)));
    }
  }
  void part(bool changed, std::string line) {
    if (changed) {
      lines_.push_back(std::move(line));
    }
  }
  std::vector<std::string> take() && { return std::move(lines_); }

 private:
  std::vector<std::string> lines_;
};

std::string text(const std::optional<Listen>& listen) {
  return listen ? fmt::format("{}:{}", listen->host, listen->port) : "none";
}

std::string text(const ResolverSettings& resolver) {
  return resolver.kind == ResolverKind::memory ? std::string("MEMORY") : resolver.directory.string();
}

// How many accounts came, changed and went.
std::string difference(const AccountJwts& before, const AccountJwts& after) {
  const auto missing = [](const AccountJwts& from, const AccountJwts& in) {
    return std::ranges::count_if(from, [&in](const auto& entry) { return !in.contains(entry.first); });
  };
  const auto changed = std::ranges::count_if(after, [&before](const auto& entry) {
    const auto old = before.find(entry.first);
    return old != before.end() && old->second->token != entry.second->token;
  });
  return fmt::format("accounts: {} new, {} changed, {} removed", missing(after, before), changed,
                     missing(before, after));
}

bool same(const AccountJwts& a, const AccountJwts& b) {
  return std::ranges::equal(
      a, b, [](const auto& x, const auto& y) { return x.first == y.first && x.second->token == y.second->token; });
}

}  // namespace

Result<void> can_reload(const Settings& before, const Settings& after) {
  const auto refuse = [](const char* name, const std::string& old_value, const std::string& new_value) {
    return fail(Errc::broker_reload_unsupported, fmt::format("{}: old={}, new={}", name, old_value, new_value));
  };
  if (before.listen != after.listen) {
    return refuse("listen", text(before.listen), text(after.listen));
  }
  if (before.trusted != after.trusted) {
    return refuse("the trusted listener", before.trusted ? before.trusted->address : "none",
                  after.trusted ? after.trusted->address : "none");
  }
  if (before.threads != after.threads) {
    return refuse("threads", std::to_string(before.threads), std::to_string(after.threads));
  }
  if (!(before.monitoring == after.monitoring)) {
    return refuse("http and https", text(before.monitoring.http) + " " + text(before.monitoring.https),
                  text(after.monitoring.http) + " " + text(after.monitoring.https));
  }
  if (before.system_account != after.system_account) {
    return refuse("system_account", before.system_account, after.system_account);
  }
  if (before.operator_mode.has_value() != after.operator_mode.has_value()) {
    return refuse("operator", before.operator_mode ? "on" : "off", after.operator_mode ? "on" : "off");
  }
  if (before.operator_mode) {
    const ResolverSettings& was = before.operator_mode->resolver;
    const ResolverSettings& is = after.operator_mode->resolver;
    if (was.kind != is.kind || was.directory != is.directory) {
      return refuse("resolver", text(was), text(is));
    }
  }
  if (before.server_name != after.server_name) {
    return refuse("server_name", before.server_name, after.server_name);
  }
  return {};
}

std::vector<std::string> describe_changes(const Configuration& before, const Configuration& after) {
  const Settings& a = *before.settings;
  const Settings& b = *after.settings;
  Changes changes;
  if (before.tls == nullptr || after.tls == nullptr) {
    changes.part(before.tls != after.tls, after.tls ? "tls = enabled" : "tls = disabled");
  } else {
    const bool trust = !before.tls->same_trust(*after.tls);
    changes.part(trust || before.tls->material().id() != after.tls->material().id() || !(*a.tls == *b.tls),
                 trust ? "tls = enabled (what is trusted has changed)" : "tls = enabled");
  }
  changes.number("allow_non_tls", a.allow_non_tls, b.allow_non_tls);
  changes.part(!same(a.authorization, b.authorization), "authorization users");
  changes.part(
      !std::ranges::equal(a.accounts, b.accounts, [](const Account& x, const Account& y) { return same(x, y); }),
      "accounts");
  if (before.authority && after.authority) {
    changes.part(before.authority->trusted() != after.authority->trusted(), "operator (what is trusted has changed)");
    changes.part(!same(before.authority->jwts(), after.authority->jwts()),
                 difference(before.authority->jwts(), after.authority->jwts()));
  }
  changes.number("max_connections", a.limits.max_connections, b.limits.max_connections);
  changes.number("max_subscriptions", a.limits.max_subscriptions, b.limits.max_subscriptions);
  changes.number("max_subscription_tokens", a.limits.max_subscription_tokens, b.limits.max_subscription_tokens);
  changes.number("max_control_line", a.limits.max_control_line, b.limits.max_control_line);
  changes.number("max_payload", a.limits.max_payload, b.limits.max_payload);
  changes.number("max_pending", a.limits.max_pending, b.limits.max_pending);
  changes.duration("write_deadline", a.limits.write_deadline, b.limits.write_deadline);
  changes.duration("ping_interval", a.limits.ping_interval, b.limits.ping_interval);
  changes.number("ping_max", a.limits.ping_max, b.limits.ping_max);
  changes.duration("lame_duck_duration", a.lame_duck_duration, b.lame_duck_duration);
  changes.duration("lame_duck_grace_period", a.lame_duck_grace_period, b.lame_duck_grace_period);
  changes.part(!(a.logging == b.logging), "logging");
  changes.part(a.client_advertise != b.client_advertise, "client_advertise = " + b.client_advertise);
  return std::move(changes).take();
}

}  // namespace hawser::broker
