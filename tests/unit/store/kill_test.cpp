// The process ends by SIGKILL at every named point of the queue's work, and anywhere. What was reported as committed
// and was not confirmed must be there afterwards, in order, and nothing else. HAWSER_KILLS=5000 for more of them.
#include <csignal>
#include <gtest/gtest.h>
#include <random>
#include <sys/mman.h>
#include <sys/wait.h>

#include "store/queue_world.hpp"

namespace hawser::store {
namespace {

// What a child has seen and done; it outlives the child.
struct Diary {
  std::atomic<std::uint64_t> next{1};  // message to append
  std::atomic<std::uint64_t> appended{0};
  std::atomic<std::uint64_t> safe{0};       // committed() covered it
  std::atomic<std::uint64_t> confirmed{0};  // written before confirm() is called
  std::atomic<std::uint64_t> failed{0};     // could not do its work at all
};

class SharedDiary {
 public:
  SharedDiary() {
    void* memory = ::mmap(nullptr, sizeof(Diary), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    diary_ = new (memory) Diary;
  }
  ~SharedDiary() { ::munmap(diary_, sizeof(Diary)); }
  SharedDiary(const SharedDiary&) = delete;
  SharedDiary& operator=(const SharedDiary&) = delete;
  Diary* operator->() { return diary_; }
  Diary& operator*() { return *diary_; }

 private:
  Diary* diary_;
};

struct Kill {
  FaultPoint point{};
  int passing = 0;  // 0: at no point
};

FaultHook hook_for(Kill kill) {
  if (kill.passing == 0) {
    return {};
  }
  auto left = std::make_shared<std::atomic<int>>(kill.passing);
  return [kill, left](FaultPoint point) {
    if (point == kill.point && --*left == 0) {
      ::kill(::getpid(), SIGKILL);
      std::this_thread::sleep_for(kPatience);
    }
  };
}

// Every seventh message is refused by the "server".
bool refused(std::uint64_t number) { return number % 7 == 0; }

// Drains one read of some batches; waits for its answer.
void drain_some(World& world, Diary& diary, std::uint64_t max_bytes) {
  const auto batches = world.read(world->drained(), max_bytes);
  if (!batches || batches->empty()) {
    return;
  }
  std::uint64_t last = 0;
  for (const Batch& batch : *batches) {
    std::uint32_t index = 0;
    for (const Run& run : batch.runs) {
      for (const std::uint64_t number : numbers_in(run.frames)) {
        if (refused(number)) {
          world->bury({DeadLetter{
              .batch = batch.id, .index = index, .subject = "test.n", .reason = "refused", .frame = frame(number)}});
        }
        ++index;
        last = number;
      }
    }
  }
  diary.confirmed = last;
  world->confirm(batches->back().id);
}

// Appends, waits for commits and drains, until it is killed or has done its part.
void live(const std::filesystem::path& directory, Diary& diary, Kill kill, unsigned seed, int steps) {
  std::mt19937 random(seed);
  World world(QueueOptions{.directory = directory, .sync = Sync::normal, .fault_hook = hook_for(kill)});
  if (!world) {
    ++diary.failed;
    return;
  }
  std::vector<std::pair<Ticket, std::uint64_t>> waiting;
  for (int step = 0; step < steps; ++step) {
    const std::uint64_t number = diary.next;
    const std::size_t padding = random() % 16 == 0 ? random() % 200'000 : random() % 300;
    waiting.emplace_back(world.append(number, padding), number);
    diary.appended = number;
    ++diary.next;
    if (random() % 8 == 0 && !world.wait([&] { return world->committed() >= waiting.back().first; })) {
      ++diary.failed;
      return;
    }
    const Ticket committed = world->committed();
    for (const auto& [ticket, written] : waiting) {
      if (ticket <= committed) {
        diary.safe = written;
      }
    }
    if (random() % 12 == 0) {
      drain_some(world, diary, random() % 100'000);
    }
    if (random() % 64 == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(110));  // removals by themselves
    }
  }
  if (kill.point == FaultPoint::checkpoint_begun || kill.point == FaultPoint::checkpoint_ended) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));  // it has one each second
  }
}

std::set<std::uint64_t> dead_numbers(const std::filesystem::path& database) {
  std::set<std::uint64_t> numbers;
  Database file(database, Open::existing);
  file.keep_wal_at_close();
  Statement letters(file, "SELECT frame FROM dead");
  while (letters.step()) {
    const auto one = numbers_in(letters.bytes(0));
    EXPECT_EQ(one.size(), 1U);
    EXPECT_TRUE(numbers.insert(one.front()).second) << "twice among the dead letters: " << one.front();
  }
  return numbers;
}

// What must hold after a life, however it ended.
void check(const Directory& directory, Diary& diary) {
  World world(directory);
  ASSERT_TRUE(world) << world.error().message();
  const auto numbers = world.numbers();
  EXPECT_EQ(world->stats().recoveries, 0U);
  EXPECT_EQ(world->stats().messages, numbers.size());
  const std::uint64_t first =
      numbers.empty() ? std::max(diary.confirmed.load(), diary.safe.load()) + 1 : numbers.front();
  EXPECT_LE(first, diary.confirmed + 1) << "lost from the front";
  if (!numbers.empty()) {
    EXPECT_EQ(numbers, counted(first, numbers.back())) << "lost or out of order";
    EXPECT_LE(numbers.back(), diary.appended + 1) << "invented";  // it may end between append and note
    EXPECT_GE(numbers.back(), diary.safe) << "lost from the end";
  } else {
    EXPECT_LE(diary.safe, diary.confirmed) << "lost all";
  }
  const auto dead = dead_numbers(directory.database());
  for (std::uint64_t number = 7; number < first; number += 7) {
    EXPECT_TRUE(dead.contains(number)) << "neither queued nor dead: " << number;
  }
  EXPECT_TRUE(dead.empty() || *dead.rbegin() < first) << "dead and queued";
  // What was appended and never safe may be gone; its numbers are used again.
  diary.next = numbers.empty() ? first : numbers.back() + 1;
}

template <class Life>
pid_t fork_child(Life life) {
  const pid_t child = ::fork();
  if (child == 0) {
    life();
    ::_exit(0);
  }
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

class KilledAt : public testing::TestWithParam<FaultPoint> {};

TEST_P(KilledAt, what_was_committed_is_there) {
  const Directory directory;
  SharedDiary diary;
  bool killed = false;
  for (const int passing : {1, 2, 4}) {
    const Kill kill{GetParam(), passing};
    const auto seed = static_cast<unsigned>(passing);
    const int status = wait_for(fork_child([&] { live(directory.path(), *diary, kill, seed, 150); }));
    killed = killed || WIFSIGNALED(status);
    EXPECT_TRUE(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
    check(directory, *diary);
    ASSERT_FALSE(HasFailure()) << "passing " << passing;
  }
  EXPECT_TRUE(killed) << "the point is never passed";
  EXPECT_EQ(diary->failed, 0U);
}

INSTANTIATE_TEST_SUITE_P(EveryPoint, KilledAt,
                         testing::Values(FaultPoint::setup_begun, FaultPoint::setup_schema_made,
                                         FaultPoint::setup_named, FaultPoint::appended, FaultPoint::transaction_begun,
                                         FaultPoint::batch_inserted, FaultPoint::before_commit,
                                         FaultPoint::after_commit, FaultPoint::batches_removed,
                                         FaultPoint::letters_buried, FaultPoint::checkpoint_begun,
                                         FaultPoint::checkpoint_ended),
                         [](const auto& point) { return "point_" + std::to_string(static_cast<int>(point.param)); });

TEST(Killed, anywhere_nothing_that_was_committed_is_lost) {
  const char* wanted = std::getenv("HAWSER_KILLS");
  const int kills = wanted != nullptr ? std::atoi(wanted) : 60;
  std::mt19937 random(7);
  const Directory directory;
  SharedDiary diary;
  for (int i = 0; i < kills; ++i) {
    const auto seed = static_cast<unsigned>(random());
    const pid_t child = fork_child([&] { live(directory.path(), *diary, {}, seed, 1'000'000); });
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 40'000));
    ::kill(child, SIGKILL);
    (void)wait_for(child);
    check(directory, *diary);
    ASSERT_FALSE(HasFailure()) << "after kill " << i;
  }
  EXPECT_GT(diary->safe, 0U);
}

TEST(Killed, while_it_recovers_from_damage_it_recovers_again) {
  for (const FaultPoint point : {FaultPoint::recovery_begun, FaultPoint::recovery_copied,
                                 FaultPoint::recovery_set_aside, FaultPoint::recovery_ended}) {
    const Directory directory;
    {
      World world(directory);
      for (std::uint64_t i = 1; i <= 50; ++i) {
        (void)world.append_and_commit(i, 3000);
      }
    }
    std::string bytes = used_bytes_of(directory.database());
    bytes.resize(bytes.size() - 8192);
    write_bytes(directory.database(), bytes);
    const pid_t child = fork_child(
        [&] { const World world(QueueOptions{.directory = directory.path(), .fault_hook = hook_for({point, 1})}); });
    EXPECT_TRUE(WIFSIGNALED(wait_for(child)));
    World world(directory);
    ASSERT_TRUE(world) << world.error().message();
    const auto numbers = world.numbers();
    EXPECT_GE(numbers.size(), 45U);
    EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
    EXPECT_TRUE(directory.has_file_with("damaged"));
  }
}

}  // namespace
}  // namespace hawser::store
