#include "drill/fault.hpp"

#include <gtest/gtest.h>
#include <set>

namespace hawser::drill {
namespace {

TEST(Fault, each_has_a_name_of_its_own_and_is_found_by_it) {
  std::set<std::string_view> names;
  for (const FaultRow& row : faults()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(find_fault(row.name), &row);
    EXPECT_FALSE(row.about.empty());
  }
  EXPECT_EQ(find_fault("meteor"), nullptr);
  EXPECT_EQ(find_fault(""), nullptr);
}

TEST(Fault, what_preflight_finds_needs_no_way_out) {
  for (const FaultRow& row : faults()) {
    EXPECT_EQ(row.stops_at == rotation::StepKind::preflight, row.way_out == WayOut::none) << row.name;
  }
}

}  // namespace
}  // namespace hawser::drill
