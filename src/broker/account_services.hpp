// Brings what the broker itself subscribes to in the accounts in line with a configuration's rules.
//
// At start and at each reload, on the thread that does these; never two at a time.
//
//   apply_services(hub.accounts, *configuration->rules);
#pragma once

#include <cstdint>

#include "broker/account_rules.hpp"
#include "broker/accounts.hpp"

namespace hawser::broker {

// $SYS.REQ.USER.INFO; nobody answers where there is no system account, as with nats-server.
enum class UserInfo : std::uint8_t { answered, none };

// Imports that are as they were stay in place. Answers that are owed under one that is gone are given up.
void apply_services(Accounts& accounts, const AccountRuleSet& rules, UserInfo user_info = UserInfo::answered);

}  // namespace hawser::broker
