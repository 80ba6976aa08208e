// The JSON of each monitoring endpoint, made from a source's snapshots; the same over HTTP and in the system account.
//
// Thread-safe if the source is. Member names, their order and their types are nats-server's; what it has only in newer
// versions than 2.9 comes after those.
//
//   MonitorViews views(source);   std::string body = views.varz(Form::pretty);
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "broker/monitor.hpp"
#include "broker/monitor_json.hpp"
#include "broker/monitor_process.hpp"
#include "broker/monitor_query.hpp"

namespace hawser::broker {

class MonitorViews {
 public:
  explicit MonitorViews(MonitorSource& source) : source_(source) {}

  [[nodiscard]] std::string varz(Form form);
  [[nodiscard]] std::string connz(const ConnzQuery& query, Form form);
  [[nodiscard]] std::string subsz(const SubszQuery& query, Form form);
  // Of one account when it is named.
  [[nodiscard]] Parsed<std::string> accountz(std::string_view account, Form form);
  // The detail of that alone.
  [[nodiscard]] Parsed<std::string> account_info(std::string_view account, Form form);
  [[nodiscard]] std::string accstatz(const AccstatzQuery& query, Form form);
  // Empty, since there are none.
  [[nodiscard]] std::string routez(Form form);
  [[nodiscard]] std::string gatewayz(Form form);
  [[nodiscard]] std::string leafz(Form form);
  // False: it is not well, and the text says why.
  [[nodiscard]] std::pair<bool, std::string> healthz();

  // For varz: the ports that monitoring got, and that a path was asked for.
  void listens(std::uint16_t http_port, std::uint16_t https_port);
  void count_request(std::string_view path);

  [[nodiscard]] MonitorSource& source() noexcept { return source_; }
  [[nodiscard]] ProcessUsage usage() { return meter_.measure(); }

 private:
  MonitorSource& source_;
  ProcessMeter meter_;
  std::mutex mutex_;
  std::map<std::string, std::uint64_t, std::less<>> requests_;
  std::uint16_t http_port_ = 0;
  std::uint16_t https_port_ = 0;
};

}  // namespace hawser::broker
