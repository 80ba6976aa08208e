// Errors as values: a frozen code from one table, and what was being done when it arose.
//
// Every refusal of Hawser carries an `Errc`. The table (errors/*.def, one file a room) gives each code its id
// (`TLS-204`), name, kind, one-line summary and a hint that says how to mend it; `hawser explain`, docs/errors.md and the
// exit codes come from it. Immutable values; safe to share between threads.
//
//   return fail(Errc::tls_key_mismatch, "loading ./tls/tls.crt with ./tls/tls.key");
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hawser {

// Every error there is. Numbers are frozen: a code that is no longer used keeps its row.
// Ranges: 1 GEN, 100 POS, 200 TLS, 300 NET, 400 WIR, 500 SES, 600 AGT, 700 CFG, 800 IDN, 900 CLI, 1000 ADM, 1100 BRK, 1200 STO,
// 1300 ROT.
enum class Errc : std::uint16_t {
#define HAWSER_ERROR(name, number, kind, summary, hint) name = number,
#include "base/errors/all.def"
#undef HAWSER_ERROR
};

// What a caller can do about an error.
enum class ErrorKind : std::uint8_t {
  retryable,  // the same again may succeed: the network, a server that is away
  permanent,  // the same again fails in the same way until somebody changes an input
  denied,     // the other side, or posture, refused
  misuse,     // wrong arguments or configuration
  internal,   // a defect of Hawser
};

// One row of the table. All views are of static storage.
struct ErrorInfo {
  Errc code;
  std::string_view name;  // kebab-case: "tls-key-mismatch"
  ErrorKind kind;
  std::string_view summary;
  std::string_view hint;
};

struct Error {
  Errc code{};
  std::string doing;  // what was being done, and what was seen; never a secret

  // "TLS-204 key does not match the certificate: loading ./tls.crt (hint: …)" without the hint.
  [[nodiscard]] std::string message() const;
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Errc code, std::string doing) {
  return std::unexpected(Error{code, std::move(doing)});
}

// The row of a code. Every Errc has one.
[[nodiscard]] const ErrorInfo& info(Errc code);
[[nodiscard]] std::span<const ErrorInfo> error_table();

// "TLS-204".
[[nodiscard]] std::string error_id(Errc code);
// By id ("TLS-204", any case) or by name ("tls-key-mismatch").
[[nodiscard]] std::optional<Errc> find_error(std::string_view id_or_name);
[[nodiscard]] std::string_view to_string(ErrorKind kind);

}  // namespace hawser
