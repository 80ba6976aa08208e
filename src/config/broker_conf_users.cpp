// `authorization` and lists of users.
#include <array>
#include <fmt/format.h>
#include <map>
#include <utility>

#include "config/broker_conf_parts.hpp"
#include "config/letters.hpp"
#include "identity/nkey.hpp"

namespace hawser::config {

namespace {

using Kind = ConfNode::Kind;
using broker::ConnectionType;
using broker::User;

constexpr std::array<std::pair<std::string_view, ConnectionType>, 7> kConnectionTypes{{
    {"STANDARD", ConnectionType::standard},
    {"WEBSOCKET", ConnectionType::websocket},
    {"LEAFNODE", ConnectionType::leafnode},
    {"LEAFNODE_WS", ConnectionType::leafnode_ws},
    {"MQTT", ConnectionType::mqtt},
    {"MQTT_WS", ConnectionType::mqtt_ws},
    {"IN_PROCESS", ConnectionType::in_process},
}};

void read_connection_types(ConfReading& reading, ConfBlock& block, User& user) {
  const Names names{"allowed_connection_types", "connection_types", "clients"};
  const auto words = block.texts(names);
  if (!words) return;
  for (const std::string& word : *words) {
    const auto* const known = std::find_if(kConnectionTypes.begin(), kConnectionTypes.end(),
                                           [&word](const auto& type) { return same_letters(type.first, word); });
    if (known == kConnectionTypes.end()) {
      reading.mistake(Errc::config_bad_value, block.member(names)->value.place,
                      fmt::format("invalid connection type \"{}\"", shown(word)),
                      "Known are STANDARD, WEBSOCKET, LEAFNODE, LEAFNODE_WS, MQTT, MQTT_WS and IN_PROCESS.");
    } else {
      user.connection_types.insert(known->second);
    }
  }
}

// A password is taken as it stands; it shows in no message.
Secret read_secret(ConfBlock& block, Names names) { return Secret::take(block.text(names).value_or("")); }

void refuse_proxy(ConfReading& reading, ConfBlock& block) {
  if (!block.boolean({"proxy_required"}).value_or(false)) return;
  refuse_feature(reading, *block.member({"proxy_required"}), "nats-server's list of trusted proxies");
}

std::optional<User> read_user(ConfReading& reading, const ConfNode& node, const std::string& path) {
  ConfBlock block(reading, node, path);
  if (!node.is(Kind::map)) return std::nullopt;
  User user;
  const std::size_t mistakes_before = reading.mistakes.size();
  user.place = node.place.text();
  user.nkey = block.text({"nkey"}).value_or("");
  user.name = block.text({"user", "username"}).value_or("");
  user.password = read_secret(block, {"password", "pass"});
  if (const ConfMember* permissions = block.member({"permissions", "permission", "authorization"}))
    user.permissions = read_permissions(reading, permissions->value, path + ".permissions");
  read_connection_types(reading, block, user);
  refuse_proxy(reading, block);
  block.finish(
      {{"account", "A user belongs to the account in whose `users` it stands: accounts { APP { users: [ … ] } }."},
       {"name", "It is called user."},
       {"publish", "It belongs into permissions { publish: … }."},
       {"subscribe", "It belongs into permissions { subscribe: … }."}});
  const bool told = reading.mistakes.size() > mistakes_before;  // of the name perhaps: not twice, then
  if (user.nkey.empty() && user.name.empty() && !told) {
    reading.mistake(Errc::broker_bad_user, node.place, "User entry requires a user", "user: NAME, or nkey: U…");
    return std::nullopt;
  }
  if (user.nkey.empty() && user.name.empty()) return std::nullopt;
  if (!user.nkey.empty()) {
    const auto key = identity::PublicKey::parse(user.nkey);
    if (!key || key->kind() != identity::KeyKind::user)
      reading.mistake(Errc::broker_bad_user, block.member({"nkey"})->value.place, "Not a valid public nkey for a user",
                      "It begins with U and has 56 characters; the seed (SU…) stays with the client.");
    if (!user.name.empty() || !user.password.empty())
      reading.mistake(Errc::broker_bad_user, node.place, "Nkey users do not take usernames or passwords");
  }
  return user;
}

// What is here belongs at the top level, and is understood.
void read_misspelt_operator(BrokerDraft& draft, ConfBlock& block) {
  auto mode = read_operator_mode(draft.reading, block, true);
  if (!mode) return;
  if (draft.operator_mode)
    draft.reading.mistake(Errc::config_conflict, mode->place,
                          "operator mode stands at the top level and in authorization");
  draft.operator_mode = std::move(mode);
}

}  // namespace

std::vector<User> read_users(BrokerDraft& draft, const ConfNode& list, const std::string& path) {
  std::vector<User> users;
  if (!list.is(Kind::array)) {
    draft.reading.mistake(Errc::config_bad_value, list.place, fmt::format("{} must be a list of blocks", path),
                          "users: [ { user: NAME, password: HASH } ]");
    return users;
  }
  for (const ConfNode& item : list.items) {
    if (auto user = read_user(draft.reading, item, path)) users.push_back(std::move(*user));
  }
  return users;
}

void read_authorization(BrokerDraft& draft, const ConfMember& member) {
  draft.authorization = member.place;
  ConfBlock block(draft.reading, member.value, "authorization");
  if (!member.value.is(Kind::map)) return;
  broker::Authorization& out = draft.settings.authorization;
  if (const ConfMember* user = block.member({"user", "username"})) draft.single_user = user->place;
  out.user = block.text({"user", "username"}).value_or("");
  const ConfMember* password = block.member({"password", "pass"});
  // `PASS: …` for users to refer to is a variable, and to nats-server a password of nobody.
  const bool a_variable = password != nullptr && password->used_as_variable && out.user.empty();
  if (password != nullptr && !a_variable) {
    if (!draft.single_user) draft.single_user = password->place;
    out.password = read_secret(block, {"password", "pass"});
  }
  if (const ConfMember* token = block.member({"token"})) draft.token = token->place;
  out.token = read_secret(block, {"token"});
  const auto timeout = block.duration({"timeout"}, ConfBlock::DurationKind::seconds_or_text);
  if (timeout && *timeout > Duration::zero()) out.timeout = *timeout;
  if (timeout && *timeout > std::chrono::minutes(1) &&
      block.member({"timeout"})->value.form != ConfNode::Form::suffixed)
    draft.reading.notice(Errc::broker_unsafe_setting, Notice::Severity::warning, block.member({"timeout"})->place,
                         "a client may keep its connection without credentials for more than a minute",
                         "timeout: \"5s\"");
  if (const ConfMember* users = block.member({"users"})) {
    draft.users = users->place;
    out.users = read_users(draft, users->value, "authorization.users");
  }
  if (const ConfMember* found = block.member({"default_permissions", "default_permission", "permissions"}))
    out.default_permissions = read_permissions(draft.reading, found->value, "authorization.default_permissions");
  if (const ConfMember* callout = block.member({"auth_callout", "auth_hook"}))
    refuse_feature(draft.reading, *callout, "nats-server's authentication by a service");
  refuse_proxy(draft.reading, block);
  read_misspelt_operator(draft, block);
  block.finish({{"nkey", "NKeys are users: users: [ { nkey: U… } ]."},
                {"no_auth_user", "It belongs to the top level."},
                {"default_user", "no_auth_user, at the top level."}});
}

void check_authentication(BrokerDraft& draft) {
  ConfReading& reading = draft.reading;
  const broker::Authorization& auth = draft.settings.authorization;
  const bool single = draft.single_user && (!auth.user.empty() || !auth.password.empty());
  const bool token = draft.token && !auth.token.empty();
  const auto conflict = [&reading](const std::optional<Place>& at, std::string message) {
    reading.mistake(Errc::broker_auth_conflict, at.value_or(Place{}), std::move(message));
  };
  if (single && token) conflict(draft.token, "Cannot have a user/pass and token");
  if (single && draft.users) conflict(draft.users, "Can not have a single user/pass and a users array");
  if (token && draft.users) conflict(draft.users, "Can not have a token and a users array");
  if (single && draft.account_users) conflict(draft.account_users, "Can not have a single user/pass and accounts");
  if (token && draft.account_users) conflict(draft.account_users, "Can not have a token and accounts");
  if (single && auth.user.empty())
    reading.mistake(Errc::broker_bad_user, *draft.single_user, "a password without a user",
                    "authorization { user: NAME, password: HASH }");

  std::map<std::string, std::string, std::less<>> seen;
  for (const User& user : auth.users) {
    const bool nkey = !user.nkey.empty();
    const auto [first, is_new] = seen.try_emplace(nkey ? user.nkey : user.name, user.place);
    if (is_new) continue;
    reading.mistake(
        Errc::broker_bad_user, {},
        fmt::format("{}: Duplicate {} \"{}\" detected", user.place, nkey ? "nkey" : "user", shown(first->first)),
        fmt::format("The first one is at {}.", first->second));
  }
  if (!auth.no_auth_user.empty() && !seen.contains(auth.no_auth_user))
    reading.mistake(
        Errc::broker_bad_user, draft.no_auth_user,
        fmt::format("no_auth_user: \"{}\" not present as user or nkey in authorization block or account configuration",
                    shown(auth.no_auth_user)));
}

}  // namespace hawser::config
