// Where something stands in a file: shared by everything that is read, shown in every mistake and finding.
//
// Values; the file's name is shared, so that a tree of a million places stays small. Lines and columns count from 1,
// columns in bytes; 0 is "not known".
//
//   mistakes.push_back({Errc::config_unknown_key, node.place, "unknown key \"sever\"", "Did you mean \"server\"?"});
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace hawser::config {

using FileName = std::shared_ptr<const std::string>;

struct Place {
  FileName file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  // "broker.yaml:12:5"; without what is not known.
  [[nodiscard]] std::string text() const;
};

// Something in a file that cannot be taken as it stands.
struct Mistake {
  Errc code;
  Place place;
  std::string message;  // never a secret: keys and shapes, not values of credentials
  std::string hint;     // empty: the code's own

  // "broker.yaml:12:5: unknown key "sever" (did you mean "server"?)"
  [[nodiscard]] std::string text() const;
};

// A key that stands twice in one map: most readers lose the first without a word.
struct DuplicateKey {
  std::string path;  // "tls.cert_file"
  Place first;
  Place second;
};

// All of them as one Error, one a line, in the order of the file.
[[nodiscard]] Error as_error(std::span<const Mistake> mistakes);

}  // namespace hawser::config
