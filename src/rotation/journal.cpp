#include "rotation/journal.hpp"

#include <algorithm>
#include <sys/stat.h>
#include <utility>

#include "store/database.hpp"
#include "store/owner_lock.hpp"

namespace hawser::rotation {
namespace {

using store::Database;
using store::SqlFault;
using store::Statement;

constexpr const char* kFile = "rotation.db";
constexpr std::int64_t kApplicationId = 1215779666;
constexpr std::int64_t kSchemaVersion = 1;
// Rows are only ever added: the file itself refuses anything else.
constexpr const char* kSchema = R"(
BEGIN;
CREATE TABLE rotations(id INTEGER PRIMARY KEY AUTOINCREMENT, begun_ms INTEGER NOT NULL, plan_name TEXT NOT NULL,
                       plan_digest TEXT NOT NULL, plan_file TEXT NOT NULL);
CREATE TABLE passed(id INTEGER PRIMARY KEY AUTOINCREMENT, rotation INTEGER NOT NULL, at_ms INTEGER NOT NULL, kind INTEGER NOT NULL,
                    number INTEGER NOT NULL, mark INTEGER NOT NULL, step TEXT NOT NULL, detail TEXT NOT NULL);
CREATE TABLE audit(id INTEGER PRIMARY KEY AUTOINCREMENT, rotation INTEGER NOT NULL, at_ms INTEGER NOT NULL, topic TEXT NOT NULL,
                   text TEXT NOT NULL);
CREATE TRIGGER rotations_stay BEFORE UPDATE ON rotations BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER rotations_last BEFORE DELETE ON rotations BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER passed_stay BEFORE UPDATE ON passed BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER passed_last BEFORE DELETE ON passed BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER audit_stay BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER audit_last BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'append only'); END;
PRAGMA application_id=1215779666;
PRAGMA user_version=1;
COMMIT;
)";

// It came later, to journals that were there already.
constexpr const char* kFlowTable = R"(
CREATE TABLE IF NOT EXISTS flow(id INTEGER PRIMARY KEY AUTOINCREMENT, rotation INTEGER NOT NULL, at_ms INTEGER NOT NULL,
                                name TEXT NOT NULL, value REAL NOT NULL);
CREATE TRIGGER IF NOT EXISTS flow_stays BEFORE UPDATE ON flow BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS flow_lasts BEFORE DELETE ON flow BEGIN SELECT RAISE(ABORT, 'append only'); END;
)";

std::int64_t ms_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::string_view bounded(std::string_view text) { return text.substr(0, kJournalTextBytes); }

}  // namespace

struct Journal::Parts {
  Parts(std::filesystem::path where, std::optional<store::OwnerLock> held, store::Open how)
      : path(std::move(where)), lock(std::move(held)), database(path, how) {}

  std::filesystem::path path;
  std::optional<store::OwnerLock> lock;
  Database database;
  std::int64_t rotation = 0;  // the last one

  [[nodiscard]] std::unexpected<Error> failed(const SqlFault& fault) const {
    return fail(Errc::rotation_journal_unusable, path.string() + ": " + fault.text);
  }

  bool has_flow() { return database.number("SELECT count(*) FROM sqlite_master WHERE name = 'flow'") > 0; }

  void prepare(Role role) {
    if (role == Role::owner && database.number("PRAGMA user_version") == 0 &&
        database.number("SELECT count(*) FROM sqlite_master") == 0) {
      ::chmod(path.c_str(), S_IRUSR | S_IWUSR);  // what commands print is in it
      database.run("PRAGMA journal_mode=WAL");
      database.run(kSchema);
    }
    if (database.number("PRAGMA application_id") != kApplicationId ||
        database.number("PRAGMA user_version") != kSchemaVersion) {
      throw SqlFault{store::Trouble::damaged, "is not the journal of a rotation, or one of another version"};
    }
    database.run("PRAGMA synchronous=FULL");
    if (role == Role::owner) {
      database.run(kFlowTable);
    }
    rotation = database.number("SELECT coalesce(max(id), 0) FROM rotations");
  }
};

std::string RotationRow::mark() const {
  std::string text = to_rfc3339(WallTime(std::chrono::milliseconds(begun_ms)), Precision::milliseconds);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

Journal::Journal(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Journal::~Journal() = default;

Result<std::unique_ptr<Journal>> Journal::open(const std::filesystem::path& directory, Role role) {
  std::error_code failed;
  std::optional<store::OwnerLock> lock;
  if (role == Role::owner) {
    if (std::filesystem::create_directories(directory, failed)) {
      ::chmod(directory.c_str(), S_IRWXU);
    }
    if (failed) {
      return fail(Errc::rotation_journal_unusable, directory.string() + ": " + failed.message());
    }
    auto taken = store::OwnerLock::take(directory);
    if (!taken) {
      const bool runs = taken.error().code == Errc::queue_in_use;
      return fail(runs ? Errc::rotation_runs_already : Errc::rotation_journal_unusable, taken.error().doing);
    }
    lock = std::move(*taken);
  } else if (!std::filesystem::exists(directory / kFile, failed)) {
    return fail(Errc::rotation_not_begun, "there is no journal in " + directory.string());
  }
  try {
    auto parts = std::make_unique<Parts>(directory / kFile, std::move(lock),
                                         role == Role::owner ? store::Open::create : store::Open::existing);
    parts->prepare(role);
    return std::unique_ptr<Journal>(new Journal(std::move(parts)));
  } catch (const SqlFault& fault) {
    return fail(Errc::rotation_journal_unusable, (directory / kFile).string() + ": " + fault.text);
  }
}

Result<std::optional<RotationRow>> Journal::last() {
  try {
    Statement statement(
        parts_->database,
        "SELECT id, begun_ms, plan_name, plan_digest, plan_file FROM rotations ORDER BY id DESC LIMIT 1");
    if (!statement.step()) {
      return std::nullopt;
    }
    RotationRow row{.id = statement.integer(0),
                    .begun_ms = statement.integer(1),
                    .plan_name = std::string(statement.bytes(2)),
                    .plan_digest = std::string(statement.bytes(3)),
                    .plan_file = std::string(statement.bytes(4))};
    parts_->rotation = row.id;
    return row;
  } catch (const SqlFault& fault) {
    return parts_->failed(fault);
  }
}

Result<RotationRow> Journal::begin(const Plan& plan, WallTime now) {
  try {
    const std::string file = plan.file.string();
    Statement insert(parts_->database,
                     "INSERT INTO rotations(begun_ms, plan_name, plan_digest, plan_file) VALUES(?, ?, ?, ?)");
    insert.bind(1, ms_of(now)).bind_text(2, plan.name).bind_text(3, plan.digest).bind_text(4, file).run();
  } catch (const SqlFault& fault) {
    return parts_->failed(fault);
  }
  const auto row = last();
  if (!row) {
    return std::unexpected(row.error());
  }
  return **row;
}

Result<void> Journal::keep(const Passed& passed, std::string_view step, std::string_view detail, WallTime now) {
  try {
    Statement insert(
        parts_->database,
        "INSERT INTO passed(rotation, at_ms, kind, number, mark, step, detail) VALUES(?, ?, ?, ?, ?, ?, ?)");
    insert.bind(1, parts_->rotation)
        .bind(2, ms_of(now))
        .bind(3, static_cast<std::int64_t>(passed.step.kind))
        .bind(4, static_cast<std::int64_t>(passed.step.number))
        .bind(5, static_cast<std::int64_t>(passed.mark))
        .bind_text(6, bounded(step))
        .bind_text(7, bounded(detail))
        .run();
    return {};
  } catch (const SqlFault& fault) {
    return parts_->failed(fault);
  }
}

Result<void> Journal::note(std::string_view topic, std::string_view text, WallTime now) {
  try {
    Statement insert(parts_->database, "INSERT INTO audit(rotation, at_ms, topic, text) VALUES(?, ?, ?, ?)");
    insert.bind(1, parts_->rotation).bind(2, ms_of(now)).bind_text(3, bounded(topic)).bind_text(4, bounded(text)).run();
    return {};
  } catch (const SqlFault& fault) {
    return parts_->failed(fault);
  }
}

Result<void> Journal::keep_flow(std::span<const FlowSample> samples) {
  try {
    store::Transaction transaction(parts_->database);
    Statement insert(parts_->database, "INSERT INTO flow(rotation, at_ms, name, value) VALUES(?, ?, ?, ?)");
    for (const FlowSample& sample : samples) {
      for (const auto& [curve, value] : sample.values) {
        insert.bind(1, parts_->rotation)
            .bind(2, sample.at_ms)
            .bind_text(3, info_of(curve).key)
            .bind_real(4, value)
            .run();
      }
    }
    transaction.commit();
    return {};
  } catch (const SqlFault& fault) {
    return parts_->failed(fault);
  }
}

// A curve that only a newer Hawser knows is left out.
Result<std::vector<FlowSample>> Journal::flow() {
  try {
    std::vector<FlowSample> samples;
    if (!parts_->has_flow()) {
      return samples;
    }
    Statement select(parts_->database, "SELECT at_ms, name, value FROM flow WHERE rotation = ? ORDER BY id LIMIT ?");
    select.bind(1, parts_->rotation).bind(2, static_cast<std::int64_t>(FlowThinning::kMostRows));
    while (select.step()) {
      const std::int64_t at_ms = select.integer(0);
      const auto curve = flow_curve(select.bytes(1));
      if (samples.empty() || samples.back().at_ms != at_ms) {
        samples.push_back({.at_ms = at_ms, .values = {}});
      }
      if (curve) {
        samples.back().values[*curve] = select.real(2);
      }
    }
    return samples;
  } catch (const SqlFault& fault) {
    return parts_->failed(fault);
  }
}

Result<std::size_t> Journal::flow_rows() {
  try {
    Statement select(parts_->database, "SELECT count(*) FROM flow WHERE rotation = ?");
    select.bind(1, parts_->rotation);
    return select.step() ? static_cast<std::size_t>(select.count(0)) : 0;
  } catch (const SqlFault& fault) {
    return parts_->failed(fault);
  }
}

Result<std::vector<PassedRow>> Journal::passed() {
  try {
    Statement select(
        parts_->database,
        "SELECT at_ms, kind, number, mark, step, detail FROM passed WHERE rotation = ? ORDER BY id LIMIT ?");
    select.bind(1, parts_->rotation).bind(2, static_cast<std::int64_t>(kJournalRows));
    std::vector<PassedRow> rows;
    while (select.step()) {
      const auto kind = step_kind(select.count(1));
      const std::int64_t mark = select.integer(3);
      if (!kind || mark < 1 || mark > 2 || !std::in_range<std::uint32_t>(select.integer(2))) {
        return fail(Errc::rotation_journal_unusable,
                    parts_->path.string() + ": holds a step that this version does not know");
      }
      rows.push_back(
          {.at_ms = select.integer(0),
           .passed = {{*kind, static_cast<std::uint32_t>(select.integer(2))}, mark == 1 ? Mark::begun : Mark::done},
           .step = std::string(select.bytes(4)),
           .detail = std::string(select.bytes(5))});
    }
    return rows;
  } catch (const SqlFault& fault) {
    return parts_->failed(fault);
  }
}

Result<std::vector<AuditRow>> Journal::audit() {
  try {
    Statement select(parts_->database, "SELECT at_ms, topic, text FROM audit WHERE rotation = ? ORDER BY id LIMIT ?");
    select.bind(1, parts_->rotation).bind(2, static_cast<std::int64_t>(kJournalRows));
    std::vector<AuditRow> rows;
    while (select.step()) {
      rows.push_back({select.integer(0), std::string(select.bytes(1)), std::string(select.bytes(2))});
    }
    return rows;
  } catch (const SqlFault& fault) {
    return parts_->failed(fault);
  }
}

Result<std::optional<std::string>> Journal::detail_of(Step step) {
  try {
    Statement select(parts_->database,
                     "SELECT detail FROM passed WHERE rotation = ? AND kind = ? AND number = ? AND mark = 2 ORDER BY "
                     "id DESC LIMIT 1");
    select.bind(1, parts_->rotation)
        .bind(2, static_cast<std::int64_t>(step.kind))
        .bind(3, static_cast<std::int64_t>(step.number));
    if (!select.step()) {
      return std::nullopt;
    }
    std::optional<std::string> detail(std::in_place, select.bytes(0));
    return detail;
  } catch (const SqlFault& fault) {
    return parts_->failed(fault);
  }
}

std::optional<pid_t> Journal::owner(const std::filesystem::path& directory) {
  return store::OwnerLock::owner(directory);
}

}  // namespace hawser::rotation
