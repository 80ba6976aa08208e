// What the tests of rotation plans share: the mistakes of a text, and a text with one place changed.
#pragma once

#include <gtest/gtest.h>
#include <string>
#include <string_view>

#include "config/rotation_file.hpp"

namespace hawser::config {

inline std::string mistakes_of(std::string_view text) {
  const RotationPlanResult result = parse_rotation_plan(text, "r.yaml");
  return result ? std::string("no mistake") : as_error(result.error()).doing;
}

inline std::string replaced(std::string_view whole, std::string_view from, std::string_view to) {
  std::string text(whole);
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

}  // namespace hawser::config
