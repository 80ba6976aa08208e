// Operator mode: from what the configuration says to whom the broker trusts.
#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <utility>

#include "broker/authority.hpp"
#include "broker/broker.hpp"
#include "config/broker_conf_parts.hpp"
#include "config/letters.hpp"
#include "identity/findings.hpp"
#include "identity/nkey.hpp"
#include "identity/token.hpp"

namespace hawser::config {

namespace {

using Resolver = OperatorMode::Resolver;

bool is_key_of(std::string_view text, identity::KeyKind kind) {
  const auto key = identity::PublicKey::parse(text);
  return key && key->kind() == kind;
}

// "2.10.29", as numbers; what follows them does not count. Nothing: it is no version.
std::optional<std::array<int, 3>> version_of(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  std::array<int, 3> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), parts[i]);
    if (failed != std::errc() || parts[i] < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (i + 1 < parts.size()) {
      if (!text.starts_with('.')) return std::nullopt;
      text.remove_prefix(1);
    }
  }
  return parts;
}

class OperatorReader {
 public:
  OperatorReader(BrokerDraft& draft, const ConfReach& reach)
      : draft_(draft), reach_(reach), mode_(*draft.operator_mode), out_(draft.settings.operator_mode.emplace()) {}

  void read() {
    out_.place = mode_.place.text();
    for (const std::string& one : mode_.operators) add_operator(one);
    for (const std::string& key : mode_.trusted_keys) add_trusted_key(key);
    if (mode_.operators.empty() && mode_.trusted_keys.empty())
      mistake(Errc::broker_operator_invalid, "a resolver without an operator: nobody's accounts would be trusted");
    if (!mode_.operators.empty() && !mode_.trusted_keys.empty())
      mistake(Errc::broker_operator_conflict, "conflicting options for 'TrustedKeys' and 'TrustedOperators'");
    out_.pinned_accounts.insert(mode_.pinned_accounts.begin(), mode_.pinned_accounts.end());
    resolver();
    for (const PreloadedAccount& account : mode_.preload) preload(account);
    system_account();
    conflicts();
  }

 private:
  void mistake(Errc code, std::string message, std::string hint = {}) {
    draft_.reading.mistake(code, mode_.place, std::move(message), std::move(hint));
  }

  // A JWT, or the path of a file with one.
  void add_operator(const std::string& written) {
    const std::string_view text = trimmed(written);
    const bool is_inline = text.starts_with("eyJ") || text.starts_with("-----BEGIN");
    const std::string what = is_inline ? std::string("the operator's JWT") : shown(text);
    std::string content(text);
    if (!is_inline) {
      auto file = reach_.read(std::filesystem::path(text));
      if (!file)
        return mistake(Errc::broker_operator_invalid,
                       fmt::format("error parsing operator JWT: {}", file.error().doing));
      content = std::move(*file);
    }
    auto token = identity::token_of_file(content);
    auto claims = token ? identity::decode_operator(*token)
                        : Result<identity::OperatorClaims>(std::unexpected(std::move(token.error())));
    if (!claims)
      return mistake(Errc::broker_operator_invalid,
                     fmt::format("error parsing operator JWT: {}: {}", what, claims.error().message()));
    check_operator(what, *claims);
    out_.operators.push_back(std::move(*claims));
    out_.operator_tokens.push_back(std::move(*token));
  }

  // Expiry is no mistake, as for nats-server: broker_posture() speaks of it.
  void check_operator(const std::string& what, const identity::OperatorClaims& claims) {
    for (const identity::ClaimFinding& finding : identity::findings(claims, std::chrono::sys_seconds{})) {
      if (finding.severity == identity::ClaimFinding::Severity::error)
        mistake(Errc::broker_operator_invalid, fmt::format("{}: {}: {}", what, finding.member, finding.message));
    }
    if (claims.assert_server_version.empty()) return;
    const auto wanted = version_of(claims.assert_server_version);
    if (!wanted || *wanted > *version_of(broker::kNatsVersion))
      mistake(Errc::broker_operator_invalid,
              fmt::format("operator {} expects version {}, and this one is like {}", claims.subject,
                          shown(claims.assert_server_version), broker::kNatsVersion));
  }

  void add_trusted_key(const std::string& key) {
    if (!is_key_of(key, identity::KeyKind::operator_key))
      return mistake(Errc::broker_operator_invalid,
                     fmt::format("trust key \"{}\" required to be a valid public operator nkey", shown(key)));
    out_.trusted_keys.insert(key);
  }

  void resolver() {
    broker::ResolverSettings& resolver = out_.resolver;
    switch (mode_.resolver) {
      case Resolver::memory: break;
      case Resolver::full: resolver.kind = broker::ResolverKind::full; break;
      case Resolver::cache: resolver.kind = broker::ResolverKind::cache; break;
      case Resolver::url:
        return mistake(Errc::broker_resolver_invalid, "the broker does not ask a URL for accounts",
                       std::string(kResolversThatWork));
      case Resolver::none:
        if (!mode_.operators.empty())
          return mistake(Errc::broker_resolver_invalid, "operators require an account resolver to be configured",
                         std::string(kResolversThatWork));
        if (mode_.trusted_keys.empty()) return;
        draft_.reading.notice(Errc::broker_resolver_invalid, Notice::Severity::warning, mode_.place,
                              "trusted_keys without a resolver: no account is known, so nobody can log in",
                              std::string(kResolversThatWork));
        break;
    }
    resolver.directory = mode_.resolver_where;
    resolver.allow_delete = mode_.allow_delete;
    resolver.hard_delete = mode_.hard_delete;
    if (mode_.limit > 0) resolver.limit = static_cast<std::size_t>(mode_.limit);
  }

  void preload(const PreloadedAccount& account) {
    if (account.jwt.empty()) return;  // told already
    const auto jwt = broker::read_account_jwt(trimmed(account.jwt));
    const std::string name = account.key.empty() ? account.name : account.key;
    if (!jwt) {
      draft_.reading.mistake(Errc::broker_account_invalid, account.place,
                             fmt::format("invalid account JWT of {}: {}", shown(name), jwt.error().message()));
      return;
    }
    const std::string& key = (*jwt)->claims.subject;
    if (!account.key.empty() && account.key != key) {
      draft_.reading.mistake(Errc::broker_account_invalid, account.place,
                             fmt::format("the JWT is of account {}, and stands under {}", key, shown(account.key)));
      return;
    }
    out_.preload.push_back({key, (*jwt)->token, account.place.text()});
  }

  // Of the configuration, or of the only operator.
  void system_account() {
    std::string& name = draft_.settings.system_account;
    if (mode_.system_account) name = *mode_.system_account;
    const bool told = !name.empty() && name != broker::kSystemAccount;
    std::string operators_own;
    bool same = false;
    for (const identity::OperatorClaims& one : out_.operators) {
      if (!one.system_account.empty()) operators_own = one.system_account;
      same = same || one.system_account == name;
    }
    if (told && !operators_own.empty() && !same)
      return mistake(Errc::broker_system_account, "system_account in config and operator JWT must be identical");
    if (!told) name = out_.operators.size() == 1 && !operators_own.empty() ? operators_own : broker::kSystemAccount;
    if (told && !is_key_of(name, identity::KeyKind::account)) {
      mistake(Errc::broker_system_account,
              fmt::format("system_account \"{}\" is no account's public key (A…)", shown(name)));
    } else if (name == broker::kSystemAccount && out_.resolver.kind != broker::ResolverKind::memory) {
      mistake(Errc::broker_system_account,
              "using nats based account resolver - the system account needs to be specified in configuration or the "
              "operator jwt");
    } else if (!out_.pinned_accounts.empty()) {
      out_.pinned_accounts.insert(name);  // it can always connect
    }
  }

  void conflicts() {
    const auto conflict = [this](const std::optional<Place>& at, std::string_view text) {
      if (at) draft_.reading.mistake(Errc::broker_operator_conflict, *at, std::string(text));
    };
    conflict(draft_.accounts, "operators do not allow Accounts to be configured directly");
    conflict(draft_.users, "operators do not allow users to be configured directly");
    conflict(draft_.single_user, "operators do not allow a user to be configured directly");
    conflict(draft_.token, "operators do not allow a token to be configured directly");
  }

  BrokerDraft& draft_;
  const ConfReach& reach_;
  const OperatorMode& mode_;
  broker::OperatorSettings& out_;
};

}  // namespace

void settle_operator_mode(BrokerDraft& draft, const ConfReach& reach) {
  if (draft.operator_mode) OperatorReader(draft, reach).read();
}

}  // namespace hawser::config
