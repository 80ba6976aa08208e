#include "cli/agent_local.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <utility>

#include "base/log.hpp"
#include "broker/metrics.hpp"
#include "broker/monitor_page.hpp"
#include "cli/broker_server.hpp"

namespace hawser::cli {
namespace {

void tell(const std::vector<config::Notice>& notices) {
  for (const config::Notice& notice : notices) {
    const bool note = notice.severity == config::Notice::Severity::note;
    log::write(note ? log::Level::info : log::Level::warn, notice.text(), {{"id", error_id(notice.code)}});
  }
}

// The agent has these itself.
void leave_out(config::BrokerConf& conf) {
  const auto out = [&conf](std::string_view key, std::filesystem::path& path) {
    if (path.empty()) {
      return;
    }
    conf.notices.push_back({Errc::broker_ignored_setting,
                            config::Notice::Severity::note,
                            {},
                            fmt::format("{} of broker.config has no effect in the agent", key),
                            {}});
    path.clear();
  };
  out("log_file", conf.settings.logging.file);
  out("pid_file", conf.settings.pid_file);
  out("ports_file_dir", conf.settings.ports_file_dir);
}

}  // namespace

Result<config::BrokerConf> local_broker(const config::AgentFile& file) {
  config::BrokerConf conf;
  broker::Settings& settings = conf.settings;
  if (file.local.config.empty()) {
    settings.listen.reset();
    settings.limits.max_connections = file.agent.max_clients;
    settings.limits.max_pending = file.agent.client_max_pending;
    settings.threads = std::max<std::size_t>(file.agent.threads, 1);
  } else {
    auto loaded = config::load_broker_conf(file.local.config);
    if (!loaded) {
      return loaded;
    }
    conf = std::move(*loaded);
    leave_out(conf);
    std::ranges::move(config::broker_posture(settings), std::back_inserter(conf.notices));
    settings.threads = file.agent.threads != 0 ? file.agent.threads : settings.threads;
  }
  if (file.limits.max_payload) {
    settings.limits.max_payload = *file.limits.max_payload;
  }
  settings.trusted = broker::TrustedListen{file.agent.listen.text(), file.local.user};
  if (auto good = fits_together(settings); !good) {
    return std::unexpected(std::move(good.error()));
  }
  return conf;
}

Result<std::unique_ptr<LocalAgent>> LocalAgent::start(config::AgentFile file, std::string version) {
  auto conf = local_broker(file);
  if (!conf) {
    return std::unexpected(std::move(conf.error()));
  }
  tell(conf->notices);
  std::unique_ptr<LocalAgent> agent(new LocalAgent(std::move(file), std::move(version)));
  auto broker = broker::Broker::start(std::move(conf->settings), {.version = agent->version_});
  if (!broker) {
    return std::unexpected(std::move(broker.error()));
  }
  agent->broker_ = std::move(*broker);
  agent->views_ = std::make_unique<broker::MonitorViews>(agent->broker_->facts());
  if (auto opened = agent->open_admin(); !opened) {
    return std::unexpected(std::move(opened.error()));
  }
  if (const auto others = agent->broker_->listen_address()) {
    log::info("the embedded broker listens for others", {{"listen", others->text()}});
  }
  return agent;
}

LocalAgent::~LocalAgent() { stop(); }

Result<void> LocalAgent::open_admin() {
  if (!file_.agent.admin) {
    return {};
  }
  admin::Endpoints endpoints;
  endpoints.metrics = [this] {
    broker::MonitorSource& facts = broker_->facts();
    return broker::metrics_text(facts.server(), facts.accounts(), views_->usage(), facts.trouble().empty());
  };
  endpoints.health = [] { return admin::Health{{{"process", true, ""}}}; };
  endpoints.ready = [this] {
    const std::string trouble = broker_->facts().trouble();
    return admin::Health{{{"broker", trouble.empty(), trouble}}};
  };
  endpoints.reload = [this] { return reload(); };
  endpoints.status = [this] { return status(); };
  auto server = admin::Server::start(file_.agent.admin->text(), std::move(endpoints));
  if (!server) {
    return std::unexpected(std::move(server.error()));
  }
  admin_ = std::move(*server);
  return {};
}

admin::Status LocalAgent::status() {
  admin::Status page = broker::index_page(*views_, "");
  page.title = "hawser agent " + version_;
  page.links.clear();  // they are of the broker's own monitoring
  return page;
}

Result<std::string> LocalAgent::reload() {
  const std::lock_guard one(reloading_);
  auto conf = local_broker(file_);
  auto changes = conf ? broker_->reload(std::move(conf->settings)) : std::unexpected(std::move(conf.error()));
  if (!changes) {
    log::write(log::Level::warn, "the broker's configuration was rejected; the old one stays in use", changes.error());
    return std::unexpected(std::move(changes.error()));
  }
  std::string what;
  for (const std::string& change : *changes) {
    what += (what.empty() ? "" : ", ") + change;
  }
  log::info("the broker's configuration was read again", {{"changed", what.empty() ? "nothing" : what}});
  return what.empty() ? "nothing has changed" : what;
}

void LocalAgent::stop() {
  admin_.reset();  // first: its thread asks the broker
  if (broker_) {
    broker_->stop();
  }
}

std::string LocalAgent::listen_address() const {
  const auto bound = broker_->trusted_address();
  return bound ? bound->text() : std::string();
}

std::string LocalAgent::admin_address() const { return admin_ ? admin_->address() : std::string(); }

}  // namespace hawser::cli
