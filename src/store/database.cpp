#include "store/database.hpp"

#include <cstring>
#include <sqlite3.h>
#include <utility>

namespace hawser::store {
namespace {

constexpr int kBusyMs = 5000;

Trouble trouble_of(int code, int system_error) {
  switch (code & 0xff) {
    case SQLITE_FULL: return Trouble::full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Trouble::damaged;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Trouble::busy;
    case SQLITE_READONLY:
    case SQLITE_PERM: return Trouble::read_only;
    case SQLITE_IOERR:
      // What is read beyond the end of a file that should be longer.
      return code == SQLITE_IOERR_SHORT_READ                                             ? Trouble::damaged
             : system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG ? Trouble::full
                                                                                         : Trouble::other;
    default: return Trouble::other;
  }
}

}  // namespace

Database::Database(const std::filesystem::path& path, Open how) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (how == Open::create ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &handle_, flags, nullptr);
  if (code != SQLITE_OK) {
    SqlFault fault;
    try {
      raise(code);
    } catch (SqlFault& seen) {
      fault = std::move(seen);
    }
    sqlite3_close_v2(std::exchange(handle_, nullptr));
    throw fault;
  }
  sqlite3_busy_timeout(handle_, kBusyMs);
}

Database::~Database() { sqlite3_close_v2(handle_); }

void Database::raise(int code) const {
  const int system_error = handle_ != nullptr ? sqlite3_system_errno(handle_) : 0;
  const bool io = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_FULL;
  std::string text = handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  text += " (SQLite " + std::to_string(code) + ")";
  if (io && system_error != 0) {
    text += std::string(": ") + std::strerror(system_error);
  }
  throw SqlFault{trouble_of(code, io ? system_error : 0), std::move(text)};
}

void Database::run(const char* sql) {
  if (const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr); code != SQLITE_OK) {
    raise(code);
  }
}

std::int64_t Database::number(const char* sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

bool Database::in_transaction() const noexcept { return sqlite3_get_autocommit(handle_) == 0; }

bool Database::read_only() const noexcept { return sqlite3_db_readonly(handle_, "main") == 1; }

void Database::keep_wal_at_close() noexcept {
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Statement::Statement(Database& database, std::string_view sql) : database_(&database) {
  const int code = sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle_, nullptr);
  if (code != SQLITE_OK) {
    database.raise(code);
  }
}

Statement::~Statement() { sqlite3_finalize(handle_); }

Statement& Statement::bind(int at, std::int64_t value) {
  sqlite3_bind_int64(handle_, at, value);
  return *this;
}

Statement& Statement::bind_real(int at, double value) {
  sqlite3_bind_double(handle_, at, value);
  return *this;
}

Statement& Statement::bind_bytes(int at, std::string_view bytes) {
  sqlite3_bind_blob64(handle_, at, bytes.empty() ? "" : bytes.data(), bytes.size(), nullptr);
  return *this;
}

Statement& Statement::bind_text(int at, std::string_view text) {
  sqlite3_bind_text64(handle_, at, text.empty() ? "" : text.data(), text.size(), nullptr, SQLITE_UTF8);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code == SQLITE_DONE) {
    sqlite3_reset(handle_);
    return false;
  }
  SqlFault fault;
  try {
    database_->raise(code);
  } catch (SqlFault& seen) {
    fault = std::move(seen);
  }
  sqlite3_reset(handle_);
  throw fault;
}

void Statement::run() {
  while (step()) {
  }
}

void Statement::reset() noexcept { sqlite3_reset(handle_); }

std::int64_t Statement::integer(int column) const noexcept { return sqlite3_column_int64(handle_, column); }

double Statement::real(int column) const noexcept { return sqlite3_column_double(handle_, column); }

std::string_view Statement::bytes(int column) const {
  // Null without a fault for an empty value, and with one when the pages that hold it cannot be read.
  const auto* data = static_cast<const char*>(sqlite3_column_blob(handle_, column));
  if (data == nullptr) {
    if (const int code = sqlite3_extended_errcode(database_->handle());
        code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE) {
      database_->raise(code);
    }
    return {};
  }
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

Transaction::~Transaction() {
  if (database_->in_transaction()) {
    sqlite3_exec(database_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

}  // namespace hawser::store
