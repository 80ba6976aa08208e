#include "cli/doctor_permissions.hpp"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "wire/writer.hpp"

namespace hawser::cli {
namespace {

using Kind = PermissionTried::Kind;

constexpr std::string_view kReservedReply = "_R_.hawser.doctor";
constexpr std::string_view kRefusedReply = "permissions violation for publish with reply";
constexpr std::string_view kSid = "1";

bool begins_with(std::string_view text, std::string_view lower_prefix) {
  return text.size() >= lower_prefix.size() &&
         std::equal(lower_prefix.begin(), lower_prefix.end(), text.begin(),
                    [](char lower, char c) { return lower == std::tolower(static_cast<unsigned char>(c)); });
}

Result<PermissionTried> try_publish(Probe& probe, const std::string& subject) {
  std::string frame;
  wire::append_pub(frame, subject, kReservedReply, "");
  probe.say(frame);
  if (const auto answered = probe.round_trip(); !answered) {
    return std::unexpected(answered.error());
  }
  PermissionTried tried{.kind = Kind::publish, .subject = subject, .published = true};
  for (const std::string& complaint : probe.take_complaints()) {
    tried.published = false;
    if (!begins_with(complaint, kRefusedReply)) {
      tried.refusal = complaint;
    }
  }
  return tried;
}

Result<PermissionTried> try_subscribe(Probe& probe, const std::string& subject) {
  std::string frames;
  wire::append_sub(frames, subject, "", kSid);
  wire::append_unsub(frames, kSid);
  probe.say(frames);
  if (const auto answered = probe.round_trip(); !answered) {
    return std::unexpected(answered.error());
  }
  PermissionTried tried{.kind = Kind::subscribe, .subject = subject};
  for (const std::string& complaint : probe.take_complaints()) {
    tried.refusal = complaint;
  }
  return tried;
}

}  // namespace

Result<std::vector<PermissionTried>> try_permissions(Probe& probe, const Asked& asked) {
  static_cast<void>(probe.take_complaints());
  std::vector<PermissionTried> all;
  const auto add = [&](Result<PermissionTried> tried) {
    return tried ? (all.push_back(std::move(*tried)), Result<void>()) : std::unexpected(std::move(tried.error()));
  };
  for (const std::string& subject : asked.publish) {
    if (auto added = add(try_publish(probe, subject)); !added) {
      return std::unexpected(std::move(added.error()));
    }
  }
  for (const std::string& subject : asked.subscribe) {
    if (auto added = add(try_subscribe(probe, subject)); !added) {
      return std::unexpected(std::move(added.error()));
    }
  }
  return all;
}

std::optional<Cause> explain_permissions(const std::vector<PermissionTried>& tried, const DoctorReport& report) {
  std::string said;
  std::string wanted;
  for (const PermissionTried& one : tried) {
    if (!one.refusal.empty()) {
      said += (said.empty() ? "the server said '" : ", '") + bounded(one.refusal) + "'";
      wanted += (wanted.empty() ? "" : ", ") + std::string(one.kind == Kind::publish ? "publish " : "subscribe ") +
                bounded(one.subject);
    }
  }
  if (said.empty()) {
    return std::nullopt;
  }
  const std::string who = report.who == "none" ? "this connection's user" : bounded(report.who);
  return Cause{Error{Errc::doctor_not_allowed, said},
               fmt::format("Allow {} to {} on the server, or use a user that may.", who, wanted)};
}

}  // namespace hawser::cli
