// A block of nats-server's configuration: each key is asked for once, under all its names, in the type that nats-server
// takes; what nobody asked for is a mistake.
//
// Lives while its node and the shared ConfReading do; one thread.
//
//   ConfBlock limits(reading, node, "accounts.APP.limits");
//   limits.integer({"max_connections", "max_conn"}, [&](std::int64_t n) { out.max_connections = n; });
//   limits.finish();
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/broker_conf.hpp"
#include "config/nats_conf.hpp"
#include "config/place.hpp"

namespace hawser::config {

// What all blocks of one configuration share.
struct ConfReading {
  std::vector<Mistake> mistakes;
  std::vector<Notice> notices;
  bool yaml = false;  // any plain scalar may be a text, and `1m` is a minute

  void mistake(Errc code, const Place& at, std::string message, std::string hint = {}) {
    mistakes.push_back({code, at, std::move(message), std::move(hint)});
  }
  void notice(Errc code, Notice::Severity severity, const Place& at, std::string message, std::string hint = {}) {
    notices.push_back({code, severity, at, std::move(message), std::move(hint)});
  }
};

using Names = std::initializer_list<std::string_view>;

class ConfBlock {
 public:
  // `path` names the block in messages ("" is the top level). A node that is no map is a mistake, and then every key
  // is absent.
  ConfBlock(ConfReading& reading, const ConfNode& node, std::string path);

  // The member under one of these names, in any case of letters; the first name is the one to use. Two of them at once
  // are a mistake: nats-server takes either.
  const ConfMember* member(Names names);

  // Each of these does nothing when the key is absent, and reports a value that does not fit.
  std::optional<bool> boolean(Names names);
  std::optional<std::string> text(Names names);
  std::optional<std::int64_t> integer(Names names, std::int64_t least, std::int64_t most);
  // A list of texts, or a single one.
  std::optional<std::vector<std::string>> texts(Names names);

  // As nats-server reads each key: some are durations that once were seconds (a warning), some were always either, some
  // are durations only.
  enum class DurationKind : std::uint8_t { once_seconds, seconds_or_text, text_only };
  std::optional<std::chrono::nanoseconds> duration(Names names, DurationKind kind);

  // Keys that nobody asked for. `advice`: keys that people try here, and what to do instead.
  void finish(std::initializer_list<std::pair<std::string_view, std::string_view>> advice = {});

  [[nodiscard]] std::string full(std::string_view key) const;
  [[nodiscard]] const ConfNode& node() const { return node_; }

 private:
  void bad(const ConfMember& member, std::string_view wanted, std::string hint = {});

  ConfReading& reading_;
  const ConfNode& node_;
  std::string path_;
  std::vector<std::string> known_;
};

// Of one value, wherever it stands; nothing, and a mistake, when it does not fit.
[[nodiscard]] std::optional<std::string> as_text(ConfReading& reading, const ConfNode& node, std::string_view what);
[[nodiscard]] std::optional<bool> as_boolean(ConfReading& reading, const ConfNode& node, std::string_view what);
[[nodiscard]] std::optional<std::int64_t> as_integer(ConfReading& reading, const ConfNode& node, std::string_view what);

// For messages: printable, and of bounded length.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace hawser::config
