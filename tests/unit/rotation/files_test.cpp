#include "rotation/files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "rotation/directory.hpp"

namespace hawser::rotation {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMark = "20261129T112400.123Z";

mode_t mode_of(const fs::path& path) {
  struct stat about{};
  EXPECT_EQ(::stat(path.c_str(), &about), 0);
  return about.st_mode & 07777U;
}

TEST(RotationFiles, replaces_a_file_keeps_its_mode_and_what_was_there) {
  const Directory here;
  const fs::path file = here.put("ca.crt", "old");
  fs::permissions(file, fs::perms(0640));
  ASSERT_TRUE(replace_file(file, "new", kMark, "/dev/null").has_value());
  EXPECT_EQ(here.text("ca.crt"), "new");
  EXPECT_EQ(mode_of(file), 0640U);
  EXPECT_EQ(mode_of(kept_path(file, kMark)), 0640U);
  EXPECT_TRUE(is_kept(file, kMark));
  EXPECT_FALSE(is_kept(file, "another"));
  ASSERT_TRUE(bring_back(file, kMark).has_value());
  EXPECT_EQ(here.text("ca.crt"), "old");
  EXPECT_EQ(mode_of(file), 0640U);
}

TEST(RotationFiles, keeps_what_was_there_before_the_first_of_several_times) {
  const Directory here;
  const std::string bytes("o\0ld\r\n\xff", 7);
  const fs::path file = here.put("key", bytes);
  for (const std::string_view content : {"both", "both", "narrow"})
    ASSERT_TRUE(replace_file(file, content, kMark, file).has_value());
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(bring_back(file, kMark).has_value());
    EXPECT_EQ(here.text("key"), bytes);
  }
}

TEST(RotationFiles, takes_away_what_was_not_there) {
  const Directory here;
  const fs::path like = here.put("from", "x");
  fs::permissions(like, fs::perms(0600));
  ASSERT_TRUE(replace_file(here.path / "new.key", "secret", kMark, like).has_value());
  EXPECT_EQ(mode_of(here.path / "new.key"), 0600U);
  ASSERT_TRUE(bring_back(here.path / "new.key", kMark).has_value());
  EXPECT_FALSE(fs::exists(here.path / "new.key"));
  EXPECT_TRUE(bring_back(here.path / "new.key", kMark).has_value());
}

TEST(RotationFiles, leaves_a_link_a_link) {
  const Directory here;
  fs::create_directory(here.path / "data");
  here.put("data/tls.crt", "old");
  fs::create_symlink("data/tls.crt", here.path / "tls.crt");
  ASSERT_TRUE(replace_file(here.path / "tls.crt", "new", kMark, here.path).has_value());
  EXPECT_TRUE(fs::is_symlink(here.path / "tls.crt"));
  EXPECT_EQ(here.text("data/tls.crt"), "new");
  ASSERT_TRUE(bring_back(here.path / "tls.crt", kMark).has_value());
  EXPECT_EQ(here.text("data/tls.crt"), "old");
}

TEST(RotationFiles, says_what_is_in_the_way) {
  const Directory here;
  const Result<void> nowhere = replace_file(here.path / "no/ca.crt", "x", kMark, here.path);
  ASSERT_FALSE(nowhere.has_value());
  EXPECT_EQ(nowhere.error().code, Errc::rotation_delivery_failed);
  const Result<void> nothing = bring_back(here.put("ca.crt", "x"), kMark);
  ASSERT_FALSE(nothing.has_value());
  EXPECT_EQ(nothing.error().code, Errc::rotation_not_rolled_back);
  EXPECT_EQ(here.text("ca.crt"), "x");
}

TEST(RotationFiles, leaves_nothing_half_written_behind) {
  const Directory here;
  const fs::path file = here.put("ca.crt", "old");
  ASSERT_TRUE(replace_file(file, std::string(100'000, 'x'), kMark, file).has_value());
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(here.path)) ++count;
  EXPECT_EQ(count, 2U);  // the file, and what is kept
}

}  // namespace
}  // namespace hawser::rotation
