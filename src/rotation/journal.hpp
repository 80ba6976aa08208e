// What a rotation has done, on disk: it goes on from here after any end of its process, and can be read at any time.
//
// A directory with one SQLite file (WAL, synchronous=FULL) to which rows are only ever added, and a lock that one
// process holds while it runs the rotation. Whoever only looks opens it without the lock. One thread; blocking. Format,
// frozen:
//
//   rotations(id, begun_ms, plan_name, plan_digest, plan_file)     one row a rotation; the last one counts
//   passed(id, rotation, at_ms, kind, number, mark, step, detail)  steps that began or ended; `kind`, `mark`: step.hpp
//   audit(id, rotation, at_ms, topic, text)                        everything that ran, was written, seen and refused
//   flow(id, rotation, at_ms, name, value)                         the flow of messages; `name`: the keys of flow.hpp.
//                                                                  Journals that were begun by an older Hawser lack it
//
//   auto journal = Journal::open(plan.journal, Journal::Role::owner);
//   (*journal)->begin(plan, wall_now());  (*journal)->keep({step, Mark::begun}, "deliver: a1", "", wall_now());
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "rotation/flow.hpp"
#include "rotation/plan.hpp"
#include "rotation/step.hpp"

namespace hawser::rotation {

struct RotationRow {
  std::int64_t id = 0;
  std::int64_t begun_ms = 0;
  std::string plan_name;
  std::string plan_digest;
  std::string plan_file;
  // "20261129T112400.123Z": what this rotation's backups are called by.
  [[nodiscard]] std::string mark() const;
};

struct PassedRow {
  std::int64_t at_ms = 0;
  Passed passed;
  std::string step;    // for people
  std::string detail;  // what was seen
};

struct AuditRow {
  std::int64_t at_ms = 0;
  std::string topic;
  std::string text;
};

inline constexpr std::size_t kJournalTextBytes = 16'384;  // longer texts are cut
inline constexpr std::size_t kJournalRows = 1'000'000;    // that are read of one rotation

class Journal {
 public:
  enum class Role : std::uint8_t {
    owner,   // creates what is not there; rotation_runs_already when another process owns it
    reader,  // rotation_not_begun when there is none
  };
  // Errors also: rotation_journal_unusable, with the reason.
  [[nodiscard]] static Result<std::unique_ptr<Journal>> open(const std::filesystem::path& directory, Role role);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // The last rotation. Nothing: none was begun.
  [[nodiscard]] Result<std::optional<RotationRow>> last();
  // A new one, which is the last from now on.
  [[nodiscard]] Result<RotationRow> begin(const Plan& plan, WallTime now);

  // Of the last rotation. On disk when they return. Errors: rotation_journal_unusable.
  [[nodiscard]] Result<void> keep(const Passed& passed, std::string_view step, std::string_view detail, WallTime now);
  [[nodiscard]] Result<void> note(std::string_view topic, std::string_view text, WallTime now);

  // All of them, or none.
  [[nodiscard]] Result<void> keep_flow(std::span<const FlowSample> samples);

  [[nodiscard]] Result<std::vector<PassedRow>> passed();
  [[nodiscard]] Result<std::vector<AuditRow>> audit();
  // The detail that a step ended with, the last time; nothing: it has not.
  [[nodiscard]] Result<std::optional<std::string>> detail_of(Step step);

  // At most FlowThinning::kMostRows of its values.
  [[nodiscard]] Result<std::vector<FlowSample>> flow();
  [[nodiscard]] Result<std::size_t> flow_rows();

  // The process that runs a rotation on this directory; 0: it is not known which; nothing: none.
  [[nodiscard]] static std::optional<pid_t> owner(const std::filesystem::path& directory);

 private:
  struct Parts;
  explicit Journal(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace hawser::rotation
