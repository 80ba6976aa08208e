// What a configuration may ask of nats-server and not of the broker: refused by name, each with its reason.
#include <fmt/format.h>

#include "config/broker_conf_parts.hpp"
#include "config/letters.hpp"

namespace hawser::config {

namespace {

using Kind = ConfNode::Kind;

// `jetstream: false`, `jetstream: disabled`, `jetstream { enabled: false }`.
bool switched_off(const ConfNode& value) {
  if (value.is(Kind::boolean)) return !value.boolean;
  if (value.is(Kind::string))
    return same_letters(value.text, "disabled") || same_letters(value.text, "disable") ||
           same_letters(value.text, "false");
  for (const std::string_view key : {"enabled", "enable"}) {
    const ConfNode* enabled = value.find(key);
    if (enabled != nullptr && enabled->is(Kind::boolean) && !enabled->boolean) return true;
  }
  return false;
}

}  // namespace

void refuse_feature(ConfReading& reading, const ConfMember& member, std::string_view feature) {
  if (switched_off(member.value)) return;
  reading.mistake(Errc::broker_needs_nats_server, member.place,
                  fmt::format("\"{}\" is {}; the embedded broker has none of it", shown(member.key), feature));
}

void refuse_absent_features(BrokerDraft& draft, ConfBlock& top) {
  const auto refuse = [&](Names names, std::string_view feature) {
    if (const ConfMember* found = top.member(names)) refuse_feature(draft.reading, *found, feature);
  };
  refuse({"jetstream"}, "nats-server's storage");
  refuse({"cluster"}, "nats-server's clustering");
  refuse({"gateway"}, "nats-server's super-clustering");
  refuse({"leafnodes", "leaf"}, "nats-server's leaf nodes");
  refuse({"websocket", "ws"}, "nats-server's WebSocket listener");
  refuse({"mqtt"}, "nats-server's MQTT listener");
  refuse({"proxies"}, "nats-server's list of trusted proxies");
  refuse({"proxy_protocol"}, "nats-server's PROXY protocol");
  draft.operator_mode = read_operator_mode(draft.reading, top, false);
}

}  // namespace hawser::config
