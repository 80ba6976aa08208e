// What flows between accounts on its way through two threads; tests/scenario/test_broker_accounts.py compares the whole
// with nats-server.
#include "broker/account_services.hpp"
#include "broker/turned_test.hpp"

namespace hawser::broker {
namespace {

using namespace test;

struct AccountFlowTest : Turned {
  static Account named(std::string name) {
    Account account;
    account.name = std::move(name);
    return account;
  }
  static Export exported(ExportKind kind, std::string subject) {
    Export made;
    made.kind = kind;
    made.subject = std::move(subject);
    return made;
  }
  static Import imported(ExportKind kind, std::string account, std::string subject, std::string to) {
    Import made;
    made.kind = kind;
    made.account = std::move(account);
    made.subject = std::move(subject);
    made.to = std::move(to);
    return made;
  }
  // X serves "req.*" and streams ">", M asks as "ask.*" and hears "my.>", N hears X too.
  static Settings shared() {
    Settings settings = two_threads();
    Account x = named("X");
    x.exports = {exported(ExportKind::service, "req.*"), exported(ExportKind::stream, ">")};
    Account m = named("M");
    m.imports = {imported(ExportKind::service, "X", "req.*", "ask.*"),
                 imported(ExportKind::stream, "X", "ev.>", "my.>")};
    Account n = named("N");
    n.imports = {imported(ExportKind::stream, "X", ">", "")};
    settings.accounts = {std::move(x), std::move(m), std::move(n)};
    for (const char* account : {"X", "M", "N"}) {
      settings.authorization.users.push_back(plain_user(account, account));
    }
    return settings;
  }
  // What the broker does at start and at a reload.
  Result<void> turn_to(Settings settings) {
    if (broker == nullptr) {
      start(std::move(settings));
    } else if (auto taken = broker->reload(std::move(settings)); !taken) {
      return taken;
    }
    apply_services(broker->hub().accounts, *broker->configuration()->rules);
    broker->turn(3);
    return {};
  }
  static std::string reply_in(const std::string& heard) {
    const std::size_t at = heard.find("_R_.");
    return at == std::string::npos ? std::string() : heard.substr(at, heard.find(' ', at) - at);
  }
};

TEST_F(AccountFlowTest, a_request_finds_its_service_and_back_on_whatever_threads_they_are) {
  ASSERT_TRUE(turn_to(shared()));
  for (const auto& [asks, serves] : {std::pair{0, 0}, {0, 1}, {1, 0}, {1, 1}}) {
    TurnedClient service = client(static_cast<std::size_t>(serves), as("X"));
    TurnedClient asker = client(static_cast<std::size_t>(asks), as("M"));
    say(service, "SUB req.* g 1\r\n");
    say(asker, "SUB in.* 9\r\nPUB ask.a in.1 1\r\n?\r\n");
    const std::string asked = heard(service);
    ASSERT_TRUE(asked.starts_with("MSG req.a 1 _R_.")) << asked;
    say(service, "PUB " + reply_in(asked) + " 1\r\n!\r\n");
    EXPECT_EQ(heard(asker), "MSG in.1 9 1\r\n!\r\n");
  }
}

TEST_F(AccountFlowTest, requests_are_no_streams_for_third_accounts) {
  ASSERT_TRUE(turn_to(shared()));
  TurnedClient asker = client(0, as("M"));
  std::vector<TurnedClient> others;
  for (const std::size_t worker : {0U, 1U}) {
    others.push_back(client(worker, as("N")));
    say(others.back(), "SUB > 1\r\nSUB > g 2\r\n");
  }
  TurnedClient service = client(1, as("X"));
  say(service, "SUB req.* 1\r\n");
  say(asker, "PUB ask.secret 1\r\n?\r\n");
  EXPECT_EQ(count(heard(service), "MSG req.secret"), 1U);
  for (TurnedClient& other : others) {
    EXPECT_EQ(heard(other), "");
  }
  say(service, "PUB open 1\r\n!\r\n");
  std::string all;
  for (TurnedClient& other : others) {
    all += heard(other);
  }
  EXPECT_EQ(count(all, "MSG open 1 "), 2U);
  EXPECT_EQ(count(all, "MSG open 2 "), 1U) << "one of the group";
}

TEST_F(AccountFlowTest, an_import_that_a_reload_takes_away_ends_at_once_with_the_answers_that_it_owes) {
  ASSERT_TRUE(turn_to(shared()));
  TurnedClient service = client(0, as("X"));
  TurnedClient asker = client(1, as("M"));
  say(service, "SUB req.* 1\r\n");
  say(asker, "SUB in.* 9\r\nSUB my.> 8\r\nPUB ask.a in.1 1\r\n?\r\n");
  const std::string reply = reply_in(heard(service));
  ASSERT_FALSE(reply.empty());
  Settings without = shared();
  without.accounts[1].imports.clear();
  ASSERT_TRUE(turn_to(std::move(without)));
  say(service, "PUB " + reply + " 1\r\n!\r\nPUB ev.x 1\r\nx\r\n");
  say(asker, "PUB ask.a in.1 1\r\n?\r\n");
  EXPECT_EQ(heard(service), "");
  EXPECT_EQ(heard(asker), "");
  ASSERT_TRUE(turn_to(shared()));
  say(service, "PUB ev.y 1\r\ny\r\n");
  EXPECT_EQ(heard(asker), "MSG my.y 8 1\r\ny\r\n") << "listened for again";
}

TEST_F(AccountFlowTest, those_who_leave_are_not_listened_for_any_more) {
  ASSERT_TRUE(turn_to(shared()));
  AccountState& x = broker->hub().accounts.at("X");
  const std::uint64_t before = x.sublist.stats().count;
  TurnedClient stays = client(0, as("M"));
  TurnedClient leaves = client(1, as("M"));
  say(stays, "SUB my.a 1\r\nSUB my.a 2\r\nSUB elsewhere 3\r\nUNSUB 2\r\n");
  say(leaves, "SUB my.> 1\r\nSUB my.* g 2\r\n");
  EXPECT_EQ(x.sublist.stats().count, before + 3);
  leaves.close();
  broker->turn(5);
  EXPECT_EQ(x.sublist.stats().count, before + 1);
  say(stays, "UNSUB 1\r\n");
  EXPECT_EQ(x.sublist.stats().count, before);
}

TEST_F(AccountFlowTest, a_configuration_that_does_not_fit_is_refused_whole) {
  ASSERT_TRUE(turn_to(shared()));
  Settings bad = shared();
  bad.accounts[0].exports.clear();
  EXPECT_FALSE(turn_to(std::move(bad)));
  Settings circle = shared();
  circle.accounts[0].imports = {imported(ExportKind::service, "M", "ask.*", "req.*")};
  circle.accounts[1].exports = {exported(ExportKind::service, "ask.*")};
  const auto refused = turn_to(std::move(circle));
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().doing.find("import forms a cycle"), std::string::npos) << refused.error().doing;
}

}  // namespace
}  // namespace hawser::broker
