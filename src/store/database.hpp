// SQLite with owners, and its errors as one exception that stays inside this room.
//
// A Database and its Statements belong to one thread. Everything here throws SqlFault; whoever uses it catches at the
// edge of a transaction. A Statement goes before its Database.
//
//   Database database(path, Open::existing);
//   Statement insert(database, "INSERT INTO t VALUES(?, ?)");
//   insert.bind(1, 7).bind_bytes(2, blob).run();
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace hawser::store {

enum class Trouble : std::uint8_t {
  full,       // no room on the disk
  damaged,    // the file is not what it must be
  busy,       // another process holds it for longer than we wait
  read_only,  // may not be written
  other,      // an input or output error, no memory, a defect
};

// "disk I/O error (SQLite 778): No space left on device".
struct SqlFault {
  Trouble trouble = Trouble::other;
  std::string text;
};

enum class Open : std::uint8_t { existing, create };

class Database {
 public:
  // A statement that meets another process's lock waits up to 5 s, then it is Trouble::busy.
  Database(const std::filesystem::path& path, Open how);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // One or several statements without results that matter.
  void run(const char* sql);
  // The first column of the only row.
  [[nodiscard]] std::int64_t number(const char* sql);
  [[nodiscard]] bool in_transaction() const noexcept;
  [[nodiscard]] bool read_only() const noexcept;
  // Leaves the WAL file alone when this is the last connection that closes.
  void keep_wal_at_close() noexcept;

  [[nodiscard]] sqlite3* handle() const noexcept { return handle_; }
  [[noreturn]] void raise(int code) const;

 private:
  sqlite3* handle_ = nullptr;
};

class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // From 1. Bytes and text are not copied: they live until run() or reset().
  Statement& bind(int at, std::int64_t value);
  Statement& bind(int at, std::uint64_t value) { return bind(at, static_cast<std::int64_t>(value)); }
  Statement& bind_real(int at, double value);
  Statement& bind_bytes(int at, std::string_view bytes);
  Statement& bind_text(int at, std::string_view text);

  // Whether there is a row (more). After false, and after a fault, it is ready for the next use.
  [[nodiscard]] bool step();
  // For what gives no rows.
  void run();
  void reset() noexcept;

  // Of the row, from 0. Views live until the next step().
  [[nodiscard]] std::int64_t integer(int column) const noexcept;
  [[nodiscard]] double real(int column) const noexcept;
  [[nodiscard]] std::uint64_t count(int column) const noexcept { return static_cast<std::uint64_t>(integer(column)); }
  [[nodiscard]] std::string_view bytes(int column) const;

 private:
  Database* database_;
  sqlite3_stmt* handle_ = nullptr;
};

// Rolls back unless commit() was called.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(&database) { database.run("BEGIN IMMEDIATE"); }
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() { database_->run("COMMIT"); }

 private:
  Database* database_;
};

}  // namespace hawser::store
