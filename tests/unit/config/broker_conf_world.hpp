// What the tests of a broker's configuration have in common: a text in, settings or mistakes out.
#pragma once

#include <gtest/gtest.h>
#include <map>
#include <string>
#include <string_view>

#include "config/broker_conf.hpp"

namespace hawser::config {

inline ConfReach no_reach() {
  return {[](const std::filesystem::path& path) -> Result<std::string> {
            return fail(Errc::file_unreadable, path.string());
          },
          [](std::string_view name) -> std::optional<std::string> {
            if (name == "PW") return "hunter2";
            if (name == "PORT") return "4333";
            return std::nullopt;
          }};
}

inline Result<BrokerConf> conf_of(std::string_view text, ConfSyntax syntax = ConfSyntax::by_name) {
  return parse_broker_conf(text, "b", no_reach(), syntax);
}

// Of a text that must be good.
inline broker::Settings settings_of(std::string_view text, ConfSyntax syntax = ConfSyntax::by_name) {
  auto conf = conf_of(text, syntax);
  EXPECT_TRUE(conf) << text << "\n" << (conf ? "" : conf.error().doing);
  return conf ? std::move(conf->settings) : broker::Settings{};
}

// All mistakes, one a line; "" when there are none.
inline std::string mistakes_of(std::string_view text, ConfSyntax syntax = ConfSyntax::by_name) {
  const auto conf = conf_of(text, syntax);
  return conf ? "" : conf.error().doing;
}

inline std::string notices_of(std::string_view text) {
  const auto conf = conf_of(text);
  EXPECT_TRUE(conf) << text << "\n" << (conf ? "" : conf.error().doing);
  std::string out;
  for (const Notice& notice : conf ? conf->notices : std::vector<Notice>{})
    out += error_id(notice.code) + " " + notice.text() + "\n";
  return out;
}

inline constexpr const char* kUserKey = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
inline constexpr const char* kAccountKey = "ACSU3Q6LTLBVLGAQUONAGXJHVNWGSKKAUA7IY5TB4Z7PLEKSR5O6JTGR";

}  // namespace hawser::config
