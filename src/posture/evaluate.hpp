// Posture: settings and facts in, a decision out. Pure; the agent, the library, `check`, `doctor` and every connecting
// command call the same function, so that what CI approved is what start-up enforces.
//
// A Decision is immutable after evaluate() and may be shared between threads as shared_ptr<const Decision>.
//
//   Decision decision = evaluate(settings, gather(settings, now), now, Purpose::start_up);
//   if (!decision.ok()) { … show decision.findings, exit 4 }
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "posture/facts.hpp"
#include "posture/finding.hpp"
#include "posture/server_url.hpp"
#include "posture/settings.hpp"
#include "tls/context.hpp"
#include "tls/material.hpp"

namespace hawser::posture {

enum class Transport : std::uint8_t { tls, plaintext, refused };

struct TlsOptions {
  tls::Source source;  // for tls::load and the watcher; empty: the system's roots and no certificate of one's own
  tls::Version min_version = tls::Version::tls12;
  bool handshake_first = false;
  bool insecure = false;  // the server is not verified; development only
};

// Where the effective credential comes from; load_credential (gather.hpp) makes the credential itself of it.
// Which members are filled follows from the mode; a file wins nothing over a value, exactly one of them is set.
struct CredentialPlan {
  AuthMode mode = AuthMode::none;
  std::string user{};
  Secret value{};        // password, token or seed
  std::string file{};    // of the same, or the creds file: read again when it changes
  std::string origin{};  // "env NATS_TOKEN"
};

struct BreakGlass {
  bool active = false;  // plaintext in production is allowed, by the override
  std::string owner{};
  std::optional<WallTime> until{};
};

struct Decision {
  Environment environment = Environment::development;
  Transport transport = Transport::refused;
  std::vector<ServerUrl> servers;  // in the order given
  TlsOptions tls;
  AuthMode auth_mode = AuthMode::refused;
  CredentialPlan credential;
  BreakGlass break_glass;
  std::vector<Finding> findings;  // errors first, then warnings, then notes

  // No finding is an error: the connection may be made.
  [[nodiscard]] bool ok() const { return !any_error(findings); }
};

enum class Purpose : std::uint8_t { start_up, check };  // `check` is stricter about the override's owner and end

[[nodiscard]] Decision evaluate(const Settings& settings, const Facts& facts, WallTime now, Purpose purpose);

[[nodiscard]] std::string_view to_string(Transport transport);

}  // namespace hawser::posture
