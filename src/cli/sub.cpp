// hawser sub: prints messages as they come.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <unistd.h>

#include "base/quantity.hpp"
#include "cli/command.hpp"
#include "cli/connection.hpp"
#include "cli/sub_render.hpp"
#include "cli/user_session.hpp"
#include "wire/subject.hpp"

namespace hawser::cli {
namespace {

struct SubOptions {
  ConnectionFlags connection;
  std::vector<std::string> subjects;
  std::string queue;
  std::uint64_t count = 0;  // 0: no limit
  std::string wait;
  std::optional<Duration> idle;  // of --wait
  bool raw = false;
  bool headers_only = false;
  bool timeout_given = false;
};

// What is fed into the session and what has come out of it.
struct Printed {
  std::uint64_t count = 0;
  Time last = hawser::now();
  bool broken = false;  // standard output takes no more
};

Result<void> check(SubOptions& options) {
  if (!options.wait.empty()) {
    const auto idle = parse_duration(options.wait);
    if (!idle) {
      return std::unexpected(idle.error());
    }
    options.idle = *idle;
  }
  for (const std::string& subject : options.subjects) {
    if (const auto fault = wire::subscribe_fault(subject); fault != wire::SubjectFault::none) {
      return std::unexpected(wire::bad_subject(subject, fault));
    }
  }
  if (const auto fault = wire::queue_fault(options.queue);
      !options.queue.empty() && fault != wire::SubjectFault::none) {
    return std::unexpected(wire::bad_subject(options.queue, fault));
  }
  return {};
}

Result<void> subscribe(UserSession& session, const SubOptions& options) {
  for (std::size_t i = 0; i < options.subjects.size(); ++i) {
    // With one subject the server itself counts, so that a queue group loses nothing to a member that has enough.
    session.subscribe(std::to_string(i + 1), options.subjects[i], options.queue,
                      options.subjects.size() == 1 ? options.count : 0);
  }
  return session.flush();
}

void announce(const SubOptions& options, bool json) {
  std::string names;
  for (const std::string& subject : options.subjects) {
    names += (names.empty() ? "" : ", ") + subject;
  }
  print_notice("subscribed to " + names + (options.queue.empty() ? "" : " in queue group " + options.queue), json);
}

// Until enough came, or nothing more is waited for.
Result<ExitCode> receive(UserSession& session, const SubOptions& options, Printed& printed, Duration timeout,
                         bool json) {
  const std::optional<Time> last_call = options.timeout_given ? std::optional(hawser::now() + timeout) : std::nullopt;
  printed.last = hawser::now();
  while (true) {
    std::optional<Time> until = last_call;
    if (options.idle && (!until || printed.last + *options.idle < *until)) {
      until = printed.last + *options.idle;
    }
    const std::uint64_t before = printed.count;
    const auto more = session.wait(
        [&] {
          return printed.broken || printed.count != before || (options.count != 0 && printed.count >= options.count);
        },
        until);
    if (!more) {
      return std::unexpected(more.error());
    }
    if (auto complaint = session.take_complaint()) {
      print_notice(complaint->message(), json);
    }
    if (printed.broken || (options.count != 0 && printed.count >= options.count)) {
      return ExitCode::done;
    }
    if (!*more && options.count != 0) {
      return fail(Errc::no_message,
                  std::to_string(printed.count) + " of " + std::to_string(options.count) + " messages came");
    }
    if (!*more) {
      return ExitCode::done;
    }
  }
}

Result<ExitCode> run(SubOptions& options, bool json) {
  auto connection = settle(options.connection, "hawser sub", json);
  if (!connection) {
    return std::unexpected(std::move(connection.error()));
  }
  if (auto fine = check(options); !fine) {
    return std::unexpected(std::move(fine.error()));
  }
  const MessageStyle style{
      .form = json          ? MessageForm::json
              : options.raw ? MessageForm::raw
                            : MessageForm::text,
      .headers_only = options.headers_only,
      .terminal = ::isatty(STDOUT_FILENO) == 1,
  };
  Printed printed;
  const auto print = [&](const wire::Frame& message) {
    if (printed.broken || (options.count != 0 && printed.count >= options.count)) {
      return;
    }
    const std::string text = render(message, {.number = ++printed.count}, style);
    printed.last = hawser::now();
    // Flushed at once: a pipe sees each message when it comes.
    printed.broken = std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0;
  };
  auto session = UserSession::connect(*connection, Away::keep_trying, print);
  if (!session) {
    return std::unexpected(std::move(session.error()));
  }
  if (auto subscribed = subscribe(**session, options); !subscribed) {
    return std::unexpected(std::move(subscribed.error()));
  }
  announce(options, json);
  return receive(**session, options, printed, connection->timeout, json);
}

}  // namespace

void add_sub(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<SubOptions>();
  CLI::App* command =
      add_command(app, "sub", "Subscribe, and print messages as they come",
                  "hawser sub 'greet.>'\n"
                  "hawser sub orders.new --queue workers --raw | while read -r order; do handle \"$order\"; done\n"
                  "hawser sub 'events.*' --json --count 10 --timeout 1m > events.json\n"
                  "hawser sub -s tls://nats:4222 --context prod '>' --headers-only");
  command->add_option("SUBJECT", options->subjects, "One or more subjects; * is one token, > the rest")->required();
  command->add_option("--queue", options->queue, "Queue group: each message goes to one of its members")
      ->type_name("GROUP");
  require_number(*command->add_option("--count", options->count,
                                      "End after this many messages; with --timeout, fail when fewer came"),
                 1, 1'000'000'000'000);
  command->add_option("--wait", options->wait, "End when no message came for this long")->type_name("DURATION");
  command->add_flag("--raw", options->raw, "Print payloads only, one a line");
  command->add_flag("--headers-only", options->headers_only, "Print no payloads");
  add_json_flag(*command, exit);
  add_connection_flags(*command, options->connection);
  CLI::Option* timeout = command->get_option("--timeout");
  timeout->description("How long to try to connect; given, also how long to wait for messages in all");
  command->callback([options, timeout, &exit] {
    options->timeout_given = timeout->count() > 0;
    end_with(exit, run(*options, exit.json));
  });
}

}  // namespace hawser::cli
