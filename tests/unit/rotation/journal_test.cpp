#include "rotation/journal.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "rotation/directory.hpp"
#include "rotation/plans.hpp"
#include "store/database.hpp"

namespace hawser::rotation {
namespace {

constexpr WallTime kNow{std::chrono::milliseconds(1'764'415'440'123)};

TEST(RotationJournal, gives_back_what_was_kept_in_its_order) {
  const Directory directory;
  const Plan plan = plan_of(1, {1});
  {
    const auto journal = Journal::open(directory.path / "j", Journal::Role::owner);
    ASSERT_TRUE(journal.has_value()) << journal.error().message();
    EXPECT_FALSE((*journal)->last()->has_value());
    EXPECT_EQ((*journal)->begin(plan, kNow)->mark(), "20251129T112400.123Z");
    ASSERT_TRUE((*journal)->keep({{StepKind::write_broad, 0}, Mark::begun}, "write", "", kNow).has_value());
    ASSERT_TRUE((*journal)->keep({{StepKind::write_broad, 0}, Mark::done}, "write", "2 CAs", kNow).has_value());
    ASSERT_TRUE((*journal)->note("command", "kill -HUP", kNow).has_value());
  }
  const auto journal = Journal::open(directory.path / "j", Journal::Role::reader);
  ASSERT_TRUE(journal.has_value());
  EXPECT_EQ((*(*journal)->last())->plan_name, "test");
  const auto passed = (*journal)->passed();
  ASSERT_EQ(passed->size(), 2U);
  EXPECT_EQ((*passed)[0].passed, (Passed{{StepKind::write_broad, 0}, Mark::begun}));
  EXPECT_EQ((*passed)[1].detail, "2 CAs");
  EXPECT_EQ((*(*journal)->detail_of({StepKind::write_broad, 0})), "2 CAs");
  EXPECT_FALSE((*journal)->detail_of({StepKind::measure, 0})->has_value());
  EXPECT_EQ((*journal)->audit()->at(0).text, "kill -HUP");
}

TEST(RotationJournal, the_last_rotation_alone_counts) {
  const Directory directory;
  const auto journal = Journal::open(directory.path, Journal::Role::owner);
  ASSERT_TRUE((*journal)->begin(plan_of(1, {1}), kNow).has_value());
  ASSERT_TRUE((*journal)->keep({{StepKind::finish, 0}, Mark::done}, "finish", "", kNow).has_value());
  ASSERT_TRUE((*journal)->begin(plan_of(1, {1}), kNow).has_value());
  EXPECT_TRUE((*journal)->passed()->empty());
}

TEST(RotationJournal, has_one_owner_and_any_number_of_readers) {
  const Directory directory;
  const auto journal = Journal::open(directory.path, Journal::Role::owner);
  const auto second = Journal::open(directory.path, Journal::Role::owner);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::rotation_runs_already);
  EXPECT_NE(second.error().doing.find(std::to_string(::getpid())), std::string::npos);
  EXPECT_EQ(Journal::owner(directory.path), ::getpid());
  EXPECT_TRUE(Journal::open(directory.path, Journal::Role::reader).has_value());
}

TEST(RotationJournal, is_not_begun_where_there_is_none_and_unusable_where_it_is_something_else) {
  const Directory directory;
  EXPECT_EQ(Journal::open(directory.path, Journal::Role::reader).error().code, Errc::rotation_not_begun);
  directory.put("rotation.db", std::string(5000, 'x'));
  EXPECT_EQ(Journal::open(directory.path, Journal::Role::reader).error().code, Errc::rotation_journal_unusable);
  EXPECT_EQ(Journal::open(directory.path, Journal::Role::owner).error().code, Errc::rotation_journal_unusable);
  EXPECT_EQ(Journal::open("/proc/nowhere", Journal::Role::owner).error().code, Errc::rotation_journal_unusable);
}

TEST(RotationJournal, refuses_to_change_what_it_holds) {
  const Directory directory;
  const auto journal = Journal::open(directory.path, Journal::Role::owner);
  ASSERT_TRUE((*journal)->begin(plan_of(1, {1}), kNow).has_value());
  ASSERT_TRUE((*journal)->note("a", "b", kNow).has_value());
  store::Database other(directory.path / "rotation.db", store::Open::existing);
  EXPECT_THROW(other.run("UPDATE audit SET text = 'c'"), store::SqlFault);
  EXPECT_THROW(other.run("DELETE FROM rotations"), store::SqlFault);
  EXPECT_EQ((*journal)->audit()->at(0).text, "b");
}

TEST(RotationJournal, cuts_texts_that_are_too_long) {
  const Directory directory;
  const auto journal = Journal::open(directory.path, Journal::Role::owner);
  ASSERT_TRUE((*journal)->begin(plan_of(1, {1}), kNow).has_value());
  ASSERT_TRUE((*journal)->note("output", std::string(kJournalTextBytes + 1, 'x'), kNow).has_value());
  EXPECT_EQ((*journal)->audit()->at(0).text.size(), kJournalTextBytes);
}

TEST(RotationJournal, numbers_of_steps_are_frozen) {
  EXPECT_EQ(static_cast<int>(StepKind::write_broad), 10);
  EXPECT_EQ(static_cast<int>(StepKind::deliver), 20);
  EXPECT_EQ(static_cast<int>(StepKind::converge), 40);
  EXPECT_EQ(static_cast<int>(StepKind::prove_old), 92);
  for (const StepKind kind : kStepKinds) EXPECT_EQ(step_kind(static_cast<std::uint64_t>(kind)), kind);
  EXPECT_FALSE(step_kind(255).has_value());
}

}  // namespace
}  // namespace hawser::rotation
