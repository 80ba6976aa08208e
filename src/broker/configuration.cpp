#include <fmt/format.h>

#include "broker/claims_directory.hpp"
#include "broker/hub.hpp"
#include "broker/validate.hpp"

namespace hawser::broker {
namespace {

// Those of the configuration, and those of the resolver's directory; of two of one account, the one that was issued
// last.
Result<AccountJwts> read_accounts(const OperatorSettings& mode, std::vector<Error>& problems) {
  AccountJwts all;
  if (mode.resolver.kind != ResolverKind::memory) {
    all = ClaimsDirectory(mode.resolver).read(problems);
  }
  for (const PreloadedJwt& preloaded : mode.preload) {
    auto jwt = read_account_jwt(preloaded.token);
    const std::string where = preloaded.place.empty() ? std::string("resolver_preload") : preloaded.place;
    if (!jwt) {
      return fail(Errc::broker_account_invalid, fmt::format("{}: {}", where, jwt.error().message()));
    }
    const std::string& key = (*jwt)->claims.subject;
    if (!preloaded.key.empty() && preloaded.key != key) {
      return fail(Errc::broker_account_invalid,
                  fmt::format("{}: the JWT is of account {}, and stands under {}", where, key, preloaded.key));
    }
    const auto known = all.find(key);
    if (known == all.end() || known->second->claims.issued_at <= (*jwt)->claims.issued_at) {
      all.insert_or_assign(key, std::move(*jwt));
    }
  }
  return all;
}

void lay_out(Configuration& made) {
  made.accounts = {made.authority, &made.authority->accounts()};
  made.problems.insert(made.problems.end(), made.authority->problems().begin(), made.authority->problems().end());
  made.rules = compile_what_fits(*made.accounts, made.problems);
}

Result<void> take_accounts(Configuration& made) {
  const Settings& settings = *made.settings;
  if (!settings.operator_mode) {
    made.accounts = {made.settings, &settings.accounts};
    std::vector<Error> mistakes;  // none: validate() has compiled them too
    made.rules = compile_accounts(settings.accounts, mistakes);
    return {};
  }
  auto jwts = read_accounts(*settings.operator_mode, made.problems);
  if (!jwts) {
    return std::unexpected(std::move(jwts.error()));
  }
  const WallTime at = wall_now();
  made.authority = Authority::make(*settings.operator_mode, std::move(*jwts), at);
  lay_out(made);
  if (settings.system_account != kSystemAccount && !settings.system_account.empty()) {
    const std::string& key = settings.system_account;
    const auto found = made.authority->jwts().find(key);
    if (found == made.authority->jwts().end()) {
      return fail(Errc::broker_system_account, "error resolving system account: account missing: " + key);
    }
    if (auto admitted = made.authority->admits(found->second->claims, at); !admitted) {
      return fail(Errc::broker_system_account,
                  fmt::format("error resolving system account: {}: {}", key, admitted.error().message()));
    }
  }
  return {};
}

}  // namespace

Result<ConfigurationPtr> configure(Settings settings) {
  if (auto valid = validate(settings); !valid) {
    return std::unexpected(std::move(valid.error()));
  }
  auto made = std::make_shared<Configuration>();
  made->settings = std::make_shared<const Settings>(std::move(settings));
  if (auto taken = take_accounts(*made); !taken) {
    return std::unexpected(std::move(taken.error()));
  }
  auto authenticator = Authenticator::make(made->settings, made->authority);
  if (!authenticator) {
    return std::unexpected(std::move(authenticator.error()));
  }
  made->authenticator = std::move(*authenticator);
  if (made->settings->tls) {
    auto tls = TlsPolicy::make(*made->settings->tls, std::chrono::floor<std::chrono::seconds>(wall_now()));
    if (!tls) {
      return std::unexpected(std::move(tls.error()));
    }
    made->tls = std::move(*tls);
  }
  if (made->tls && made->settings->monitoring.https) {
    auto context =
        tls::Context::server(made->tls->context().material(), {.client_certificate = tls::ClientCertificate::none});
    if (!context) {
      return std::unexpected(std::move(context.error()));
    }
    made->monitoring_tls = std::move(*context);
  }
  made->loaded = wall_now();
  return made;
}

std::shared_ptr<Configuration> with_accounts(const Configuration& before, AccountJwts jwts) {
  auto made = std::make_shared<Configuration>(before);
  made->problems.clear();
  made->authority = Authority::make(*before.settings->operator_mode, std::move(jwts), wall_now(), before.authority);
  lay_out(*made);
  // Of settings that made one before.
  made->authenticator = *Authenticator::make(made->settings, made->authority);
  return made;
}

}  // namespace hawser::broker
