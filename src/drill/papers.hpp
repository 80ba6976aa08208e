// The certificates of the throw-away system: a CA a generation, and what it has issued. Files in one directory.
//
// Generation 0 is what the system starts with; rotation n goes from generation n - 1 to n. Blocking.
//
//   Papers papers(directory);
//   papers.make(0, {"a1", "a2"}, {"n1"});   papers.cert(0, "a1")   // …/ca-0/a1.crt
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "tls/authority.hpp"

namespace hawser::drill {

using Path = std::filesystem::path;

class Papers {
 public:
  explicit Papers(Path directory) : directory_(std::move(directory)) {}

  // A new CA, and certificates of it for these. For each generation but the first also the two bundles of it and the
  // one before. Errors: those of Authority and of files.
  Result<void> make(std::size_t generation, const std::vector<std::string>& clients,
                    const std::vector<std::string>& servers);
  // One more certificate of that CA, or another in place of one; `validity` as it is to be.
  Result<void> issue(std::size_t generation, const std::string& name, tls::CertUsage usage, tls::Validity validity);
  // The same, of a CA that nobody knows.
  Result<void> issue_by_a_stranger(std::size_t generation, const std::string& name);

  [[nodiscard]] Path ca(std::size_t generation) const { return place(generation) / "ca.crt"; }
  [[nodiscard]] Path cert(std::size_t generation, const std::string& name) const {
    return place(generation) / (name + ".crt");
  }
  [[nodiscard]] Path key(std::size_t generation, const std::string& name) const {
    return place(generation) / (name + ".key");
  }
  // The CA of the generation before, and this one's; and in the other order.
  [[nodiscard]] Path both(std::size_t generation) const { return place(generation) / "both.crt"; }
  [[nodiscard]] Path turned(std::size_t generation) const { return place(generation) / "turned.crt"; }
  // SHA-256 of what was issued last under that name.
  [[nodiscard]] std::string fingerprint(std::size_t generation, const std::string& name) const;

 private:
  [[nodiscard]] Path place(std::size_t generation) const;
  Result<void> write(std::size_t generation, const std::string& name, const Result<tls::Issued>& issued);

  Path directory_;
  std::vector<tls::Authority> authorities_;
  std::map<std::pair<std::size_t, std::string>, std::string> fingerprints_;
};

// Copies a file over another, atomically; keys for their owner only. Errors: file_unreadable, file_unwritable.
[[nodiscard]] Result<void> put_file(const Path& from, const Path& to);

}  // namespace hawser::drill
