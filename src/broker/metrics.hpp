// A broker's figures for Prometheus: hawser_broker_*, text format 0.0.4. Pure.
//
//   std::string text = metrics_text(source.server(), source.accounts(), usage, trouble.empty());
#pragma once

#include <string>
#include <vector>

#include "broker/facts.hpp"
#include "broker/monitor_process.hpp"

namespace hawser::broker {

// Series for at most so many accounts, those with most connections first; the others are summed as account="other".
inline constexpr std::size_t kAccountSeries = 200;

[[nodiscard]] std::string metrics_text(const ServerFacts& server, std::vector<AccountFacts> accounts,
                                       const ProcessUsage& usage, bool healthy);

}  // namespace hawser::broker
