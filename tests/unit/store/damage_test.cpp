// Files that somebody or something has damaged, and those that may not be opened.
#include <gtest/gtest.h>
#include <random>
#include <sys/wait.h>

#include "store/queue_world.hpp"

namespace hawser::store {
namespace {

constexpr std::uint64_t kMessages = 60;
constexpr std::size_t kPadding = 9000;  // several pages a batch

void fill(const Directory& directory) {
  World world(directory);
  for (std::uint64_t i = 1; i <= kMessages; ++i) {
    (void)world.append_and_commit(i, kPadding);
  }
  const auto first = world.read(0, 1);
  world->bury({DeadLetter{.batch = first->front().id, .subject = "test.n", .reason = "no", .frame = frame(1)}});
  world->confirm(first->front().id);
}

// What a queue makes of the directory: it opens, and gives some of what was there, in order and nothing else.
std::size_t recovered_from(const Directory& directory) {
  World world(directory);
  EXPECT_TRUE(world) << world.error().message();
  if (!world) {
    return 0;
  }
  const auto numbers = world.numbers();
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
  EXPECT_TRUE(numbers.empty() || (numbers.front() >= 2 && numbers.back() <= kMessages));
  EXPECT_TRUE(std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end());
  const Ticket ticket = world.append_and_commit(1000);  // it goes on
  EXPECT_EQ(world->stats().recoveries, directory.has_file_with("damaged") ? 1U : 0U);
  EXPECT_EQ(world->last(), ticket);
  return numbers.size();
}

TEST(Damage, a_truncated_file_is_set_aside_and_what_is_there_recovered) {
  for (const int percent : {99, 90, 50, 10}) {
    const Directory directory;
    fill(directory);
    const std::string bytes = used_bytes_of(directory.database());
    write_bytes(directory.database(), bytes.substr(0, bytes.size() * static_cast<std::size_t>(percent) / 100));
    const std::size_t found = recovered_from(directory);
    EXPECT_TRUE(directory.has_file_with("damaged"));
    EXPECT_GE(found, kMessages * static_cast<std::size_t>(std::max(percent - 25, 0)) / 100) << percent;
  }
}

TEST(Damage, an_emptied_file_is_set_aside) {
  const Directory directory;
  fill(directory);
  write_bytes(directory.database(), "");
  EXPECT_EQ(recovered_from(directory), 0U);
  EXPECT_TRUE(directory.has_file_with("damaged"));
}

TEST(Damage, a_zeroed_first_page_costs_nothing_else) {
  const Directory directory;
  fill(directory);
  std::string bytes = bytes_of(directory.database());
  bytes.replace(0, 4096, 4096, '\0');
  write_bytes(directory.database(), bytes);
  EXPECT_EQ(recovered_from(directory), kMessages - 1);
  EXPECT_TRUE(directory.has_file_with("damaged"));
  World world(directory);
  EXPECT_EQ(world->stats().dead_letters, 1U);
}

TEST(Damage, a_file_of_zeros_or_noise_is_set_aside) {
  for (const bool zeros : {true, false}) {
    const Directory directory;
    fill(directory);
    std::string bytes = bytes_of(directory.database());
    std::mt19937 random(3);
    for (char& byte : bytes) {
      byte = zeros ? '\0' : static_cast<char>(random());
    }
    write_bytes(directory.database(), bytes);
    EXPECT_EQ(recovered_from(directory), 0U);
    EXPECT_TRUE(directory.has_file_with("damaged"));
  }
}

TEST(Damage, a_bad_page_anywhere_costs_little_more_than_what_is_on_it) {
  const Directory original;
  fill(original);
  const std::string bytes = used_bytes_of(original.database());
  const std::size_t pages = bytes.size() / 4096;
  std::mt19937 random(5);
  for (int i = 0; i < 20; ++i) {
    const Directory directory;
    std::filesystem::create_directories(directory.path());
    std::string damaged = bytes;
    const std::size_t page = i < 8 ? static_cast<std::size_t>(i) : random() % pages;
    for (std::size_t at = page * 4096; at < (page + 1) * 4096; ++at) {
      damaged[at] = static_cast<char>(random());
    }
    write_bytes(directory.database(), damaged);
    EXPECT_GE(recovered_from(directory), kMessages / 2) << "page " << page;
  }
}

TEST(Damage, a_flipped_bit_in_a_message_is_found_when_it_is_read_and_the_rest_goes_on) {
  const Directory directory;
  fill(directory);
  std::string bytes = bytes_of(directory.database());
  const std::size_t at = bytes.find(frame(30, kPadding).substr(0, 20));
  ASSERT_NE(at, std::string::npos);
  bytes[at + 3000] = static_cast<char>(bytes[at + 3000] ^ 4);
  write_bytes(directory.database(), bytes);
  World world(directory);
  ASSERT_TRUE(world);
  EXPECT_EQ(world->stats().recoveries, 0U);
  auto expected = counted(2, kMessages);
  std::erase(expected, 30U);
  EXPECT_EQ(world.numbers(), expected);
  EXPECT_EQ(world->stats().recoveries, 1U);
  EXPECT_EQ(world->stats().lost_messages, 1U);
  EXPECT_EQ(world->stats().messages, expected.size());
  EXPECT_EQ(world->stats().dead_letters, 1U);
  EXPECT_TRUE(directory.has_file_with("damaged"));
  world->confirm(world->last());
  EXPECT_EQ(world->drained(), world->last());
}

TEST(Damage, appends_go_on_while_a_file_is_found_damaged) {
  const Directory directory;
  fill(directory);
  World world(directory);
  const Ticket before = world.append_and_commit(1000);
  std::fstream file(directory.database(), std::ios::in | std::ios::out | std::ios::binary);
  for (int page = 6; page < 60; ++page) {  // beneath the open connection
    file.seekp(page * 4096);
    file.write(std::string(4096, '\x5a').data(), 4096);
  }
  file.close();
  for (std::uint64_t i = 1001; i < 1050; ++i) {
    EXPECT_GT(world.append(i, kPadding), before);
    (void)world.numbers();
  }
  ASSERT_TRUE(world.wait([&] { return world->committed() == world->last(); }));
  const auto numbers = world.numbers();
  EXPECT_EQ(std::vector<std::uint64_t>(numbers.end() - 49, numbers.end()), counted(1001, 1049));
}

TEST(Damage, a_newer_schema_is_refused_and_the_file_untouched) {
  const Directory directory;
  fill(directory);
  {
    Database file(directory.database(), Open::existing);
    file.run("PRAGMA user_version=2");
  }
  const std::string before = bytes_of(directory.database());
  const World world(directory);
  ASSERT_FALSE(world);
  EXPECT_EQ(world.error().code, Errc::queue_schema_newer);
  EXPECT_NE(world.error().doing.find("schema 2"), std::string::npos);
  EXPECT_EQ(bytes_of(directory.database()), before);
  EXPECT_FALSE(directory.has_file_with("damaged"));
}

TEST(Damage, what_may_not_be_written_is_refused_with_the_reason) {
  for (const bool whole_directory : {false, true}) {
    const Directory directory;
    fill(directory);
    const auto as_somebody_else = [&] {
      ::chmod(directory.database().c_str(), 0444);
      ::chmod(directory.path().parent_path().c_str(), 0755);
      ::chmod(directory.path().c_str(), whole_directory ? 0555 : 0777);
      ::chmod((directory.path() / "lock").c_str(), 0666);
      if (::geteuid() == 0 && ::setuid(65534) != 0) {
        return 3;
      }
      const World world(directory);
      return world ? 1 : world.error().code == Errc::queue_cannot_open && !world.error().doing.empty() ? 0 : 2;
    };
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(as_somebody_else());
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    EXPECT_FALSE(directory.has_file_with("damaged"));
  }
}

TEST(Damage, a_path_that_is_no_directory_is_refused) {
  const Directory directory;
  write_bytes(directory.path(), "a file");
  const World world(directory);
  ASSERT_FALSE(world);
  EXPECT_EQ(world.error().code, Errc::queue_cannot_open);
}

}  // namespace
}  // namespace hawser::store
