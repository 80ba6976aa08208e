// hawser reply: answers requests with a text, with what was asked, or with what a command prints.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <mutex>
#include <unistd.h>

#include "base/quantity.hpp"
#include "cli/command.hpp"
#include "cli/connection.hpp"
#include "cli/pub_draft.hpp"
#include "cli/reply_command.hpp"
#include "cli/sub_render.hpp"
#include "cli/user_session.hpp"
#include "wire/headers.hpp"
#include "wire/subject.hpp"

namespace hawser::cli {
namespace {

constexpr std::size_t kMostWaiting = 1024;  // requests that are not answered yet; then the server holds them back
constexpr std::size_t kMostWaitingBytes = 64UL << 20U;

struct ReplyOptions {
  ConnectionFlags connection;
  DraftFlags draft;
  std::string queue = "NATS-RPLY-22";  // as the nats CLI, so that both share the work
  std::uint64_t count = 0;             // 0: no limit
  bool echo = false;
  std::string command;
  std::string command_timeout = "10s";
  std::size_t parallel = 1;
  bool quiet = false;
};

class Responder {
 public:
  Responder(const ReplyOptions& options, Draft draft, std::chrono::nanoseconds command_time, bool json)
      : options_(options), draft_(std::move(draft)), command_time_(command_time), json_(json) {}
  // A session's callback.
  void on_message(const wire::Frame& message);
  // Until --count requests are answered, or it is told to stop.
  Result<ExitCode> serve(UserSession& session);

 private:
  struct Answer {
    Request request;
    CommandOutcome outcome;
  };

  Result<ExitCode> serve_requests(UserSession& session);
  void start_pool();
  void hand_out();
  std::vector<Answer> take_answers();
  [[nodiscard]] bool answer(std::string& frames, const Answer& answer) const;
  [[nodiscard]] Result<std::size_t> answer_well(std::string& frames, const Answer& answer) const;
  [[nodiscard]] Result<std::size_t> answer_error(std::string& frames, const Request& request, std::string_view why,
                                                 std::string_view output) const;
  Result<void> answer_all();
  void tell(const Request& request, std::string_view what) const;

  const ReplyOptions& options_;
  const Draft draft_;
  const std::chrono::nanoseconds command_time_;
  const bool json_;
  UserSession* session_ = nullptr;
  std::uint64_t seen_ = 0;
  std::uint64_t answered_ = 0;
  bool held_ = false;
  std::vector<Request> arrived_;
  std::unique_ptr<CommandPool> pool_;
  std::mutex mutex_;
  std::vector<Answer> done_;  // guarded by mutex_
};

void Responder::on_message(const wire::Frame& message) {
  if (options_.count != 0 && seen_ >= options_.count) {
    return;
  }
  ++seen_;
  arrived_.push_back({std::string(message.subject), std::string(message.reply), std::string(message.payload),
                      std::string(message.headers), seen_});
}

void Responder::start_pool() {
  if (options_.command.empty()) {
    return;
  }
  const CommandLimits limits{.time = command_time_,
                             .output_bytes = static_cast<std::size_t>(session_->server().max_payload)};
  pool_ = std::make_unique<CommandPool>(options_.command, limits, options_.parallel,
                                        [this](Request request, CommandOutcome outcome) {
                                          {
                                            const std::lock_guard lock(mutex_);
                                            done_.push_back({std::move(request), std::move(outcome)});
                                          }
                                          session_->wake();
                                        });
}

// Requests to whom answers them: the pool, or this thread at once.
void Responder::hand_out() {
  for (Request& request : std::exchange(arrived_, {})) {
    if (!wire::valid_publish_subject(request.reply)) {
      tell(request, "no reply subject, and so no answer");
      ++answered_;
    } else if (pool_) {
      pool_->add(std::move(request));
    } else {
      const std::lock_guard lock(mutex_);
      done_.push_back({std::move(request), {}});
    }
  }
  if (!pool_) {
    return;
  }
  const CommandPool::Waiting waiting = pool_->waiting();
  if (!held_ && (waiting.requests > kMostWaiting || waiting.bytes > kMostWaitingBytes)) {
    session_->hold(held_ = true);
  } else if (held_ && waiting.requests < kMostWaiting / 4 && waiting.bytes < kMostWaitingBytes / 4) {
    session_->hold(held_ = false);
  }
}

std::vector<Responder::Answer> Responder::take_answers() {
  const std::lock_guard lock(mutex_);
  return std::exchange(done_, {});
}

void Responder::tell(const Request& request, std::string_view what) const {
  if (!options_.quiet) {
    print_notice(fmt::format("request #{} on \"{}\": {}", request.number, safe_for_terminal(request.subject), what),
                 json_);
  }
}

// As NATS services tell an error (ADR-32), so that who asked need not wait for the timeout.
Result<std::size_t> Responder::answer_error(std::string& frames, const Request& request, std::string_view why,
                                            std::string_view output) const {
  const wire::ServerInfo& server = session_->server();
  wire::HeaderBuilder headers;
  [[maybe_unused]] const auto code = headers.add("Nats-Service-Error-Code", "500");
  [[maybe_unused]] const auto text = headers.add("Nats-Service-Error", why);
  const std::string_view block = server.headers ? headers.finish() : std::string_view();
  const std::size_t most = static_cast<std::size_t>(server.max_payload);
  const std::string_view fitting = output.substr(0, most - std::min(most, block.size()));
  return append_message(frames, request.reply, {}, block, fitting, server);
}

Result<std::size_t> Responder::answer_well(std::string& frames, const Answer& answer) const {
  const Request& request = answer.request;
  const wire::ServerInfo& server = session_->server();
  if (options_.echo) {
    return append_message(frames, request.reply, {}, request.headers, request.body, server);
  }
  if (pool_) {
    return append_message(frames, request.reply, {}, {}, answer.outcome.output, server);
  }
  return draft_.append_answer(frames, request.reply, {.count = request.number, .request = request.body}, server);
}

// Whether there is a frame to be sent.
bool Responder::answer(std::string& frames, const Answer& answer) const {
  std::string wrong = answer.outcome.wrong.empty() ? "" : "the command failed: " + answer.outcome.wrong;
  if (wrong.empty()) {
    const auto appended = answer_well(frames, answer);
    if (appended) {
      tell(answer.request, "answered");
      return true;
    }
    wrong = appended.error().message();
  }
  tell(answer.request, wrong);
  const auto told = answer_error(frames, answer.request, wrong, answer.outcome.output);
  if (!told) {
    tell(answer.request, "cannot be answered: " + told.error().message());
  }
  return told.has_value();
}

Result<void> Responder::answer_all() {
  std::string frames;
  std::size_t count = 0;
  for (const Answer& one : take_answers()) {
    count += answer(frames, one) ? 1U : 0U;
    ++answered_;
  }
  return count == 0 ? Result<void>() : session_->publish(frames, count);
}

Result<ExitCode> Responder::serve(UserSession& session) {
  session_ = &session;
  start_pool();
  auto outcome = serve_requests(session);
  pool_.reset();  // its threads wake the session
  return outcome;
}

Result<ExitCode> Responder::serve_requests(UserSession& session) {
  while (true) {
    const auto waited = session.wait([&] {
      const std::lock_guard lock(mutex_);
      return !arrived_.empty() || !done_.empty();
    });
    if (!waited) {
      return std::unexpected(waited.error());
    }
    hand_out();
    if (auto answered = answer_all(); !answered) {
      return std::unexpected(std::move(answered.error()));
    }
    if (auto complaint = session.take_complaint()) {
      print_notice(complaint->message(), json_);
    }
    if (options_.count != 0 && answered_ >= options_.count) {
      auto flushed = session.flush();
      return flushed ? Result<ExitCode>(ExitCode::done) : std::unexpected(std::move(flushed.error()));
    }
  }
}

Result<void> check(const ReplyOptions& options) {
  const bool body = options.draft.body.has_value();
  if (int{body} + int{options.echo} + int{!options.command.empty()} != 1) {
    return fail(Errc::bad_usage, "reply takes one of BODY, --echo and --command");
  }
  if (!options.draft.headers.empty() && !body) {
    return fail(Errc::bad_usage, "-H goes with BODY: --echo repeats the request's headers, and a command has none");
  }
  if (const auto fault = wire::subscribe_fault(options.draft.subject); fault != wire::SubjectFault::none) {
    return std::unexpected(wire::bad_subject(options.draft.subject, fault));
  }
  if (const auto fault = wire::queue_fault(options.queue);
      !options.queue.empty() && fault != wire::SubjectFault::none) {
    return std::unexpected(wire::bad_subject(options.queue, fault));
  }
  return {};
}

Result<ExitCode> run(ReplyOptions& options, bool json) {
  auto connection = settle(options.connection, "hawser reply", json);
  if (!connection) {
    return std::unexpected(std::move(connection.error()));
  }
  if (auto fine = check(options); !fine) {
    return std::unexpected(std::move(fine.error()));
  }
  const auto command_time = parse_duration(options.command_timeout);
  if (!command_time) {
    return std::unexpected(command_time.error());
  }
  DraftFlags answer = options.draft;
  answer.subject = "reply";  // of its own it has none
  auto draft = Draft::make_without_input(answer);
  if (!draft) {
    return std::unexpected(std::move(draft.error()));
  }
  Responder responder(options, std::move(*draft), *command_time, json);
  auto session = UserSession::connect(*connection, Away::keep_trying,
                                      [&](const wire::Frame& message) { responder.on_message(message); });
  if (!session) {
    return std::unexpected(std::move(session.error()));
  }
  (*session)->subscribe("1", options.draft.subject, options.queue, options.count);
  if (auto subscribed = (*session)->flush(); !subscribed) {
    return std::unexpected(std::move(subscribed.error()));
  }
  if (!options.quiet) {
    print_notice(
        "replying on " + options.draft.subject + (options.queue.empty() ? "" : " in queue group " + options.queue),
        json);
  }
  return responder.serve(**session);
}

}  // namespace

void add_reply(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<ReplyOptions>();
  CLI::App* command =
      add_command(app, "reply", "Answer requests",
                  "hawser reply greet.service 'hello, {{Request}}'\n"
                  "hawser reply echo.service --echo\n"
                  "hawser reply 'weather.*' --command 'curl -s \"https://wttr.in/${NATS_REQUEST_SUBJECT#weather.}\"'\n"
                  "hawser reply jobs --command ./work.sh --command-timeout 1m --parallel 4");
  command->add_option("SUBJECT", options->draft.subject, "Where requests come; * is one token, > the rest")->required();
  command->add_option("BODY", options->draft.body,
                      "The answer; {{Request}}, {{Count}}, {{Time}} and {{ID}} are replaced");
  command->add_option("-H,--header", options->draft.headers, "A header \"Name: value\" of the answer (repeatable)")
      ->type_name("NAME:VALUE")
      ->allow_extra_args(false);
  command->add_flag("--no-templates", options->draft.no_templates, "Take {{Request}} and the like as they stand");
  command->add_flag("--echo", options->echo, "Answer with the request's own headers and body");
  command
      ->add_option(
          "--command", options->command,
          "Answer with what this prints: run by sh, with the body on its standard input, and NATS_REQUEST_SUBJECT and "
          "NATS_REQUEST_BODY in its environment")
      ->type_name("CMD");
  command->add_option("--command-timeout", options->command_timeout, "How long the command may take; then it is killed")
      ->type_name("DURATION")
      ->capture_default_str();
  require_number(
      *command->add_option("--parallel", options->parallel, "How many commands may run at once")->capture_default_str(),
      1, 256);
  command->add_option("--queue", options->queue, "Queue group that the requests are shared with; \"\" for none")
      ->type_name("GROUP")
      ->capture_default_str();
  require_number(*command->add_option("--count", options->count, "End after this many requests"), 1, 1'000'000'000'000);
  command->add_flag("-q,--quiet", options->quiet, "Say nothing about single requests");
  add_json_flag(*command, exit);
  add_connection_flags(*command, options->connection);
  command->callback([options, &exit] { end_with(exit, run(*options, exit.json)); });
}

}  // namespace hawser::cli
