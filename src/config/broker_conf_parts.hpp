// The parts that read a broker's configuration; broker_conf.hpp is the way in. Each takes the block of its key and adds
// to the settings, the mistakes and the notices. One configuration, one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/settings.hpp"
#include "config/broker_conf.hpp"
#include "config/broker_operator.hpp"
#include "config/conf_block.hpp"

namespace hawser::config {

// The settings so far, and where things of them stand.
struct BrokerDraft {
  ConfReading reading;
  broker::Settings settings;
  std::optional<OperatorMode> operator_mode;
  // Places that matter when parts are compared with each other.
  std::optional<Place> authorization;
  std::optional<Place> single_user;
  std::optional<Place> token;
  std::optional<Place> users;          // authorization.users, even an empty list
  std::optional<Place> account_users;  // the first account with users
  std::optional<Place> accounts;
  Place no_auth_user;
  Place system_account;
};

// broker_conf_server.cpp: everything at the top level that is no block.
void read_server_keys(BrokerDraft& draft, ConfBlock& top);
// broker_conf_tls.cpp
void read_tls(BrokerDraft& draft, const ConfMember& tls);
// broker_conf_users.cpp
void read_authorization(BrokerDraft& draft, const ConfMember& authorization);
std::vector<broker::User> read_users(BrokerDraft& draft, const ConfNode& list, const std::string& path);
void check_authentication(BrokerDraft& draft);
// broker_conf_permissions.cpp
std::optional<broker::Permissions> read_permissions(ConfReading& reading, const ConfNode& node,
                                                    const std::string& path);
// broker_conf_accounts.cpp
void read_accounts(BrokerDraft& draft, const ConfMember& accounts);
void check_accounts(BrokerDraft& draft);
// broker_conf_sharing.cpp
std::vector<broker::Export> read_exports(ConfReading& reading, const ConfNode& list, const std::string& path);
std::vector<broker::Import> read_imports(ConfReading& reading, const ConfNode& list, const std::string& path);
std::vector<broker::Mapping> read_mappings(ConfReading& reading, const ConfNode& block, const std::string& path);
// broker_conf_absent.cpp: keys of features that nats-server has and the broker has not.
void refuse_absent_features(BrokerDraft& draft, ConfBlock& top);
// broker_conf_operator.cpp: operator mode's files and JWTs, once everything else is read.
void settle_operator_mode(BrokerDraft& draft, const ConfReach& reach);
// Unless it is switched off. `feature` follows "is".
void refuse_feature(ConfReading& reading, const ConfMember& member, std::string_view feature);

// A mistake, unless it is a subject, wildcards allowed.
bool check_subject(ConfReading& reading, const ConfNode& node, std::string_view subject, std::string_view what);

}  // namespace hawser::config
