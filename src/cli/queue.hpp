// What the commands of `hawser queue` share: which directory, which messages, how one is shown.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/command.hpp"
#include "store/queue_view.hpp"

namespace hawser::cli {

// Words as they came: the first is the directory unless --dir gave it, the rest are IDs of messages.
struct QueuePlace {
  std::string directory;  // --dir
  std::vector<std::string> words;
};

// Which messages of it.
struct QueueChoice {
  bool dead = false;
  bool all = false;
  std::string subject;
  std::string older_than;
};

// `ids`: the command takes IDs behind the directory.
enum class TakesIds : std::uint8_t { no, yes };
void add_place(CLI::App& command, QueuePlace& place, TakesIds ids);
// Errors: bad_usage when there is no directory, and those of QueueView::open().
[[nodiscard]] Result<std::unique_ptr<store::QueueView>> open_queue(const QueuePlace& place);
// The IDs. Errors: bad_usage.
[[nodiscard]] Result<std::vector<store::MessageName>> named_messages(const QueuePlace& place);
// What is chosen; something must be. Errors: bad_usage, bad_quantity, the subject's fault.
[[nodiscard]] Result<store::Selection> selected(const QueuePlace& place, const QueueChoice& choice);

// One line of JSON; with `whole`, headers and body too.
enum class Detail : std::uint8_t { summary, whole };
[[nodiscard]] std::string as_json_line(const store::QueuedMessage& message, Detail detail);
// RFC 3339; "-" for 0.
[[nodiscard]] std::string time_text(std::int64_t ms);

// Each adds one subcommand: `queue list` and `show`; `queue replay` and `purge`.
void add_queue_reading(CLI::App& queue, Exit& exit);
void add_queue_changes(CLI::App& queue, Exit& exit);

}  // namespace hawser::cli
