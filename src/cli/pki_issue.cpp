// `hawser pki ca` and `hawser pki issue`: make CAs and certificates.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <vector>

#include "base/file.hpp"
#include "cli/pki.hpp"

namespace hawser::cli {
namespace {

const std::map<std::string, tls::KeyType>& key_types() {
  static const std::map<std::string, tls::KeyType> types = {{"ecdsa", tls::KeyType::ecdsa_p256},
                                                            {"ed25519", tls::KeyType::ed25519},
                                                            {"rsa2048", tls::KeyType::rsa2048},
                                                            {"rsa4096", tls::KeyType::rsa4096}};
  return types;
}

const std::map<std::string, tls::CertUsage>& usages() {
  static const std::map<std::string, tls::CertUsage> all = {
      {"client", tls::CertUsage::client}, {"server", tls::CertUsage::server}, {"both", tls::CertUsage::both}};
  return all;
}

void add_key_type_option(CLI::App& command, tls::KeyType& type) {
  command.add_option("--key-type", type, "ecdsa (P-256, the default), ed25519, rsa2048 or rsa4096")
      ->transform(CLI::CheckedTransformer(key_types(), CLI::ignore_case))
      ->option_text("TYPE");
}

struct CaOptions {
  std::string out;
  std::string parent;
  tls::AuthorityRequest request;
  ValidityOptions validity;
  bool force = false;
};

struct IssueOptions {
  std::string ca;
  std::string out = ".";
  std::string cert_out;
  std::string key_out;
  tls::CertificateRequest request;
  ValidityOptions validity;
  bool self_signed = false;
  bool force = false;
};

Result<void> make_directory(const std::filesystem::path& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory.empty() ? "." : directory, failed);
  return failed ? fail(Errc::file_unwritable, fmt::format("creating {}: {}", directory.string(), failed.message()))
                : Result<void>();
}

// The key first: whoever watches both meets a certificate whose key is there already.
Result<void> write_pair(const std::string& cert_path, std::string_view cert, const std::string& key_path,
                        const Secret& key, bool force) {
  const Existing existing = force ? Existing::replace : Existing::keep;
  for (const std::string* path : {&cert_path, &key_path}) {
    if (!force && std::filesystem::exists(*path)) {
      return fail(Errc::bad_usage, fmt::format("{} is there already (--force replaces it)", *path));
    }
    if (Result<void> made = make_directory(std::filesystem::path(*path).parent_path()); !made) {
      return made;
    }
  }
  if (Result<void> written = write_file_atomically(key_path, key.reveal(), FileMode::owner_only, existing); !written) {
    return written;
  }
  return write_file_atomically(cert_path, cert, FileMode::world_readable, existing);
}

void print_made(const tls::CertificateInfo& info, const std::string& cert_path, const std::string& key_path) {
  fmt::print("{}\n  certificate  {}\n  key          {}\n  valid        {} to {}\n  SHA-256      {}\n", info.subject,
             cert_path, key_path, tls::format_time(info.not_before), tls::format_time(info.not_after), info.sha256);
}

Result<void> make_ca(CaOptions options) {
  const Result<tls::Validity> validity = parse_validity(options.validity);
  if (!validity) {
    return std::unexpected(validity.error());
  }
  options.request.validity = *validity;
  const auto make = [&options]() -> Result<tls::Authority> {
    if (options.parent.empty()) {
      return tls::Authority::create(options.request);
    }
    const Result<tls::Authority> parent = load_authority(options.parent);
    return parent ? parent->intermediate(options.request) : std::unexpected(parent.error());
  };
  const Result<tls::Authority> ca = make();
  if (!ca) {
    return std::unexpected(ca.error());
  }
  const std::string& chain = ca->chain_pem().empty() ? ca->certificate_pem() : ca->chain_pem();
  Result<void> written =
      write_pair(certificate_of(options.out), chain, key_of(options.out), ca->key_pem(), options.force);
  if (written) {
    print_made(ca->info(), certificate_of(options.out), key_of(options.out));
  }
  return written;
}

bool is_host_name(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '*';
  });
}

Result<void> issue(IssueOptions options) {
  const Result<tls::Validity> validity = parse_validity(options.validity);
  if (!validity) {
    return std::unexpected(validity.error());
  }
  tls::CertificateRequest& request = options.request;
  request.validity = *validity;
  if (options.self_signed == !options.ca.empty()) {
    return fail(Errc::bad_usage, "give --ca DIR, or --self-signed");
  }
  // A server without subjectAltName is a server that nobody can verify.
  if (request.usage != tls::CertUsage::client && request.dns_names.empty() && request.ip_addresses.empty() &&
      is_host_name(request.common_name)) {
    request.dns_names.push_back(request.common_name);
  }
  const auto make = [&]() -> Result<tls::Issued> {
    if (options.self_signed) {
      return tls::Authority::self_signed(request);
    }
    const Result<tls::Authority> ca = load_authority(options.ca);
    return ca ? ca->issue(request) : std::unexpected(ca.error());
  };
  const Result<tls::Issued> issued = make();
  if (!issued) {
    return std::unexpected(issued.error());
  }
  std::string file = request.common_name;
  std::replace(file.begin(), file.end(), '/', '_');
  const std::string cert_path = options.cert_out.empty() ? options.out + "/" + file + ".crt" : options.cert_out;
  const std::string key_path = options.key_out.empty() ? options.out + "/" + file + ".key" : options.key_out;
  Result<void> written = write_pair(cert_path, issued->chain_pem, key_path, issued->key_pem, options.force);
  if (written) {
    print_made(issued->info, cert_path, key_path);
  }
  return written;
}

}  // namespace

void add_pki_ca(CLI::App& pki, Exit& exit) {
  auto options = std::make_shared<CaOptions>();
  options->request.name = "Hawser development CA";
  CLI::App* command = add_command(pki, "ca", "Make a certificate authority: DIR/ca.crt and DIR/ca.key",
                                  "hawser pki ca --out ca --name \"Dev CA\"\n"
                                  "hawser pki ca --out team --name \"Team CA\" --parent ca --days 365");
  command->add_option("--out", options->out, "Directory to write to")->required()->type_name("DIR");
  command->add_option("--name", options->request.name, "Common name")->capture_default_str();
  command->add_option("--org", options->request.organization, "Organization");
  command->add_option("--parent", options->parent, "Directory of the CA that signs it: makes an intermediate")
      ->type_name("DIR");
  add_key_type_option(*command, options->request.key_type);
  add_validity_options(*command, options->validity, 3650);
  command->add_flag("--force", options->force, "Replace existing files");
  command->callback([options, &exit] { exit = make_ca(*options); });
}

void add_pki_issue(CLI::App& pki, Exit& exit) {
  auto options = std::make_shared<IssueOptions>();
  tls::CertificateRequest& request = options->request;
  CLI::App* command =
      add_command(pki, "issue", "Issue a certificate: NAME.crt (with its intermediates) and NAME.key",
                  "hawser pki issue nats --ca ca --out tls --usage server --dns nats.example.com --ip 127.0.0.1\n"
                  "hawser pki issue agent --ca ca --usage client --cert tls/tls.crt --key tls/tls.key --force\n"
                  "hawser pki issue old --ca ca --from 2025-01-01T00:00:00Z --days 30");
  command->add_option("name", request.common_name, "Common name; also the files' name")->required()->type_name("NAME");
  command->add_option("--ca", options->ca, "Directory of the CA (`hawser pki ca`)")->type_name("DIR");
  command->add_flag("--self-signed", options->self_signed,
                    "Signed by itself: to be trusted alone, as part of a CA file");
  command->add_option("--out", options->out, "Directory to write to")->capture_default_str()->type_name("DIR");
  command->add_option("--cert", options->cert_out, "Write the certificate to this file instead")->type_name("FILE");
  command->add_option("--key", options->key_out, "Write the key (mode 0600) to this file instead")->type_name("FILE");
  command->add_option("--usage", request.usage, "client, server or both (the default)")
      ->transform(CLI::CheckedTransformer(usages(), CLI::ignore_case))
      ->option_text("USAGE");
  command->add_option("--dns", request.dns_names, "DNS name, may be repeated; for a server, NAME when nothing is given")
      ->delimiter(',');
  command->add_option("--ip", request.ip_addresses, "IP address, may be repeated")->delimiter(',');
  command->add_option("--email", request.emails, "E-mail address, may be repeated")->delimiter(',');
  command->add_option("--uri", request.uris, "URI, may be repeated (spiffe://…)");
  command->add_option("--org", request.organization, "Organization");
  add_key_type_option(*command, request.key_type);
  add_validity_options(*command, options->validity, 90);
  command->add_flag("--force", options->force, "Replace existing files");
  command->callback([options, &exit] { exit = issue(*options); });
}

}  // namespace hawser::cli
