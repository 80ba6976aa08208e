#include "base/error.hpp"

#include <gtest/gtest.h>
#include <set>

namespace hawser {
namespace {

TEST(Error, every_row_has_its_own_id_and_name_and_is_found_by_both) {
  std::set<std::string> seen;
  for (const ErrorInfo& row : error_table()) {
    EXPECT_TRUE(seen.insert(error_id(row.code)).second) << error_id(row.code);
    EXPECT_TRUE(seen.insert(std::string(row.name)).second) << row.name;
    EXPECT_EQ(find_error(error_id(row.code)), row.code);
    EXPECT_EQ(find_error(row.name), row.code);
    EXPECT_EQ(&info(row.code), &row);
  }
}

TEST(Error, every_row_says_what_is_wrong_and_what_to_do) {
  for (const ErrorInfo& row : error_table()) {
    EXPECT_FALSE(row.summary.empty()) << row.name;
    EXPECT_FALSE(row.summary.ends_with('.')) << row.name << ": a summary is continued by a colon";
    EXPECT_GT(row.hint.size(), 10U) << row.name;
    EXPECT_TRUE(row.hint.ends_with('.') || row.hint.ends_with('`') || row.hint.ends_with(')'))
        << row.name << ": " << row.hint;
    EXPECT_EQ(row.summary.find('\n'), std::string_view::npos) << row.name;
    EXPECT_EQ(row.name.find('_'), std::string_view::npos) << row.name;
  }
}

TEST(Error, rooms_keep_to_their_ranges) {
  EXPECT_EQ(error_id(Errc::internal_error), "GEN-001");
  EXPECT_EQ(error_id(Errc::resolve_failed), "NET-301");
  EXPECT_EQ(error_id(Errc::not_loopback), "ADM-1002");
}

TEST(Error, an_id_is_found_in_any_case_and_nothing_else_is) {
  EXPECT_EQ(find_error("gen-001"), Errc::internal_error);
  EXPECT_EQ(find_error("Internal-Error"), Errc::internal_error);
  for (const std::string_view unknown : {"", "GEN", "GEN-", "GEN-1", "GEN-0011", "internal error", "NET-999"}) {
    EXPECT_EQ(find_error(unknown), std::nullopt) << unknown;
  }
}

TEST(Error, a_message_has_id_summary_and_what_was_being_done) {
  EXPECT_EQ((Error{Errc::file_unreadable, "reading ./x"}.message()), "GEN-003 a file cannot be read: reading ./x");
  EXPECT_EQ((Error{Errc::interrupted, ""}.message()), "GEN-002 interrupted");
}

}  // namespace
}  // namespace hawser
