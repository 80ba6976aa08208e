// Real files in a temporary directory; every wait is for a condition.
#include "tls/watcher.hpp"

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <mutex>
#include <stdlib.h>

#include "base/file.hpp"
#include "pki.hpp"
#include "tls/watched_places.hpp"

namespace hawser::tls::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

struct TemporaryDirectory {
  TemporaryDirectory() {
    std::string pattern = (fs::temp_directory_path() / "hawser-tls-XXXXXX").string();
    path = fs::canonical(::mkdtemp(pattern.data()));
  }
  ~TemporaryDirectory() { fs::remove_all(path); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  fs::path path;
};

// What the watcher has said so far.
class Heard {
 public:
  WatchEvents events() {
    return {.published = [this](MaterialPtr material) { note([&] { published_.push_back(std::move(material)); }); },
            .rejected = [this](const Error& error) { note([&] { rejected_.push_back(error.code); }); },
            .incomplete = [this](const Error&) { note([&] { ++incomplete_; }); },
            .file_changed = [this](const std::string& path) { note([&] { files_.push_back(path); }); },
            .unchanged = [this] { note([&] { ++unchanged_; }); }};
  }

  // Waits until `condition` holds; false after a time that only a defect can take.
  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return condition(*this); });
  }
  bool published(const std::string& serial) {
    return wait(
        [&](const Heard& h) { return !h.published_.empty() && h.published_.back()->chain().front().serial == serial; });
  }
  bool rejected(Errc code) {
    return wait(
        [&](const Heard& h) { return std::find(h.rejected_.begin(), h.rejected_.end(), code) != h.rejected_.end(); });
  }
  [[nodiscard]] std::size_t publications() {
    const std::scoped_lock lock(mutex_);
    return published_.size();
  }
  [[nodiscard]] std::size_t rejections() {
    const std::scoped_lock lock(mutex_);
    return rejected_.size();
  }

  std::vector<MaterialPtr> published_;
  std::vector<Errc> rejected_;
  std::vector<std::string> files_;
  int incomplete_ = 0;
  int unchanged_ = 0;

 private:
  template <class Change>
  void note(Change change) {
    const std::scoped_lock lock(mutex_);
    change();
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
};

void write(const fs::path& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

struct Watching : testing::Test {
  TemporaryDirectory temporary;
  fs::path root = temporary.path;
  fs::path dir = root / "tls";
  Authority ca = make_ca();
  Issued first = client_cert(ca);
  Issued second = client_cert(ca);
  Heard heard;
  std::unique_ptr<Watcher> watcher;
  WatchOptions options{.quiet = milliseconds(30), .poll = std::chrono::hours(1)};  // so that inotify alone must see it

  [[nodiscard]] Source source() const {
    return {.cert_file = dir / "tls.crt", .key_file = dir / "tls.key", .ca_file = dir / "ca.crt"};
  }

  void put(const fs::path& directory, const Issued& own) const {
    write(directory / "tls.crt", own.chain_pem);
    write(directory / "tls.key", own.key_pem.reveal());
    write(directory / "ca.crt", ca.certificate_pem());
  }
  void start(std::vector<std::string> extra = {}) {
    watcher = must(Watcher::start(must(load(source(), wall_now())), std::move(extra), options, heard.events()));
  }
  void start_with_first() {
    fs::create_directories(dir);
    put(dir, first);
    start();
  }
};

TEST_F(Watching, sees_files_written_in_place) {
  start_with_first();
  put(dir, second);
  EXPECT_TRUE(heard.published(second.info.serial));
}

TEST_F(Watching, sees_files_renamed_into_place) {
  start_with_first();
  for (const char* name : {"tls.crt", "tls.key"}) {
    const std::string_view text =
        name == std::string_view("tls.crt") ? std::string_view(second.chain_pem) : second.key_pem.reveal();
    ASSERT_TRUE(write_file_atomically(dir / name, text, FileMode::owner_only));
  }
  EXPECT_TRUE(heard.published(second.info.serial));
}

// As the kubelet does it: a new directory, a new link, renamed over `..data`, and the old directory goes.
struct KubernetesVolume : Watching {
  void swap(const std::string& generation, const Issued& own) const {
    fs::create_directories(dir / generation);
    put(dir / generation, own);
    fs::create_directory_symlink(generation, dir / "..data_tmp");
    const fs::path old = fs::exists(dir / "..data") ? fs::canonical(dir / "..data") : fs::path();
    fs::rename(dir / "..data_tmp", dir / "..data");
    if (!old.empty()) {
      fs::remove_all(old);
    }
  }
  void SetUp() override {
    swap("..2026_01", first);
    for (const char* name : {"tls.crt", "tls.key", "ca.crt"}) {
      fs::create_symlink(fs::path("..data") / name, dir / name);
    }
    start();
  }
};

TEST_F(KubernetesVolume, sees_every_swap) {
  swap("..2026_02", second);
  ASSERT_TRUE(heard.published(second.info.serial));
  swap("..2026_03", first);
  ASSERT_TRUE(heard.published(first.info.serial));
  EXPECT_EQ(heard.publications(), 2U);
  EXPECT_EQ(heard.rejections(), 0U);
}

TEST_F(Watching, sees_a_directory_that_is_replaced_whole) {
  start_with_first();
  for (const Issued* own : {&second, &first}) {
    fs::create_directories(root / "next");
    put(root / "next", *own);
    fs::rename(dir, root / "old");
    fs::rename(root / "next", dir);
    fs::remove_all(root / "old");
    ASSERT_TRUE(heard.published(own->info.serial));
  }
}

TEST_F(Watching, follows_chains_of_symlinks) {
  fs::create_directories(root / "releases/1");
  fs::create_directories(root / "releases/2");
  put(root / "releases/1", first);
  put(root / "releases/2", second);
  fs::create_directory_symlink("releases/1", root / "current");
  fs::create_directory_symlink(root / "current", dir);
  start();
  fs::create_directory_symlink("releases/2", root / "next");
  fs::rename(root / "next", root / "current");
  ASSERT_TRUE(heard.published(second.info.serial));
  put(root / "releases/2", first);
  EXPECT_TRUE(heard.published(first.info.serial));
}

TEST_F(Watching, survives_files_that_are_gone_for_a_moment) {
  start_with_first();
  fs::remove(dir / "tls.crt");
  fs::remove(dir / "tls.key");
  ASSERT_TRUE(heard.wait([](const Heard& h) { return h.incomplete_ > 0; }));
  put(dir, second);
  EXPECT_TRUE(heard.published(second.info.serial));
  EXPECT_EQ(heard.rejections(), 0U);
}

TEST_F(Watching, waits_for_a_key_that_is_written_after_its_certificate) {
  start_with_first();
  write(dir / "tls.crt", second.chain_pem);
  ASSERT_TRUE(heard.wait([](const Heard& h) { return h.incomplete_ > 0; }));
  EXPECT_EQ(heard.publications(), 0U);
  write(dir / "tls.key", second.key_pem.reveal());
  EXPECT_TRUE(heard.published(second.info.serial));
  EXPECT_EQ(heard.rejections(), 0U);
}

TEST_F(Watching, rejects_half_a_pair_when_the_other_half_never_comes) {
  options.incomplete_for = milliseconds(100);
  start_with_first();
  write(dir / "tls.key", second.key_pem.reveal());
  EXPECT_TRUE(heard.rejected(Errc::tls_key_mismatch));
}

TEST_F(Watching, rejects_broken_material_and_takes_the_next_good_one) {
  start_with_first();
  write(dir / "tls.crt", "-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n");
  ASSERT_TRUE(heard.rejected(Errc::tls_not_pem));
  const Issued expired = client_cert(ca, {.validity = from_to(-days(2), -hours(1))});
  put(dir, expired);
  ASSERT_TRUE(heard.rejected(Errc::tls_certificate_expired));
  EXPECT_EQ(heard.publications(), 0U);
  put(dir, second);
  EXPECT_TRUE(heard.published(second.info.serial));
}

TEST_F(Watching, does_not_publish_identical_content) {
  start_with_first();
  put(dir, first);
  watcher->reload_now();
  ASSERT_TRUE(heard.wait([](const Heard& h) { return h.unchanged_ > 0; }));
  EXPECT_EQ(heard.publications(), 0U);
}

TEST_F(Watching, polls_where_inotify_is_silent) {
  options.poll = milliseconds(40);
  // A hard link written through another directory: no event in the watched one.
  fs::create_directories(dir);
  fs::create_directories(root / "elsewhere");
  put(root / "elsewhere", first);
  for (const char* name : {"tls.crt", "tls.key", "ca.crt"}) {
    fs::create_hard_link(root / "elsewhere" / name, dir / name);
  }
  start();
  put(root / "elsewhere", second);
  EXPECT_TRUE(heard.published(second.info.serial));
}

TEST_F(Watching, by_hand_only_looks_when_asked) {
  options.automatic = false;
  start_with_first();
  put(dir, second);
  watcher->reload_now();
  EXPECT_TRUE(heard.published(second.info.serial));
}

TEST_F(Watching, repeats_a_rejection_when_asked_again) {
  start_with_first();
  write(dir / "tls.crt", "nothing");
  ASSERT_TRUE(heard.rejected(Errc::tls_certificate_missing));
  watcher->reload_now();
  EXPECT_TRUE(heard.wait([](const Heard& h) { return h.rejected_.size() > 1; }));
}

TEST_F(Watching, publishes_a_changed_bundle_alone) {
  start_with_first();
  const Authority other = make_ca("Other CA");
  write(dir / "ca.crt", ca.certificate_pem() + other.certificate_pem());
  ASSERT_TRUE(heard.published(first.info.serial));
  EXPECT_EQ(heard.published_.back()->trust().size(), 2U);
}

TEST_F(Watching, reports_credential_files_whose_content_changed) {
  fs::create_directories(dir);
  put(dir, first);
  const std::string seed = root / "agent.nkey";
  const std::string token = root / "token";
  write(seed, "one");
  write(token, "one");
  start({seed, token});
  write(token, "one");  // the same
  write(seed, "two");
  ASSERT_TRUE(heard.wait([](const Heard& h) { return !h.files_.empty(); }));
  EXPECT_EQ(heard.files_, std::vector<std::string>{seed});
  fs::remove(token);
  write(token, "two");
  ASSERT_TRUE(heard.wait([](const Heard& h) { return h.files_.size() > 1; }));
  EXPECT_EQ(heard.files_.back(), token);
  EXPECT_EQ(heard.publications(), 0U);
}

TEST_F(Watching, watches_credentials_without_any_material) {
  const std::string seed = root / "agent.nkey";
  write(seed, "one");
  watcher = must(Watcher::start(must(load(Source{}, wall_now())), {seed}, options, heard.events()));
  write(seed, "two");
  EXPECT_TRUE(heard.wait([](const Heard& h) { return !h.files_.empty(); }));
}

TEST_F(Watching, stops_at_once_even_while_much_happens) {
  start_with_first();
  for (int i = 0; i < 20; ++i) {
    put(dir, i % 2 == 0 ? second : first);
    watcher->reload_now();
    watcher.reset();
    start();
  }
}

TEST(WatchedPlaces, are_those_where_a_path_can_change) {
  const TemporaryDirectory temporary;
  const fs::path root = temporary.path;
  fs::create_directories(root / "tls/..1");
  write(root / "tls/..1/tls.crt", "x");
  fs::create_directory_symlink("..1", root / "tls/..data");
  fs::create_symlink("..data/tls.crt", root / "tls/tls.crt");
  Places places;
  add_places(root / "tls/tls.crt", places);
  EXPECT_EQ(places[root], (std::set<std::string>{"tls"}));
  EXPECT_EQ(places[root / "tls"], (std::set<std::string>{"tls.crt", "..data", "..1"}));
  EXPECT_EQ(places[root / "tls/..1"], (std::set<std::string>{"tls.crt"}));
}

TEST(WatchedPlaces, are_found_for_what_does_not_exist_or_turns_in_a_circle) {
  const TemporaryDirectory temporary;
  const fs::path root = temporary.path;
  Places missing;
  add_places(root / "not/there/tls.crt", missing);
  EXPECT_EQ(missing[root], (std::set<std::string>{"not"}));
  fs::create_symlink("b", root / "a");
  fs::create_symlink("a", root / "b");
  Places circle;
  add_places(root / "a", circle);
  EXPECT_EQ(circle[root], (std::set<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace hawser::tls::test
