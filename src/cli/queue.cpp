// `hawser queue`: what waits on disk, and what was refused, on a queue directory; also while an agent runs on it.
#include "cli/queue.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/quantity.hpp"
#include "cli/sub_render.hpp"
#include "config/agent_file.hpp"
#include "wire/subject.hpp"

namespace hawser::cli {
namespace {

namespace json = boost::json;

Result<void> status(const QueuePlace& place, bool as_json) {
  auto view = open_queue(place);
  if (!view) {
    return std::unexpected(view.error());
  }
  const auto summary = (*view)->summary();
  if (!summary) {
    return std::unexpected(summary.error());
  }
  if (as_json) {
    json::object facts = {{"messages", summary->messages}, {"bytes", summary->bytes},           {"oldest", nullptr},
                          {"dead", summary->dead_letters}, {"dead_bytes", summary->dead_bytes}, {"owner_pid", nullptr}};
    if (summary->oldest_ms != 0) {
      facts["oldest"] = time_text(summary->oldest_ms);
    }
    if (summary->owner) {
      facts["owner_pid"] = *summary->owner;
    }
    fmt::print("{}\n", json::serialize(facts));
    return {};
  }
  fmt::print("messages      {}\nbytes         {} ({})\noldest        {}\ndead letters  {} ({})\nagent         {}\n",
             summary->messages, summary->bytes, format_size(summary->bytes), time_text(summary->oldest_ms),
             summary->dead_letters, format_size(summary->dead_bytes),
             summary->owner ? fmt::format("runs, process {}", *summary->owner) : "does not run");
  return {};
}

// Whether the first word is the directory, and not the ID of a message already.
bool first_is_directory(const QueuePlace& place) {
  return place.directory.empty() && !place.words.empty() && !store::parse_message_name(place.words.front());
}

Result<std::filesystem::path> directory_of(const QueuePlace& place) {
  if (!place.directory.empty()) {
    return place.directory;
  }
  if (first_is_directory(place)) {
    return place.words.front();
  }
  constexpr const char* kConfig = "./config";
  if (!config::find_agent_file(kConfig)) {
    return fail(Errc::bad_usage, "name the queue's directory, which is persistence.path of the agent's configuration");
  }
  auto file = config::load_agent_directory(kConfig);
  if (!file) {
    return std::unexpected(std::move(file.error()));
  }
  return file->persistence.path;
}

}  // namespace

std::string time_text(std::int64_t ms) {
  return ms == 0 ? "-" : to_rfc3339(WallTime(std::chrono::milliseconds(ms)), Precision::milliseconds);
}

void add_place(CLI::App& command, QueuePlace& place, TakesIds ids) {
  command.add_option("--dir", place.directory, "The queue's directory (persistence.path); default: that of ./config")
      ->type_name("DIR");
  command.add_option("dir", place.words, ids == TakesIds::yes ? "The same, then IDs of messages" : "The same")
      ->type_name(ids == TakesIds::yes ? "DIR [ID...]" : "DIR")
      ->expected(0, ids == TakesIds::yes ? 1'000'000 : 1);
}

Result<std::unique_ptr<store::QueueView>> open_queue(const QueuePlace& place) {
  auto directory = directory_of(place);
  if (!directory) {
    return std::unexpected(std::move(directory.error()));
  }
  return store::QueueView::open(*directory);
}

Result<std::vector<store::MessageName>> named_messages(const QueuePlace& place) {
  std::vector<store::MessageName> names;
  for (std::size_t i = first_is_directory(place) ? 1 : 0; i < place.words.size(); ++i) {
    const auto name = store::parse_message_name(place.words[i]);
    if (!name) {
      return fail(Errc::bad_usage, fmt::format("\"{}\" is not the ID of a message, such as 105.3", place.words[i]));
    }
    names.push_back(*name);
  }
  return names;
}

Result<store::Selection> selected(const QueuePlace& place, const QueueChoice& choice) {
  auto names = named_messages(place);
  if (!names) {
    return std::unexpected(names.error());
  }
  const bool conditions = !choice.subject.empty() || !choice.older_than.empty();
  if (choice.all == (conditions || !names->empty())) {
    return fail(Errc::bad_usage, choice.all
                                     ? "--all leaves nothing to choose: no IDs, --subject or --older-than beside it"
                                     : "say which messages: IDs, --subject, --older-than, or --all");
  }
  store::Selection selection{.names = std::move(*names), .subject = choice.subject};
  if (const auto fault = wire::subscribe_fault(choice.subject);
      !choice.subject.empty() && fault != wire::SubjectFault::none) {
    return std::unexpected(wire::bad_subject(choice.subject, fault));
  }
  if (!choice.older_than.empty()) {
    const auto age = parse_duration(choice.older_than);
    if (!age) {
      return std::unexpected(age.error());
    }
    selection.before_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>((wall_now() - *age).time_since_epoch()).count();
  }
  return selection;
}

std::string as_json_line(const store::QueuedMessage& message, Detail detail) {
  std::string line =
      fmt::format("{{\"id\":\"{}\",\"arrived\":\"{}\",\"client\":{},\"bytes\":{},", to_text(message.name),
                  time_text(message.arrived_ms), message.client, message.headers.size() + message.payload.size());
  if (message.died_ms != 0) {
    line += fmt::format("\"died\":\"{}\",\"reason\":{},", time_text(message.died_ms), json_string(message.reason));
  }
  if (detail == Detail::summary) {
    return line + fmt::format("\"subject\":{}}}\n", json_string(message.subject));
  }
  // The rest is what `hawser sub --json` says of a message, without its number.
  constexpr std::string_view kNumber = "{\"number\":0,";
  const wire::Frame frame{.op = wire::Op::hpub,
                          .raw = message.frame,
                          .subject = message.subject,
                          .reply = message.reply,
                          .queue = {},
                          .sid = {},
                          .headers = message.headers,
                          .payload = message.payload};
  return line + render(frame, {.number = 0}, {.form = MessageForm::json}).substr(kNumber.size());
}

void add_queue(CLI::App& app, Exit& exit) {
  CLI::App* queue = add_command(app, "queue", "Look at and change what waits on disk, and what was refused",
                                "hawser queue status /var/lib/hawser/queue\n"
                                "hawser queue list /var/lib/hawser/queue --dead\n"
                                "hawser queue replay /var/lib/hawser/queue --dead --all\n"
                                "hawser queue purge /var/lib/hawser/queue --older-than 24h");
  queue->require_subcommand(1);
  auto place = std::make_shared<QueuePlace>();
  CLI::App* command = add_command(*queue, "status", "How much waits, since when, and whether an agent runs on it",
                                  "hawser queue status /var/lib/hawser/queue\n"
                                  "hawser queue status /var/lib/hawser/queue --json | jq .messages");
  add_place(*command, *place, TakesIds::no);
  add_json_flag(*command, exit);
  command->callback([place, &exit] { exit = status(*place, exit.json); });
  add_queue_reading(*queue, exit);
  add_queue_changes(*queue, exit);
}

}  // namespace hawser::cli
