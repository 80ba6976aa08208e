// What the files of `hawser pki` share: how a CA lies in a directory, how times and key types are given. Main thread
// only.
//
//   Result<tls::Authority> ca = load_authority("./ca");   // ./ca/ca.crt and ./ca/ca.key
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "cli/command.hpp"
#include "tls/authority.hpp"

namespace hawser::cli {

// A CA's directory: ca.crt (with its issuers, for an intermediate), ca.key (0600), ca.crl.
[[nodiscard]] std::string certificate_of(const std::string& directory);
[[nodiscard]] std::string key_of(const std::string& directory);
[[nodiscard]] Result<tls::Authority> load_authority(const std::string& directory);

// `--days`, or `--from` and `--to`.
struct ValidityOptions {
  unsigned days = 0;
  std::string from{};
  std::string to{};
};
void add_validity_options(CLI::App& command, ValidityOptions& options, unsigned default_days);
[[nodiscard]] Result<tls::Validity> parse_validity(const ValidityOptions& options);

// Parts of `hawser pki`, one a file.
void add_pki_ca(CLI::App& pki, Exit& exit);
void add_pki_issue(CLI::App& pki, Exit& exit);
void add_pki_bundle(CLI::App& pki, Exit& exit);
void add_pki_inspect(CLI::App& pki, Exit& exit);
void add_pki_crl(CLI::App& pki, Exit& exit);
void add_pki_verify(CLI::App& pki, Exit& exit);

}  // namespace hawser::cli
