// Queues at their limits, and disks without room.
#include <csignal>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "store/queue_world.hpp"

namespace hawser::store {
namespace {

TEST(Full, a_queue_with_its_messages_refuses_more_and_takes_them_again_later) {
  const Directory directory;
  World world(QueueOptions{.directory = directory.path(), .max_messages = 3});
  for (std::uint64_t i = 1; i <= 3; ++i) {
    (void)world.append(i);
  }
  const std::string text = frame(4);
  const auto refused = world->append(run_of(text, 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::queue_full);
  ASSERT_TRUE(world.wait([&] { return world->committed() == world->last(); }));
  EXPECT_FALSE(world->append(run_of(text, 1)));
  world->confirm(world->last());
  ASSERT_TRUE(world.wait([&] { return world->append(run_of(text, 1)).has_value(); }));
  EXPECT_EQ(world.numbers().size(), 1U);
}

TEST(Full, bytes_have_a_limit_too) {
  const Directory directory;
  World world(QueueOptions{.directory = directory.path(), .max_bytes = 10'000});
  (void)world.append_and_commit(1, 6000);
  const std::string text = frame(2, 6000);
  EXPECT_FALSE(world->append(run_of(text, 1)));
  (void)world.append_and_commit(3, 100);
}

TEST(Full, shed_oldest_takes_new_messages_for_old_ones) {
  const Directory directory;
  World world(QueueOptions{.directory = directory.path(), .when_full = WhenFull::shed_oldest, .max_messages = 10});
  for (std::uint64_t i = 1; i <= 25; ++i) {
    (void)world.append_and_commit(i);
  }
  EXPECT_EQ(world->stats().messages, 10U);
  EXPECT_EQ(world->stats().shed_messages, 15U);
  EXPECT_EQ(world.numbers(), counted(16, 25));
  EXPECT_GT(world->drained(), 0U);
}

// Each in a child, so that its limits and mounts go with it.
template <class Body>
void in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

void use_up(World& world, DiskQueue& queue) {
  std::uint64_t number = 0;
  for (bool taken = true; taken;) {
    const std::string text = frame(++number, 100'000);
    const auto ticket = queue.append(run_of(text, 1));
    taken = ticket.has_value();
    if (taken) {
      EXPECT_TRUE(world.wait([&] { return queue.committed() >= *ticket || !queue.writable(); }));
    } else {
      EXPECT_EQ(ticket.error().code, Errc::queue_full);
    }
  }
}

// Fills the disk, finds that draining makes room, and that what waited gets there.
void live_on_a_full_disk(const std::filesystem::path& directory) {
  World world(QueueOptions{.directory = directory});
  ASSERT_TRUE(world) << world.error().message();
  DiskQueue& queue = *world.operator->();
  use_up(world, queue);
  EXPECT_FALSE(queue.writable());
  EXPECT_GT(queue.uncommitted_bytes(), 0U);
  EXPECT_LT(queue.committed(), queue.last());
  std::uint64_t next = 1;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (queue.drained() != queue.last() && std::chrono::steady_clock::now() < until) {
    const auto batches = world.read(queue.drained(), 1);
    ASSERT_TRUE(batches) << batches.error().message();
    for (const Batch& batch : *batches) {
      for (const Run& run : batch.runs) {
        EXPECT_EQ(numbers_in(run.frames), counted(next, next + run.count - 1));
        next += run.count;
      }
      queue.confirm(batch.id);
    }
  }
  EXPECT_EQ(queue.drained(), queue.last());
  EXPECT_EQ(queue.uncommitted_bytes(), 0U);
  EXPECT_TRUE(world.wait([&] { return queue.writable() && queue.stats().messages == 0; }));
  (void)world.append_and_commit(next);
}

TEST(Full, a_file_size_limit_is_a_full_disk) {
  in_child([] {
    std::signal(SIGXFSZ, SIG_IGN);
    const Directory directory;
    const rlimit limit{20'000'000, 20'000'000};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    live_on_a_full_disk(directory.path());
  });
}

class SmallDisk {
 public:
  explicit SmallDisk(const std::filesystem::path& path, const char* options) : path_(path) {
    std::filesystem::create_directories(path);
    mounted_ = ::mount("tmpfs", path.c_str(), "tmpfs", 0, options) == 0;
  }
  ~SmallDisk() {
    if (mounted_) {
      ::umount2(path_.c_str(), MNT_DETACH);
    }
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  explicit operator bool() const { return mounted_; }

 private:
  std::filesystem::path path_;
  bool mounted_;
};

TEST(Full, a_small_disk_is_used_up_and_emptied_again) {
  for (const char* size : {"size=6m", "size=24m", "size=160m"}) {
    const Directory directory;
    const SmallDisk disk(directory.path(), size);
    if (!disk) {
      GTEST_SKIP() << "needs to mount a tmpfs";
    }
    live_on_a_full_disk(directory.path());
    World world(directory);
    ASSERT_TRUE(world) << world.error().message();
    EXPECT_FALSE(world.numbers().empty());
  }
}

TEST(Full, shed_oldest_goes_on_when_the_disk_is_full) {
  const Directory directory;
  const SmallDisk disk(directory.path(), "size=120m");
  if (!disk) {
    GTEST_SKIP() << "needs to mount a tmpfs";
  }
  World world(QueueOptions{.directory = directory.path(), .when_full = WhenFull::shed_oldest});
  for (std::uint64_t i = 1; i <= 1500; ++i) {
    const std::string text = frame(i, 100'000);
    ASSERT_TRUE(world.wait([&] { return world->append(run_of(text, 1)).has_value(); }));
  }
  ASSERT_TRUE(world.wait([&] { return world->committed() == world->last(); }));
  EXPECT_GT(world->stats().shed_messages, 0U);
  const auto numbers = world.numbers();
  ASSERT_FALSE(numbers.empty());
  EXPECT_EQ(numbers, counted(1501 - numbers.size(), 1500));
}

}  // namespace
}  // namespace hawser::store
