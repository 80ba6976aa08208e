// Everything that decides how a connection is made, each value with the place that set it. Input of evaluate().
//
// Filled by `from_environment`, and by whoever reads a file or flags with `set`: both parse in the same way (trimmed,
// empty is unset, the same booleans), and what cannot be read becomes a finding here. Values; move-only, since they
// hold secrets; not synchronised.
//
//   Settings file;
//   set(file, Key::tls_ca, "/etc/nats/ca.crt", "./config/broker.yaml:12:5");
//   Settings settings = merge(from_environment(process_environment), std::move(file));
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "posture/finding.hpp"
#include "tls/context.hpp"

namespace hawser::posture {

enum class Environment : std::uint8_t { development, production };
enum class AuthPolicy : std::uint8_t { strict, precedence };
enum class AuthMode : std::uint8_t { none, user, token, nkey, creds, cert, refused };

// A value and the place that set it, ready to print.
template <class T>
struct Setting {
  T value{};
  std::string origin;  // "env NATS_URL", "./config/broker.yaml:12:5", "flag --server"
  bool known = true;   // false: it is set, but its text is not to be had here (a manifest's valueFrom)
};
template <class T>
using OptionalSetting = std::optional<Setting<T>>;

struct Settings {
  OptionalSetting<Environment> environment;
  // One element for each place that names servers; its text is one URL or several with commas. Secret, because a URL
  // can hold a password.
  std::vector<Setting<Secret>> urls;

  OptionalSetting<std::string> tls_ca;
  OptionalSetting<std::string> tls_cert;
  OptionalSetting<std::string> tls_key;  // a path or a `pkcs11:` URI; the URI may hold a PIN, so it is never printed
  OptionalSetting<std::string> tls_crl;
  OptionalSetting<std::string> tls_server_name;
  OptionalSetting<bool> tls_insecure;
  OptionalSetting<bool> tls_handshake_first;
  OptionalSetting<tls::Version> tls_min_version;

  OptionalSetting<std::string> username;
  OptionalSetting<Secret> password;
  OptionalSetting<std::string> password_file;
  OptionalSetting<Secret> token;
  OptionalSetting<std::string> token_file;
  OptionalSetting<Secret> nkey;            // a seed
  OptionalSetting<std::string> nkey_file;  // holds a seed or creds: told apart by content
  OptionalSetting<std::string> creds;      // path of a creds file
  OptionalSetting<AuthPolicy> auth_policy;
  OptionalSetting<AuthMode> auth_mode;

  OptionalSetting<bool> allow_plaintext;
  OptionalSetting<std::string> plaintext_owner;
  OptionalSetting<WallTime> plaintext_until;

  // What was wrong with values while they were read: malformed ones, clashes. evaluate() passes them on.
  std::vector<Finding> findings;

  [[nodiscard]] bool has_credentials() const;
};

// The settings by name, for whoever reads them from text.
enum class Key : std::uint8_t {
  environment,
  url,
  tls_ca,
  tls_cert,
  tls_key,
  tls_crl,
  tls_server_name,
  tls_insecure,
  tls_handshake_first,
  tls_min_version,
  username,
  password,
  password_file,
  token,
  token_file,
  nkey,
  nkey_file,
  creds,
  auth_policy,
  auth_mode,
  allow_plaintext,
  plaintext_owner,
  plaintext_until,
};

enum class Known : std::uint8_t { yes, no };

// Parses `text` and sets it; a second Key::url adds to the list, any other key is replaced. What cannot be read becomes
// a finding (and the setting stays as it was). With Known::no the text is ignored and the setting counts as set. A
// file's paths must be made absolute, or relative to the working directory, before.
void set(Settings& settings, Key key, std::string_view text, std::string origin, Known known = Known::yes);

// One variable as an environment, env file or manifest has it.
struct EnvironmentValue {
  std::string text;
  std::string origin;  // empty: "env NAME"
  bool known = true;
};
using Lookup = std::function<std::optional<EnvironmentValue>(std::string_view name)>;

// Reads every variable of posture.md's table through `lookup`. Where an alias and its variable disagree the stricter of
// the two counts, and a finding says so.
[[nodiscard]] Settings from_environment(const Lookup& lookup);
// The lookup of this process. Call it before threads change the environment.
[[nodiscard]] std::optional<EnvironmentValue> process_environment(std::string_view name);

// One variable, for documentation, completion and "nearest known name".
struct Variable {
  std::string_view name;
  Key key;
  std::string_view alias_of;  // empty, or the variable that this is another name of
};
[[nodiscard]] const std::vector<Variable>& variables();

// Whether a layer that lies over another one does so by accident or on purpose.
enum class Layering : std::uint8_t {
  report_clashes,  // environment over file: a value that differs is a finding
  deliberate,      // flags over the rest: no findings, and a credential flag replaces every credential below it
};
// `over` wins where both set something. Findings of both are kept.
[[nodiscard]] Settings merge(Settings over, Settings under, Layering layering = Layering::report_clashes);

[[nodiscard]] std::string_view to_string(Environment environment);
[[nodiscard]] std::string_view to_string(AuthPolicy policy);
[[nodiscard]] std::string_view to_string(AuthMode mode);
[[nodiscard]] std::string_view to_string(tls::Version version);
[[nodiscard]] std::optional<AuthMode> parse_auth_mode(std::string_view text);  // any case; not "refused"

}  // namespace hawser::posture
