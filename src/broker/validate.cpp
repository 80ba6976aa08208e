#include "broker/validate.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/limits.hpp"
#include "base/quantity.hpp"
#include "broker/account_rules.hpp"
#include "broker/bcrypt_check.hpp"
#include "broker/tls_policy.hpp"
#include "identity/nkey.hpp"
#include "wire/subject.hpp"

namespace hawser::broker {
namespace {

using Mistakes = std::vector<Error>;

std::string at(const std::string& place, std::string_view text) {
  return place.empty() ? std::string(text) : fmt::format("{}: {}", place, text);
}

const std::string& name_of(const User& user) { return user.nkey.empty() ? user.name : user.nkey; }

bool is_key_of(std::string_view text, identity::KeyKind kind) {
  const Result<identity::PublicKey> key = identity::PublicKey::parse(text);
  return key && key->kind() == kind;
}

void check_conflicts(const Settings& settings, Mistakes& out) {
  const Authorization& authorization = settings.authorization;
  const bool single = !authorization.user.empty() || !authorization.password.empty();
  const bool token = !authorization.token.empty();
  const bool in_accounts = std::ranges::any_of(authorization.users, [](const User& u) { return !u.account.empty(); });
  const bool in_list = std::ranges::any_of(authorization.users, [](const User& u) { return u.account.empty(); });
  const auto conflict = [&out](bool there, const char* text) {
    if (there) {
      out.push_back({Errc::broker_auth_conflict, text});
    }
  };
  conflict(single && token, "Cannot have a user/pass and token");
  conflict(single && in_list, "Can not have a single user/pass and a users array");
  conflict(token && in_list, "Can not have a token and a users array");
  conflict(single && in_accounts, "Can not have a single user/pass and accounts");
  conflict(token && in_accounts, "Can not have a token and accounts");
  conflict(authorization.user.empty() && !authorization.password.empty(), "a password without a user");
}

// A hash that can never match would lock its owner out; that it is one is said, never what it is.
void check_password(const Secret& password, std::string_view whose, const std::string& place, Mistakes& out) {
  if (looks_like_bcrypt(password.reveal()) && !valid_bcrypt(password.reveal())) {
    out.push_back({Errc::broker_bad_user,
                   at(place, fmt::format("{} is not a whole bcrypt hash ($2a$, $2b$ or $2y$, 60 characters)", whose))});
  }
}

void check_subjects(const std::vector<std::string>& subjects, bool queues, std::string_view what,
                    const std::string& place, Mistakes& out) {
  for (const std::string& one : subjects) {
    if (wire::valid_subscribe_subject(one)) {
      continue;
    }
    std::string text = fmt::format("subject \"{}\" is not a valid subject", one);
    const std::size_t blank = one.find_first_of(" \t");
    if (queues && blank != std::string::npos) {
      const std::string subject = one.substr(0, blank);
      const std::size_t word = one.find_first_not_of(" \t", blank);
      const std::string queue = word == std::string::npos ? std::string() : one.substr(word);
      if (wire::valid_subscribe_subject(subject)) {
        if (wire::valid_subscribe_subject(queue)) {
          continue;
        }
        text = fmt::format("queue \"{}\" is not a valid queue", queue);
      }
    }
    out.push_back({Errc::broker_bad_subject, at(place, fmt::format("{}: {}", what, text))});
  }
}

void check_permissions(const std::optional<Permissions>& permissions, std::string_view whose, const std::string& place,
                       Mistakes& out) {
  if (!permissions) {
    return;
  }
  const auto rules = [&](const PermissionRules& of, bool queues, std::string_view kind) {
    const std::string what = fmt::format("{} permissions of {}", kind, whose);
    check_subjects(of.allow.value_or(std::vector<std::string>()), queues, what, place, out);
    check_subjects(of.deny, queues, what, place, out);
  };
  rules(permissions->publish, false, "publish");
  rules(permissions->subscribe, true, "subscribe");
}

void check_user(const Settings& settings, const User& user, std::set<std::string_view>& seen, Mistakes& out) {
  const auto bad = [&](std::string_view text) { out.push_back({Errc::broker_bad_user, at(user.place, text)}); };
  const std::string& name = name_of(user);
  if (name.empty()) {
    return bad("User entry requires a user");
  }
  if (!user.nkey.empty() && (!user.name.empty() || !user.password.empty())) {
    bad("Nkey users do not take usernames or passwords");
  }
  if (!user.nkey.empty() && !is_key_of(user.nkey, identity::KeyKind::user)) {
    return bad("Not a valid public nkey for a user");  // not shown: it may be a seed
  }
  if (!seen.insert(name).second) {
    bad(fmt::format("Duplicate {} \"{}\" detected", user.nkey.empty() ? "user" : "nkey", name));
  }
  const std::string whose = fmt::format("user \"{}\"", name);
  check_password(user.password, "the password of " + whose, user.place, out);
  check_permissions(user.permissions, whose, user.place, out);
  if (!user.account.empty() &&
      std::ranges::find(settings.accounts, user.account, &Account::name) == settings.accounts.end()) {
    bad(fmt::format("{} is of the account \"{}\", which is not configured", whose, user.account));
  }
}

void check_authorization(const Settings& settings, Mistakes& out) {
  const Authorization& authorization = settings.authorization;
  check_conflicts(settings, out);
  check_password(authorization.password, "the password of authorization", {}, out);
  check_password(authorization.token, "the token of authorization", {}, out);
  check_permissions(authorization.default_permissions, "authorization's default_permissions", {}, out);
  std::set<std::string_view> seen;
  for (const User& user : authorization.users) {
    check_user(settings, user, seen, out);
  }
  const std::string& open_user = authorization.no_auth_user;
  if (!open_user.empty() && authorization.users.empty()) {
    out.push_back({Errc::broker_bad_user,
                   fmt::format("no_auth_user: \"{}\" present, but users/nkeys are not defined", open_user)});
  } else if (!open_user.empty() && !seen.contains(open_user)) {
    out.push_back(
        {Errc::broker_bad_user,
         fmt::format("no_auth_user: \"{}\" not present as user or nkey in authorization block or account configuration",
                     open_user)});
  }
  if (settings.trusted && !settings.trusted->user.empty() && !seen.contains(settings.trusted->user)) {
    out.push_back({Errc::broker_bad_user, fmt::format("trusted listener {}: user \"{}\" is not configured",
                                                      settings.trusted->address, settings.trusted->user)});
  }
  if (authorization.timeout && *authorization.timeout <= Duration::zero()) {
    out.push_back({Errc::config_bad_value, "the timeout of authorization is not above zero"});
  }
}

void check_accounts(const Settings& settings, Mistakes& out) {
  std::set<std::string_view> seen;
  for (const Account& account : settings.accounts) {
    const auto bad = [&](std::string_view text) { out.push_back({Errc::broker_bad_account, at(account.place, text)}); };
    if (account.name.empty() || account.name.find_first_of(" \t\r\n") != std::string::npos) {
      bad(fmt::format("\"{}\" cannot name an account", account.name));
    }
    if (account.name == kGlobalAccount &&
        (account.mappings.empty() || !account.exports.empty() || !account.imports.empty())) {
      bad(fmt::format("\"{}\" is a Reserved Account", account.name));
    }
    if (!seen.insert(account.name).second) {
      bad(fmt::format("Duplicate account \"{}\" detected", account.name));
    }
    if (!account.nkey.empty() && !is_key_of(account.nkey, identity::KeyKind::account)) {
      bad(fmt::format("Not a valid public nkey for an account: \"{}\"", account.name));
    }
    check_permissions(account.default_permissions, fmt::format("account \"{}\"", account.name), account.place, out);
  }
  if (!settings.operator_mode && settings.system_account != kSystemAccount && !settings.system_account.empty() &&
      !seen.contains(settings.system_account)) {
    out.push_back({Errc::broker_bad_account,
                   fmt::format("error resolving system account: account missing: \"{}\"", settings.system_account)});
  }
}

// Users and accounts that would be overlooked.
void check_operator_mode(const Settings& settings, Mistakes& out) {
  const OperatorSettings& mode = *settings.operator_mode;
  const auto conflict = [&](bool there, std::string_view text) {
    if (there) {
      out.push_back({Errc::broker_operator_conflict, at(mode.place, text)});
    }
  };
  const Authorization& authorization = settings.authorization;
  const auto is_global = [](const Account& account) { return account.name == kGlobalAccount; };
  conflict(!std::ranges::all_of(settings.accounts, is_global),
           "operators do not allow Accounts to be configured directly");
  conflict(!authorization.users.empty(), "operators do not allow users to be configured directly");
  conflict(!authorization.user.empty() || !authorization.token.empty(),
           "operators do not allow a user or token to be configured directly");
  conflict(!mode.operators.empty() && !mode.trusted_keys.empty(),
           "conflicting options for 'TrustedKeys' and 'TrustedOperators'");
  if (mode.operators.empty() && mode.trusted_keys.empty()) {
    out.push_back({Errc::broker_operator_invalid, at(mode.place, "a resolver without an operator")});
  }
  for (const std::string& key : mode.trusted()) {
    if (!is_key_of(key, identity::KeyKind::operator_key)) {
      out.push_back({Errc::broker_operator_invalid,
                     at(mode.place, fmt::format("trust key \"{}\" required to be a valid public operator nkey", key))});
    }
  }
  for (const std::string& key : mode.pinned_accounts) {
    if (!is_key_of(key, identity::KeyKind::account)) {
      out.push_back({Errc::broker_account_invalid,
                     at(mode.place, fmt::format("pinned account key \"{}\" is not a valid public account nkey", key))});
    }
  }
  if (mode.resolver.kind != ResolverKind::memory && mode.resolver.directory.empty()) {
    out.push_back(
        {Errc::broker_resolver_invalid, at(mode.place, "dir has no value and needs to point to a directory")});
  }
  if (mode.resolver.kind != ResolverKind::memory && settings.system_account == kSystemAccount) {
    out.push_back({Errc::broker_system_account,
                   at(mode.place,
                      "using nats based account resolver - the system account needs to be specified in "
                      "configuration or the operator jwt")});
  }
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void check_tls(const TlsSettings& tls, Mistakes& out) {
  const auto incomplete = [&out](std::string text) {
    out.push_back({Errc::broker_tls_incomplete, "tls: " + std::move(text)});
  };
  if (tls.source.cert_file.empty() || tls.source.key_file.empty()) {
    incomplete(fmt::format("{} is not set", tls.source.cert_file.empty() ? "cert_file" : "key_file"));
  }
  const bool verifies = tls.verify || tls.verify_and_map;
  if (verifies && tls.source.ca_file.empty()) {
    incomplete(fmt::format("{} without ca_file", tls.verify_and_map ? "verify_and_map" : "verify"));
  }
  if (!verifies && !tls.pinned_certs.empty()) {
    incomplete("pinned_certs without verify: no client would be asked for its certificate");
  }
  if (!verifies && !tls.source.crl_file.empty()) {
    incomplete("crl_file without verify: no client would be asked for its certificate");
  }
  for (const std::string& pin : tls.pinned_certs) {
    if (!is_sha256(pin)) {
      out.push_back({Errc::broker_bad_tls_option, fmt::format("'pinned_certs' key {} does not look like hex-encoded "
                                                              "sha256 of DER encoded SubjectPublicKeyInfo",
                                                              pin)});
    }
  }
  if (const Result<TlsNames> names = translate_names(tls); !names) {
    out.push_back(names.error());
  }
  if (tls.timeout <= Duration::zero()) {
    out.push_back({Errc::config_bad_value, "the timeout of tls is not above zero"});
  }
  if (tls.handshake_first == HandshakeFirst::fallback && tls.handshake_fallback <= Duration::zero()) {
    out.push_back({Errc::config_bad_value, "the delay of handshake_first is not above zero"});
  }
}

void check_limits(const Settings& settings, Mistakes& out) {
  const Limits& limits = settings.limits;
  const auto bad = [&out](std::string text) { out.push_back({Errc::config_bad_value, std::move(text)}); };
  if (limits.max_payload > limits::kMaxPayloadBytes) {
    bad(fmt::format("max_payload ({}) is over {}, the most there is", limits.max_payload, limits::kMaxPayloadBytes));
  }
  if (limits.max_payload > limits.max_pending) {
    bad(fmt::format("max_payload ({}) cannot be higher than max_pending ({})", limits.max_payload, limits.max_pending));
  }
  if (settings.lame_duck_duration > Duration::zero() &&
      settings.lame_duck_grace_period >= settings.lame_duck_duration) {
    bad(fmt::format("lame duck grace period ({}) should be strictly lower than lame duck duration ({})",
                    format_duration(settings.lame_duck_grace_period), format_duration(settings.lame_duck_duration)));
  }
  if (settings.server_name.find(' ') != std::string::npos) {
    bad("server name cannot contain spaces");
  }
  if (settings.threads == 0) {
    bad("threads is zero");
  }
  if (settings.monitoring.https && !settings.tls) {
    out.push_back({Errc::broker_tls_incomplete, "https_port: TLS cert and key required for HTTPS"});
  }
}

}  // namespace

std::vector<Error> find_mistakes(const Settings& settings) {
  Mistakes out;
  check_limits(settings, out);
  if (settings.tls) {
    check_tls(*settings.tls, out);
  }
  check_authorization(settings, out);
  check_accounts(settings, out);
  if (settings.operator_mode) {
    check_operator_mode(settings, out);
  }
  std::ignore = compile_accounts(settings.accounts, out);
  return out;
}

Result<void> validate(const Settings& settings) {
  Mistakes mistakes = find_mistakes(settings);
  if (mistakes.empty()) {
    return {};
  }
  Error first = std::move(mistakes.front());
  for (std::size_t i = 1; i < mistakes.size(); ++i) {
    first.doing += "\n" + mistakes[i].doing;
  }
  return std::unexpected(std::move(first));
}

}  // namespace hawser::broker
