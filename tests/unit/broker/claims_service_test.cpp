#include "broker/claims_service.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <stdlib.h>

#include "broker/operator_world.hpp"

namespace hawser::broker {
namespace {

namespace fs = std::filesystem;
using namespace test;

// A broker's part in it.
struct Owner final : AccountsOwner {
  explicit Owner(Settings settings) {
    auto made = configure(std::move(settings));
    EXPECT_TRUE(made) << (made ? "" : made.error().message());
    now = made ? *made : nullptr;
  }
  [[nodiscard]] ConfigurationPtr configuration() const override { return now; }
  Result<void> change_accounts(const Change& change) override {
    AccountJwts jwts = now->authority->jwts();
    if (auto changed = change(jwts); !changed) {
      return changed;
    }
    now = with_accounts(*now, std::move(jwts));
    ++changes;
    return {};
  }
  ConfigurationPtr now;
  int changes = 0;
};

class ClaimsServiceTest : public ::testing::Test {
 protected:
  ClaimsServiceTest() {
    std::string pattern = (fs::temp_directory_path() / "hawser-claims-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~ClaimsServiceTest() override {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  void start(ResolverKind kind, std::size_t limit = 10) {
    Settings settings;
    settings.operator_mode = trusting();
    settings.operator_mode->resolver = {
        .kind = kind, .directory = directory(), .allow_delete = true, .hard_delete = false, .limit = limit};
    settings.operator_mode->preload.push_back({system().subject, token(system()), ""});
    settings.system_account = system().subject;
    owner_ = std::make_unique<Owner>(std::move(settings));
    claims_ = std::make_unique<ClaimsService>(*owner_);
    const Result<void> settled = claims_->settle_in();
    ASSERT_TRUE(settled) << settled.error().message();
  }
  static identity::AccountClaims system() { return account('s', "SYS"); }
  static std::string token(const identity::AccountClaims& claims, const identity::KeyPair& by = operator_key()) {
    return signed_by(by, claims, std::chrono::floor<std::chrono::seconds>(wall_now()));
  }
  [[nodiscard]] fs::path directory() const { return root_ / "jwt"; }
  [[nodiscard]] fs::path file(const identity::AccountClaims& claims) const {
    return directory() / (claims.subject + ".jwt");
  }
  static std::string content(const fs::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // Of a request that is answered once.
  std::string ask(std::string_view subject, std::string_view payload = {}) {
    const auto answers = claims_->answer(subject, payload);
    EXPECT_EQ(answers.size(), 1U) << subject;
    return answers.empty() ? std::string() : answers.front().text;
  }
  std::string push(std::string_view what) { return ask("$SYS.REQ.CLAIMS.UPDATE", what); }
  bool knows(const identity::AccountClaims& claims) { return owner_->now->authority->jwts().contains(claims.subject); }

  fs::path root_;
  std::unique_ptr<Owner> owner_;
  std::unique_ptr<ClaimsService> claims_;
};

TEST_F(ClaimsServiceTest, keeps_what_is_pushed_on_the_disk_and_in_use) {
  start(ResolverKind::full);
  const std::string pushed = token(account('a'));
  EXPECT_EQ(push(pushed), R"({"account":")" + account('a').subject + R"(","code":200,"message":"jwt updated"})");
  EXPECT_EQ(content(file(account('a'))), pushed);
  EXPECT_EQ(fs::status(file(account('a'))).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_TRUE(knows(account('a')));
  EXPECT_EQ(owner_->changes, 1);
  EXPECT_NE(push(pushed).find("jwt updated"), std::string::npos);
  EXPECT_EQ(owner_->changes, 1);  // the same again changes nothing
  start(ResolverKind::full);
  EXPECT_TRUE(knows(account('a')));
}

TEST_F(ClaimsServiceTest, takes_nothing_that_it_would_not_let_in) {
  start(ResolverKind::full);
  identity::AccountClaims expired = account('a');
  expired.expires = std::chrono::floor<std::chrono::seconds>(wall_now()) - 5s;
  for (const std::string& bad : {token(account('a'), operator_key('x')), token(expired), std::string("no.jwt.at.all"),
                                 std::string(), signed_by(account_key('a'), user('k'))}) {
    EXPECT_NE(push(bad).find("\"code\":500"), std::string::npos) << bad;
  }
  EXPECT_FALSE(fs::exists(file(account('a'))));
  EXPECT_EQ(owner_->changes, 0);
}

TEST_F(ClaimsServiceTest, wants_the_account_of_the_subject) {
  start(ResolverKind::full);
  for (const std::string prefix : {"$SYS.REQ.ACCOUNT.", "$SYS.ACCOUNT."}) {
    const std::string right = prefix + account('a').subject + ".CLAIMS.UPDATE";
    const std::string wrong = prefix + account('b').subject + ".CLAIMS.UPDATE";
    EXPECT_NE(ask(wrong, token(account('a'))).find("subject does not match jwt content"), std::string::npos);
    EXPECT_NE(ask(right, token(account('a'))).find("jwt updated"), std::string::npos);
  }
}

TEST_F(ClaimsServiceTest, is_full_at_its_limit) {
  start(ResolverKind::full, 2);
  push(token(account('a')));
  EXPECT_NE(push(token(account('b', "B"))).find("jwt store is full"), std::string::npos);
  EXPECT_FALSE(fs::exists(file(account('b'))));
  EXPECT_NE(push(token(account('a', "renamed"))).find("jwt updated"), std::string::npos);
}

TEST_F(ClaimsServiceTest, lists_looks_up_and_packs_what_is_not_expired) {
  start(ResolverKind::full);
  const std::string pushed = token(account('a'));
  push(pushed);
  const std::string list = ask("$SYS.REQ.CLAIMS.LIST");
  EXPECT_NE(list.find(account('a').subject), std::string::npos);
  EXPECT_NE(list.find(system().subject), std::string::npos);
  EXPECT_EQ(ask("$SYS.REQ.ACCOUNT." + account('a').subject + ".CLAIMS.LOOKUP"), pushed);
  EXPECT_TRUE(claims_->answer("$SYS.REQ.ACCOUNT." + account('b').subject + ".CLAIMS.LOOKUP", "").empty());
  EXPECT_TRUE(claims_->answer("$SYS.REQ.ACCOUNT.../../x.CLAIMS.LOOKUP", "").empty());
  const auto pack = claims_->answer("$SYS.REQ.CLAIMS.PACK", std::string(32, 'x'));
  ASSERT_EQ(pack.size(), 3U);
  EXPECT_EQ(pack.back().text, "");
  std::set<std::string> lines{pack[0].text, pack[1].text};
  EXPECT_TRUE(lines.contains(account('a').subject + "|" + pushed));
}

TEST_F(ClaimsServiceTest, deletes_for_the_operator_alone) {
  start(ResolverKind::full);
  push(token(account('a')));
  const auto request = [](const identity::KeyPair& key, const identity::AccountClaims& what,
                          std::optional<std::chrono::sys_seconds> expires = {}) {
    identity::GenericClaims claims;
    claims.subject = key.public_key().text();
    claims.expires = expires;
    claims.unknown = R"({"accounts":[")" + what.subject + R"("]})";
    return signed_by(key, claims);
  };
  for (const auto& [text, why] :
       {std::pair(request(operator_key('x'), account('a')), "not trusted"),
        std::pair(request(operator_key(), system()), "not allowed to delete system account"),
        std::pair(request(operator_key(), account('a'), kNow - 1'000'000'000s), "has expired"),
        std::pair(std::string("x.y.z"), "failed")}) {
    EXPECT_NE(ask("$SYS.REQ.CLAIMS.DELETE", text).find(why), std::string::npos) << why;
  }
  EXPECT_TRUE(knows(account('a')));
  EXPECT_EQ(ask("$SYS.REQ.CLAIMS.DELETE", request(operator_key(), account('a'))),
            R"({"code":200,"message":"deleted 1 accounts"})");
  EXPECT_FALSE(knows(account('a')));
  EXPECT_FALSE(fs::exists(file(account('a'))));
  EXPECT_TRUE(fs::exists(file(account('a')).string() + ".deleted"));
}

TEST_F(ClaimsServiceTest, with_memory_alone_updates_only_what_it_has) {
  start(ResolverKind::memory);
  EXPECT_EQ(claims_->subjects().size(), 2U);
  const auto update = [&](const identity::AccountClaims& claims) {
    return ask("$SYS.REQ.ACCOUNT." + claims.subject + ".CLAIMS.UPDATE", token(claims));
  };
  EXPECT_NE(update(account('a')).find("jwt update skipped"), std::string::npos);
  EXPECT_FALSE(knows(account('a')));
  identity::AccountClaims renamed = system();
  renamed.name = "renamed";
  EXPECT_NE(update(renamed).find("jwt updated"), std::string::npos);
  EXPECT_FALSE(fs::exists(directory()));
}

TEST_F(ClaimsServiceTest, passes_over_files_that_are_no_accounts) {
  fs::create_directories(directory());
  std::ofstream(file(account('a'))) << "nonsense";
  std::ofstream(file(account('b'))) << token(account('c', "C"));
  std::ofstream(directory() / "notes.jwt") << "nothing";
  std::ofstream(file(account('d'))) << token(account('d', "D")) << "\n";
  start(ResolverKind::full);
  EXPECT_FALSE(knows(account('a')));
  EXPECT_FALSE(knows(account('b')));
  EXPECT_TRUE(knows(account('d')));
  EXPECT_EQ(owner_->now->problems.size(), 2U);
  EXPECT_EQ(content(file(account('a'))), "nonsense");
}

TEST_F(ClaimsServiceTest, prefers_the_newer_of_the_preloaded_and_the_stored) {
  fs::create_directories(directory());
  identity::AccountClaims newer = system();
  newer.name = "newer";
  std::ofstream(file(system())) << signed_by(operator_key(), newer,
                                             std::chrono::floor<std::chrono::seconds>(wall_now()) + 60s);
  start(ResolverKind::full);
  EXPECT_EQ(owner_->now->authority->jwts().at(system().subject)->claims.name, "newer");
}

TEST_F(ClaimsServiceTest, needs_the_system_account) {
  Settings settings;
  settings.operator_mode = trusting();
  settings.system_account = system().subject;
  EXPECT_EQ(configure(std::move(settings)).error().code, Errc::broker_system_account);
  Settings foreign;
  foreign.operator_mode = trusting();
  foreign.system_account = system().subject;
  foreign.operator_mode->preload.push_back({"", token(system(), operator_key('x')), ""});
  EXPECT_EQ(configure(std::move(foreign)).error().code, Errc::broker_system_account);
}

}  // namespace
}  // namespace hawser::broker
