// The options that a $SYS request carries as JSON, in nats-server's names. Pure.
//
//   auto options = SystemOptions::parse(payload);   if (options && options->meant_for(server)) …
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "broker/facts.hpp"
#include "broker/monitor_query.hpp"

namespace hawser::broker {

class SystemOptions {
 public:
  // An empty payload is no options. An error: it is no JSON object, or a member has another type than it should.
  [[nodiscard]] static Parsed<SystemOptions> parse(std::string_view payload);
  ~SystemOptions();
  SystemOptions(SystemOptions&&) noexcept;
  SystemOptions& operator=(SystemOptions&&) noexcept;

  // Whether its filter (server_name, host, cluster, tags, domain) lets this server pass.
  [[nodiscard]] bool meant_for(const ServerFacts& server) const;

  [[nodiscard]] Parsed<ConnzQuery> connz() const;
  [[nodiscard]] Parsed<SubszQuery> subsz() const;
  [[nodiscard]] Parsed<AccstatzQuery> accstatz() const;
  [[nodiscard]] Parsed<std::string> account() const;
  [[nodiscard]] Parsed<std::uint64_t> cid() const;

 private:
  struct Object;
  explicit SystemOptions(std::unique_ptr<Object> object);
  std::unique_ptr<Object> object_;
};

}  // namespace hawser::broker
