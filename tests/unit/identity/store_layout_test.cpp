#include "identity/store_layout.hpp"

#include <gtest/gtest.h>
#include <map>

namespace hawser::identity {
namespace {

StorePlaces places(const StoreWishes& wishes, const std::map<std::string, std::string, std::less<>>& environment) {
  return find_store_places(wishes,
                           [&](std::string_view name) {
                             const auto found = environment.find(name);
                             return found == environment.end() ? std::nullopt : std::optional(found->second);
                           })
      .value();
}

TEST(StoreLayout, a_named_store_holds_keys_too) {
  const StorePlaces named =
      places({.store = "/s"}, {{"HAWSER_ID_STORE", "/other"}, {"NKEYS_PATH", "/n"}, {"HOME", "/h"}});
  EXPECT_EQ(named.stores, "/s");
  EXPECT_EQ(named.keys, "/s");
}

TEST(StoreLayout, the_environment_names_it_when_no_flag_does) {
  const StorePlaces named = places({}, {{"HAWSER_ID_STORE", "/e"}, {"NKEYS_PATH", "/n"}, {"HOME", "/h"}});
  EXPECT_EQ(named.stores, "/e");
  EXPECT_EQ(named.keys, "/e");
}

TEST(StoreLayout, without_a_name_it_is_nscs_own_place) {
  EXPECT_EQ(places({}, {{"HOME", "/h"}}).stores, "/h/.local/share/nats/nsc/stores");
  EXPECT_EQ(places({}, {{"HOME", "/h"}}).keys, "/h/.local/share/nats/nsc/keys");
  EXPECT_EQ(places({}, {{"HOME", "/h"}, {"XDG_DATA_HOME", "/x"}}).stores, "/x/nats/nsc/stores");
  EXPECT_EQ(places({}, {{"HOME", "/h"}, {"NKEYS_PATH", "/n"}}).keys, "/n");
  EXPECT_EQ(places({.keys = "/k"}, {{"HOME", "/h"}, {"NKEYS_PATH", "/n"}}).keys, "/k");
}

TEST(StoreLayout, without_a_home_there_is_no_store) {
  const auto none = find_store_places({}, [](std::string_view) { return std::optional<std::string>(); });
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::id_store_missing);
}

TEST(StoreLayout, files_lie_where_nsc_looks_for_them) {
  const StorePlaces at{.stores = "/s", .keys = "/k"};
  EXPECT_EQ(account_directory(at, "ops", "prod"), "/s/ops/accounts/prod");
  EXPECT_EQ(creds_file(at, "ops", "prod", "kate"), "/k/creds/ops/prod/kate.creds");
  EXPECT_EQ(key_file("/k", "UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK"),
            "/k/keys/U/AB/UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK.nk");
}

TEST(StoreLayout, names_that_could_leave_the_store_are_refused) {
  for (const std::string_view name : {"", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", ".hidden", "-rf", " a", "a ",
                                      "a.", "a\nb", "a\x01", "a\x7f", "a\xc2\x9b", "a/../../b"}) {
    const auto checked = check_store_name("account", name);
    ASSERT_FALSE(checked) << name;
    EXPECT_EQ(checked.error().code, Errc::id_bad_name);
  }
  EXPECT_FALSE(check_store_name("user", std::string(129, 'a')));
  EXPECT_FALSE(check_store_name("user", std::string_view("a\0b", 3)));
}

TEST(StoreLayout, names_that_people_use_are_taken) {
  for (const std::string_view name : {"nexo-prod", "Agent Kate", "kate@example.com", "a", "v1.2", "Zürich", "a_b"}) {
    EXPECT_TRUE(check_store_name("user", name)) << name;
  }
}

TEST(StoreLayout, an_operator_is_not_called_as_a_directory_beside_it) {
  EXPECT_FALSE(check_store_name("operator", "keys"));
  EXPECT_FALSE(check_store_name("operator", "creds"));
  EXPECT_TRUE(check_store_name("account", "keys"));
}

}  // namespace
}  // namespace hawser::identity
