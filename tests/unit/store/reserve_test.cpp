// The room that a queue's file occupies before its pages need it: without it, what a full disk's WAL holds could not be
// moved into the file, and nothing would ever leave the queue again.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "store/queue_file.hpp"
#include "store/queue_world.hpp"

namespace hawser::store {
namespace {

struct ReserveTest : ::testing::Test {
  Directory directory;
  std::unique_ptr<QueueFile> file;
  Ticket next = 1;

  ReserveTest() {
    std::filesystem::create_directories(directory.path());
    QueueFile::create(directory.database());
    auto opened = QueueFile::open(directory.database(), Use::owner, Sync::normal);
    EXPECT_TRUE(opened.has_value());
    file = std::move(*opened);
  }
  void insert(std::size_t bytes) {
    PackedBatch batch(next++);
    const std::string text = frame(batch.id(), bytes);
    batch.add(run_of(text, 1));
    batch.seal();
    file->insert(batch);
    file->reserve_space();
  }
  // Of the disk; a file may be longer.
  [[nodiscard]] std::uint64_t occupied() const {
    struct stat status{};
    EXPECT_EQ(::stat(directory.database().c_str(), &status), 0);
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
  }
  std::uint64_t bytes_of_pages() {
    return static_cast<std::uint64_t>(file->database().number("PRAGMA page_count")) * 4096;
  }
};

TEST_F(ReserveTest, what_is_committed_has_room_in_the_file_before_it_is_moved_there) {
  Transaction transaction(file->database());
  insert(3'000'000);
  transaction.commit();
  EXPECT_GE(occupied(), bytes_of_pages());
}

TEST_F(ReserveTest, room_that_a_checkpoint_took_back_after_a_rollback_is_occupied_again) {
  {
    Transaction small(file->database());
    insert(100'000);
    small.commit();
  }
  {
    Transaction given_up(file->database());  // as when the disk is full: its room stays occupied at first
    insert(3'000'000);
  }
  ASSERT_TRUE(file->checkpoint());
  ASSERT_LT(file->file_bytes(), 3'000'000U) << "this is what takes it back";
  Transaction again(file->database());
  insert(2'500'000);
  again.commit();
  EXPECT_GE(occupied(), bytes_of_pages());
}

TEST_F(ReserveTest, a_file_that_is_longer_than_the_room_it_has_gets_the_room) {
  std::filesystem::resize_file(directory.database(), 8UL << 20U);  // as a checkpoint may leave it
  Transaction transaction(file->database());
  insert(3'000'000);
  transaction.commit();
  EXPECT_GE(occupied(), bytes_of_pages());
}

}  // namespace
}  // namespace hawser::store
