// `hawser pki inspect` and `hawser pki verify`: what certificates say, and whether a peer would be accepted.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/limits.hpp"
#include "cli/pki.hpp"
#include "tls/inspect.hpp"
#include "tls/material.hpp"
#include "tls/verify.hpp"

namespace hawser::cli {
namespace {

namespace json = boost::json;

struct VerifyOptions {
  std::string cert;
  std::string ca;
  std::string crl;
  std::string key;
  std::string name;
  std::string at;
  tls::Usage usage = tls::Usage::server;
};

json::value as_json(const tls::CertificateInfo& info) {
  json::array usages;
  if (info.for_client) {
    usages.push_back("client");
  }
  if (info.for_server) {
    usages.push_back("server");
  }
  return {{"subject", info.subject},
          {"issuer", info.issuer},
          {"serial", info.serial},
          {"not_before", tls::format_time(info.not_before)},
          {"not_after", tls::format_time(info.not_after)},
          {"sha256", info.sha256},
          {"spki_sha256", info.spki_sha256},
          {"dns_names", json::value_from(info.dns_names)},
          {"ip_addresses", json::value_from(info.ip_addresses)},
          {"emails", json::value_from(info.emails)},
          {"uris", json::value_from(info.uris)},
          {"key_type", info.key_type},
          {"is_ca", info.is_authority},
          {"usages", std::move(usages)}};
}

json::value as_json(const std::string& path, const tls::PemContents& contents) {
  json::array certificates;
  for (const tls::PemCertificate& one : contents.certificates) {
    certificates.push_back(as_json(one.info));
  }
  json::array crls;
  for (const tls::CrlInfo& crl : contents.crls) {
    crls.push_back({{"issuer", crl.issuer},
                    {"number", crl.number},
                    {"this_update", tls::format_time(crl.this_update)},
                    {"next_update", tls::format_time(crl.next_update)},
                    {"revoked", json::value_from(crl.revoked)}});
  }
  json::array keys;
  for (const tls::KeyInfo& key : contents.keys) {
    keys.push_back({{"key_type", key.type}, {"spki_sha256", key.spki_sha256}});
  }
  return {
      {"file", path}, {"certificates", std::move(certificates)}, {"crls", std::move(crls)}, {"keys", std::move(keys)}};
}

std::string remaining(tls::Seconds end) {
  const auto left = end - std::chrono::floor<std::chrono::seconds>(wall_now());
  const auto days = std::chrono::floor<std::chrono::days>(left).count();
  return left.count() < 0 ? "expired" : days == 0 ? "expires today" : fmt::format("{} days left", days);
}

void print_list(const char* label, const std::vector<std::string>& values) {
  if (!values.empty()) {
    fmt::print("  {:<12} {}\n", label, fmt::join(values, ", "));
  }
}

void print_certificate(const tls::CertificateInfo& info) {
  const char* kind = info.is_authority                    ? "CA"
                     : info.for_client && info.for_server ? "client and server"
                     : info.for_client                    ? "client"
                     : info.for_server                    ? "server"
                                                          : "neither client nor server";
  fmt::print("certificate {}\n  {:<12} {}\n  {:<12} {}\n  {:<12} {}\n  {:<12} {} to {} ({})\n", info.subject, "issuer",
             info.issuer, "serial", info.serial, "use", kind, "valid", tls::format_time(info.not_before),
             tls::format_time(info.not_after), remaining(info.not_after));
  print_list("DNS", info.dns_names);
  print_list("IP", info.ip_addresses);
  print_list("e-mail", info.emails);
  print_list("URI", info.uris);
  fmt::print("  {:<12} {}\n  {:<12} {}\n  {:<12} {}\n", "key", info.key_type, "SHA-256", info.sha256, "key SHA-256",
             info.spki_sha256);
}

void print_text(const tls::PemContents& contents) {
  constexpr std::size_t kMostSerials = 20;
  for (const tls::PemCertificate& one : contents.certificates) {
    print_certificate(one.info);
  }
  for (const tls::CrlInfo& crl : contents.crls) {
    fmt::print("CRL of {}\n  {:<12} {}\n  {:<12} {} to {} ({})\n  {:<12} {}\n", crl.issuer, "number", crl.number,
               "valid", tls::format_time(crl.this_update), tls::format_time(crl.next_update),
               remaining(crl.next_update), "revoked", crl.revoked.size());
    for (std::size_t i = 0; i < std::min(crl.revoked.size(), kMostSerials); ++i) {
      fmt::print("    {}\n", crl.revoked[i]);
    }
  }
  for (const tls::KeyInfo& key : contents.keys) {
    fmt::print("key {}\n  {:<12} {}\n", key.type, "key SHA-256", key.spki_sha256);
  }
}

Result<void> inspect(const std::vector<std::string>& files, bool as_one_json) {
  json::array all;
  for (const std::string& path : files) {
    const Result<Secret> text = read_secret_file(path, limits::kCrlFileBytes);
    const Result<tls::PemContents> contents = text ? tls::inspect_pem(*text, path) : std::unexpected(text.error());
    if (!contents) {
      return std::unexpected(contents.error());
    }
    if (as_one_json) {
      all.push_back(as_json(path, *contents));
      continue;
    }
    if (files.size() > 1) {
      fmt::print("{}:\n", path);
    }
    print_text(*contents);
  }
  if (as_one_json) {
    fmt::print("{}\n", json::serialize(all));
  }
  return {};
}

struct Inputs {
  tls::MaterialPtr trust;
  std::string chain;
  WallTime at;
};

// Everything that is read before the question can be asked. What fails here is bad input, not an answer.
Result<Inputs> read_inputs(const VerifyOptions& options) {
  Inputs inputs{nullptr, {}, wall_now()};
  if (!options.at.empty()) {
    const std::optional<WallTime> at = parse_rfc3339(options.at);
    if (!at) {
      return fail(Errc::bad_usage, fmt::format("--at \"{}\" is not a time such as 2026-12-01T00:00:00Z", options.at));
    }
    inputs.at = *at;
  }
  Result<std::string> chain = read_file(options.cert, limits::kPemFileBytes);
  if (!chain) {
    return std::unexpected(chain.error());
  }
  const Result<tls::PemContents> contents = tls::inspect_pem(Secret(*chain), options.cert);
  if (!contents) {
    return std::unexpected(contents.error());
  }
  if (contents->certificates.empty()) {
    return fail(Errc::tls_certificate_missing, options.cert);
  }
  inputs.chain = std::move(*chain);
  tls::Source source;
  source.ca_file = options.ca;
  source.crl_file = options.crl;
  Result<tls::MaterialPtr> trust = tls::load(source, inputs.at);
  if (!trust) {
    return std::unexpected(trust.error());
  }
  inputs.trust = std::move(*trust);
  return inputs;
}

Result<void> check_key(const VerifyOptions& options, const std::string& chain) {
  const Result<Secret> text = read_secret_file(options.key, limits::kPemFileBytes);
  const Result<tls::PemContents> key = text ? tls::inspect_pem(*text, options.key) : std::unexpected(text.error());
  if (!key) {
    return std::unexpected(key.error());
  }
  const Result<tls::PemContents> certificate = tls::inspect_pem(Secret(chain), options.cert);
  if (!certificate) {
    return std::unexpected(certificate.error());
  }
  if (key->keys.empty()) {
    return fail(Errc::tls_key_missing, options.key);
  }
  if (certificate->certificates.empty()) {
    return fail(Errc::tls_certificate_missing, options.cert);
  }
  if (key->keys.front().spki_sha256 != certificate->certificates.front().info.spki_sha256) {
    return fail(Errc::tls_key_mismatch, fmt::format("{} with {}", options.cert, options.key));
  }
  return {};
}

void verify(const VerifyOptions& options, Exit& exit) {
  const Result<Inputs> inputs = read_inputs(options);
  if (!inputs) {
    exit = inputs.error();
    return;
  }
  Result<void> verified =
      tls::verify_pem(inputs->chain, *inputs->trust, {.usage = options.usage, .name = options.name, .at = inputs->at});
  if (verified && !options.key.empty()) {
    verified = check_key(options, inputs->chain);
  }
  if (exit.json) {
    json::object document = {{"ok", verified.has_value()}, {"file", options.cert}};
    if (!verified) {
      const ErrorInfo& row = info(verified.error().code);
      document["error"] = {{"id", error_id(row.code)}, {"message", verified.error().message()}, {"hint", row.hint}};
    }
    fmt::print("{}\n", json::serialize(document));
  } else if (verified) {
    fmt::print("{}: accepted\n", options.cert);
  } else {
    exit.error = verified.error();  // main prints it, with the hint
  }
  exit.code = verified ? ExitCode::done : ExitCode::not_so;
}

}  // namespace

void add_pki_inspect(CLI::App& pki, Exit& exit) {
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* command =
      add_command(pki, "inspect", "Show what certificates, CRLs and keys say; never the keys themselves",
                  "hawser pki inspect tls/tls.crt tls/tls.key\nhawser pki inspect tls/ca.crt --json");
  command->add_option("files", *files, "PEM files")->required()->type_name("FILE");
  add_json_flag(*command, exit);
  command->callback([files, &exit] { exit = inspect(*files, exit.json); });
}

void add_pki_verify(CLI::App& pki, Exit& exit) {
  static const std::map<std::string, tls::Usage> usages = {{"client", tls::Usage::client},
                                                           {"server", tls::Usage::server}};
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* command =
      add_command(pki, "verify", "Would a peer with this certificate be accepted? If not, why?",
                  "hawser pki verify tls/nats.crt --ca ca/ca.crt --name nats.example.com\n"
                  "hawser pki verify tls/agent.crt --key tls/agent.key --ca ca/ca.crt --usage client --crl ca/ca.crl\n"
                  "hawser pki verify tls/nats.crt --ca new/ca.crt --at 2027-01-01T00:00:00Z --json");
  command->add_option("cert", options->cert, "The peer's certificate and its intermediates, in PEM")
      ->required()
      ->type_name("FILE");
  command->add_option("--ca", options->ca, "The CA file of the side that decides")->required()->type_name("FILE");
  command->add_option("--crl", options->crl, "Its CRL file")->type_name("FILE");
  command->add_option("--key", options->key, "The peer's key: does it belong to the certificate?")->type_name("FILE");
  command->add_option("--name", options->name, "The server name that is expected: a DNS name or an IP address");
  command->add_option("--usage", options->usage, "What the peer is: server (the default) or client")
      ->transform(CLI::CheckedTransformer(usages, CLI::ignore_case))
      ->option_text("USAGE");
  command->add_option("--at", options->at, "At this time (RFC 3339) instead of now")->type_name("TIME");
  add_json_flag(*command, exit);
  command->callback([options, &exit] { verify(*options, exit); });
}

}  // namespace hawser::cli
