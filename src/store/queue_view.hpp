// The queue as `hawser queue` sees and changes it: message by message, from another process than the agent's.
//
// Safe beside the owner: every change is one transaction, and the owner notices it within a second. What it does not
// own it leaves alone: the WAL, the file's size, damage. Blocking; one thread.
//
//   auto view = QueueView::open(directory);
//   (*view)->walk({}, [](const QueuedMessage& message) { …; return true; });
//   auto replayed = (*view)->replay({.subject = "orders.>"});
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/error.hpp"
#include "store/batch.hpp"
#include "store/queue_file.hpp"

namespace hawser::store {

// Which batch, and which of its messages, from 0. A dead letter keeps the name that it had in the queue.
struct MessageName {
  Ticket batch = 0;
  std::uint32_t index = 0;
  friend auto operator<=>(const MessageName&, const MessageName&) = default;
};

// "105.3", "105+2.0".
[[nodiscard]] std::string to_text(const MessageName& name);
[[nodiscard]] std::optional<MessageName> parse_message_name(std::string_view text);

struct QueuedMessage {
  MessageName name;
  std::uint64_t client = 0;
  std::int64_t arrived_ms = 0;  // since 1970
  std::int64_t died_ms = 0;     // 0: it waits
  std::string reason;           // of a dead letter
  // Views, valid within the call or as long as `frame` is kept:
  std::string_view subject;
  std::string_view reply;
  std::string_view headers;  // with "NATS/1.0" and the empty line; empty: none
  std::string_view payload;
  std::string_view frame;
};

// Which messages are meant: those that fit everything that is given. Nothing given: all of them.
struct Selection {
  std::vector<MessageName> names = {};
  std::string subject = {};                    // with wildcards; empty: any
  std::optional<std::int64_t> before_ms = {};  // arrived before
};

struct QueueSummary {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::int64_t oldest_ms = 0;  // 0: none
  std::uint64_t dead_letters = 0;
  std::uint64_t dead_bytes = 0;
  std::optional<pid_t> owner;  // of the agent that runs on it; 0: not known
};

class QueueView {
 public:
  // Errors: queue_missing, queue_schema_newer, queue_damaged (the agent recovers it when it starts), queue_cannot_open.
  [[nodiscard]] static Result<std::unique_ptr<QueueView>> open(const std::filesystem::path& directory);

  // All of these: queue_read_failed; queue_damaged where what is read is not what was written.
  [[nodiscard]] Result<QueueSummary> summary();
  // Messages (dead letters) behind `after` in order, until the function says false.
  using Visit = std::function<bool(const QueuedMessage&)>;
  [[nodiscard]] Result<void> walk(std::optional<MessageName> after, const Visit& visit);
  [[nodiscard]] Result<void> walk_dead(std::optional<MessageName> after, const Visit& visit);

  // These return how many messages they concerned. Errors: queue_no_such_message, when one of the names is not there,
  // and queue_write_failed; then nothing was changed. Dead letters to the queue's tail, oldest first; an agent that
  // runs on it sends them.
  [[nodiscard]] Result<std::uint64_t> replay(const Selection& selection);
  [[nodiscard]] Result<std::uint64_t> purge(const Selection& selection);
  [[nodiscard]] Result<std::uint64_t> purge_dead(const Selection& selection);

 private:
  QueueView(std::filesystem::path directory, std::unique_ptr<QueueFile> file)
      : directory_(std::move(directory)), file_(std::move(file)) {}
  void walk_batch(const Batch& batch, const Visit& visit, bool& more);
  std::uint64_t purge_batch(const Batch& batch, const Selection& selection);
  template <class Change>
  Result<std::uint64_t> change(const Selection& selection, Change&& change);

  std::filesystem::path directory_;
  std::unique_ptr<QueueFile> file_;
};

}  // namespace hawser::store
