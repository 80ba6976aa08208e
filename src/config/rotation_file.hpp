// A rotation's plan, read from YAML: strict, with all mistakes of the file together. docs/rotation.md shows every key.
//
// Relative paths are relative to the file. Secrets do not stand in a plan. Pure but for `load_rotation_plan`.
//
//   Result<rotation::Plan> plan = load_rotation_plan("./rotation.yaml");
#pragma once

#include <expected>
#include <filesystem>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "config/place.hpp"
#include "rotation/plan.hpp"

namespace hawser::config {

// Every mistake of the text, in the order of the file; never empty when it fails.
using RotationPlanResult = std::expected<rotation::Plan, std::vector<Mistake>>;
[[nodiscard]] RotationPlanResult parse_rotation_plan(std::string_view text, const std::filesystem::path& path);

// The same from disk. Errors: rotation_plan_invalid with the mistakes, one a line; file_unreadable, limit_exceeded.
[[nodiscard]] Result<rotation::Plan> load_rotation_plan(const std::filesystem::path& path);

}  // namespace hawser::config
