// A store in a directory of its own, with an operator, for the tests of store*.cpp and policy_plan.cpp.
#pragma once

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "identity/store.hpp"
#include "identity/store_issue.hpp"
#include "identity/store_keys.hpp"
#include "identity/token.hpp"

namespace hawser::identity {

inline constexpr std::chrono::sys_seconds kNow{std::chrono::seconds(1'800'000'000)};

class StoreWorld : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "hawser-store-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    places_ = {.stores = directory_ / "id", .keys = directory_ / "id"};
    ring_.emplace(places_.keys);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  KeyPair saved_key(KeyKind kind) {
    KeyPair key = KeyPair::create(kind).value();
    EXPECT_TRUE(ring_->save(key));
    return key;
  }

  // "ops", its key in the ring.
  Store make_operator() {
    operator_.subject = saved_key(KeyKind::operator_key).public_key().text();
    operator_.name = "ops";
    return Store::create(places_, "ops", issuer().self_signed(operator_).value()).value();
  }

  AccountClaims put_account(const Store& store, const std::string& name) {
    AccountClaims claims;
    claims.subject = saved_key(KeyKind::account).public_key().text();
    claims.name = name;
    EXPECT_TRUE(store.put_account(name, issuer().account(operator_, claims).value()));
    return claims;
  }

  UserClaims put_user(const Store& store, const AccountClaims& account, const std::string& name) {
    UserClaims claims;
    claims.subject = saved_key(KeyKind::user).public_key().text();
    claims.name = name;
    EXPECT_TRUE(store.put_user(account.name, name, issuer().user(account, claims).value()));
    return claims;
  }

  [[nodiscard]] Issuer issuer() const { return {*ring_, kNow}; }

  static std::string content(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void overwrite(const std::filesystem::path& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  static unsigned mode(const std::filesystem::path& path) {
    struct stat about{};
    EXPECT_EQ(::stat(path.c_str(), &about), 0) << path;
    return about.st_mode & 07777U;
  }

  std::filesystem::path directory_;
  StorePlaces places_;
  std::optional<KeyRing> ring_;
  OperatorClaims operator_;
};

}  // namespace hawser::identity
