#include "config/broker_operator.hpp"

#include <fmt/format.h>
#include <utility>

#include "broker/operator_settings.hpp"
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

// The first two are about other servers, of which there are none.
void read_pace(ConfReading& reading, ConfBlock& block) {
  for (const std::string_view key : {"interval", "timeout", "ttl"})
    (void)block.duration({key}, ConfBlock::DurationKind::text_only);
  if (const ConfMember* ttl = block.member({"ttl"}))
    reading.notice(
        Errc::broker_ignored_setting, Notice::Severity::note, ttl->place,
        "resolver.ttl has no effect: accounts stay, since there are no other servers to fetch them from again");
}

void read_resolver(ConfReading& reading, const ConfNode& node, OperatorMode& mode) {
  if (node.is(Kind::string)) return read_url_or_memory(reading, node, mode);
  ConfBlock block(reading, node, "resolver");
  const auto type = block.text({"type"});
  mode.resolver_where = block.text({"dir"}).value_or("");
  mode.allow_delete = block.boolean({"allow_delete"}).value_or(false);
  mode.hard_delete = block.boolean({"hard_delete"}).value_or(false);
  constexpr auto kMost = static_cast<std::int64_t>(broker::ResolverSettings::kMostAccounts);
  mode.limit = block.integer({"limit"}, 0, kMost).value_or(0);
  read_pace(reading, block);
  block.finish();
  if (!type) {
    reading.mistake(Errc::broker_resolver_invalid, node.place, "resolver has no type", std::string(kResolversThatWork));
  } else if (same_letters(*type, "full")) {
    mode.resolver = OperatorMode::Resolver::full;
    if (const ConfMember* ttl = block.member({"ttl"}))
      reading.mistake(Errc::broker_resolver_invalid, ttl->place, "FULL does not accept ttl");
  } else if (same_letters(*type, "cache")) {
    mode.resolver = OperatorMode::Resolver::cache;
    if (const ConfMember* sync = block.member({"interval"}))
      reading.mistake(Errc::broker_resolver_invalid, sync->place, "CACHE does not accept sync");
    if (mode.allow_delete)
      reading.mistake(Errc::broker_resolver_invalid, node.place, "CACHE does not accept allow_delete");
    mode.allow_delete = mode.hard_delete = true;
  } else if (same_letters(*type, "mem") || same_letters(*type, "memory")) {
    mode.resolver = OperatorMode::Resolver::memory;
  } else {
    reading.mistake(Errc::config_bad_value, node.place, "resolver.type must be full, cache or memory");
  }
  const bool on_disk = mode.resolver == OperatorMode::Resolver::full || mode.resolver == OperatorMode::Resolver::cache;
  if (on_disk && mode.resolver_where.empty())
    reading.mistake(Errc::broker_resolver_invalid, node.place, "dir has no value and needs to point to a directory");
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
    if (take({"system_account", "system"}) != nullptr) mode.system_account = block.text({"system_account", "system"});
  } else {
    if (const ConfMember* found = block.member({"resolver_tls"}))
      reading.notice(Errc::broker_ignored_setting, Notice::Severity::note, found->place,
                     "resolver_tls has no effect: no URL is asked for accounts");
    if (const ConfMember* found = block.member({"default_sentinel"}))
      reading.mistake(
          Errc::broker_needs_nats_server, found->place,
          "\"default_sentinel\" is nats-server's authentication by a service; the embedded broker has none of it");
    if (take({"resolver_pinned_accounts"}) != nullptr)
      mode.pinned_accounts = block.texts({"resolver_pinned_accounts"}).value_or(std::vector<std::string>{});
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
