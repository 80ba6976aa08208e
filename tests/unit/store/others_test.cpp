// Other processes: a second owner, and visitors that change the queue beside the owner.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "store/queue_world.hpp"

namespace hawser::store {
namespace {

TEST(OtherProcess, a_second_owner_is_refused_and_told_the_pid) {
  const Directory directory;
  World first(directory);
  ASSERT_TRUE(first);
  EXPECT_EQ(OwnerLock::owner(directory.path()), ::getpid());
  const World second(directory);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::queue_in_use);
  EXPECT_NE(second.error().doing.find(std::to_string(::getpid())), std::string::npos);
  first.close();
  EXPECT_FALSE(OwnerLock::owner(directory.path()));
  const World third(directory);
  EXPECT_TRUE(third);
}

TEST(OtherProcess, the_lock_goes_with_a_killed_owner) {
  const Directory directory;
  std::filesystem::create_directories(directory.path());
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = OwnerLock::take(directory.path());
    ::kill(::getpid(), lock ? SIGKILL : SIGTERM);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  EXPECT_FALSE(OwnerLock::owner(directory.path()));
  EXPECT_TRUE(World(directory));
}

TEST(OtherProcess, there_is_no_owner_of_what_is_not_there) {
  const Directory directory;
  EXPECT_FALSE(OwnerLock::owner(directory.path()));
}

std::unique_ptr<QueueFile> visit(const Directory& directory) {
  auto file = QueueFile::open(directory.database(), Use::visitor, Sync::full);
  EXPECT_TRUE(file);
  return std::move(*file);
}

TEST(OtherProcess, what_a_visitor_puts_at_the_tail_is_noticed_and_read) {
  const Directory directory;
  World world(directory);
  (void)world.append_and_commit(1);
  {
    const auto visitor = visit(directory);
    Transaction transaction(visitor->database());
    PackedBatch batch(visitor->totals().last + 1);
    const std::string text = frame(2);
    batch.add(run_of(text, 1));
    batch.seal();
    visitor->insert(batch);
    transaction.commit();
  }
  ASSERT_TRUE(world.wait([&] { return world->stats().messages == 2; }));
  EXPECT_EQ(world->committed(), world->last());
  (void)world.append_and_commit(3);
  EXPECT_EQ(world.numbers(), counted(1, 3));
  world->confirm(world->last());
  ASSERT_TRUE(world.wait([&] { return world->stats().messages == 0; }));
}

TEST(OtherProcess, what_a_visitor_removes_is_counted_no_more) {
  const Directory directory;
  World world(directory);
  std::vector<Ticket> tickets;
  for (std::uint64_t i = 1; i <= 4; ++i) {
    tickets.push_back(world.append_and_commit(i));
  }
  {
    const auto visitor = visit(directory);
    Transaction transaction(visitor->database());
    visitor->remove(tickets[0]);
    visitor->remove(tickets[2]);
    transaction.commit();
  }
  ASSERT_TRUE(world.wait([&] { return world->stats().messages == 2; }));
  EXPECT_GE(world->drained(), tickets[0]);
  EXPECT_LT(world->drained(), tickets[1]);
  EXPECT_EQ(world.numbers(), (std::vector<std::uint64_t>{2, 4}));
  {
    const auto visitor = visit(directory);
    Transaction transaction(visitor->database());
    (void)visitor->remove_through(tickets[3]);
    transaction.commit();
  }
  ASSERT_TRUE(world.wait([&] { return world->drained() == world->last(); }));
  EXPECT_GT(world.append_and_commit(5), tickets[3]);
}

TEST(OtherProcess, a_visitor_that_reads_does_not_hold_up_commits) {
  const Directory directory;
  World world(directory);
  (void)world.append_and_commit(1);
  const auto visitor = visit(directory);
  visitor->database().run("BEGIN");
  EXPECT_EQ(visitor->totals().messages, 1U);
  for (std::uint64_t i = 2; i <= 30; ++i) {
    (void)world.append_and_commit(i, 100'000);
  }
  EXPECT_EQ(visitor->totals().messages, 1U);
  visitor->database().run("COMMIT");
  EXPECT_EQ(visitor->totals().messages, 30U);
}

TEST(OtherProcess, a_visitor_finds_no_queue_where_there_is_none) {
  const Directory directory;
  const auto file = QueueFile::open(directory.database(), Use::visitor, Sync::full);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, Errc::queue_missing);
}

}  // namespace
}  // namespace hawser::store
