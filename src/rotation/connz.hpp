// What a broker says of its connections: /connz?auth=1 of nats-server and of our own broker, read into values. Pure.
//
//   Result<ConnzPage> page = parse_connz(answer.body);
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace hawser::rotation {

using UserNames = std::set<std::string, std::less<>>;

// Who a broker takes a connection for: a user's name, the public key of an NKey, or the token itself, which nats-server
// before 2.10.29 writes there. Nothing that may be a token is shown.
class SeenUser {
 public:
  // Whether whatever else the broker says of the connection rules a token out.
  enum class Kind : std::uint8_t { certainly_a_user, perhaps_a_token };

  SeenUser() = default;
  SeenUser(std::string text, Kind kind) : text_(std::move(text)), kind_(kind) {}

  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  [[nodiscard]] bool is(std::string_view user) const noexcept { return text_ == user; }
  // The broker has put something else in a token's place.
  [[nodiscard]] bool is_hidden_token() const noexcept { return text_ == kHiddenToken; }
  // The token of this SHA-256 (lowercase hex), or one that the broker does not show either.
  [[nodiscard]] bool is_token(std::string_view sha256) const;
  // "kate"; "hidden, as it may be a token" unless it is one of these, or cannot be one.
  [[nodiscard]] std::string shown(const UserNames& known) const;
  // For comparisons alone: never for messages, logs and journals.
  [[nodiscard]] std::string_view unshown() const noexcept { return text_; }

 private:
  static constexpr std::string_view kHiddenToken = "[REDACTED]";

  std::string text_;
  Kind kind_ = Kind::certainly_a_user;
};

struct SeenConnection {
  std::uint64_t cid = 0;
  std::string address;  // "10.0.0.1:40000"
  std::string since;    // as the broker writes it
  std::string name;
  SeenUser user;
  std::string certificate;  // SHA-256 of the leaf, lowercase hex; empty: none was presented
  std::string subject;      // of the leaf
  bool admitted = false;    // it got as far as CONNECT
  std::string issuer{};     // of a user's JWT: the key of the account or its signing key that signed it
};

struct ConnzPage {
  std::string server_id;
  std::uint64_t total = 0;  // connections there are; a page holds some of them
  std::vector<SeenConnection> connections;
};

inline constexpr std::size_t kMostConnections = 1'000'000;

// Errors: rotation_monitor_silent, saying what is not as it must be.
[[nodiscard]] Result<ConnzPage> parse_connz(std::string_view json);
// The sum of a metric over its labels, in Prometheus' text format; 0 when it is not there. Errors: the same.
[[nodiscard]] Result<double> sum_of_metric(std::string_view text, std::string_view name);

}  // namespace hawser::rotation
