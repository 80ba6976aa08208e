// What a report says of itself.
#include <algorithm>
#include <fmt/format.h>

#include "cli/doctor.hpp"

namespace hawser::cli {

const Step* ServerReport::failed() const {
  const auto found =
      std::find_if(steps.begin(), steps.end(), [](const Step& s) { return s.outcome == Outcome::failed; });
  return found == steps.end() ? nullptr : &*found;
}

bool ServerReport::ok() const { return failed() == nullptr; }

Step* ServerReport::step(StepName name) {
  const auto found = std::find_if(steps.begin(), steps.end(), [&](const Step& s) { return s.name == name; });
  return found == steps.end() ? nullptr : &*found;
}

bool DoctorReport::ok() const {
  if (configuration.outcome != Outcome::ok || servers.empty()) {
    return false;
  }
  return all ? std::all_of(servers.begin(), servers.end(), [](const ServerReport& s) { return s.ok(); })
             : std::any_of(servers.begin(), servers.end(), [](const ServerReport& s) { return s.ok(); });
}

const ServerReport* DoctorReport::leading() const {
  const bool wanted = ok();
  const auto found =
      std::find_if(servers.begin(), servers.end(), [&](const ServerReport& s) { return s.ok() == wanted; });
  return found != servers.end() ? &*found : servers.empty() ? nullptr : &servers.front();
}

std::string_view to_string(StepName name) {
  switch (name) {
    case StepName::configuration: return "configuration";
    case StepName::resolve: return "resolve";
    case StepName::connect: return "connect";
    case StepName::info: return "info";
    case StepName::tls: return "tls";
    case StepName::chain: return "chain";
    case StepName::auth: return "auth";
    case StepName::ping: return "ping";
    case StepName::permissions: return "permissions";
  }
  return "";
}

std::string relative_time(tls::Seconds time, WallTime now) {
  const auto away = time - std::chrono::floor<std::chrono::seconds>(now);
  const auto size = away < std::chrono::seconds(0) ? -away : away;
  const auto days = std::chrono::floor<std::chrono::days>(size).count();
  const std::string amount = days >= 2                       ? fmt::format("{} days", days)
                             : size >= std::chrono::hours(1) ? fmt::format("{} h", size / std::chrono::hours(1))
                                                             : fmt::format("{} min", size / std::chrono::minutes(1));
  return away < std::chrono::seconds(0) ? amount + " ago" : "in " + amount;
}

std::string bounded(std::string_view text, std::size_t most) {
  if (text.size() <= most) {
    return std::string(text);
  }
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) {
    --most;
  }
  return std::string(text.substr(0, most)) + "…";
}

}  // namespace hawser::cli
