#include "config/server_conf_lint.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <fmt/format.h>
#include <netinet/in.h>

#include "config/letters.hpp"
#include "config/server_conf_rules.hpp"

namespace hawser::config {

using Kind = ConfNode::Kind;
using posture::Severity;

const ConfMember* any_member(const ConfNode& block, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (const ConfMember* member = block.member(name)) return member;
  }
  return nullptr;
}

bool is_true(const ConfNode& block, std::string_view key) {
  const ConfNode* node = block.find(key);
  return node != nullptr && node->is(Kind::boolean) && node->boolean;
}

bool is_loopback_host(std::string_view host) {
  if (same_letters(host, "localhost")) return true;
  const std::string text(host);
  in_addr four{};
  if (inet_pton(AF_INET, text.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24U) == 127;
  in6_addr six{};
  return inet_pton(AF_INET6, text.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six) != 0;
}

std::string host_of(const ConfNode& value, const std::string& otherwise) {
  if (!value.is(Kind::string)) return otherwise;
  std::string_view host = value.text;
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos) host = host.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return host.empty() ? otherwise : std::string(host);
}

Listens listens(const ConfNode& block, int default_port) {
  constexpr const char* kEverywhere = "0.0.0.0";
  const ConfMember* listen = block.member("listen");
  const ConfMember* host = any_member(block, {"host", "net"});
  const ConfMember* port = block.member("port");
  Listens out;
  out.on = listen != nullptr || port != nullptr || default_port != 0;
  std::string address = kEverywhere;
  // Each of the keys overwrites what one before it said, in an order that is nobody's; the wider one counts here.
  if (host != nullptr && host->value.is(Kind::string)) address = host->value.text;
  if (listen != nullptr) address = host_of(listen->value, address);
  const ConfMember* cause = listen != nullptr ? listen : host != nullptr ? host : port;
  if (cause != nullptr) out.place = cause->place;
  out.loopback = is_loopback_host(address);
  return out;
}

void ServerConfLint::find(Errc code, Severity severity, std::string message, const Place& at, const Place& also) {
  std::vector<std::string> sources{at.text()};
  if (also.line != 0) sources.push_back(also.text());
  findings_.push_back(posture::make_finding(code, severity, std::move(message), std::move(sources)));
}

Place ServerConfLint::top() const { return {conf_.root.place.file, 1, 1}; }

const ConfMember* ServerConfLint::operator_key() const {
  return any_member(conf_.root, {"operator", "operators", "root", "roots", "root_operator", "root_operators"});
}

void ServerConfLint::duplicates() {
  for (const DuplicateKey& twice : conf_.duplicates) {
    find(Errc::server_duplicate_key, Severity::error,
         fmt::format("\"{}\" stands twice; only the second counts", twice.path), twice.second, twice.first);
  }
}

void ServerConfLint::collect_users() {
  const auto collect = [this](const ConfNode& holder, const std::string& path) {
    const ConfNode* users = holder.find("users");
    if (users == nullptr || !users->is(Kind::array)) return;
    for (const ConfNode& user : users->items) {
      if (user.is(Kind::map)) users_.push_back({&user, path + ".users"});
    }
  };
  const ConfNode* authorization = conf_.root.find("authorization");
  if (authorization != nullptr) {
    if (any_member(*authorization, {"user", "username"}) != nullptr) users_.push_back({authorization, "authorization"});
    collect(*authorization, "authorization");
  }
  const ConfNode* accounts = conf_.root.find("accounts");
  if (accounts == nullptr) return;
  for (const ConfMember& account : accounts->members) collect(account.value, "accounts." + account.key);
}

bool ServerConfLint::has_authorization() const {
  const ConfNode* authorization = conf_.root.find("authorization");
  const bool token_or_callout =
      authorization != nullptr && any_member(*authorization, {"token", "auth_callout", "auth_hook"}) != nullptr;
  const bool operated = operator_key() != nullptr || any_member(conf_.root, {"trusted", "trusted_keys"}) != nullptr;
  return token_or_callout || operated || !users_.empty();
}

void ServerConfLint::authentication() {
  const ConfNode* tls = conf_.root.find("tls");
  const bool mutual = tls != nullptr && is_true(*tls, "verify") && tls->find("ca_file") != nullptr;
  if (!has_authorization() && !mutual) {
    warning(Errc::server_without_authentication, "clients need no authentication, and may do everything", top());
  }
  if (is_true(conf_.root, "allow_non_tls")) {
    warning(Errc::server_allow_non_tls, "allow_non_tls lets clients in without TLS, passwords and all",
            conf_.root.member("allow_non_tls")->place);
  }
}

void ServerConfLint::no_auth_user() {
  const ConfMember* member = conf_.root.member("no_auth_user");
  if (member == nullptr || !member->value.is(Kind::string)) return;
  const std::string& name = member->value.text;
  const bool exists = std::any_of(users_.begin(), users_.end(), [&name](const User& user) {
    const ConfMember* is = any_member(*user.node, {"user", "username", "nkey"});
    return is != nullptr && is->value.text == name;
  });
  if (!exists) {
    error(Errc::server_no_auth_user_missing,
          fmt::format("no_auth_user is \"{}\", and no user of that name is defined", name), member->place);
  } else {
    find(Errc::server_without_authentication, Severity::note,
         fmt::format("clients without credentials are let in as \"{}\"", name), member->place);
  }
}

void ServerConfLint::operator_mode() {
  const ConfMember* operator_member = operator_key();
  const ConfMember* resolver = any_member(conf_.root, {"resolver", "account_resolver", "accounts_resolver"});
  const bool trusted = operator_member != nullptr || any_member(conf_.root, {"trusted", "trusted_keys"}) != nullptr;
  if (resolver != nullptr && !trusted) {
    error(Errc::server_resolver_without_operator,
          "a resolver is configured, and no operator: account JWTs are not looked at", resolver->place);
  }
  if (const ConfMember* preload = conf_.root.member("resolver_preload");
      preload != nullptr && resolver == nullptr && !trusted) {
    error(Errc::server_resolver_without_operator,
          "resolver_preload is configured, and no operator: account JWTs are not looked at", preload->place);
  }
  if (operator_member == nullptr) return;
  const ConfMember* accounts = conf_.root.member("accounts");
  if (accounts != nullptr) {
    find(Errc::server_operator_with_users, Severity::error,
         "operator mode and accounts in the configuration: nats-server passes its own check and then does not start",
         accounts->place, operator_member->place);
  }
  const ConfNode* authorization = conf_.root.find("authorization");
  const ConfMember* users =
      authorization == nullptr ? nullptr : any_member(*authorization, {"users", "user", "username", "token"});
  if (users != nullptr) {
    find(Errc::server_operator_with_users, Severity::error,
         "operator mode and users in the configuration: nats-server passes its own check and then does not start",
         users->place, operator_member->place);
  }
}

void ServerConfLint::passwords() {
  const auto look_at = [this](const ConfNode& holder, const std::string& path) {
    const ConfMember* password = any_member(holder, {"password", "pass"});
    if (password == nullptr || password->value.is(Kind::map) || password->value.is(Kind::array)) return;
    const std::string& text = password->value.text;
    constexpr std::size_t kBcryptLength = 60;
    if (text.starts_with("$2") && text.size() == kBcryptLength) return;
    warning(Errc::server_plaintext_password, fmt::format("the password in {} is not a bcrypt hash", path),
            password->place);
  };
  for (const User& user : users_) look_at(*user.node, user.path);
  constexpr std::array<std::string_view, 8> kBlocks{"cluster",   "gateway", "leafnodes", "leaf",
                                                    "websocket", "ws",      "mqtt",      "authorization"};
  for (const std::string_view name : kBlocks) {
    const ConfNode* block = conf_.root.find(name);
    if (block == nullptr) continue;
    const ConfNode* authorization = name == "authorization" ? nullptr : block->find("authorization");
    if (authorization != nullptr) look_at(*authorization, fmt::format("{}.authorization", name));
  }
}

void ServerConfLint::listener(const ConfNode& block, const std::string& path, int default_port) {
  const Listens where = listens(block, default_port);
  const ConfNode* tls = block.find("tls");
  if (!where.on || where.loopback || (tls != nullptr && tls->is(Kind::map))) return;
  const Place at = where.place.line != 0 ? where.place : block.place.line != 0 && !path.empty() ? block.place : top();
  warning(Errc::server_listener_without_tls,
          fmt::format("{} listens beyond loopback without TLS", path.empty() ? "the server" : path), at);
}

void ServerConfLint::listeners() {
  constexpr int kDefaultPort = 4222;
  listener(conf_.root, "", kDefaultPort);
  for (const std::string_view name : {"cluster", "gateway", "leafnodes", "leaf", "websocket", "ws", "mqtt"}) {
    const ConfNode* block = conf_.root.find(name);
    if (block != nullptr && block->is(Kind::map)) listener(*block, std::string(name), 0);
  }
}

void ServerConfLint::monitoring() {
  std::string host = "0.0.0.0";
  if (const ConfMember* named = any_member(conf_.root, {"host", "net"});
      named != nullptr && named->value.is(Kind::string))
    host = named->value.text;
  if (const ConfNode* listen = conf_.root.find("listen")) host = host_of(*listen, host);
  for (const std::string_view name : {"http", "http_port", "monitor_port"}) {
    const ConfMember* member = conf_.root.member(name);
    if (member == nullptr || (member->value.is(Kind::integer) && member->value.integer == 0)) continue;
    if (is_loopback_host(host_of(member->value, host))) continue;
    warning(Errc::server_monitoring_without_tls, fmt::format("{} opens monitoring beyond loopback without TLS", name),
            member->place);
  }
}

std::vector<posture::Finding> ServerConfLint::run() && {
  collect_users();
  duplicates();
  keys();
  tls_blocks();
  operator_mode();
  no_auth_user();
  authentication();
  passwords();
  listeners();
  monitoring();
  std::vector<posture::Finding> worst_first;
  for (const Severity severity : {Severity::error, Severity::warning, Severity::note}) {
    for (posture::Finding& finding : findings_) {
      if (finding.severity == severity) worst_first.push_back(std::move(finding));
    }
  }
  return worst_first;
}

std::vector<posture::Finding> lint_server_conf(const ConfDocument& conf, const AssessMaterial& assess) {
  return ServerConfLint(conf, assess).run();
}

}  // namespace hawser::config
