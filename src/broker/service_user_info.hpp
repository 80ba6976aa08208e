// The answer to $SYS.REQ.USER.INFO: who am I, and what may I do. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "broker/settings.hpp"

namespace hawser::broker {

struct UserInfo {
  std::string_view server_name;
  std::string_view server_id;
  std::string_view version;
  std::string_view host;
  WallTime time{};
  std::string_view user;
  std::string_view account;
  const Permissions* permissions = nullptr;  // null: everything
  std::optional<WallTime> ends = {};         // until when it may stay
};

// nats-server's JSON.
[[nodiscard]] std::string user_info_json(const UserInfo& info);

}  // namespace hawser::broker
