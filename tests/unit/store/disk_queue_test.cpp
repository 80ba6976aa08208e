#include <algorithm>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>

#include "store/queue_world.hpp"

namespace hawser::store {
namespace {

TEST(DiskQueue, what_was_committed_is_read_in_order_by_the_next_process) {
  const Directory directory;
  Ticket last = 0;
  {
    World world(directory);
    ASSERT_TRUE(world) << world.error().message();
    for (std::uint64_t i = 1; i <= 100; ++i) {
      const Ticket ticket = i % 10 == 0 ? world.append_and_commit(i) : world.append(i);
      EXPECT_GE(ticket, last);
      last = ticket;
    }
    EXPECT_EQ(world->last(), last);
    EXPECT_EQ(world->committed(), last);
    EXPECT_EQ(world->uncommitted_bytes(), 0U);
    EXPECT_EQ(world->stats().messages, 100U);
  }
  World world(directory);
  ASSERT_TRUE(world);
  EXPECT_EQ(world->last(), last);
  EXPECT_EQ(world->committed(), last);
  EXPECT_LT(world->drained(), last);
  EXPECT_EQ(world->stats().messages, 100U);
  EXPECT_EQ(world->stats().oldest_ms, 1'700'000'000'000);
  EXPECT_EQ(world.numbers(), counted(1, 100));
  EXPECT_GT(world.append(101), last);
}

TEST(DiskQueue, what_was_not_waited_for_is_committed_at_the_end) {
  const Directory directory;
  {
    World world(directory);
    for (std::uint64_t i = 1; i <= 5000; ++i) {
      (void)world.append(i);
    }
  }
  World world(directory);
  EXPECT_EQ(world.numbers(), counted(1, 5000));
}

TEST(DiskQueue, what_was_confirmed_is_gone_and_its_tickets_are_not_used_again) {
  const Directory directory;
  Ticket last = 0;
  {
    World world(directory);
    const Ticket first = world.append_and_commit(1);
    last = world.append_and_commit(2);
    world->confirm(first);
    EXPECT_EQ(world->drained(), first);
    EXPECT_EQ(world.numbers(), counted(2, 2));
    world->confirm(last);
    EXPECT_EQ(world->drained(), world->last());
    EXPECT_TRUE(world.wait([&] { return world->stats().messages == 0; }));
    EXPECT_EQ(world->stats().drained_messages, 2U);
    EXPECT_EQ(world->stats().oldest_ms, 0);
    EXPECT_EQ(world->stats().bytes, 0U);
  }
  World world(directory);
  EXPECT_TRUE(world.numbers().empty());
  EXPECT_EQ(world->last(), last);
  EXPECT_EQ(world->drained(), last);
  EXPECT_GT(world.append_and_commit(3), last);
  EXPECT_EQ(world.numbers(), counted(3, 3));
}

TEST(DiskQueue, reads_about_as_much_as_was_asked_for) {
  const Directory directory;
  World world(directory);
  for (std::uint64_t i = 1; i <= 5; ++i) {
    (void)world.append_and_commit(i, 10'000);
  }
  const auto one = world.read(0, 1);
  ASSERT_TRUE(one);
  ASSERT_EQ(one->size(), 1U);
  EXPECT_EQ(world.read(0, 15'000)->size(), 2U);
  EXPECT_EQ(world.read(one->front().id, UINT64_MAX)->size(), 4U);
  EXPECT_TRUE(world.read(world->last())->empty());
}

TEST(DiskQueue, many_clients_append_at_once_and_each_keeps_its_order) {
  const Directory directory;
  World world(directory);
  constexpr std::uint64_t kEach = 3000;
  std::vector<std::thread> clients;
  for (std::uint64_t client = 0; client < 4; ++client) {
    clients.emplace_back([&world, client] {
      for (std::uint64_t i = 0; i < kEach; ++i) {
        const std::string text = frame(client * kEach + i);
        ASSERT_TRUE(world->append(run_of(text, 1, client)));
      }
    });
  }
  for (std::thread& client : clients) {
    client.join();
  }
  ASSERT_TRUE(world.wait([&] { return world->committed() == world->last(); }));
  std::vector<std::vector<std::uint64_t>> by_client(4);
  for (const std::uint64_t number : world.numbers()) {
    by_client.at(number / kEach).push_back(number);
  }
  for (std::uint64_t client = 0; client < 4; ++client) {
    EXPECT_EQ(by_client[client], counted(client * kEach, (client + 1) * kEach - 1));
  }
}

TEST(DiskQueue, buried_messages_become_dead_letters_when_their_batch_goes) {
  const Directory directory;
  {
    World world(directory);
    const Ticket ticket = world.append_and_commit(1);
    const DeadLetter letter{.batch = ticket,
                            .index = 0,
                            .client = 1,
                            .arrived_ms = 5,
                            .subject = "test.n",
                            .reason = "Permissions Violation",
                            .frame = frame(1)};
    world->bury({letter});
    world->bury({letter});  // after a lost link, the same again
    EXPECT_EQ(world->stats().dead_letters, 0U);
    world->confirm(ticket);
    ASSERT_TRUE(world.wait([&] { return world->stats().dead_letters == 1; }));
    EXPECT_EQ(world->stats().drained_messages, 0U);
    EXPECT_EQ(world->stats().messages, 0U);
  }
  World world(directory);
  EXPECT_EQ(world->stats().dead_letters, 1U);
  EXPECT_EQ(world->stats().dead_bytes, frame(1).size());
}

TEST(DiskQueue, dead_letters_have_a_bound_and_the_oldest_go) {
  const Directory directory;
  World world(QueueOptions{.directory = directory.path(), .max_dead_bytes = 3 * frame(1).size()});
  for (std::uint64_t i = 1; i <= 5; ++i) {
    const Ticket ticket = world.append_and_commit(i);
    world->bury({DeadLetter{.batch = ticket, .subject = "test.n", .reason = "no", .frame = frame(i)}});
    world->confirm(ticket);
    ASSERT_TRUE(world.wait([&] { return world->stats().messages == 0; }));
  }
  EXPECT_EQ(world->stats().dead_letters, 3U);
  EXPECT_EQ(world->stats().dropped_dead_letters, 2U);
}

TEST(DiskQueue, a_message_larger_than_a_batch_is_kept_whole) {
  const Directory directory;
  World world(directory);
  (void)world.append(1, 5'000'000);
  (void)world.append_and_commit(2);
  EXPECT_EQ(world.numbers(), counted(1, 2));
}

TEST(DiskQueue, the_file_is_used_again_and_shrinks_when_the_queue_is_empty) {
  const Directory directory;
  World world(directory);
  std::uintmax_t largest = 0;
  for (std::uint64_t round = 0; round < 6; ++round) {
    for (std::uint64_t i = 0; i < 20; ++i) {
      (void)world.append(i, 1'000'000);
    }
    ASSERT_TRUE(world.wait([&] { return world->committed() == world->last(); }));
    world->confirm(world->last());
    ASSERT_TRUE(world.wait([&] { return world->stats().messages == 0; }));
    largest = std::max(largest, std::filesystem::file_size(directory.database()));
  }
  EXPECT_LT(largest, 60'000'000U);
  EXPECT_TRUE(world.wait([&] { return std::filesystem::file_size(directory.database()) < 12'000'000; }));
  EXPECT_LT(std::filesystem::file_size(directory.database().string() + "-wal"), 20'000'000U);
}

TEST(DiskQueue, directory_and_files_are_the_owners_alone) {
  const Directory directory;
  World world(directory);
  (void)world.append_and_commit(1);
  struct stat status{};
  ASSERT_EQ(::stat(directory.path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
  for (const std::string& name : directory.files()) {
    ASSERT_EQ(::stat((directory.path() / name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U) << name;
  }
}

TEST(DiskQueue, progress_is_told_on_its_own_thread) {
  const Directory directory;
  std::atomic<int> calls{0};
  std::atomic<std::thread::id> thread{};
  auto queue = DiskQueue::open({.directory = directory.path()}, [&] {
    thread = std::this_thread::get_id();
    ++calls;
  });
  ASSERT_TRUE(queue);
  const std::string text = frame(1);
  const auto ticket = (*queue)->append(run_of(text, 1));
  ASSERT_TRUE(ticket);
  while ((*queue)->committed() < *ticket || calls == 0) {
    std::this_thread::yield();
  }
  EXPECT_NE(thread.load(), std::this_thread::get_id());
  const int before = calls;
  (*queue)->confirm(*ticket);
  while (calls == before) {
    std::this_thread::yield();
  }
}

}  // namespace
}  // namespace hawser::store
