// hawser request: asks, and prints the replies.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <unistd.h>

#include "cli/command.hpp"
#include "cli/connection.hpp"
#include "cli/pub_draft.hpp"
#include "cli/sub_render.hpp"
#include "cli/user_session.hpp"
#include "wire/headers.hpp"

namespace hawser::cli {
namespace {

struct RequestOptions {
  ConnectionFlags connection;
  DraftFlags draft;
  std::uint64_t replies = 1;  // 0: as many as come within the timeout
  bool raw = false;
};

struct Replies {
  std::uint64_t count = 0;
  Time asked{};
  bool nobody = false;  // the server said that nobody is subscribed
};

Result<ExitCode> ask(UserSession& session, const Connection& connection, const RequestOptions& options,
                     const Draft& draft, Replies& replies) {
  const std::string inbox = connection.inbox_prefix + "." + unique_id();
  session.subscribe("1", inbox, "", options.replies);
  std::string frames;
  if (const auto appended = draft.append_request(frames, inbox, {.count = 1}, session.server()); !appended) {
    return std::unexpected(appended.error());
  }
  replies.asked = hawser::now();
  if (auto sent = session.publish(frames, 1); !sent) {
    return std::unexpected(std::move(sent.error()));
  }
  const auto enough = [&] { return replies.nobody || (options.replies != 0 && replies.count >= options.replies); };
  // The server's word about subject and inbox comes before its PONG: a request that may not be made fails at once.
  if (auto processed = session.flush(); !processed && !enough()) {
    return std::unexpected(std::move(processed.error()));
  }
  const auto came = session.wait(enough, replies.asked + connection.timeout);
  if (!came) {
    return std::unexpected(came.error());
  }
  if (replies.nobody && replies.count == 0) {
    return fail(Errc::no_responders, "asking \"" + options.draft.subject + "\"");
  }
  if (replies.count == 0 || replies.count < options.replies) {
    return fail(Errc::no_reply, "asking \"" + options.draft.subject + "\": " + std::to_string(replies.count) + " of " +
                                    std::to_string(std::max<std::uint64_t>(options.replies, 1)) + " within " +
                                    options.connection.timeout);
  }
  return ExitCode::done;
}

Result<ExitCode> run(RequestOptions& options, bool json) {
  auto connection = settle(options.connection, "hawser request", json);
  if (!connection) {
    return std::unexpected(std::move(connection.error()));
  }
  const auto draft = Draft::make(options.draft);
  if (!draft) {
    return std::unexpected(draft.error());
  }
  const MessageStyle style{
      .form = json          ? MessageForm::json
              : options.raw ? MessageForm::raw
                            : MessageForm::text,
      .terminal = ::isatty(STDOUT_FILENO) == 1,
  };
  Replies replies;
  const auto print = [&](const wire::Frame& message) {
    if (message.payload.empty() && wire::header_status(message.headers).code == wire::kNoResponders) {
      replies.nobody = true;
      return;
    }
    if (options.replies != 0 && replies.count >= options.replies) {
      return;
    }
    const std::string text = render(message, {.number = ++replies.count, .rtt = hawser::now() - replies.asked}, style);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  };
  auto session = UserSession::connect(*connection, Away::give_up, print);
  if (!session) {
    return std::unexpected(std::move(session.error()));
  }
  return ask(**session, *connection, options, *draft, replies);
}

}  // namespace

void add_request(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<RequestOptions>();
  CLI::App* command = add_command(app, "request", "Send a request, and print what is replied",
                                  "hawser request greet.service joe\n"
                                  "hawser request time.now '' --raw --timeout 500ms\n"
                                  "hawser request '$SRV.PING' '' --replies 0 --timeout 1s --json");
  add_draft_flags(*command, options->draft);
  require_number(*command
                      ->add_option("--replies", options->replies,
                                   "How many replies to wait for; 0: all that come within --timeout")
                      ->capture_default_str(),
                 0, 1'000'000'000);
  command->add_flag("--raw", options->raw, "Print payloads only, one a line");
  add_json_flag(*command, exit);
  add_connection_flags(*command, options->connection);
  command->get_option("--timeout")->description("How long to try to connect, and how long to wait for replies");
  command->callback([options, &exit] { end_with(exit, run(*options, exit.json)); });
}

}  // namespace hawser::cli
