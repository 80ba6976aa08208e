// `hawser pki bundle` and `hawser pki crl`: what others trust, and what they no longer do.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/limits.hpp"
#include "cli/pki.hpp"
#include "tls/inspect.hpp"

namespace hawser::cli {
namespace {

struct BundleOptions {
  std::vector<std::string> files;
  std::string out;
  bool drop_expired = false;
};

struct CrlOptions {
  std::string ca;
  std::string out;
  std::vector<std::string> revoke;
  std::vector<std::string> restore;
  ValidityOptions validity;
};

Result<tls::PemContents> read_pem(const std::string& path, std::size_t max_bytes) {
  const Result<Secret> text = read_secret_file(path, max_bytes);
  return text ? tls::inspect_pem(*text, path) : std::unexpected(text.error());
}

// The certificates of all files, each once, in order.
Result<std::vector<tls::PemCertificate>> collect(const BundleOptions& options) {
  std::vector<tls::PemCertificate> all;
  for (const std::string& path : options.files) {
    Result<tls::PemContents> contents = read_pem(path, limits::kPemFileBytes);
    if (!contents) {
      return std::unexpected(contents.error());
    }
    if (contents->certificates.empty()) {
      return fail(Errc::tls_ca_without_certificate, path);
    }
    for (tls::PemCertificate& one : contents->certificates) {
      const auto same = [&one](const tls::PemCertificate& other) { return other.info.sha256 == one.info.sha256; };
      const bool expired = one.info.not_after < std::chrono::floor<std::chrono::seconds>(wall_now());
      if (std::none_of(all.begin(), all.end(), same) && !(options.drop_expired && expired)) {
        all.push_back(std::move(one));
      }
    }
  }
  return all;
}

Result<void> bundle(const BundleOptions& options) {
  const Result<std::vector<tls::PemCertificate>> all = collect(options);
  if (!all) {
    return std::unexpected(all.error());
  }
  if (all->empty()) {
    return fail(Errc::tls_ca_without_certificate, "every certificate has expired");
  }
  std::string text;
  for (const tls::PemCertificate& one : *all) {
    text += fmt::format("# {}, until {}\n{}", one.info.subject, tls::format_time(one.info.not_after), one.pem);
  }
  if (options.out.empty()) {
    fmt::print("{}", text);
    return {};
  }
  Result<void> written = write_file_atomically(options.out, text, FileMode::world_readable);
  if (written) {
    fmt::print("{}: {} certificate{}\n", options.out, all->size(), all->size() == 1 ? "" : "s");
  }
  return written;
}

// A certificate file's serials, or a serial in hex as it is.
Result<std::vector<std::string>> serials_of(const std::vector<std::string>& which) {
  std::vector<std::string> serials;
  for (const std::string& one : which) {
    if (!std::filesystem::exists(one)) {
      std::string serial = one;
      std::erase(serial, ':');  // as `openssl x509 -text` writes it
      std::transform(serial.begin(), serial.end(), serial.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (serial.empty() || serial.find_first_not_of("0123456789abcdef") != std::string::npos) {
        return fail(Errc::bad_usage,
                    fmt::format("\"{}\" is neither a certificate file nor a serial number in hex", one));
      }
      serials.push_back(std::move(serial));
      continue;
    }
    const Result<tls::PemContents> contents = read_pem(one, limits::kPemFileBytes);
    if (!contents) {
      return std::unexpected(contents.error());
    }
    if (contents->certificates.empty()) {
      return fail(Errc::tls_certificate_missing, one);
    }
    serials.push_back(contents->certificates.front().info.serial);  // the leaf, not its intermediates
  }
  return serials;
}

struct Revoked {
  std::vector<std::string> serials;
  std::uint64_t number = 0;
};

// What the CRL that is there already says, if it is this CA's.
Result<Revoked> read_current(const std::string& path, const tls::Authority& ca) {
  Revoked current;
  if (!std::filesystem::exists(path)) {
    return current;
  }
  const Result<tls::PemContents> contents = read_pem(path, limits::kCrlFileBytes);
  if (!contents) {
    return std::unexpected(contents.error());
  }
  if (contents->crls.size() != 1 || contents->crls.front().issuer != ca.info().subject) {
    return fail(Errc::bad_usage,
                fmt::format("{} does not hold one CRL of {}: write to another file", path, ca.info().subject));
  }
  const tls::CrlInfo& crl = contents->crls.front();
  current.serials = crl.revoked;
  current.number = crl.number.size() > 15 ? 0 : std::strtoull(crl.number.c_str(), nullptr, 16);
  return current;
}

Result<void> write_crl(const CrlOptions& options) {
  const std::string path = options.out.empty() ? options.ca + "/ca.crl" : options.out;
  const Result<tls::Authority> ca = load_authority(options.ca);
  const Result<tls::Validity> validity = parse_validity(options.validity);
  const Result<std::vector<std::string>> more = serials_of(options.revoke);
  const Result<std::vector<std::string>> fewer = serials_of(options.restore);
  for (const Error* error : {!ca ? &ca.error() : nullptr, !validity ? &validity.error() : nullptr,
                             !more ? &more.error() : nullptr, !fewer ? &fewer.error() : nullptr}) {
    if (error != nullptr) {
      return std::unexpected(*error);
    }
  }
  Result<Revoked> revoked = read_current(path, *ca);
  if (!revoked) {
    return std::unexpected(revoked.error());
  }
  std::vector<std::string>& serials = revoked->serials;
  serials.insert(serials.end(), more->begin(), more->end());
  std::sort(serials.begin(), serials.end());
  serials.erase(std::unique(serials.begin(), serials.end()), serials.end());
  std::erase_if(serials,
                [&](const std::string& one) { return std::find(fewer->begin(), fewer->end(), one) != fewer->end(); });
  const Result<std::string> crl = ca->crl(serials, *validity, revoked->number + 1);
  if (!crl) {
    return std::unexpected(crl.error());
  }
  Result<void> written = write_file_atomically(path, *crl, FileMode::world_readable);
  if (written) {
    fmt::print("{}: CRL {} of {}, {} revoked, until {}\n", path, revoked->number + 1, ca->info().subject,
               serials.size(), tls::format_time(validity->to));
  }
  return written;
}

}  // namespace

void add_pki_bundle(CLI::App& pki, Exit& exit) {
  auto options = std::make_shared<BundleOptions>();
  CLI::App* command = add_command(pki, "bundle", "Join CA files into one: each certificate once, labelled",
                                  "hawser pki bundle old/ca.crt new/ca.crt --out tls/ca.crt\n"
                                  "hawser pki bundle tls/ca.crt --drop-expired --out tls/ca.crt");
  command->add_option("files", options->files, "PEM files with CAs, or with certificates to be trusted alone")
      ->required()
      ->type_name("FILE");
  command->add_option("--out", options->out, "File to write; without it, standard output")->type_name("FILE");
  command->add_flag("--drop-expired", options->drop_expired, "Leave out what has expired");
  command->callback([options, &exit] { exit = bundle(*options); });
}

void add_pki_crl(CLI::App& pki, Exit& exit) {
  auto options = std::make_shared<CrlOptions>();
  CLI::App* command = add_command(pki, "crl", "Write the next CRL of a CA: what the last one revoked, and more",
                                  "hawser pki crl --ca ca\n"
                                  "hawser pki crl --ca ca --revoke tls/agent.crt --days 7 --out tls/ca.crl");
  command->add_option("--ca", options->ca, "Directory of the CA")->required()->type_name("DIR");
  command->add_option("--revoke", options->revoke, "Certificate file, or serial number in hex; may be repeated")
      ->type_name("FILE|SERIAL");
  command->add_option("--restore", options->restore, "Take off the list again")->type_name("FILE|SERIAL");
  command->add_option("--out", options->out, "The CRL's file, read and written; DIR/ca.crl without it")
      ->type_name("FILE");
  add_validity_options(*command, options->validity, 30);
  command->callback([options, &exit] { exit = write_crl(*options); });
}

}  // namespace hawser::cli
