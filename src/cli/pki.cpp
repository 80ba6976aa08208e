// `hawser pki`: a small certificate authority for development and drills, and a look into certificates.
#include "cli/pki.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/limits.hpp"

namespace hawser::cli {

std::string certificate_of(const std::string& directory) { return directory + "/ca.crt"; }
std::string key_of(const std::string& directory) { return directory + "/ca.key"; }

Result<tls::Authority> load_authority(const std::string& directory) {
  const Result<std::string> chain = read_file(certificate_of(directory), limits::kPemFileBytes);
  if (!chain) {
    return std::unexpected(chain.error());
  }
  const Result<Secret> key = read_secret_file(key_of(directory), limits::kPemFileBytes);
  if (!key) {
    return std::unexpected(key.error());
  }
  Result<tls::Authority> authority = tls::Authority::from_pem(*chain, *key);
  if (!authority) {
    authority.error().doing = fmt::format("reading the CA in {}: {}", directory, authority.error().doing);
  }
  return authority;
}

void add_validity_options(CLI::App& command, ValidityOptions& options, unsigned default_days) {
  options.days = default_days;
  command.add_option("--days", options.days, "Valid for so many days from now")
      ->capture_default_str()
      ->check(CLI::Range(1U, 36500U))
      ->option_text(fmt::format("DAYS={}", default_days));
  command.add_option("--from", options.from, "Valid from this time (RFC 3339); may be in the past")->type_name("TIME");
  command.add_option("--to", options.to, "Valid until this time (RFC 3339), instead of --days")->type_name("TIME");
}

Result<tls::Validity> parse_validity(const ValidityOptions& options) {
  tls::Validity validity = tls::Validity::lasting(std::chrono::hours(24) * options.days);
  const auto take = [](const std::string& text, const char* name, tls::Seconds& into) -> Result<void> {
    if (text.empty()) {
      return {};
    }
    const std::optional<WallTime> time = parse_rfc3339(text);
    if (!time) {
      return fail(Errc::bad_usage, fmt::format("{} \"{}\" is not a time such as 2026-12-01T00:00:00Z", name, text));
    }
    into = std::chrono::floor<std::chrono::seconds>(*time);
    return {};
  };
  if (const Result<void> done = take(options.from, "--from", validity.from); !done) {
    return std::unexpected(done.error());
  }
  if (!options.from.empty() && options.to.empty()) {
    validity.to = validity.from + std::chrono::hours(24) * options.days;
  }
  if (const Result<void> done = take(options.to, "--to", validity.to); !done) {
    return std::unexpected(done.error());
  }
  return validity;
}

void add_pki(CLI::App& app, Exit& exit) {
  CLI::App* pki =
      add_command(app, "pki", "A small certificate authority for development and drills; inspect and verify",
                  "hawser pki ca --out ca --name \"Dev CA\"\n"
                  "hawser pki issue nats --ca ca --out tls --usage server --dns nats.example.com --ip 127.0.0.1\n"
                  "hawser pki issue agent --ca ca --out tls --usage client\n"
                  "hawser pki verify tls/agent.crt --ca ca/ca.crt --usage client");
  pki->require_subcommand(1);
  add_pki_ca(*pki, exit);
  add_pki_issue(*pki, exit);
  add_pki_bundle(*pki, exit);
  add_pki_inspect(*pki, exit);
  add_pki_crl(*pki, exit);
  add_pki_verify(*pki, exit);
}

}  // namespace hawser::cli
