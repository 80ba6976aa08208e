#include "cli/broker_server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fmt/format.h>
#include <iterator>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include <utility>

#include "broker/hub.hpp"
#include "broker/validate.hpp"

namespace hawser::cli {
namespace {

constexpr std::array<int, 5> kSignals{SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

// As Go calls them.
std::string_view name_of(int signal) {
  switch (signal) {
    case SIGINT: return "interrupt";
    case SIGTERM: return "terminated";
    case SIGHUP: return "hangup";
    case SIGUSR1: return "user defined signal 1";
    default: return "user defined signal 2";
  }
}

// One line of the log a mistake.
void log_error(std::string_view message, const Error& error) {
  const std::string_view whole = error.doing;
  for (std::size_t begin = 0; begin <= whole.size();) {
    const std::size_t end = std::min(whole.find('\n', begin), whole.size());
    log::error(fmt::format("{}: {}", message, whole.substr(begin, end - begin)), {{"id", error_id(error.code)}});
    begin = end + 1;
  }
}

// A shell's limit is for people; Go's programs, nats-server among them, raise it as well.
void allow_many_connections() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

}  // namespace

Result<void> fits_together(const broker::Settings& settings) {
  const std::vector<Error> mistakes = broker::find_mistakes(settings);
  if (mistakes.empty()) {
    return {};
  }
  std::string text;
  for (const Error& mistake : mistakes) {
    text += (text.empty() ? "" : "\n") + mistake.doing;
  }
  return fail(mistakes.front().code, std::move(text));
}

Result<config::BrokerConf> load_broker(const BrokerFlags& flags) {
  config::BrokerConf conf;
  if (!flags.config.empty()) {
    auto loaded = config::load_broker_conf(flags.config);
    if (!loaded) {
      return loaded;
    }
    conf = std::move(*loaded);
  }
  if (auto applied = apply(flags, conf.settings); !applied) {
    return std::unexpected(std::move(applied.error()));
  }
  if (auto good = fits_together(conf.settings); !good) {
    return std::unexpected(std::move(good.error()));
  }
  // What is loud first, wherever it came from.
  std::vector<config::Notice> notices = config::broker_posture(conf.settings);
  std::move(conf.notices.begin(), conf.notices.end(), std::back_inserter(notices));
  conf.notices.clear();
  for (const bool loud : {true, false}) {
    for (config::Notice& notice : notices) {
      if ((notice.severity == config::Notice::Severity::loud) == loud) {
        conf.notices.push_back(std::move(notice));
      }
    }
  }
  return conf;
}

Result<void> test_broker(const BrokerFlags& flags) {
  auto conf = load_broker(flags);
  if (!conf) {
    return std::unexpected(std::move(conf.error()));
  }
  for (const config::Notice& notice : conf->notices) {
    fmt::print(stderr, "{}: {}\n", notice.severity == config::Notice::Severity::note ? "note" : "warning",
               notice.text());
  }
  auto made = broker::configure(std::move(conf->settings));
  for (const Error& problem : made ? (*made)->problems : std::vector<Error>()) {
    fmt::print(stderr, "warning: {}\n", problem.message());
  }
  return made ? Result<void>{} : std::unexpected(std::move(made.error()));
}

BrokerServer::BrokerServer(BrokerFlags flags, std::string version)
    : flags_(std::move(flags)), version_(std::move(version)) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : kSignals) {
    sigaddset(&set, signal);
  }
  pthread_sigmask(SIG_BLOCK, &set, nullptr);  // before threads: they inherit it
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  over_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

BrokerServer::~BrokerServer() {
  broker_.reset();  // it may still write to over_
  ::close(signals_);
  ::close(over_);
}

Result<void> BrokerServer::run() {
  allow_many_connections();
  if (auto started = start(); !started) {
    if (!output_.file.empty()) {
      log::write(log::Level::fatal, "the broker could not start", started.error());
    }
    return started;
  }
  sd_notify(0, "READY=1");
  serve();
  sd_notify(0, "STOPPING=1");
  log::info("Initiating Shutdown...");
  broker_->stop();
  traces_.remove();
  log::info("Server Exiting..");
  return {};
}

Result<void> BrokerServer::start() {
  auto conf = load_broker(flags_);
  if (!conf) {
    return std::unexpected(std::move(conf.error()));
  }
  output_ = log_output(flags_, conf->settings.logging);
  if (auto opened = log::configure(output_); !opened) {
    return opened;
  }
  log::info("Starting nats-server");
  log::info(fmt::format("  Version:  {}", broker::version_text(version_)));
  if (!flags_.config.empty()) {
    log::info(fmt::format("Using configuration file: {}", flags_.config));
  }
  tell(conf->notices);
  const int over = over_;
  const auto end_lame_duck = [over] {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(over, &one, sizeof one);  // an eventfd at 0 always takes it
  };
  auto started =
      broker::Broker::start(std::move(conf->settings), {.version = version_, .lame_duck_over = end_lame_duck});
  if (!started) {
    return std::unexpected(std::move(started.error()));
  }
  broker_ = std::move(*started);
  const auto settings = broker_->facts().settings();
  if (auto left = traces_.leave(*settings, *broker_); !left) {
    return left;
  }
  say_where(*settings);
  return {};
}

// Scripts and test helpers wait for these lines.
void BrokerServer::say_where(const broker::Settings& settings) const {
  const std::string& id = broker_->server_id();
  log::info(fmt::format("  Name:     {}", settings.server_name.empty() ? id : settings.server_name));
  log::info(fmt::format("  ID:       {}", id));
  if (const auto http = broker_->http_address()) {
    log::info(fmt::format("Starting http monitor on {}", *http));
  }
  if (const auto https = broker_->https_address()) {
    log::info(fmt::format("Starting https monitor on {}", *https));
  }
  if (const auto bound = broker_->listen_address()) {
    const std::string& host = settings.listen->host;
    const bool six = host.find(':') != std::string::npos;
    log::info(fmt::format("Listening for client connections on {}{}{}:{}", six ? "[" : "", host, six ? "]" : "",
                          bound->port()));
  }
  if (settings.tls) {
    log::info(settings.allow_non_tls ? "TLS available for client connections" : "TLS required for client connections");
  }
  log::info("Server is ready");
}

// What the last configuration had, too, is in the log already.
void BrokerServer::tell(const std::vector<config::Notice>& notices) {
  std::vector<std::string> now;
  for (const config::Notice& notice : notices) {
    now.push_back(notice.text());
    if (std::find(told_.begin(), told_.end(), now.back()) != told_.end()) {
      continue;
    }
    const log::Level level = notice.severity == config::Notice::Severity::note ? log::Level::info : log::Level::warn;
    log::write(level, now.back(), {{"id", error_id(notice.code)}});
  }
  told_ = std::move(now);
}

void BrokerServer::serve() {
  std::array<pollfd, 2> watched{{{signals_, POLLIN, 0}, {over_, POLLIN, 0}}};
  while (true) {
    if (::poll(watched.data(), watched.size(), -1) < 0) {
      continue;
    }
    if (watched[1].revents != 0) {
      return;
    }
    signalfd_siginfo info{};
    if (::read(signals_, &info, sizeof info) == sizeof info &&
        on_signal(static_cast<int>(info.ssi_signo)) == Next::stop) {
      return;
    }
  }
}

BrokerServer::Next BrokerServer::on_signal(int signal) {
  log::info(fmt::format("Trapped \"{}\" signal", name_of(signal)));
  switch (signal) {
    case SIGHUP: reload(); return Next::go_on;
    case SIGUSR1:
      if (auto reopened = log::reopen(); !reopened) {
        log_error("Failed to open the log file again", reopened.error());
      } else if (!output_.file.empty()) {
        log::info("File log re-opened");
      }
      return Next::go_on;
    case SIGUSR2:
      if (!lame_duck_) {
        lame_duck_ = true;
        log::info("Entering lame duck mode, stop accepting new clients");
        broker_->lame_duck();
      }
      return Next::go_on;
    // Whoever asked for lame duck mode wants it to end in its own time, whatever his supervisor sends.
    case SIGTERM: return lame_duck_ ? Next::go_on : Next::stop;
    default: return Next::stop;
  }
}

void BrokerServer::reload() {
  sd_notify(0, "RELOADING=1");
  auto conf = load_broker(flags_);
  if (!conf) {
    broker_->note_failed_reload();
  }
  auto changes = conf ? take_up(std::move(*conf)) : std::unexpected(std::move(conf.error()));
  if (!changes) {
    log_error("Failed to reload server configuration", changes.error());
  } else {
    for (const std::string& change : *changes) {
      log::info(fmt::format("Reloaded: {}", change));
    }
    log::info("Reloaded server configuration");
  }
  sd_notify(0, "READY=1");
}

// The log first, since it is what can be taken back.
Result<std::vector<std::string>> BrokerServer::take_up(config::BrokerConf conf) {
  const log::Output wanted = log_output(flags_, conf.settings.logging);
  if (auto opened = log::configure(wanted); !opened) {
    broker_->note_failed_reload();
    return std::unexpected(std::move(opened.error()));
  }
  auto changes = broker_->reload(std::move(conf.settings));
  if (!changes) {
    std::ignore = log::configure(output_);  // it could be opened before
    return changes;
  }
  output_ = wanted;
  if (auto left = traces_.leave(*broker_->facts().settings(), *broker_); !left) {
    log_error("The PID file or the ports file could not be written again", left.error());
  }
  tell(conf.notices);
  return changes;
}

}  // namespace hawser::cli
