#include "config/check.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <utility>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "config/agent_file.hpp"
#include "config/broker_conf.hpp"
#include "config/env_file.hpp"
#include "config/manifest.hpp"
#include "config/nats_conf.hpp"
#include "config/server_conf_lint.hpp"
#include "posture/gather.hpp"

namespace hawser::config {

namespace {

using posture::Finding;
using posture::Severity;

// "prod.env:3:1 (NATS_URL)", "deploy.yaml:12:9 (NATS_TOKEN, from secret nats, key token)".
std::string origin_of(const Variable& variable) {
  return fmt::format("{} ({}{}{})", variable.place.text(), variable.name, variable.origin.empty() ? "" : ", from ",
                     variable.origin);
}

posture::Lookup lookup_in(const std::vector<Variable>& variables) {
  return [&variables](std::string_view name) -> std::optional<posture::EnvironmentValue> {
    const Variable* found = find_variable(variables, name);
    if (found == nullptr) return std::nullopt;
    return posture::EnvironmentValue{found->value ? std::string(found->value->reveal()) : std::string(),
                                     origin_of(*found), found->value.has_value()};
  };
}

bool is_posture_variable(std::string_view name) {
  const auto& known = posture::variables();
  return std::any_of(known.begin(), known.end(), [name](const posture::Variable& v) { return v.name == name; });
}

// A variable that says to which environment something belongs does not make it a NATS client; any other does.
bool concerns_nats(const std::vector<Variable>& variables) {
  const auto& known = posture::variables();
  return std::any_of(variables.begin(), variables.end(), [&known](const Variable& variable) {
    return std::any_of(known.begin(), known.end(), [&variable](const posture::Variable& v) {
      return v.name == variable.name && v.key != posture::Key::environment;
    });
  });
}

// "path:3:7: what" of a parser's error: the place apart from the text.
Finding finding_of(Errc code, std::string_view line, const std::string& file) {
  std::string source = file;
  if (line.starts_with(file + ":")) {
    std::size_t end = file.size();
    while (end < line.size() && (line[end] == ':' || (line[end] >= '0' && line[end] <= '9'))) ++end;
    while (end > file.size() && line[end - 1] == ':') --end;
    source = line.substr(0, end);
    line.remove_prefix(std::min(line.size(), end));
    line.remove_prefix(std::min(line.find_first_not_of(": "), line.size()));
  }
  return posture::make_finding(code, Severity::error, std::string(line), {source});
}

class Check {
 public:
  Check(const CheckRequest& request, const posture::Lookup& environment, WallTime now)
      : request_(request), environment_(environment), now_(now) {}

  CheckReport run() {
    std::optional<std::filesystem::path> agent_file = named_agent_file();
    if (request_.config_directory && !agent_file) return std::move(report_);  // the mistake is in the report
    if (request_.env_files.empty() && (request_.names_nothing() || agent_file)) check_process(agent_file);
    for (const std::string& file : request_.env_files) check_env_file(file, agent_file);
    for (const std::string& file : request_.manifests) check_manifest(file);
    for (const std::string& file : request_.server_confs) check_server_conf(file);
    return std::move(report_);
  }

 private:
  std::optional<std::filesystem::path> named_agent_file() {
    if (!request_.config_directory) return request_.names_nothing() ? find_agent_file("./config") : std::nullopt;
    const auto found = find_agent_file(*request_.config_directory);
    if (!found) {
      unreadable(*request_.config_directory,
                 {Errc::config_not_found, fmt::format("there is no broker.yaml in {}", *request_.config_directory)});
    }
    return found;
  }

  // A result that consists of what kept a file from being read; several lines are several mistakes.
  CheckResult& unreadable(const std::string& file, const Error& error) {
    report_.unreadable = true;
    CheckResult& result = report_.results.emplace_back();
    result.subject = file;
    std::string_view rest = error.doing;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      result.findings.push_back(finding_of(error.code, rest.substr(0, end), file));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return result;
  }

  std::optional<std::string> read(const std::string& file) {
    Result<std::string> text = read_file(file, limits::kConfigFileBytes);
    if (text) return std::move(*text);
    unreadable(file, text.error());
    return std::nullopt;
  }

  // The agent's file, or nothing and a result that says why.
  std::optional<AgentFile> agent_file(const std::filesystem::path& path) {
    const auto text = read(path.string());
    if (!text) return std::nullopt;
    AgentFileResult parsed = parse_agent_file(*text, path);
    if (parsed) return std::move(*parsed);
    if (parsed.error().size() == 1 && parsed.error().front().place.line == 0) {
      unreadable(path.string(), as_error(parsed.error()));
      return std::nullopt;
    }
    report_.unreadable = true;
    CheckResult& result = report_.results.emplace_back();
    result.subject = path.string();
    for (const Mistake& mistake : parsed.error()) {
      Finding finding = posture::make_finding(mistake.code, Severity::error, mistake.message, {mistake.place.text()});
      if (!mistake.hint.empty()) finding.hint = mistake.hint;
      result.findings.push_back(std::move(finding));
    }
    return std::nullopt;
  }

  void check_process(const std::optional<std::filesystem::path>& path) {
    check_environment("environment", environment_, path, {});
  }

  void check_env_file(const std::string& file, const std::optional<std::filesystem::path>& path) {
    const auto text = read(file);
    if (!text) return;
    const Result<std::vector<Variable>> variables = parse_env_file(*text, file);
    if (!variables) return void(unreadable(file, variables.error()));
    std::vector<Finding> findings;
    for (const Variable& variable : *variables) {
      const Variable* counts = find_variable(*variables, variable.name);
      if (counts == &variable || !is_posture_variable(variable.name)) continue;
      findings.push_back(posture::make_finding(Errc::config_duplicate_key, Severity::warning,
                                               fmt::format("{} stands twice; the last counts", variable.name),
                                               {variable.place.text(), counts->place.text()}));
    }
    check_environment(file, lookup_in(*variables), path, std::move(findings));
  }

  void check_environment(const std::string& name, const posture::Lookup& lookup,
                         const std::optional<std::filesystem::path>& path, std::vector<Finding> findings) {
    posture::Settings settings = posture::from_environment(lookup);
    std::string subject = name;
    if (path) {
      std::optional<AgentFile> file = agent_file(*path);
      if (!file) return;
      subject += fmt::format(" over {}", path->string());
      if (file->broker == BrokerType::local) {
        CheckResult& result = report_.results.emplace_back();
        result.subject = std::move(subject);
        result.findings = std::move(findings);
        check_local_broker(*file);
        return;
      }
      settings = posture::merge(std::move(settings), std::move(file->connection));
    }
    add(std::move(subject), posture::evaluate(settings, posture::gather(settings, now_), now_, posture::Purpose::check),
        std::move(findings));
  }

  // Of broker.type: local, what its own listener lets in.
  void check_local_broker(const AgentFile& file) {
    if (file.local.config.empty()) return;
    const Result<BrokerConf> conf = load_broker_conf(file.local.config);
    if (!conf) {
      unreadable(file.local.config.string(), conf.error());
      return;
    }
    std::vector<Finding>& findings = report_.results.back().findings;
    const auto add_all = [&findings](const std::vector<Notice>& notices) {
      for (const Notice& notice : notices) {
        const Severity severity = notice.severity == Notice::Severity::note ? Severity::note : Severity::warning;
        findings.push_back(posture::make_finding(notice.code, severity, notice.message, {notice.place.text()}));
      }
    };
    add_all(conf->notices);
    add_all(broker_posture(conf->settings));
  }

  void check_manifest(const std::string& file) {
    const auto text = read(file);
    if (!text) return;
    const Result<std::vector<Container>> containers = parse_manifest(*text, file);
    if (!containers) return void(unreadable(file, containers.error()));
    if (containers->empty()) {
      unreadable(file, {Errc::config_bad_value,
                        fmt::format("{}: holds no Pod, Deployment, StatefulSet, DaemonSet, Job or CronJob", file)});
    }
    for (const Container& container : *containers) check_container(container);
  }

  void check_container(const Container& container) {
    std::vector<Finding> findings;
    for (const EnvironmentFrom& from : container.from) {
      findings.push_back(posture::make_finding(
          Errc::setting_unknown_here, Severity::note,
          fmt::format("envFrom takes all of {}: which variables that sets is not known here", from.origin),
          {from.place.text()}));
    }
    if (!concerns_nats(container.variables)) {
      findings.push_back(posture::make_finding(Errc::url_missing, Severity::note,
                                               "no NATS setting: there is nothing to check", {container.place.text()}));
      CheckResult& result = report_.results.emplace_back();
      result.subject = container.subject;
      result.findings = std::move(findings);
      return;
    }
    const posture::Settings settings = posture::from_environment(lookup_in(container.variables));
    posture::Decision decision = posture::evaluate(settings, posture::Facts{}, now_, posture::Purpose::check);
    if (!container.from.empty()) soften_missing(decision);
    add(container.subject, std::move(decision), std::move(findings));
  }

  // What is missing may come through envFrom: that is worth a warning, not a refusal.
  static void soften_missing(posture::Decision& decision) {
    for (Finding& finding : decision.findings) {
      const bool missing = finding.code == Errc::url_missing || finding.code == Errc::auth_missing ||
                           finding.code == Errc::auth_incomplete || finding.code == Errc::tls_pair_incomplete ||
                           finding.code == Errc::break_glass_unattributed;
      if (!missing || finding.severity != Severity::error) continue;
      finding.severity = Severity::warning;
      finding.message += ", unless envFrom sets it";
    }
  }

  void check_server_conf(const std::string& file) {
    const Result<ConfDocument> conf = load_nats_conf(file);
    if (!conf) return void(unreadable(file, conf.error()));
    const std::filesystem::path directory = std::filesystem::path(file).parent_path();
    // nats-server takes paths relative to where it is started, which may be elsewhere: the file's own directory is
    // tried as well.
    const auto found = [&directory](const std::string& path) {
      std::error_code ignored;
      if (path.empty() || std::filesystem::exists(path, ignored) || !std::filesystem::exists(directory / path, ignored))
        return path;
      return (directory / path).string();
    };
    const AssessMaterial assess = [&](const tls::Source& named) {
      tls::Source source = named;
      source.cert_file = found(named.cert_file);
      source.key_file = found(named.key_file);
      source.ca_file = found(named.ca_file);
      return tls::assess(source, std::chrono::floor<std::chrono::seconds>(now_));
    };
    CheckResult& result = report_.results.emplace_back();
    result.subject = file;
    result.findings = lint_server_conf(*conf, assess);
  }

  void add(std::string subject, posture::Decision decision, std::vector<Finding> findings) {
    CheckResult& result = report_.results.emplace_back();
    result.subject = std::move(subject);
    result.decision = CheckResult::Decision{decision.transport, decision.auth_mode, {}};
    for (const posture::ServerUrl& server : decision.servers) result.decision->servers.push_back(server.printable());
    result.findings = std::move(decision.findings);
    if (request_.expect && *request_.expect != decision.auth_mode) {
      result.findings.push_back(
          posture::make_finding(Errc::auth_mode_mismatch, Severity::error,
                                fmt::format("{} is expected, and {} is in effect", to_string(*request_.expect),
                                            to_string(decision.auth_mode)),
                                {"flag --expect"}));
    }
    for (Finding& finding : findings) result.findings.push_back(std::move(finding));
  }

  const CheckRequest& request_;
  const posture::Lookup& environment_;
  WallTime now_;
  CheckReport report_;
};

}  // namespace

bool CheckReport::ok() const {
  return !unreadable && std::none_of(results.begin(), results.end(),
                                     [](const CheckResult& r) { return posture::any_error(r.findings); });
}

CheckReport run_check(const CheckRequest& request, const posture::Lookup& environment, WallTime now) {
  return Check(request, environment, now).run();
}

}  // namespace hawser::config
