#include "identity/store_nsc.hpp"

#include <map>

#include "store_world.hpp"

namespace hawser::identity {
namespace {

class StoreNsc : public StoreWorld {
 protected:
  Result<NscContext> read() {
    return read_nsc_context([this](std::string_view name) {
      const auto found = environment_.find(name);
      return found == environment_.end() ? std::nullopt : std::optional(found->second);
    });
  }
  void write(const std::filesystem::path& directory, std::string_view text) {
    std::filesystem::create_directories(directory);
    overwrite(directory / "nsc.json", text);
  }
  std::map<std::string, std::string, std::less<>> environment_;
};

TEST_F(StoreNsc, what_nsc_was_told_last_counts) {
  environment_["HOME"] = directory_.string();
  write(directory_ / ".config/nats/nsc", R"({"store_root":"/srv/nsc","operator":"ops","account":"A","last_update":1})");
  EXPECT_EQ(read()->store_root, "/srv/nsc");
  EXPECT_EQ(read()->operator_name, "ops");
}

TEST_F(StoreNsc, nsc_home_is_looked_at_first) {
  environment_ = {
      {"HOME", directory_.string()}, {"NSC_HOME", (directory_ / "own").string()}, {"XDG_CONFIG_HOME", "/nowhere"}};
  write(directory_ / "own", R"({"operator":"mine"})");
  EXPECT_EQ(read()->operator_name, "mine");
  EXPECT_EQ(read()->store_root, "");
}

TEST_F(StoreNsc, without_nsc_nothing_was_said) {
  EXPECT_EQ(read()->store_root, "");
  environment_["HOME"] = directory_.string();
  EXPECT_EQ(read()->operator_name, "");
}

TEST_F(StoreNsc, a_damaged_configuration_is_an_error) {
  environment_["NSC_HOME"] = directory_.string();
  for (const std::string_view text : {"", "{", "[]", "hello"}) {
    write(directory_, text);
    EXPECT_EQ(read().error().code, Errc::id_store_unusable) << text;
  }
}

}  // namespace
}  // namespace hawser::identity
