// `accounts`: users, exports, imports, mappings and limits of each.
#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <limits>
#include <utility>

#include "config/broker_conf_parts.hpp"
#include "config/letters.hpp"
#include "identity/nkey.hpp"

namespace hawser::config {

namespace {

using Kind = ConfNode::Kind;
using broker::Account;

void read_limits(ConfReading& reading, const ConfNode& node, const std::string& path, Account& account) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  ConfBlock block(reading, node, path);
  if (const auto most = block.integer({"max_connections", "max_conn"}, -1, kMost)) account.max_connections = *most;
  if (const auto most = block.integer({"max_subscriptions", "max_subs"}, -1, kMost)) account.max_subscriptions = *most;
  if (const auto most = block.integer({"max_payload", "max_pay"}, -1, kMost)) account.max_payload = *most;
  (void)block.integer({"max_leafnodes", "max_leafs"}, -1, kMost);  // there are none
  block.finish();
}

void read_trace(ConfReading& reading, ConfBlock& block) {
  const ConfMember* found = block.member({"msg_trace", "trace_dest"});
  if (found == nullptr) return;
  reading.notice(
      Errc::broker_ignored_setting, Notice::Severity::note, found->place,
      fmt::format("{} has no effect: messages are not traced from server to server", block.full(found->key)));
}

Account read_account(BrokerDraft& draft, const ConfMember& member) {
  ConfReading& reading = draft.reading;
  Account account;
  account.name = member.key;
  account.place = member.place.text();
  const std::string path = fmt::format("accounts.{}", shown(member.key));
  ConfBlock block(reading, member.value, path);
  if (const ConfMember* nkey = block.member({"nkey"})) {
    account.nkey = as_text(reading, nkey->value, path + ".nkey").value_or("");
    const auto key = identity::PublicKey::parse(account.nkey);
    if (!account.nkey.empty() && (!key || key->kind() != identity::KeyKind::account))
      reading.mistake(Errc::broker_bad_account, nkey->value.place,
                      fmt::format("Not a valid public nkey for an account: {}", path));
  }
  if (const ConfMember* users = block.member({"users"})) {
    std::vector<broker::User> read = read_users(draft, users->value, path + ".users");
    if (!read.empty() && !draft.account_users) draft.account_users = users->place;
    for (broker::User& user : read) {
      user.account = account.name;
      draft.settings.authorization.users.push_back(std::move(user));
    }
  }
  if (const ConfMember* found = block.member({"default_permissions"}))
    account.default_permissions = read_permissions(reading, found->value, path + ".default_permissions");
  if (const ConfMember* found = block.member({"exports"}))
    account.exports = read_exports(reading, found->value, path + ".exports");
  if (const ConfMember* found = block.member({"imports"}))
    account.imports = read_imports(reading, found->value, path + ".imports");
  if (const ConfMember* found = block.member({"mappings", "maps"}))
    account.mappings = read_mappings(reading, found->value, path + ".mappings");
  if (const ConfMember* found = block.member({"limits"})) read_limits(reading, found->value, path + ".limits", account);
  if (const ConfMember* found = block.member({"jetstream"})) refuse_feature(reading, *found, "nats-server's storage");
  read_trace(reading, block);
  block.finish({{"permissions", "It is called default_permissions."}});
  return account;
}

void add_account(BrokerDraft& draft, Account account, const Place& at) {
  if (account.name == broker::kGlobalAccount) {
    draft.reading.mistake(Errc::broker_bad_account, at, fmt::format("\"{}\" is a Reserved Account", account.name));
    return;
  }
  const auto& accounts = draft.settings.accounts;
  if (std::any_of(accounts.begin(), accounts.end(), [&](const Account& other) { return other.name == account.name; })) {
    draft.reading.mistake(Errc::broker_bad_account, at,
                          fmt::format("Duplicate Account Entry: {}", shown(account.name)));
    return;
  }
  draft.settings.accounts.push_back(std::move(account));
}

}  // namespace

void read_accounts(BrokerDraft& draft, const ConfMember& member) {
  draft.accounts = member.place;
  if (member.value.is(Kind::array)) {
    for (const ConfNode& item : member.value.items) {
      const auto name = as_text(draft.reading, item, "an item of accounts");
      if (!name) continue;
      Account account;
      account.name = *name;
      account.place = item.place.text();
      add_account(draft, std::move(account), item.place);
    }
    return;
  }
  if (!member.value.is(Kind::map)) {
    draft.reading.mistake(Errc::config_bad_value, member.value.place, "accounts must be a block, or a list of names");
    return;
  }
  for (const ConfMember& one : member.value.members) {
    // The last of equal names counts, as everywhere; names of accounts differ by case.
    const auto later = [&one](const ConfMember& other) { return &other > &one && other.key == one.key; };
    if (one.used_as_variable || std::any_of(member.value.members.begin(), member.value.members.end(), later)) continue;
    add_account(draft, read_account(draft, one), one.place);
  }
}

void check_accounts(BrokerDraft& draft) {
  const auto& accounts = draft.settings.accounts;
  const auto exists = [&](const std::string& name) {
    return name == broker::kGlobalAccount || name == broker::kSystemAccount ||
           std::any_of(accounts.begin(), accounts.end(), [&](const Account& a) { return a.name == name; });
  };
  const auto missing = [&](const std::string& place, const std::string& name, std::string_view what) {
    if (exists(name)) return;
    draft.reading.mistake(Errc::broker_bad_account, {},
                          fmt::format("{}: \"{}\" account not defined for {}", place, shown(name), what));
  };
  for (const Account& account : accounts) {
    for (const broker::Export& one : account.exports) {
      const bool stream = one.kind == broker::ExportKind::stream;
      for (const std::string& name : one.accounts.value_or(std::vector<std::string>{}))
        missing(one.place, name, stream ? "stream export" : "service export");
    }
    for (const broker::Import& one : account.imports)
      missing(one.place, one.account, one.kind == broker::ExportKind::stream ? "stream import" : "service import");
  }
  const std::string& system = draft.settings.system_account;
  if (!system.empty() && !exists(system) && !draft.operator_mode)
    draft.reading.mistake(Errc::broker_bad_account, draft.system_account,
                          fmt::format("system_account: account \"{}\" is not defined", shown(system)));
}

}  // namespace hawser::config
