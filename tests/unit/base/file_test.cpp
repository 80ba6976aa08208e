#include "base/file.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hawser {
namespace {

class File : public testing::Test {
 protected:
  File() {
    std::string name = testing::TempDir() + "hawser-file-XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  ~File() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory_), {}));
  }

  std::filesystem::path directory_;
};

mode_t mode_of(const std::filesystem::path& path) {
  struct stat about{};
  EXPECT_EQ(::stat(path.c_str(), &about), 0);
  return about.st_mode & 07777;
}

TEST_F(File, is_read_back_as_it_was_written) {
  const std::string content("a\0b\n", 4);
  ASSERT_TRUE(write_file_atomically(directory_ / "f", content, FileMode::owner_only));
  EXPECT_EQ(read_file(directory_ / "f", 100), content);
  EXPECT_EQ(read_secret_file(directory_ / "f", 100)->reveal(), content);
  EXPECT_EQ(mode_of(directory_ / "f"), 0600U);
  ASSERT_TRUE(write_file_atomically(directory_ / "g", "", FileMode::world_readable));
  EXPECT_EQ(read_file(directory_ / "g", 0), "");
  EXPECT_EQ(mode_of(directory_ / "g"), 0644U);
  EXPECT_EQ(entries(), 2U) << "no temporary file is left";
}

TEST_F(File, is_read_up_to_its_limit_and_not_a_byte_more) {
  ASSERT_TRUE(write_file_atomically(directory_ / "f", std::string(40000, 'x'), FileMode::owner_only));
  EXPECT_EQ(read_file(directory_ / "f", 40000)->size(), 40000U);
  const Result<std::string> over = read_file(directory_ / "f", 39999);
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, Errc::limit_exceeded);
  EXPECT_EQ(read_file("/dev/zero", 1000).error().code, Errc::limit_exceeded);
}

TEST_F(File, that_cannot_be_read_says_which_and_why) {
  const Result<std::string> missing = read_file(directory_ / "none", 10);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::file_unreadable);
  EXPECT_NE(missing.error().doing.find("none: No such file"), std::string::npos) << missing.error().doing;
  EXPECT_EQ(read_file(directory_, 10).error().code, Errc::file_unreadable) << "a directory";
}

TEST_F(File, replaces_the_target_of_a_symlink_and_leaves_the_link) {
  ASSERT_TRUE(write_file_atomically(directory_ / "real", "old", FileMode::owner_only));
  std::filesystem::create_symlink("real", directory_ / "link");
  ASSERT_TRUE(write_file_atomically(directory_ / "link", "new", FileMode::owner_only));
  EXPECT_TRUE(std::filesystem::is_symlink(directory_ / "link"));
  EXPECT_EQ(read_file(directory_ / "real", 10), "new");
}

TEST_F(File, that_exists_is_kept_when_asked_to) {
  ASSERT_TRUE(write_file_atomically(directory_ / "f", "first", FileMode::owner_only, Existing::keep));
  const Result<void> second = write_file_atomically(directory_ / "f", "second", FileMode::owner_only, Existing::keep);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::file_unwritable);
  EXPECT_NE(second.error().doing.find("File exists"), std::string::npos) << second.error().doing;
  EXPECT_EQ(read_file(directory_ / "f", 10), "first");
  EXPECT_EQ(entries(), 1U) << "no temporary file is left";
}

TEST_F(File, gets_the_mode_and_the_owner_that_it_is_to_have) {
  const FileLook look{.mode = 0640, .user = ::geteuid(), .group = ::getegid()};
  ASSERT_TRUE(write_file_atomically(directory_ / "f", "x", FileMode::owner_only));
  ASSERT_TRUE(write_file_atomically(directory_ / "f", "y", look));
  EXPECT_EQ(std::filesystem::status(directory_ / "f").permissions(), std::filesystem::perms(0640));
  EXPECT_EQ(read_file(directory_ / "f", 10), "y");
  if (::geteuid() != 0) {  // whoever may not give it away is told, and nothing has changed
    const FileLook of_root{.mode = 0600, .user = 0, .group = 0};
    EXPECT_FALSE(write_file_atomically(directory_ / "f", "z", of_root));
    EXPECT_EQ(read_file(directory_ / "f", 10), "y");
  }
  EXPECT_EQ(entries(), 1U);
}

TEST_F(File, that_cannot_be_written_leaves_nothing_behind) {
  EXPECT_EQ(write_file_atomically(directory_ / "no" / "f", "x", FileMode::owner_only).error().code,
            Errc::file_unwritable);
  std::filesystem::create_directory(directory_ / "d");
  EXPECT_EQ(write_file_atomically(directory_ / "d", "x", FileMode::owner_only).error().code, Errc::file_unwritable);
  EXPECT_EQ(entries(), 1U);
}

}  // namespace
}  // namespace hawser
