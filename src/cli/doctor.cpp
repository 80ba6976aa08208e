// `hawser doctor`: each step of a connection with its time, what was seen, and the fix for the first that fails.
#include "cli/doctor.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <unistd.h>

#include "cli/command.hpp"
#include "cli/connection.hpp"
#include "cli/doctor_steps.hpp"
#include "cli/user_session.hpp"
#include "posture/gather.hpp"
#include "wire/subject.hpp"

namespace hawser::cli {
namespace {

struct DoctorOptions {
  ConnectionFlags connection;
  Asked asked;
  bool all = false;
};

// Mistakes of the command line, for which there is nothing to examine.
Result<void> check(const Asked& asked) {
  for (const std::string& subject : asked.publish) {
    if (const auto fault = wire::publish_fault(subject); fault != wire::SubjectFault::none) {
      return std::unexpected(wire::bad_subject(subject, fault));
    }
  }
  for (const std::string& subject : asked.subscribe) {
    if (const auto fault = wire::subscribe_fault(subject); fault != wire::SubjectFault::none) {
      return std::unexpected(wire::bad_subject(subject, fault));
    }
  }
  return {};
}

bool is_bad_usage(Errc code) {
  return code == Errc::bad_usage || code == Errc::bad_quantity || code == Errc::wire_bad_subject;
}

// The claims of the credential that counts, if it has some.
std::optional<identity::UserClaims> claims_of(const posture::Facts& facts, posture::AuthMode mode) {
  if (mode == posture::AuthMode::creds || mode == posture::AuthMode::refused) {
    for (const auto& fact : {facts.nkey_file, facts.creds}) {
      if (fact && fact->claims) {
        return fact->claims;
      }
    }
  }
  return std::nullopt;
}

// What is wrong with a credential says more of what mends it than that it cannot be used.
std::string hint_for(const posture::Finding& finding, const posture::Facts& facts) {
  if (finding.code == Errc::credential_malformed) {
    for (const auto& fact : {facts.password_file, facts.token_file, facts.nkey_file, facts.creds}) {
      if (fact && fact->error && finding.message.ends_with(fact->error->message())) {
        return std::string(info(fact->error->code).hint);
      }
    }
  }
  return finding.hint;
}

// What posture says, and what the files hold; then the connection can be made.
Result<void> configure(Connection& connection, DoctorReport& report) {
  const posture::Facts facts = posture::gather(*connection.settings, report.at);
  auto decision = std::make_shared<const posture::Decision>(
      posture::evaluate(*connection.settings, facts, report.at, posture::Purpose::start_up));
  report.environment = decision->environment;
  report.transport = decision->transport;
  report.mode = decision->auth_mode;
  report.credential = decision->credential.origin;
  report.claims = claims_of(facts, decision->auth_mode);
  for (const posture::ServerUrl& server : decision->servers) {
    report.listed.push_back(server.printable());
  }
  std::optional<Error> refused;
  for (const posture::Finding& finding : decision->findings) {
    if (finding.severity == posture::Severity::error && !refused) {
      refused = posture::to_error(finding);
      report.configuration.cause = Cause{*refused, hint_for(finding, facts)};
    } else {
      report.configuration.notes.push_back(finding);
    }
  }
  if (refused) {
    return std::unexpected(std::move(*refused));
  }
  auto material = tls::load(decision->tls.source, report.at);
  if (!material) {
    return std::unexpected(std::move(material.error()));
  }
  report.own_chain = (*material)->chain();
  report.trusted = (*material)->trust();
  auto access = session::make_access(std::move(decision), *material, 1);
  if (!access) {
    return std::unexpected(std::move(access.error()));
  }
  report.who = (*access)->credential->printable();
  connection.material = std::move(*material);
  connection.access = std::move(*access);
  return {};
}

Result<void> examine_servers(ProbeLoop& loop, const Connection& connection, const Asked& asked, DoctorReport& report) {
  for (const posture::ServerUrl& url : connection.access->decision->servers) {
    auto server = examine_server(loop, connection, report, asked, url);
    if (!server) {
      return std::unexpected(std::move(server.error()));
    }
    report.servers.push_back(std::move(*server));
    if (!report.all && report.servers.back().ok()) {
      return {};
    }
  }
  return {};
}

ExitCode exit_code(const DoctorReport& report) {
  if (report.ok()) {
    return ExitCode::done;
  }
  if (report.configuration.cause) {
    return cli::exit_code(report.configuration.cause->error);
  }
  for (const ServerReport& server : report.servers) {
    if (const Step* failed = server.failed()) {
      return failed->name == StepName::permissions ? ExitCode::not_so : ExitCode::no_connection;
    }
  }
  return ExitCode::not_so;
}

void print(const DoctorReport& report, bool json) {
  const Colours colours = colours_on(STDOUT_FILENO) ? Colours::on : Colours::off;
  std::fputs((json ? render_doctor_json(report) : render_doctor_text(report, colours)).c_str(), stdout);
  std::fflush(stdout);
}

Result<ExitCode> run(DoctorOptions& options, bool json) {
  if (auto good = check(options.asked); !good) {
    return std::unexpected(std::move(good.error()));
  }
  auto loop = ProbeLoop::make();
  if (!loop) {
    return std::unexpected(std::move(loop.error()));
  }
  DoctorReport report{.at = wall_now(), .all = options.all};
  report.configuration.name = StepName::configuration;
  const Time began = hawser::now();
  auto connection = collect(options.connection, "hawser doctor", json);
  if (!connection && is_bad_usage(connection.error().code)) {
    return std::unexpected(std::move(connection.error()));
  }
  Result<void> configured = connection ? configure(*connection, report) : std::unexpected(connection.error());
  report.configuration.took = hawser::now() - began;
  report.configuration.outcome = configured ? Outcome::ok : Outcome::failed;
  if (!configured && !report.configuration.cause) {
    report.configuration.cause = Cause{std::move(configured.error())};
  }
  if (configured) {
    if (auto examined = examine_servers(**loop, *connection, options.asked, report); !examined) {
      return std::unexpected(std::move(examined.error()));
    }
  }
  print(report, json);  // before the loop ends, which may have to wait for the system's resolver
  return exit_code(report);
}

}  // namespace

void add_doctor(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<DoctorOptions>();
  CLI::App* command = add_command(app, "doctor", "Find out why a connection fails, step by step, and what mends it",
                                  "hawser doctor\n"
                                  "hawser doctor -s tls://nats:4222 --tlsca ca.crt --creds agent.creds\n"
                                  "hawser doctor --pub orders.new --sub 'orders.>'\n"
                                  "hawser doctor --all --json | jq '.servers[] | select(.ok | not)'");
  command
      ->add_option("--pub", options->asked.publish,
                   "A subject to be published to, tried without a message that anybody receives (repeatable)")
      ->type_name("SUBJECT")
      ->allow_extra_args(false);
  command
      ->add_option("--sub", options->asked.subscribe,
                   "A subject to be subscribed to, tried and taken back (repeatable)")
      ->type_name("SUBJECT")
      ->allow_extra_args(false);
  command->add_flag("--all", options->all,
                    "Examine every server of the list; without it the first that is well is enough");
  add_json_flag(*command, exit);
  add_connection_flags(*command, options->connection);
  command->callback([options, &exit] { end_with(exit, run(*options, exit.json)); });
}

}  // namespace hawser::cli
