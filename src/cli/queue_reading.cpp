// `hawser queue list` and `hawser queue show`.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

#include "cli/queue.hpp"
#include "cli/sub_render.hpp"
#include "wire/headers.hpp"

namespace hawser::cli {
namespace {

struct ListOptions {
  QueuePlace place;
  bool dead = false;
  std::uint64_t limit = 100;  // 0: all
  std::string after;
};

struct ShowOptions {
  QueuePlace place;
  bool raw = false;
};

bool on_terminal() { return ::isatty(STDOUT_FILENO) == 1; }

std::string shown(std::string_view text) { return on_terminal() ? safe_for_terminal(text) : std::string(text); }

std::string as_text_line(const store::QueuedMessage& message) {
  std::string line =
      fmt::format("{:<12} {:<24} {:>6} {:>9}  {}", to_text(message.name), time_text(message.arrived_ms), message.client,
                  message.headers.size() + message.payload.size(), shown(message.subject));
  return line + (message.reason.empty() ? "" : "  (" + shown(message.reason) + ")") + "\n";
}

Result<void> list(const ListOptions& options, bool json) {
  std::optional<store::MessageName> after;
  if (!options.after.empty()) {
    after = store::parse_message_name(options.after);
    if (!after) {
      return fail(Errc::bad_usage, "--after \"" + options.after + "\" is not the ID of a message, such as 105.3");
    }
  }
  auto view = open_queue(options.place);
  if (!view) {
    return std::unexpected(view.error());
  }
  std::uint64_t count = 0;
  bool more = false;
  std::string last;
  const auto print = [&](const store::QueuedMessage& message) {
    if (options.limit != 0 && count == options.limit) {
      more = true;
      return false;
    }
    if (count++ == 0 && !json) {
      fmt::print("{:<12} {:<24} {:>6} {:>9}  {}\n", "ID", "ARRIVED", "CLIENT", "BYTES",
                 options.dead ? "SUBJECT  (REASON)" : "SUBJECT");
    }
    last = to_text(message.name);
    const std::string line = json ? as_json_line(message, Detail::summary) : as_text_line(message);
    return std::fwrite(line.data(), 1, line.size(), stdout) == line.size();
  };
  auto walked = options.dead ? (*view)->walk_dead(after, print) : (*view)->walk(after, print);
  if (walked && more && !json) {
    fmt::print(stderr, "hawser: there are more: --after {} goes on, --limit 0 lists all\n", last);
  }
  return walked;
}

void print_message(const store::QueuedMessage& message) {
  fmt::print("{:<10} {}\n{:<10} {}\n{:<10} {}\n{:<10} {}\n", "id", to_text(message.name), "arrived",
             time_text(message.arrived_ms), "client", message.client, "subject", shown(message.subject));
  if (!message.reply.empty()) {
    fmt::print("{:<10} {}\n", "reply", shown(message.reply));
  }
  if (message.died_ms != 0) {
    fmt::print("{:<10} {}\n{:<10} {}\n", "died", time_text(message.died_ms), "reason", shown(message.reason));
  }
  fmt::print("{:<10} {} bytes\n", "body", message.payload.size());
  if (const auto headers = wire::Headers::parse(message.headers); headers && !message.headers.empty()) {
    fmt::print("\n");
    for (const wire::Header& header : headers->all()) {
      fmt::print("{}: {}\n", shown(header.name), shown(header.value));
    }
  }
  fmt::print("\n{}\n", shown(message.payload));
}

void print_raw(const store::QueuedMessage& message) {
  const std::string body = shown(message.payload);
  std::fwrite(body.data(), 1, body.size(), stdout);
}

Result<void> show(const ShowOptions& options, bool json) {
  const auto names = named_messages(options.place);
  if (!names) {
    return std::unexpected(names.error());
  }
  if (names->size() != 1) {
    return fail(Errc::bad_usage, "show needs the ID of one message, as `hawser queue list` has it");
  }
  auto view = open_queue(options.place);
  if (!view) {
    return std::unexpected(view.error());
  }
  const store::MessageName name = names->front();
  bool found = false;
  const auto print = [&](const store::QueuedMessage& message) {
    if (message.name < name) {
      return true;
    }
    found = message.name == name;
    if (found && json) {
      fmt::print("{}", as_json_line(message, Detail::whole));
    } else if (found) {
      (options.raw ? print_raw : print_message)(message);
    }
    return false;
  };
  // A name belongs to one that waits or to a dead letter: the same message.
  const store::MessageName before = {name.index == 0 ? name.batch - 1 : name.batch,
                                     name.index == 0 ? UINT32_MAX : name.index - 1};
  auto walked = (*view)->walk(before, print);
  if (walked && !found) {
    walked = (*view)->walk_dead(before, print);
  }
  return walked && !found ? fail(Errc::queue_no_such_message, to_text(name)) : walked;
}

}  // namespace

void add_queue_reading(CLI::App& queue, Exit& exit) {
  auto listing = std::make_shared<ListOptions>();
  CLI::App* list_command = add_command(queue, "list", "List what waits, or the dead letters, oldest first",
                                       "hawser queue list /var/lib/hawser/queue --limit 20\n"
                                       "hawser queue list /var/lib/hawser/queue --dead --json");
  add_place(*list_command, listing->place, TakesIds::no);
  list_command->add_flag("--dead", listing->dead, "The dead letters: what the server refused, with its reason");
  require_number(*list_command->add_option("--limit", listing->limit, "At most so many; 0: all")->capture_default_str(),
                 0, UINT64_MAX);
  list_command->add_option("--after", listing->after, "From the message behind this one on")->type_name("ID");
  add_json_flag(*list_command, exit);
  list_command->callback([listing, &exit] { exit = list(*listing, exit.json); });

  auto showing = std::make_shared<ShowOptions>();
  CLI::App* show_command = add_command(queue, "show", "Show one message, with its headers and body",
                                       "hawser queue show /var/lib/hawser/queue 105.3\n"
                                       "hawser queue show /var/lib/hawser/queue 105.3 --raw > body.bin");
  add_place(*show_command, showing->place, TakesIds::yes);
  show_command->add_flag("--raw", showing->raw, "The body alone, as it is");
  add_json_flag(*show_command, exit);
  show_command->callback([showing, &exit] { exit = show(*showing, exit.json); });
}

}  // namespace hawser::cli
