// A broker as a process: started from flags and a file, reloaded and stopped by signals, logging as nats-server does.
//
// Main thread. Takes INT, TERM, HUP, USR1 and USR2 for itself, so it is made before any other thread.
//
//   BrokerServer server(std::move(flags), HAWSER_VERSION);
//   Result<void> ended = server.run();
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "broker/broker.hpp"
#include "cli/broker_flags.hpp"
#include "cli/broker_traces.hpp"
#include "config/broker_conf.hpp"

namespace hawser::cli {

// What only shows when everything is known. Errors: all mistakes, one a line.
[[nodiscard]] Result<void> fits_together(const broker::Settings& settings);
// The file (when one is named) under the flags. Errors: all mistakes of the file, those of apply().
[[nodiscard]] Result<config::BrokerConf> load_broker(const BrokerFlags& flags);
// Everything that a start would refuse, but for the ports: certificates are read, accounts put together. Errors: all
// mistakes, one a line.
[[nodiscard]] Result<void> test_broker(const BrokerFlags& flags);

class BrokerServer {
 public:
  BrokerServer(BrokerFlags flags, std::string version);
  ~BrokerServer();
  BrokerServer(const BrokerServer&) = delete;
  BrokerServer& operator=(const BrokerServer&) = delete;

  // Returns when a signal has ended it, or lame duck mode has. Errors: why it did not start.
  [[nodiscard]] Result<void> run();

 private:
  enum class Next : std::uint8_t { go_on, stop };

  Result<void> start();
  void say_where(const broker::Settings& settings) const;
  void serve();
  Next on_signal(int signal);
  void reload();
  Result<std::vector<std::string>> take_up(config::BrokerConf conf);
  void tell(const std::vector<config::Notice>& notices);

  BrokerFlags flags_;
  std::string version_;
  int signals_ = -1;  // signalfd
  int over_ = -1;     // eventfd: lame duck mode has ended
  bool lame_duck_ = false;
  log::Output output_;
  std::vector<std::string> told_;  // notices of the configuration in use
  BrokerTraces traces_;
  std::unique_ptr<broker::Broker> broker_;
};

}  // namespace hawser::cli
