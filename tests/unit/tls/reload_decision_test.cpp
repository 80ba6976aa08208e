#include "tls/reload_decision.hpp"

#include <gtest/gtest.h>

namespace hawser::tls {
namespace {

using std::chrono::milliseconds;
using Report = ReloadDecision::Report;

constexpr milliseconds kQuiet{250};
constexpr milliseconds kLongest{3000};
constexpr milliseconds kPoll{5000};
constexpr milliseconds kIncomplete{30000};

struct Deciding : testing::Test {
  Time start{std::chrono::hours(1)};
  ReloadDecision decision{WatchOptions{}, "old", start};

  [[nodiscard]] Time at(milliseconds later) const { return start + later; }
  // Changes at this moment and what is found when it has been quiet.
  ReloadDecision::Looked settle(milliseconds when, const std::string& id, bool files = false) {
    decision.changed(at(when));
    return decision.looked(at(when + kQuiet), id, files);
  }
};

TEST_F(Deciding, waits_until_changes_have_been_quiet) {
  EXPECT_EQ(decision.next_look(), at(kPoll));
  decision.changed(at(milliseconds(100)));
  EXPECT_EQ(decision.next_look(), at(milliseconds(350)));
  decision.changed(at(milliseconds(300)));
  EXPECT_EQ(decision.next_look(), at(milliseconds(550)));
  EXPECT_FALSE(decision.looked(at(milliseconds(549)), "new", false).load);
  EXPECT_TRUE(decision.looked(at(milliseconds(550)), "new", false).load);
  EXPECT_EQ(decision.next_look(), at(milliseconds(550) + kPoll));
}

TEST_F(Deciding, does_not_wait_for_ever_in_a_directory_that_is_never_quiet) {
  for (milliseconds t(0); t < kLongest; t += milliseconds(100)) {
    decision.changed(at(t));
  }
  EXPECT_EQ(decision.next_look(), at(kLongest));
  EXPECT_TRUE(decision.looked(at(kLongest), "new", false).load);
}

TEST_F(Deciding, publishes_new_content_once) {
  EXPECT_TRUE(settle(milliseconds(0), "new").load);
  EXPECT_EQ(decision.loaded(at(kQuiet), std::nullopt), Report::publish);
  EXPECT_FALSE(settle(milliseconds(1000), "new").load);
}

TEST_F(Deciding, never_loads_identical_content) {
  const ReloadDecision::Looked looked = settle(milliseconds(0), "old");
  EXPECT_FALSE(looked.load);
  EXPECT_FALSE(looked.report_unchanged);
}

TEST_F(Deciding, reports_a_rejection_once_and_keeps_looking_whether_it_becomes_valid) {
  EXPECT_TRUE(settle(milliseconds(0), "early").load);
  EXPECT_EQ(decision.loaded(at(kQuiet), Errc::tls_certificate_not_yet_valid), Report::reject);
  EXPECT_TRUE(decision.looked(at(kQuiet + kPoll), "early", false).load);
  EXPECT_EQ(decision.loaded(at(kQuiet + kPoll), Errc::tls_certificate_not_yet_valid), Report::nothing);
  EXPECT_TRUE(decision.looked(at(kQuiet + kPoll * 2), "early", false).load);
  EXPECT_EQ(decision.loaded(at(kQuiet + kPoll * 2), std::nullopt), Report::publish);
}

TEST_F(Deciding, reports_a_rejection_again_for_other_content_or_another_reason) {
  settle(milliseconds(0), "bad");
  EXPECT_EQ(decision.loaded(at(kQuiet), Errc::tls_not_pem), Report::reject);
  settle(milliseconds(1000), "bad");
  EXPECT_EQ(decision.loaded(at(milliseconds(1250)), Errc::tls_certificate_expired), Report::reject);
  settle(milliseconds(2000), "worse");
  EXPECT_EQ(decision.loaded(at(milliseconds(2250)), Errc::tls_certificate_expired), Report::reject);
}

TEST_F(Deciding, says_so_when_what_was_rejected_is_put_right) {
  settle(milliseconds(0), "bad");
  EXPECT_EQ(decision.loaded(at(kQuiet), Errc::tls_not_pem), Report::reject);
  EXPECT_TRUE(settle(milliseconds(1000), "old").report_unchanged);
  EXPECT_FALSE(settle(milliseconds(2000), "old").report_unchanged);
  settle(milliseconds(3000), "bad");
  EXPECT_EQ(decision.loaded(at(milliseconds(3250)), Errc::tls_not_pem), Report::reject);  // once more
}

TEST_F(Deciding, waits_for_the_other_half_of_a_pair) {
  settle(milliseconds(0), "cert only");
  EXPECT_EQ(decision.loaded(at(kQuiet), Errc::tls_not_complete), Report::incomplete);
  EXPECT_TRUE(decision.looked(at(kQuiet + kPoll), "cert only", false).load);
  EXPECT_EQ(decision.loaded(at(kQuiet + kPoll), Errc::tls_not_complete), Report::nothing);
  settle(milliseconds(7000), "both");
  EXPECT_EQ(decision.loaded(at(milliseconds(7250)), std::nullopt), Report::publish);
}

TEST_F(Deciding, calls_half_a_pair_rejected_when_the_wait_is_over) {
  settle(milliseconds(0), "cert only");
  EXPECT_EQ(decision.loaded(at(kQuiet), Errc::tls_not_complete), Report::incomplete);
  Time present = at(kQuiet);
  while (present < at(kQuiet + kIncomplete)) {
    present = *decision.next_look();
    ASSERT_TRUE(decision.looked(present, "cert only", false).load);
    const Report report = decision.loaded(present, Errc::tls_not_complete);
    EXPECT_EQ(report, present < at(kQuiet + kIncomplete) ? Report::nothing : Report::reject);
  }
  EXPECT_EQ(present, at(kQuiet + kIncomplete));
  EXPECT_GT(*decision.next_look(), present);  // no spinning
}

TEST_F(Deciding, treats_a_missing_file_like_a_half_that_is_not_written) {
  settle(milliseconds(0), "unreadable: tls.key");
  EXPECT_EQ(decision.loaded(at(kQuiet), Errc::tls_file_unreadable), Report::incomplete);
  const ReloadDecision::Looked back = settle(milliseconds(1000), "old");
  EXPECT_FALSE(back.load);
  EXPECT_TRUE(back.report_unchanged);
}

TEST_F(Deciding, lets_a_change_that_the_poll_finds_settle_first) {
  EXPECT_FALSE(decision.looked(at(kPoll), "new", false).load);
  EXPECT_EQ(decision.next_look(), at(kPoll + kQuiet));
  EXPECT_TRUE(decision.looked(at(kPoll + kQuiet), "new", false).load);
}

TEST_F(Deciding, never_sleeps_past_a_settling_change_while_a_half_is_awaited) {
  settle(milliseconds(0), "cert only");
  EXPECT_EQ(decision.loaded(at(kQuiet), Errc::tls_not_complete), Report::incomplete);
  decision.changed(at(kQuiet + kIncomplete));
  EXPECT_EQ(decision.next_look(), at(kPoll + kQuiet));  // the poll that is due; not a moment long past
}

TEST_F(Deciding, answers_at_once_when_asked) {
  decision.asked();
  EXPECT_EQ(decision.next_look(), Time::min());
  EXPECT_TRUE(decision.looked(at(milliseconds(1)), "old", false).report_unchanged);
  decision.asked();
  EXPECT_TRUE(decision.looked(at(milliseconds(2)), "bad", false).load);
  EXPECT_EQ(decision.loaded(at(milliseconds(2)), Errc::tls_not_pem), Report::reject);
  decision.asked();
  EXPECT_TRUE(decision.looked(at(milliseconds(3)), "bad", false).load);
  EXPECT_EQ(decision.loaded(at(milliseconds(3)), Errc::tls_not_pem), Report::reject);  // the same again, as asked
}

TEST_F(Deciding, reports_extra_files_when_quiet_or_asked) {
  EXPECT_TRUE(settle(milliseconds(0), "old", true).take_files);
  EXPECT_FALSE(decision.looked(at(kPoll * 2), "old", true).take_files);  // the poll found it: settles first
  EXPECT_TRUE(decision.looked(at(kPoll * 2 + kQuiet), "old", true).take_files);
  decision.asked();
  const ReloadDecision::Looked looked = decision.looked(at(kPoll * 3), "old", true);
  EXPECT_TRUE(looked.take_files);
  EXPECT_FALSE(looked.report_unchanged);
}

TEST(DecidingByHand, does_nothing_until_it_is_asked) {
  ReloadDecision decision({.automatic = false}, "old", Time{});
  decision.changed(Time{});
  EXPECT_EQ(decision.next_look(), std::nullopt);
  decision.asked();
  EXPECT_TRUE(decision.looked(Time{}, "new", false).load);
}

}  // namespace
}  // namespace hawser::tls
