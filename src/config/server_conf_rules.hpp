// The parts of the nats-server lint; server_conf_lint.hpp is the way in. One lint, one thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/nats_conf.hpp"
#include "config/server_conf_lint.hpp"
#include "posture/finding.hpp"

namespace hawser::config {

// Where a finding's rule got to: the tree, and the findings so far.
class ServerConfLint {
 public:
  ServerConfLint(const ConfDocument& conf, const AssessMaterial& assess) : conf_(conf), assess_(assess) {}

  std::vector<posture::Finding> run() &&;

 private:
  // A user of authorization or accounts, as far as rules look at it.
  struct User {
    const ConfNode* node;
    std::string path;  // "accounts.APP.users"
  };

  void find(Errc code, posture::Severity severity, std::string message, const Place& at, const Place& also = {});
  void error(Errc code, std::string message, const Place& at) {
    find(code, posture::Severity::error, std::move(message), at);
  }
  void warning(Errc code, std::string message, const Place& at) {
    find(code, posture::Severity::warning, std::move(message), at);
  }

  // server_conf_lint.cpp
  void duplicates();
  void authentication();
  void no_auth_user();
  void operator_mode();
  void passwords();
  void listeners();
  void listener(const ConfNode& block, const std::string& path, int default_port);
  void monitoring();
  // server_conf_tls.cpp
  void tls_blocks();
  void tls_block(const ConfNode& tls, const std::string& path, bool for_clients);
  void material(const ConfNode& tls, const std::string& path);
  void ciphers(const ConfNode& suites, const std::string& path);
  // server_conf_keys.cpp
  void keys();
  void durations(const ConfNode& block, const std::string& path);
  void misspelt_client_auth(const ConfNode& block, const std::string& path);

  void collect_users();
  [[nodiscard]] const ConfMember* operator_key() const;
  [[nodiscard]] bool has_authorization() const;
  [[nodiscard]] Place top() const;

  const ConfDocument& conf_;
  const AssessMaterial& assess_;
  std::vector<User> users_;
  std::vector<posture::Finding> findings_;
};

// Of several names for one key, the member that is there.
[[nodiscard]] const ConfMember* any_member(const ConfNode& block, std::initializer_list<std::string_view> names);
[[nodiscard]] bool is_true(const ConfNode& block, std::string_view key);

// Where a block listens. nats-server's rules: `listen: "host:port"`, `listen: port`, or host and port beside each
// other.
struct Listens {
  bool on = false;
  bool loopback = false;
  Place place;
};
[[nodiscard]] Listens listens(const ConfNode& block, int default_port);
// "host:port" of a value like that of `listen` or `http`; an empty host means `otherwise`.
[[nodiscard]] std::string host_of(const ConfNode& value, const std::string& otherwise);
[[nodiscard]] bool is_loopback_host(std::string_view host);

}  // namespace hawser::config
