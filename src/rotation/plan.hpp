// The plan of a rotation, as values: what is to change, where, in which order, and what it must show before it goes on.
//
// config/rotation_file.hpp reads one from YAML; docs/rotation.md has the schema. Immutable once read; safe to share
// between threads.
//
//   const Plan plan = …;   plan.waves[0].targets[0].deliver
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rotation/endpoint.hpp"

namespace hawser::rotation {

using Path = std::filesystem::path;

// Words for execvp; with `shell` one word, which is for `sh -c`.
struct Command {
  std::vector<std::string> words;
  bool shell = false;
  bool operator==(const Command&) const = default;
};

// A signal to the process whose id stands in the file, or to that process itself.
struct Signal {
  Path pid_file{};
  int process = 0;  // when there is no file
  int number = 0;
  bool operator==(const Signal&) const = default;
};

// How something is told to read its files again: POST /reload of an admin endpoint, a command, or a signal.
using Trigger = std::variant<Endpoint, Command, Signal>;

// What is rotated: the CA of clients' certificates, or who they are to brokers besides: keys, signing keys, passwords.
enum class PlanKind : std::uint8_t { ca, credentials };

struct Pair {
  Path cert;
  Path key;  // or a pkcs11: URI
};

// A credential of the prober. What is secret of it stands in the file.
struct CredentialSource {
  enum class Form : std::uint8_t { creds, nkey, password, token };
  Form form = Form::creds;
  Path file;
  std::string user{};  // of a password
  // Beside a password: the old token. A server with a token looks at that alone, one with users at the password.
  Path token{};
};

struct Copy {
  Path from;
  Path to;
};

// A delivery by something else: a secret store, kubectl, a configuration tool.
struct DeliveryCommand {
  Command command;
  std::optional<Command> undo;  // brings the old material back
};

using Delivery = std::variant<std::vector<Copy>, DeliveryCommand>;

// What brokers have to show of a target. A broker's own certificate: `server` presents it in a handshake. Otherwise the
// target is a client. With a name or a user, its connections are those that match, and all of them must present the
// certificate; without either, they are those that present it.
struct Proof {
  Path certificate;               // the new one; its first certificate counts
  Path replaces;                  // the old one, which no connection of the target may present; empty: not looked at
  std::uint32_t connections = 1;  // at least so many, over all brokers
  std::string name;               // the client's name, as in CONNECT
  std::string user;               // as /connz?auth=1 has it
  std::optional<std::size_t> server = std::nullopt;  // of that broker; then nothing of connections counts

  // Of a plan of kind credentials, in place of `certificate`: a file with creds or a seed, or else a user. `replaces`
  // is then the old file, if it is not `replaces_user`, and `user` does not select connections: it is what they
  // present.
  Path credential{};
  std::string replaces_user{};
};

struct Target {
  std::string name;
  Delivery deliver;
  Trigger apply;
  Proof prove;
  std::optional<Endpoint> metrics;  // where its counters are, for guards
};

// Waves run when all waves that they come after are over; those that wait for the same ones run side by side.
struct Wave {
  std::string name;
  std::vector<std::size_t> after;                             // earlier ones
  std::uint32_t parallel = 1;                                 // targets at a time
  std::chrono::nanoseconds settle = std::chrono::seconds(1);  // between its last proof and its guards
  std::vector<Target> targets;
};

struct Broker {
  std::string name;
  Endpoint clients;
  std::string server_name;  // expected of its certificate; empty: the host
  bool tls_first = false;   // its handshake comes before INFO
  Endpoint monitor;
  Path bundle;                    // the CAs of clients; of kind credentials: none
  std::optional<Trigger> reload;  // nothing: it needs no telling

  // Of kind credentials: what makes it take both, and the new ones alone. Nothing: it does so by itself, or with
  // another broker of the plan.
  std::optional<Delivery> broaden = std::nullopt;
  std::optional<Delivery> narrow = std::nullopt;
};

// Who tries what the brokers accept.
struct Prober {
  Pair old_pair;  // of kind credentials both are the one that mutual TLS needs besides, if it does
  Pair new_pair;
  Path trust;  // the CAs of the brokers' own certificates
  CredentialSource old_credential{};
  CredentialSource new_credential{};
};

// The most that one attempt at a step may take, with all its repetitions.
struct StepTimes {
  std::chrono::nanoseconds preflight = std::chrono::minutes(1);
  std::chrono::nanoseconds reload = std::chrono::seconds(10);   // of a broker
  std::chrono::nanoseconds probe = std::chrono::seconds(10);    // until a broker shows its new trust
  std::chrono::nanoseconds deliver = std::chrono::seconds(30);  // to one target
  std::chrono::nanoseconds apply = std::chrono::minutes(1);
  std::chrono::nanoseconds prove = std::chrono::minutes(2);  // until brokers show a target's new certificate
  std::chrono::nanoseconds converge = std::chrono::minutes(2);
  std::chrono::nanoseconds poll = std::chrono::milliseconds(250);  // between two looks
  std::chrono::nanoseconds sample = std::chrono::seconds(1);       // between two samples of the flow
  std::chrono::nanoseconds margin = std::chrono::hours(1);         // that certificates must last beyond the plan
};

// By how much a counter of all targets together may grow from before the first wave to the end of each.
struct CounterBudget {
  std::string metric;  // its Prometheus name; all its labels are added up
  std::uint64_t at_most = 0;
};

struct Guards {
  std::vector<CounterBudget> counters;
  std::vector<CounterBudget> gauges{};          // what a gauge of all targets together may be, before and after
  std::optional<std::uint64_t> slow_consumers;  // as counters, of brokers' /varz
  // The share of the messages a second that brokers took in before the first wave which they must still take in at the
  // end of each: over 0, at most 1.
  std::optional<double> flow{};
};

enum class OnBreach : std::uint8_t {
  stop,            // as it is, for `resume` or `rollback`
  roll_wave_back,  // the wave in which it happened gets its old material back, then stop
};

struct Plan {
  PlanKind kind = PlanKind::ca;
  std::string name;
  Path file;
  std::string digest;  // SHA-256 of the file's text, lowercase hex
  Path journal;        // a directory
  Path old_ca;
  Path new_ca;
  std::vector<Path> also_new;  // certificates of the new CA that connections present and no target has
  // Of kind credentials: users, public keys of users (U…) and keys that sign them (A…) that nobody may present at the
  // end, besides what targets and the prober leave behind.
  std::vector<std::string> retires;
  Prober prober;
  std::vector<Broker> brokers;
  std::vector<Wave> waves;
  StepTimes times;
  Guards guards;
  OnBreach on_breach = OnBreach::stop;
};

inline constexpr std::size_t kMostBrokers = 256;
inline constexpr std::size_t kMostWaves = 256;
inline constexpr std::size_t kMostTargets = 4096;   // of all waves
inline constexpr std::uint32_t kMostParallel = 64;  // of one wave, and of everything at a time
inline constexpr std::size_t kMostRetired = 10'000;

// Targets of all waves are counted through, in the order of the file.
struct TargetPlace {
  std::size_t wave;
  std::size_t in_wave;
};
[[nodiscard]] std::size_t target_count(const Plan& plan);
[[nodiscard]] TargetPlace place_of(const Plan& plan, std::size_t target);
[[nodiscard]] const Target& target_at(const Plan& plan, std::size_t target);
// What a target's backups are called by: each keeps what was there before it, also where another one has written
// before.
[[nodiscard]] std::string mark_of(std::string_view rotation_mark, const Target& target);
// The same of how a broker is narrowed, which writes over what it was broadened by.
[[nodiscard]] std::string narrow_mark_of(std::string_view rotation_mark);
[[nodiscard]] std::size_t first_target(const Plan& plan, std::size_t wave);

// What could not be taken back if it were rolled back, one line each: commands without an undo.
[[nodiscard]] std::vector<std::string> without_way_back(const Plan& plan);

// "POST http://127.0.0.1:9222/reload", "signal 1 to the process of /run/nats.pid", "kubectl rollout …": for people.
[[nodiscard]] std::string to_text(const Command& command);
[[nodiscard]] std::string to_text(const Trigger& trigger);

}  // namespace hawser::rotation
