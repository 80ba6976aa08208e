#include "posture/settings.hpp"

#include <algorithm>
#include <cctype>

#include "base/nearest.hpp"
#include "posture/setting_text.hpp"

namespace hawser::posture {
namespace {

std::optional<bool> parse_boolean(std::string_view text) {
  const std::string word = lower(text);
  constexpr std::string_view kYes[] = {"1", "true", "yes", "y", "on"};
  constexpr std::string_view kNo[] = {"0", "false", "no", "n", "off"};
  if (std::ranges::find(kYes, word) != std::end(kYes)) {
    return true;
  }
  return std::ranges::find(kNo, word) != std::end(kNo) ? std::optional(false) : std::nullopt;
}

std::optional<AuthPolicy> parse_policy(std::string_view text) {
  const std::string word = lower(text);
  if (word == "strict") {
    return AuthPolicy::strict;
  }
  return word == "precedence" ? std::optional(AuthPolicy::precedence) : std::nullopt;
}

void malformed(Settings& settings, const std::string& origin, std::string message) {
  settings.findings.push_back(make_finding(Errc::setting_malformed, Severity::error, std::move(message), {origin}));
}

void set_environment(Settings& settings, std::string_view text, std::string origin) {
  const std::string word = lower(text);
  const bool production = word == "production" || word == "prod";
  // A typo here would silently open everything that production closes.
  if (!production && !word.starts_with("pre") && !word.starts_with("non") && nearest(word, {"production", "prod"})) {
    settings.findings.push_back(
        make_finding(Errc::setting_malformed, Severity::warning,
                     "the environment " + quoted(text) + " counts as development; is production meant?", {origin}));
  }
  settings.environment = {production ? Environment::production : Environment::development, std::move(origin)};
}

void set_min_version(Settings& settings, std::string_view text, std::string origin) {
  std::string word = lower(text);
  for (const std::string_view prefix : {"tlsv", "tls"}) {
    if (word.starts_with(prefix)) {
      word.erase(0, prefix.size());
      break;
    }
  }
  if (word == "1.2" || word == "1.3") {
    settings.tls_min_version = {word == "1.3" ? tls::Version::tls13 : tls::Version::tls12, std::move(origin)};
  } else if (word == "1.0" || word == "1.1" || word == "1") {
    settings.findings.push_back(make_finding(Errc::tls_version_too_low, Severity::error,
                                             "a minimum version of TLS below 1.2 is asked for", {std::move(origin)}));
  } else {
    malformed(settings, origin, "the minimum version of TLS is " + quoted(text) + ", neither 1.2 nor 1.3");
  }
}

void set_boolean(Settings& settings, OptionalSetting<bool>& place, std::string_view text, std::string origin) {
  if (const auto value = parse_boolean(text)) {
    place = {*value, std::move(origin)};
  } else {
    malformed(settings, origin, "the value is neither yes (1, true, yes, y, on) nor no (0, false, no, n, off)");
  }
}

// A path, unless it is plainly the secret itself; then it must not get into any message.
void set_secret_path(Settings& settings, OptionalSetting<std::string>& place, std::string_view text,
                     std::string origin) {
  const bool has_lines = text.find('\n') != std::string_view::npos || text.find("-----") != std::string_view::npos;
  const bool is_seed = text.size() == 58 && text.starts_with('S') && text.find('/') == std::string_view::npos;
  if (has_lines || is_seed) {
    malformed(settings, origin, "a file's path is expected here, and the value looks like the secret itself");
    return;
  }
  place = {std::string(text), std::move(origin)};
}

void set_unknown(Settings& settings, Key key, std::string origin) {
  const auto mark = [&origin](auto& place) {
    place.emplace();
    place->origin = origin;
    place->known = false;
  };
  switch (key) {
    case Key::environment: return mark(settings.environment);
    case Key::url: settings.urls.push_back({Secret(), std::move(origin), false}); return;
    case Key::tls_ca: return mark(settings.tls_ca);
    case Key::tls_cert: return mark(settings.tls_cert);
    case Key::tls_key: return mark(settings.tls_key);
    case Key::tls_crl: return mark(settings.tls_crl);
    case Key::tls_server_name: return mark(settings.tls_server_name);
    case Key::tls_insecure: return mark(settings.tls_insecure);
    case Key::tls_handshake_first: return mark(settings.tls_handshake_first);
    case Key::tls_min_version: return mark(settings.tls_min_version);
    case Key::username: return mark(settings.username);
    case Key::password: return mark(settings.password);
    case Key::password_file: return mark(settings.password_file);
    case Key::token: return mark(settings.token);
    case Key::token_file: return mark(settings.token_file);
    case Key::nkey: return mark(settings.nkey);
    case Key::nkey_file: return mark(settings.nkey_file);
    case Key::creds: return mark(settings.creds);
    case Key::auth_policy: return mark(settings.auth_policy);
    case Key::auth_mode: return mark(settings.auth_mode);
    case Key::allow_plaintext: return mark(settings.allow_plaintext);
    case Key::plaintext_owner: return mark(settings.plaintext_owner);
    case Key::plaintext_until: return mark(settings.plaintext_until);
  }
}

void set_policy_or_deadline(Settings& settings, Key key, std::string_view text, std::string origin) {
  if (key == Key::auth_policy) {
    if (const auto policy = parse_policy(text)) {
      settings.auth_policy = {*policy, std::move(origin)};
    } else {
      malformed(settings, origin, "the policy is " + quoted(text) + ", neither strict nor precedence");
    }
  } else if (key == Key::auth_mode) {
    if (const auto mode = parse_auth_mode(text)) {
      settings.auth_mode = {*mode, std::move(origin)};
    } else {
      malformed(settings, origin, "the mode is " + quoted(text) + ", none of user, token, nkey, creds, cert, none");
    }
  } else if (const auto until = parse_rfc3339(text)) {
    settings.plaintext_until = {*until, std::move(origin)};
  } else {
    malformed(settings, origin, "the end of the override is " + quoted(text) + ", not like 2026-12-31T18:00:00Z");
  }
}

}  // namespace

void set(Settings& settings, Key key, std::string_view raw, std::string origin, Known known) {
  if (known == Known::no) {
    set_unknown(settings, key, std::move(origin));
    return;
  }
  const std::string_view text = trim(raw);
  if (text.empty()) {
    return;
  }
  const auto plain = [&](OptionalSetting<std::string>& place) { place = {std::string(text), std::move(origin)}; };
  const auto secret = [&](OptionalSetting<Secret>& place) { place = {Secret(text), std::move(origin)}; };
  switch (key) {
    case Key::environment: return set_environment(settings, text, std::move(origin));
    case Key::url: settings.urls.push_back({Secret(text), std::move(origin)}); return;
    case Key::tls_ca: return plain(settings.tls_ca);
    case Key::tls_cert: return plain(settings.tls_cert);
    case Key::tls_key: return set_secret_path(settings, settings.tls_key, text, std::move(origin));
    case Key::tls_crl: return plain(settings.tls_crl);
    case Key::tls_server_name: return plain(settings.tls_server_name);
    case Key::tls_insecure: return set_boolean(settings, settings.tls_insecure, text, std::move(origin));
    case Key::tls_handshake_first: return set_boolean(settings, settings.tls_handshake_first, text, std::move(origin));
    case Key::tls_min_version: return set_min_version(settings, text, std::move(origin));
    case Key::username: return plain(settings.username);
    case Key::password: return secret(settings.password);
    case Key::password_file: return set_secret_path(settings, settings.password_file, text, std::move(origin));
    case Key::token: return secret(settings.token);
    case Key::token_file: return set_secret_path(settings, settings.token_file, text, std::move(origin));
    case Key::nkey: return secret(settings.nkey);
    case Key::nkey_file: return set_secret_path(settings, settings.nkey_file, text, std::move(origin));
    case Key::creds: return set_secret_path(settings, settings.creds, text, std::move(origin));
    case Key::allow_plaintext: return set_boolean(settings, settings.allow_plaintext, text, std::move(origin));
    case Key::plaintext_owner: return plain(settings.plaintext_owner);
    case Key::auth_policy:
    case Key::auth_mode:
    case Key::plaintext_until: return set_policy_or_deadline(settings, key, text, std::move(origin));
  }
}

bool Settings::has_credentials() const {
  return username || password || password_file || token || token_file || nkey || nkey_file || creds;
}

std::string_view to_string(Environment environment) {
  return environment == Environment::production ? "production" : "development";
}

std::string_view to_string(AuthPolicy policy) { return policy == AuthPolicy::strict ? "strict" : "precedence"; }

std::string_view to_string(AuthMode mode) {
  switch (mode) {
    case AuthMode::none: return "none";
    case AuthMode::user: return "user";
    case AuthMode::token: return "token";
    case AuthMode::nkey: return "nkey";
    case AuthMode::creds: return "creds";
    case AuthMode::cert: return "cert";
    case AuthMode::refused: return "refused";
  }
  return "refused";
}

std::string_view to_string(tls::Version version) { return version == tls::Version::tls13 ? "1.3" : "1.2"; }

std::optional<AuthMode> parse_auth_mode(std::string_view text) {
  const std::string word = lower(trim(text));
  for (const AuthMode mode :
       {AuthMode::none, AuthMode::user, AuthMode::token, AuthMode::nkey, AuthMode::creds, AuthMode::cert}) {
    if (word == to_string(mode)) {
      return mode;
    }
  }
  return std::nullopt;
}

}  // namespace hawser::posture
