// What a running broker leaves in the file system for others to find it: its PID file and its ports file.
//
// Written once the broker listens, again when a reload moves them, removed at the end. Main thread.
//
//   BrokerTraces traces;
//   Result<void> left = traces.leave(settings, *broker);
#pragma once

#include <filesystem>
#include <string>

#include "base/error.hpp"
#include "broker/broker.hpp"

namespace hawser::cli {

class BrokerTraces {
 public:
  BrokerTraces() = default;
  ~BrokerTraces() { remove(); }
  BrokerTraces(const BrokerTraces&) = delete;
  BrokerTraces& operator=(const BrokerTraces&) = delete;

  // Those of an earlier call that are elsewhere now are removed. Errors: file_unwritable; what is there stays.
  [[nodiscard]] Result<void> leave(const broker::Settings& settings, const broker::Broker& broker);
  void remove();

 private:
  std::filesystem::path pid_file_;
  std::filesystem::path ports_file_;
};

// {"nats":["nats://127.0.0.1:4222"],"monitoring":["http://127.0.0.1:8222"]}, as nats-server writes it; for a broker on
// every interface, all of this machine's addresses.
[[nodiscard]] std::string ports_json(const broker::Broker& broker);

}  // namespace hawser::cli
