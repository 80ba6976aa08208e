#include "identity/store.hpp"

#include <gmock/gmock.h>
#include <thread>

#include "identity/creds.hpp"
#include "identity/store_retiring.hpp"
#include "store_world.hpp"

namespace hawser::identity {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

TEST_F(StoreWorld, an_operator_lies_as_nsc_lays_it) {
  const Store store = make_operator();
  const auto root = places_.stores / "ops";
  EXPECT_EQ(content(root / ".nsc"), R"({"managed":false,"name":"ops","kind":"operator","version":"1"})");
  EXPECT_EQ(content(root / "ops.jwt"), store.read_operator()->token);  // not even a line's end behind it
  EXPECT_TRUE(std::filesystem::is_directory(root / "accounts"));
  EXPECT_THAT(stored_operators(places_).value(), ElementsAre("ops"));
}

TEST_F(StoreWorld, nothing_of_it_is_for_others_to_read) {
  const Store store = make_operator();
  const AccountClaims account = put_account(store, "prod");
  const UserClaims user = put_user(store, account, "kate");
  const auto creds =
      store.put_creds("prod", "kate", store.user("prod", "kate")->token, ring_->find(user.subject).value());
  ASSERT_TRUE(creds);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(places_.stores)) {
    EXPECT_EQ(mode(entry.path()), entry.is_directory() ? 0700U : 0600U) << entry.path();
  }
  EXPECT_EQ(mode(places_.stores), 0700U);
}

TEST_F(StoreWorld, what_is_put_is_read_again) {
  const Store store = make_operator();
  const AccountClaims account = put_account(store, "prod");
  put_account(store, "test");
  const UserClaims kate = put_user(store, account, "Agent Kate");
  EXPECT_THAT(store.account_names().value(), ElementsAre("prod", "test"));
  EXPECT_THAT(store.user_names("prod").value(), ElementsAre("Agent Kate"));
  EXPECT_EQ(store.account("prod")->claims.subject, account.subject);
  EXPECT_EQ(store.user("prod", "Agent Kate")->claims.subject, kate.subject);
  EXPECT_EQ(store.account_of_key(account.subject)->name, "prod");
  EXPECT_EQ(store.account("nobody").error().code, Errc::id_not_found);
  EXPECT_EQ(store.user("prod", "nobody").error().code, Errc::id_not_found);
}

TEST_F(StoreWorld, the_creds_that_it_writes_are_those_of_the_user) {
  const Store store = make_operator();
  const AccountClaims account = put_account(store, "prod");
  const UserClaims user = put_user(store, account, "kate");
  const auto path =
      store.put_creds("prod", "kate", store.user("prod", "kate")->token, ring_->find(user.subject).value());
  const auto creds = parse_creds(content(path.value()));
  ASSERT_TRUE(creds) << creds.error().message();
  EXPECT_EQ(creds->claims.subject, user.subject);
  EXPECT_TRUE(creds->seed_matches());
}

TEST_F(StoreWorld, names_are_checked_before_they_are_paths) {
  const Store store = make_operator();
  EXPECT_EQ(store.account("../ops").error().code, Errc::id_bad_name);
  EXPECT_EQ(store.user("prod", "../../x").error().code, Errc::id_bad_name);
  EXPECT_EQ(store.put_account("a/b", "x").error().code, Errc::id_bad_name);
  EXPECT_EQ(store.put_user("..", "x", "x").error().code, Errc::id_bad_name);
  EXPECT_EQ(store.erase_account("..").error().code, Errc::id_bad_name);
  EXPECT_EQ(Store::open(places_, "../ops", Store::Access::read).error().code, Errc::id_bad_name);
}

TEST_F(StoreWorld, half_a_file_is_an_error_that_names_it) {
  const Store store = make_operator();
  put_account(store, "prod");
  const auto path = places_.stores / "ops" / "accounts" / "prod" / "prod.jwt";
  const std::string whole = content(path);
  for (const std::string& text :
       {std::string(), whole.substr(0, whole.size() / 2), std::string("hello"), whole + whole}) {
    overwrite(path, text);
    const auto read = store.accounts();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Errc::id_store_unusable);
    EXPECT_THAT(read.error().doing, HasSubstr("prod.jwt"));
    EXPECT_THAT(read.error().doing, testing::Not(HasSubstr(whole.substr(40, 40))));
  }
}

TEST_F(StoreWorld, a_jwt_of_another_kind_is_an_error) {
  const Store store = make_operator();
  put_account(store, "prod");
  overwrite(places_.stores / "ops" / "accounts" / "prod" / "prod.jwt", store.read_operator()->token);
  EXPECT_EQ(store.account("prod").error().code, Errc::id_store_unusable);
}

TEST_F(StoreWorld, what_nsc_would_not_look_at_is_passed_over) {
  const Store store = make_operator();
  put_account(store, "prod");
  std::filesystem::create_directories(places_.stores / "ops" / "accounts" / "empty");
  std::filesystem::create_directories(places_.stores / "ops" / "accounts" / "prod" / "users");
  overwrite(places_.stores / "ops" / "accounts" / "prod" / "users" / "notes.txt", "hello");
  EXPECT_THAT(store.account_names().value(), ElementsAre("prod"));
  EXPECT_TRUE(store.user_names("prod")->empty());
}

TEST_F(StoreWorld, a_line_end_behind_a_token_is_no_matter) {
  const Store store = make_operator();
  put_account(store, "prod");
  const auto path = places_.stores / "ops" / "accounts" / "prod" / "prod.jwt";
  overwrite(path, content(path) + "\n");
  EXPECT_TRUE(store.account("prod"));
}

TEST_F(StoreWorld, a_second_operator_of_the_name_is_refused) {
  {
    const Store first = make_operator();
  }
  EXPECT_EQ(Store::create(places_, "ops", "x").error().code, Errc::id_exists);
}

TEST_F(StoreWorld, one_writes_at_a_time) {
  std::optional<Store> first = make_operator();
  const auto second = Store::open(places_, "ops", Store::Access::write, 0ms);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::id_store_unusable);
  EXPECT_THAT(second.error().doing, HasSubstr(std::to_string(::getpid())));
  EXPECT_TRUE(Store::open(places_, "ops", Store::Access::read, 0ms));
  first.reset();
  EXPECT_TRUE(Store::open(places_, "ops", Store::Access::write, 0ms));
}

TEST_F(StoreWorld, a_second_writer_waits_its_turn) {
  std::optional<Store> first = make_operator();
  std::atomic<bool> got = false;
  std::thread other([&] { got = Store::open(places_, "ops", Store::Access::write, 30s).has_value(); });
  first.reset();
  other.join();
  EXPECT_TRUE(got);
}

TEST_F(StoreWorld, what_is_erased_is_gone_with_its_creds) {
  const Store store = make_operator();
  const AccountClaims account = put_account(store, "prod");
  const UserClaims user = put_user(store, account, "kate");
  const auto creds =
      store.put_creds("prod", "kate", store.user("prod", "kate")->token, ring_->find(user.subject).value());
  EXPECT_TRUE(store.erase_user("prod", "kate"));
  EXPECT_FALSE(std::filesystem::exists(*creds));
  EXPECT_EQ(store.erase_user("prod", "kate").error().code, Errc::id_not_found);
  EXPECT_TRUE(store.erase_account("prod"));
  EXPECT_EQ(store.erase_account("prod").error().code, Errc::id_not_found);
  EXPECT_TRUE(store.account_names()->empty());
}

TEST_F(StoreWorld, a_directory_without_an_operator_is_no_store) {
  EXPECT_EQ(stored_operators(places_).error().code, Errc::id_store_missing);
  EXPECT_EQ(Store::open(places_, "ops", Store::Access::read).error().code, Errc::id_not_found);
}

// ---- keys
// -------------------------------------------------------------------------------------------------------------

TEST_F(StoreWorld, a_key_is_found_by_its_public_one) {
  const KeyPair key = saved_key(KeyKind::account);
  EXPECT_EQ(ring_->find(key.public_key().text())->seed().reveal(), key.seed().reveal());
  EXPECT_EQ(content(key_file(places_.keys, key.public_key().text())), key.seed().reveal());
  EXPECT_THAT(content(places_.keys / ".gitignore"), HasSubstr("**/*.nk"));
}

TEST_F(StoreWorld, a_key_that_is_not_there_is_missed_by_name) {
  const std::string other = KeyPair::create(KeyKind::account)->public_key().text();
  const auto found = ring_->find(other);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::id_key_missing);
  EXPECT_THAT(found.error().doing, HasSubstr(other));
  EXPECT_EQ(ring_->find("../../etc/passwd").error().code, Errc::id_key_missing);
}

TEST_F(StoreWorld, a_key_file_that_holds_another_key_is_refused) {
  const KeyPair key = saved_key(KeyKind::account);
  const KeyPair other = KeyPair::create(KeyKind::account).value();
  overwrite(key_file(places_.keys, key.public_key().text()), other.seed().reveal());
  const auto found = ring_->find(key.public_key().text());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::id_store_unusable);
  EXPECT_THAT(found.error().doing, testing::Not(HasSubstr(std::string(other.seed().reveal()))));
}

TEST_F(StoreWorld, a_key_that_others_may_read_is_refused) {
  const KeyPair key = saved_key(KeyKind::account);
  ASSERT_EQ(::chmod(key_file(places_.keys, key.public_key().text()).c_str(), 0644), 0);
  EXPECT_EQ(ring_->find(key.public_key().text()).error().code, Errc::id_store_unusable);
}

TEST_F(StoreWorld, a_lent_key_is_never_written) {
  const KeyPair key = KeyPair::create(KeyKind::operator_key).value();
  const auto file = directory_ / "operator.nk";
  overwrite(file, std::string(key.seed().reveal()) + "\n");
  ASSERT_TRUE(ring_->lend_file(file));
  EXPECT_TRUE(ring_->holds(key.public_key().text()));
  EXPECT_FALSE(std::filesystem::exists(key_file(places_.keys, key.public_key().text())));
  EXPECT_FALSE(ring_->lend_file(directory_ / "nothing.nk"));
}

// ---- keys on their way out
// ----------------------------------------------------------------------------------------------

TEST_F(StoreWorld, retiring_keys_are_remembered) {
  const Store store = make_operator();
  EXPECT_TRUE(read_retiring(store)->empty());
  const std::string key = KeyPair::create(KeyKind::user)->public_key().text();
  const std::vector<RetiringKey> keys = {{.key = key, .account = "prod", .user = "kate", .until = kNow}};
  ASSERT_TRUE(write_retiring(store, keys));
  const auto read = read_retiring(store);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 1U);
  EXPECT_EQ(read->front().key, key);
  EXPECT_EQ(read->front().user, "kate");
  EXPECT_EQ(read->front().until, kNow);
}

TEST_F(StoreWorld, a_damaged_list_of_retiring_keys_is_an_error) {
  const Store store = make_operator();
  for (const std::string_view text : {"", "{", "{}", "[1]", R"([{"key":"x","until":"2026-01-01T00:00:00Z"}])"}) {
    overwrite(places_.stores / "ops" / ".hawser-retiring.json", text);
    EXPECT_EQ(read_retiring(store).error().code, Errc::id_store_unusable) << text;
  }
}

}  // namespace
}  // namespace hawser::identity
