#include "identity/store_issue.hpp"

#include "identity/chain.hpp"
#include "store_world.hpp"

namespace hawser::identity {
namespace {

using namespace std::chrono_literals;

class StoreIssue : public StoreWorld {
 protected:
  void SetUp() override {
    StoreWorld::SetUp();
    operator_.subject = saved_key(KeyKind::operator_key).public_key().text();
    operator_.name = "ops";
    account_.subject = saved_key(KeyKind::account).public_key().text();
    account_.name = "prod";
    user_.subject = KeyPair::create(KeyKind::user)->public_key().text();
    user_.name = "kate";
  }
  std::string add_key(std::string_view role = "") {
    const std::string key = saved_key(KeyKind::account).public_key().text();
    account_.signing_keys.push_back({.key = key, .scoped = !role.empty(), .role = std::string(role)});
    return key;
  }
  AccountClaims account_;
  UserClaims user_;
};

TEST_F(StoreIssue, signing_keys_come_before_the_identitys_own) {
  const std::string signing = saved_key(KeyKind::operator_key).public_key().text();
  EXPECT_EQ(decode_account(issuer().account(operator_, account_).value())->issuer, operator_.subject);
  operator_.signing_keys = {signing};
  EXPECT_EQ(decode_account(issuer().account(operator_, account_).value())->issuer, signing);
}

TEST_F(StoreIssue, a_strict_operator_never_signs_with_its_own_key) {
  operator_.strict_signing_keys = true;
  EXPECT_EQ(issuer().account(operator_, account_).error().code, Errc::id_key_missing);
}

TEST_F(StoreIssue, the_key_that_signed_before_signs_again) {
  operator_.signing_keys = {saved_key(KeyKind::operator_key).public_key().text(),
                            saved_key(KeyKind::operator_key).public_key().text()};
  account_.issuer = operator_.signing_keys[1];
  EXPECT_EQ(decode_account(issuer().account(operator_, account_).value())->issuer, operator_.signing_keys[1]);
}

TEST_F(StoreIssue, a_key_that_is_elsewhere_is_passed_over) {
  operator_.signing_keys = {KeyPair::create(KeyKind::operator_key)->public_key().text()};
  EXPECT_EQ(decode_account(issuer().account(operator_, account_).value())->issuer, operator_.subject);
}

TEST_F(StoreIssue, a_missing_key_is_named) {
  ASSERT_TRUE(ring_->erase(operator_.subject));
  const auto token = issuer().account(operator_, account_);
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code, Errc::id_key_missing);
  EXPECT_NE(token.error().doing.find(operator_.subject), std::string::npos);
}

TEST_F(StoreIssue, users_of_a_signing_key_name_their_account) {
  EXPECT_EQ(decode_user_jwt(issuer().user(account_, user_).value())->issuer_account, "");
  add_key();
  const auto claims = decode_user_jwt(issuer().user(account_, user_).value());
  EXPECT_EQ(claims->issuer_account, account_.subject);
  EXPECT_TRUE(admit_user(*claims, account_, kNow));
}

TEST_F(StoreIssue, a_role_is_signed_by_its_own_key_and_again) {
  const std::string reader = add_key("reader");
  add_key();
  static_cast<UserLimits&>(user_) = UserLimits::absent();
  auto claims = decode_user_jwt(issuer().user(account_, user_, "reader").value());
  EXPECT_EQ(claims->issuer, reader);
  EXPECT_TRUE(admit_user(*claims, account_, kNow));
  EXPECT_EQ(decode_user_jwt(issuer().user(account_, *claims).value())->issuer, reader);
  EXPECT_EQ(issuer().user(account_, user_, "writer").error().code, Errc::id_not_found);
}

TEST_F(StoreIssue, what_is_issued_after_a_revocation_in_the_same_second_is_good) {
  account_.revocations[user_.subject] = kNow;
  const auto claims = decode_user_jwt(issuer().user(account_, user_).value());
  EXPECT_EQ(claims->issued_at, kNow + 1s);
  EXPECT_TRUE(admit_user(*claims, account_, kNow));
}

TEST_F(StoreIssue, an_activation_lets_its_importer_in_and_no_other) {
  account_.exports.push_back({.subject = "orders.>", .kind = ShareKind::service, .token_required = true});
  ImportClaim import{.subject = "orders.get", .account = account_.subject, .kind = ShareKind::service};
  const std::string importer = KeyPair::create(KeyKind::account)->public_key().text();
  add_key();
  import.token = issuer().activation(account_, import, importer).value();
  EXPECT_TRUE(admit_activation(import, importer, account_, kNow));
  EXPECT_FALSE(admit_activation(import, KeyPair::create(KeyKind::account)->public_key().text(), account_, kNow));
}

}  // namespace
}  // namespace hawser::identity
