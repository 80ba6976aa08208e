// Everything that a plan names on disk, read and verified together before anything is touched.
//
// Blocking; the result is a value that any thread may read.
//
//   Inspection found = inspect(plan, mark, wall_now());
//   if (!found.errors.empty()) …   // all of them
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "identity/credential.hpp"
#include "rotation/budget.hpp"
#include "rotation/monitor.hpp"
#include "rotation/plan.hpp"
#include "tls/context.hpp"

namespace hawser::rotation {

struct Inventory {
  std::string both;                  // bundles: what brokers trust while targets move
  std::string narrow;                // and at the end
  Fingerprints authorities;          // all that stand in either
  Identities fresh;                  // known to be new: of targets, the prober, and `also_new`
  Identities retired;                // of kind credentials: what nobody may present at the end
  std::vector<Identity> target_new;  // by target
  std::vector<Identity> target_old;  // empty: not known; the new one: the target keeps what it presents
  tls::ContextPtr trust;             // of brokers' own certificates, without one of ours
  tls::ContextPtr old_probe;         // the same with the prober's certificates
  tls::ContextPtr new_probe;
  std::shared_ptr<const identity::Credential> old_credential;  // of kind credentials
  std::shared_ptr<const identity::Credential> new_credential;
  std::shared_ptr<const Secret> new_token;  // beside it; null: none
  Identity prober_old;                      // whom these two stand for
  Identity prober_new;
  std::vector<Lifetime> lifetimes;
};

struct Inspection {
  Inventory inventory;
  std::vector<Error> errors;  // each says what is wrong and where
};

// `mark`: of the rotation that runs, whose backups show what was there before; empty: none does.
[[nodiscard]] Inspection inspect(const Plan& plan, std::string_view mark, WallTime now,
                                 Ahead ahead = Ahead::everything);

// All in one, for an Error: each in a line of its own.
[[nodiscard]] Error as_one(Errc code, const std::vector<Error>& errors);

}  // namespace hawser::rotation
