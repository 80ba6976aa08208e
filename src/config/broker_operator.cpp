#include "config/broker_operator.hpp"

#include <fmt/format.h>
#include <utility>

#include "config/letters.hpp"

namespace hawser::config {

namespace {

using Kind = ConfNode::Kind;

constexpr std::string_view kRightForm =
    "operator: … at the top level, and beside it resolver: MEMORY and resolver_preload { ACCOUNT_KEY: JWT }";

void read_url_or_memory(ConfReading& reading, const ConfNode& node, OperatorMode& mode) {
  const std::string_view text = trimmed(node.text);
  if (same_letters(text, "MEM") || same_letters(text, "MEMORY")) {
    mode.resolver = OperatorMode::Resolver::memory;
    return;
  }
  const std::size_t open = text.find('(');
  if (open != std::string_view::npos && same_letters(trimmed(text.substr(0, open)), "URL") && text.back() == ')') {
    std::string_view where = trimmed(text.substr(open + 1, text.size() - open - 2));
    if (where.size() >= 2 && where.front() == '"' && where.back() == '"') where = where.substr(1, where.size() - 2);
    mode.resolver = OperatorMode::Resolver::url;
    mode.resolver_where = where;
    return;
  }
  reading.mistake(Errc::config_bad_value, node.place, "resolver must be MEMORY, URL(…) or a block with type and dir");
}

void read_resolver(ConfReading& reading, const ConfNode& node, OperatorMode& mode) {
  if (node.is(Kind::string)) return read_url_or_memory(reading, node, mode);
  ConfBlock block(reading, node, "resolver");
  const auto type = block.text({"type"});
  mode.resolver_where = block.text({"dir"}).value_or("");
  for (const std::string_view key : {"allow_delete", "hard_delete", "limit", "ttl", "interval", "timeout"}) {
    (void)block.member({key});  // they are the directory's own, for the version that has one
  }
  block.finish();
  if (!type) return;
  if (same_letters(*type, "full")) {
    mode.resolver = OperatorMode::Resolver::full;
  } else if (same_letters(*type, "cache")) {
    mode.resolver = OperatorMode::Resolver::cache;
  } else if (same_letters(*type, "mem") || same_letters(*type, "memory")) {
    mode.resolver = OperatorMode::Resolver::memory;
  } else {
    reading.mistake(Errc::config_bad_value, node.place, "resolver.type must be full, cache or memory");
  }
}

void read_preload(ConfReading& reading, const ConfNode& node, OperatorMode& mode) {
  if (!node.is(Kind::map)) {
    reading.mistake(Errc::config_bad_value, node.place, "resolver_preload must be a block of ACCOUNT_KEY: JWT");
    return;
  }
  for (const ConfMember& account : node.members) {
    if (account.used_as_variable) continue;
    auto jwt = as_text(reading, account.value, "an account's JWT in resolver_preload");
    if (jwt) mode.preload.push_back({account.key, "", std::move(*jwt), account.place});
  }
}

// `accounts = [ { name: APP, jwt: "…" } ]`, or a block of name: JWT.
void read_misspelt_accounts(ConfReading& reading, const ConfNode& node, OperatorMode& mode) {
  if (node.is(Kind::map)) {
    for (const ConfMember& account : node.members) {
      auto jwt = as_text(reading, account.value, "an account's JWT in authorization.accounts");
      if (jwt) mode.preload.push_back({"", account.key, std::move(*jwt), account.place});
    }
    return;
  }
  if (!node.is(Kind::array)) {
    reading.mistake(Errc::config_bad_value, node.place, "authorization.accounts must be a list of {name, jwt}");
    return;
  }
  for (const ConfNode& item : node.items) {
    ConfBlock block(reading, item, "authorization.accounts");
    PreloadedAccount account{.key = block.text({"key", "public_key", "nkey"}).value_or(""),
                             .name = block.text({"name", "account"}).value_or(""),
                             .jwt = block.text({"jwt", "token"}).value_or(""),
                             .place = item.place};
    if (item.is(Kind::map) && account.jwt.empty())
      reading.mistake(Errc::config_missing, item.place, "an account in authorization.accounts has no jwt");
    block.finish();
    mode.preload.push_back(std::move(account));
  }
}

}  // namespace

std::optional<OperatorMode> read_operator_mode(ConfReading& reading, ConfBlock& block, bool misspelt) {
  OperatorMode mode;
  mode.misspelt = misspelt;
  const ConfMember* first = nullptr;
  const auto take = [&](Names names) {
    const ConfMember* found = block.member(names);
    if (found != nullptr && (first == nullptr || std::pair(found->place.line, found->place.column) <
                                                     std::pair(first->place.line, first->place.column)))
      first = found;
    return found;
  };
  const Names operator_names{"operator", "operators", "roots", "root", "root_operators", "root_operator"};
  if (take(operator_names) != nullptr)
    mode.operators = block.texts(operator_names).value_or(std::vector<std::string>{});
  const Names trusted_names{"trusted_keys", "trusted"};
  if (take(trusted_names) != nullptr)
    mode.trusted_keys = block.texts(trusted_names).value_or(std::vector<std::string>{});
  if (const ConfMember* found = take({"resolver", "account_resolver", "accounts_resolver"}))
    read_resolver(reading, found->value, mode);
  if (const ConfMember* found = take({"resolver_preload"})) read_preload(reading, found->value, mode);
  if (misspelt) {
    if (const ConfMember* found = take({"accounts"})) read_misspelt_accounts(reading, found->value, mode);
    (void)take({"system_account", "system"});
  } else {
    for (const std::string_view key : {"resolver_tls", "resolver_pinned_accounts", "default_sentinel"})
      (void)take({key});
  }
  if (first == nullptr) return std::nullopt;
  mode.place = first->place;
  if (misspelt)
    reading.notice(Errc::broker_misspelt, Notice::Severity::warning, mode.place,
                   fmt::format("\"{}\" stands in authorization, where nats-server does not read it", shown(first->key)),
                   std::string(kRightForm));
  return mode;
}

}  // namespace hawser::config
