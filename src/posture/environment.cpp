#include <array>
#include <cstdlib>

#include "posture/settings.hpp"

namespace hawser::posture {

const std::vector<Variable>& variables() {
  static const std::vector<Variable> kVariables = {
      {"HAWSER_ENV", Key::environment, ""},
      {"CORDUM_ENV", Key::environment, "HAWSER_ENV"},
      {"NATS_URL", Key::url, ""},
      {"NATS_TLS_CA", Key::tls_ca, ""},
      {"NATS_TLS_CERT", Key::tls_cert, ""},
      {"NATS_TLS_KEY", Key::tls_key, ""},
      {"NATS_TLS_CRL", Key::tls_crl, ""},
      {"NATS_TLS_SERVER_NAME", Key::tls_server_name, ""},
      {"NATS_TLS_INSECURE", Key::tls_insecure, ""},
      {"NATS_USERNAME", Key::username, ""},
      {"NATS_PASSWORD", Key::password, ""},
      {"NATS_PASSWORD_FILE", Key::password_file, ""},
      {"NATS_TOKEN", Key::token, ""},
      {"NATS_TOKEN_FILE", Key::token_file, ""},
      {"NATS_NKEY", Key::nkey, ""},
      {"NATS_NKEY_FILE", Key::nkey_file, ""},
      {"NATS_CREDS", Key::creds, ""},
      {"NATS_CREDS_FILE", Key::creds, "NATS_CREDS"},
      {"HAWSER_AUTH_POLICY", Key::auth_policy, ""},
      {"HAWSER_AUTH_MODE", Key::auth_mode, ""},
      {"HAWSER_ALLOW_PLAINTEXT", Key::allow_plaintext, ""},
      {"CORDUM_NATS_ALLOW_PLAINTEXT", Key::allow_plaintext, "HAWSER_ALLOW_PLAINTEXT"},
      {"HAWSER_PLAINTEXT_OWNER", Key::plaintext_owner, ""},
      {"HAWSER_PLAINTEXT_UNTIL", Key::plaintext_until, ""},
  };
  return kVariables;
}

namespace {

// Sets the variable; false if the environment does not have it.
void read_variable(Settings& settings, const Variable& variable, const Lookup& lookup) {
  std::optional<EnvironmentValue> value = lookup(variable.name);
  if (!value) {
    return;
  }
  const Secret text = Secret::take(std::move(value->text));
  std::string origin = value->origin.empty() ? "env " + std::string(variable.name) : std::move(value->origin);
  set(settings, variable.key, text.reveal(), std::move(origin), value->known ? Known::yes : Known::no);
}

// Where a variable and its alias disagree: the stricter value counts, if one is stricter; otherwise nobody can tell
// what is meant, and that is an error.
enum class Clash : std::uint8_t { stricter_counts, undecidable };

template <class T>
void unite(Settings& settings, OptionalSetting<T>& main, OptionalSetting<T>& alias, Clash clash,
           bool alias_is_stricter) {
  if (!main || !alias) {
    if (alias) {
      main = std::move(alias);
    }
    return;
  }
  if (main->known && alias->known && main->value == alias->value) {
    return;
  }
  const bool undecidable = clash == Clash::undecidable;
  settings.findings.push_back(make_finding(Errc::setting_clash, undecidable ? Severity::error : Severity::warning,
                                           main->origin + " and " + alias->origin +
                                               " are two names of one setting and differ" +
                                               (undecidable ? "" : "; the stricter of them counts"),
                                           {main->origin, alias->origin}));
  if (!undecidable && alias_is_stricter) {
    main = std::move(alias);
  }
}

}  // namespace

Settings from_environment(const Lookup& lookup) {
  Settings settings;
  Settings aliases;
  for (const Variable& variable : variables()) {
    read_variable(variable.alias_of.empty() ? settings : aliases, variable, lookup);
  }
  unite(settings, settings.environment, aliases.environment, Clash::stricter_counts,
        aliases.environment && (!aliases.environment->known || aliases.environment->value == Environment::production));
  unite(settings, settings.allow_plaintext, aliases.allow_plaintext, Clash::stricter_counts,
        aliases.allow_plaintext && (!aliases.allow_plaintext->known || !aliases.allow_plaintext->value));
  unite(settings, settings.creds, aliases.creds, Clash::undecidable, false);
  settings.findings.insert(settings.findings.end(), std::make_move_iterator(aliases.findings.begin()),
                           std::make_move_iterator(aliases.findings.end()));
  return settings;
}

std::optional<EnvironmentValue> process_environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional(EnvironmentValue{.text = value, .origin = {}});
}

}  // namespace hawser::posture
