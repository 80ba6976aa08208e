// `hawser queue replay` and `hawser queue purge`.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fmt/format.h>
#include <iostream>
#include <unistd.h>

#include "cli/queue.hpp"

namespace hawser::cli {
namespace {

struct ChangeOptions {
  QueuePlace place;
  QueueChoice choice;
  bool yes = false;
};

void report(std::string_view verb, std::uint64_t count, bool dead, bool json) {
  if (json) {
    fmt::print("{{\"{}\":{}}}\n", verb, count);
  } else {
    fmt::print("{} {}{}\n", verb, count,
               dead         ? (count == 1 ? " dead letter" : " dead letters")
               : count == 1 ? " message"
                            : " messages");
  }
}

Result<void> replay(const ChangeOptions& options, bool json) {
  if (!options.choice.dead) {
    return fail(
        Errc::bad_usage,
        "replay puts dead letters back into the queue: add --dead. What waits in the queue needs no replay, an agent "
        "that runs on the directory sends it as soon as a server can be reached");
  }
  const auto selection = selected(options.place, options.choice);
  if (!selection) {
    return std::unexpected(selection.error());
  }
  auto view = open_queue(options.place);
  if (!view) {
    return std::unexpected(view.error());
  }
  const auto replayed = (*view)->replay(*selection);
  if (!replayed) {
    return std::unexpected(replayed.error());
  }
  report("replayed", *replayed, true, json);
  if (const auto summary = (*view)->summary(); summary && !summary->owner && *replayed > 0 && !json) {
    fmt::print(stderr, "hawser: no agent runs on this directory; they are sent when one does\n");
  }
  return {};
}

// Whether the user says so, on a terminal.
Result<void> confirmed(const ChangeOptions& options) {
  if (options.yes) {
    return {};
  }
  if (::isatty(STDIN_FILENO) != 1) {
    return fail(Errc::bad_usage, "what is purged is gone: say --yes");
  }
  fmt::print(stderr, "What is purged is gone and was never sent. Purge the {}? [y/N] ",
             options.choice.dead ? "chosen dead letters" : "chosen messages");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes" ? Result<void>() : fail(Errc::interrupted, "nothing was purged");
}

Result<void> purge(const ChangeOptions& options, bool json) {
  const auto selection = selected(options.place, options.choice);
  if (!selection) {
    return std::unexpected(selection.error());
  }
  auto view = open_queue(options.place);
  if (!view) {
    return std::unexpected(view.error());
  }
  if (auto sure = confirmed(options); !sure) {
    return sure;
  }
  const auto purged = options.choice.dead ? (*view)->purge_dead(*selection) : (*view)->purge(*selection);
  if (!purged) {
    return std::unexpected(purged.error());
  }
  report("purged", *purged, options.choice.dead, json);
  return {};
}

void add_choice(CLI::App& command, QueueChoice& choice) {
  command.add_flag("--all", choice.all, "All of them");
  command.add_option("--subject", choice.subject, "Those on a subject; wildcards are fine")->type_name("PATTERN");
  command.add_option("--older-than", choice.older_than, "Those that arrived so long ago")->type_name("DURATION");
}

}  // namespace

void add_queue_changes(CLI::App& queue, Exit& exit) {
  auto replaying = std::make_shared<ChangeOptions>();
  CLI::App* replay_command = add_command(queue, "replay", "Put dead letters back into the queue, at its end",
                                         "hawser queue replay /var/lib/hawser/queue --dead --all\n"
                                         "hawser queue replay /var/lib/hawser/queue --dead 105.3 105.4\n"
                                         "hawser queue replay /var/lib/hawser/queue --dead --subject 'orders.>'");
  add_place(*replay_command, replaying->place, TakesIds::yes);
  replay_command->add_flag("--dead", replaying->choice.dead, "Dead letters: there is nothing else to replay");
  add_choice(*replay_command, replaying->choice);
  add_json_flag(*replay_command, exit);
  replay_command->callback([replaying, &exit] { exit = replay(*replaying, exit.json); });

  auto purging = std::make_shared<ChangeOptions>();
  CLI::App* purge_command = add_command(queue, "purge", "Delete messages, or dead letters, for good",
                                        "hawser queue purge /var/lib/hawser/queue --older-than 24h --yes\n"
                                        "hawser queue purge /var/lib/hawser/queue --dead --all\n"
                                        "hawser queue purge /var/lib/hawser/queue 105.3");
  add_place(*purge_command, purging->place, TakesIds::yes);
  purge_command->add_flag("--dead", purging->choice.dead, "Dead letters rather than what waits");
  add_choice(*purge_command, purging->choice);
  purge_command->add_flag("--yes", purging->yes, "Do not ask");
  add_json_flag(*purge_command, exit);
  purge_command->callback([purging, &exit] { exit = purge(*purging, exit.json); });
}

}  // namespace hawser::cli
