// `hawser doctor`: what is known of each step of a connection. Filled by doctor_steps.cpp, explained by
// doctor_cause.cpp, shown by doctor_text.cpp and doctor_json.cpp.
//
// Plain values of one run, without secrets; main thread. Whatever a server said in them is for the renderers to bound
// and to make harmless.
//
//   DoctorReport report = examine(…);  std::fputs(render_doctor_text(report, Colours::off).c_str(), stdout);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "cli/check_render.hpp"
#include "posture/evaluate.hpp"
#include "posture/facts.hpp"
#include "tls/certificate.hpp"
#include "tls/handshake_facts.hpp"
#include "wire/info.hpp"

namespace hawser::cli {

// In their order; with handshake_first `tls` and `chain` come before `info`.
enum class StepName : std::uint8_t { configuration, resolve, connect, info, tls, chain, auth, ping, permissions };

enum class Outcome : std::uint8_t {
  ok,
  failed,
  unused,       // TLS on a connection that has none
  not_checked,  // an earlier step failed
};

// Why a step failed, and what to do. The hint is more exact than that of the error's row, or empty.
struct Cause {
  Error error;
  std::string hint{};
};

struct Step {
  StepName name{};
  Outcome outcome = Outcome::not_checked;
  Duration took{};
  std::optional<Cause> cause{};
  std::vector<posture::Finding> notes{};  // what deserves a look though it did not fail the step
};

// One address of the server's name.
struct DialAttempt {
  std::string address;  // "127.0.0.1:4222"
  Duration took{};
  std::string failure;  // empty: it answered
};

struct PermissionTried {
  enum class Kind : std::uint8_t { publish, subscribe };
  Kind kind{};
  std::string subject;
  std::string refusal{};   // the server's words; empty: allowed
  bool published = false;  // the server delivered the empty message (doctor_steps.cpp)
};

// One server of the list.
struct ServerReport {
  std::string server;       // "tls://nats:4222"
  std::vector<Step> steps;  // in the order in which they were made, those not made at the end
  std::vector<std::string> addresses;
  std::vector<DialAttempt> attempts;
  std::optional<wire::ServerInfo> info;
  std::optional<tls::HandshakeFacts> tls;
  std::string expected_name;     // what the server's certificate must carry
  bool verified = true;          // false: NATS_TLS_INSECURE, so that `chain` shows what nobody judged
  bool resumable = false;        // the server gave a ticket
  std::int64_t max_payload = 0;  // for this user, once it was let in
  std::vector<Duration> round_trips;
  std::vector<PermissionTried> permissions;

  [[nodiscard]] bool ok() const;
  [[nodiscard]] const Step* failed() const;
  [[nodiscard]] Step* step(StepName name);
};

// Who we are and what we hold, as the configuration has it.
struct DoctorReport {
  WallTime at{};
  Step configuration{};
  std::optional<posture::Environment> environment{};  // of what could be read
  posture::Transport transport = posture::Transport::refused;
  posture::AuthMode mode = posture::AuthMode::refused;
  std::string who{};         // "nkey UABC…"
  std::string credential{};  // where it comes from: "env NATS_CREDS"
  std::optional<identity::UserClaims> claims{};
  std::vector<std::string> listed{};  // the servers, printable
  std::vector<tls::CertificateInfo> own_chain{};
  std::vector<tls::CertificateInfo> trusted{};
  std::vector<ServerReport> servers{};
  bool all = false;  // each server must be well, not just one

  [[nodiscard]] bool ok() const;
  // The server whose steps stand for the whole: the one that is well, or else the first.
  [[nodiscard]] const ServerReport* leading() const;
};

[[nodiscard]] std::string_view to_string(StepName name);
// "in 7 days", "3 h ago".
[[nodiscard]] std::string relative_time(tls::Seconds time, WallTime now);
// At most so many bytes of what somebody else said, cut at a character.
[[nodiscard]] std::string bounded(std::string_view text, std::size_t most = 200);

[[nodiscard]] std::string render_doctor_text(const DoctorReport& report, Colours colours);
[[nodiscard]] std::string render_doctor_json(const DoctorReport& report);  // the shape is frozen

}  // namespace hawser::cli
