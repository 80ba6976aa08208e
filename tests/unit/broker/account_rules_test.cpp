#include "broker/account_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include "broker/account_cycles.hpp"
#include "wire/subject.hpp"

namespace hawser::broker {
namespace {

using ::testing::HasSubstr;

Export exported(ExportKind kind, std::string subject, std::optional<std::vector<std::string>> accounts = {}) {
  Export made;
  made.kind = kind;
  made.subject = std::move(subject);
  made.accounts = std::move(accounts);
  return made;
}

Import imported(ExportKind kind, std::string account, std::string subject, std::string to = {},
                std::string prefix = {}) {
  Import made;
  made.kind = kind;
  made.account = std::move(account);
  made.subject = std::move(subject);
  made.to = std::move(to);
  made.prefix = std::move(prefix);
  return made;
}

constexpr ExportKind kStream = ExportKind::stream;
constexpr ExportKind kService = ExportKind::service;

Account account(std::string name, std::vector<Export> exports, std::vector<Import> imports = {}) {
  Account made;
  made.name = std::move(name);
  made.exports = std::move(exports);
  made.imports = std::move(imports);
  return made;
}

// The texts of all mistakes, a line each; empty: none.
std::string mistakes_of(const std::vector<Account>& accounts) {
  std::vector<Error> mistakes;
  const auto rules = compile_accounts(accounts, mistakes);
  EXPECT_EQ(rules == nullptr, !mistakes.empty());
  std::string text;
  for (const Error& mistake : mistakes) {
    EXPECT_EQ(mistake.code, Errc::broker_bad_account);
    text += mistake.doing + "\n";
  }
  return text;
}

TEST(AccountRules, an_import_needs_an_export_that_allows_it) {
  struct Row {
    std::vector<Export> exports;
    std::string subject;
    bool allowed;
  };
  Export positioned = exported(kStream, "acc.*.ev");
  positioned.account_token_position = 2;
  using Only = std::vector<std::string>;
  const std::vector<Row> rows = {
      {{exported(kStream, "a.b")}, "a.b", true},
      {{exported(kStream, "a.>")}, "a.b", true},
      {{exported(kStream, "a.*")}, "a.*", true},
      {{exported(kStream, "a.*")}, "a.>", false},
      {{exported(kStream, "a.b")}, "a.*", false},
      {{exported(kStream, "a.b")}, "a.c", false},
      {{exported(kService, "a.b")}, "a.b", false},
      {{}, "a.b", false},
      {{exported(kStream, "a.b", Only{"IMPORTER"})}, "a.b", true},
      {{exported(kStream, "a.b", Only{"OTHER"})}, "a.b", false},
      {{exported(kStream, "a.b", Only{})}, "a.b", false},
      {{exported(kStream, "a.>"), exported(kStream, "a.secret", Only{"OTHER"})}, "a.secret", false},
      {{exported(kStream, "a.>", Only{"OTHER"}), exported(kStream, "a.open")}, "a.open", true},
      {{exported(kStream, "a.open", Only{"OTHER"}), exported(kStream, "a.open")}, "a.open", true},
      {{positioned}, "acc.IMPORTER.ev", true},
      {{positioned}, "acc.OTHER.ev", false},
      {{positioned}, "acc.*.ev", false},
  };
  for (const Row& row : rows) {
    const std::string mistakes = mistakes_of({account("EXPORTER", row.exports), account("OTHER", {}),
                                              account("IMPORTER", {}, {imported(kStream, "EXPORTER", row.subject)})});
    EXPECT_EQ(mistakes.empty(), row.allowed) << row.subject << " " << mistakes;
    if (!row.allowed) {
      EXPECT_THAT(mistakes,
                  HasSubstr("Error adding stream import \"" + row.subject + "\": stream import not authorized"));
    }
  }
}

TEST(AccountRules, mistakes_are_told_in_nats_servers_words) {
  struct Row {
    std::vector<Export> exports;
    std::vector<Import> imports;
    const char* text;
  };
  const std::vector<Export> all = {exported(kStream, ">"), exported(kService, ">")};
  const std::vector<Row> rows = {
      {all, {imported(kStream, "NOBODY", "a")}, "\"NOBODY\" account not defined for stream import"},
      {all, {imported(kService, "NOBODY", "a")}, "\"NOBODY\" account not defined for service import"},
      {{exported(kStream, "a", std::vector<std::string>{"NOBODY"})},
       {},
       "\"NOBODY\" account not defined for stream export"},
      {{exported(kStream, "a..b")}, {}, "Error adding stream export \"a..b\": invalid subject"},
      {{exported(kService, "")}, {}, "Error adding service export \"\": invalid subject"},
      {all, {imported(kStream, "X", "a..b")}, "Error adding stream import \"a..b\": invalid subject"},
      {all, {imported(kStream, "X", "a", "b.*")}, "invalid subject"},
      {all, {imported(kStream, "X", "a.*", "b")}, "not using all of the token wildcard(s)"},
      {all, {imported(kStream, "X", "a.*", "b.$1.$1")}, "not using all of the token wildcard(s)"},
      {all, {imported(kStream, "X", "a.*", "b.$2")}, "wildcard index out of range"},
      {all, {imported(kStream, "X", "a.*", "b.{{left(1,1)}}")}, "only mapping function allowed"},
      {all, {imported(kStream, "X", "a.>", "b")}, "invalid subject"},
      {all, {imported(kStream, "X", "a", "", "pre.*")}, "stream import prefix can not contain wildcard tokens"},
      {all, {imported(kStream, "X", "a"), imported(kStream, "X", "a", "b")}, "stream import already exists"},
      {all, {imported(kService, "X", "a.*", "b")}, "not using all of the token wildcard(s)"},
      {all, {imported(kService, "X", "a", "b..c")}, "invalid subject"},
      {all,
       {imported(kService, "X", "a", "b"), imported(kService, "X", "c", "b")},
       "duplicate service import subject \"b\", previously used in import for account \"X\", subject \"a\""},
  };
  for (const Row& row : rows) {
    EXPECT_THAT(mistakes_of({account("X", row.exports), account("I", {}, row.imports)}), HasSubstr(row.text));
  }
}

TEST(AccountRules, mistakes_name_their_place_and_come_all_together) {
  std::vector<Account> accounts = {account("X", {}),
                                   account("I", {}, {imported(kStream, "X", "a"), imported(kService, "X", "b")})};
  accounts[1].imports[0].place = "broker.conf:7:3";
  accounts[1].mappings.push_back(
      {.source = "a", .targets = {{.destination = "b.*", .weight = 100, .cluster = {}}}, .place = "broker.conf:9:1"});
  const std::string mistakes = mistakes_of(accounts);
  EXPECT_THAT(mistakes, HasSubstr("broker.conf:7:3: Error adding stream import \"a\""));
  EXPECT_THAT(mistakes, HasSubstr("Error adding service import \"b\""));
  EXPECT_THAT(mistakes, HasSubstr("broker.conf:9:1: Error adding mapping for \"a\""));
}

TEST(AccountRules, account_tokens_stand_where_the_export_has_a_wildcard) {
  Export one = exported(kService, "a.*.b");
  for (const auto& [position, valid] :
       std::vector<std::pair<std::uint32_t, bool>>{{1, false}, {2, true}, {3, false}, {9, false}}) {
    one.account_token_position = position;
    EXPECT_EQ(mistakes_of({account("X", {one})}).empty(), valid) << position;
  }
}

TEST(AccountRules, refuse_imports_that_form_a_cycle) {
  const std::vector<Export> all = {exported(kStream, ">"), exported(kService, ">")};
  const auto cycles = [&](const std::vector<Account>& accounts) {
    return mistakes_of(accounts).find("import forms a cycle") != std::string::npos;
  };
  EXPECT_TRUE(cycles(
      {account("A", all, {imported(kService, "B", "foo")}), account("B", all, {imported(kService, "A", "foo")})}));
  EXPECT_TRUE(cycles({account("A", all, {imported(kService, "B", "bar", "foo")}),
                      account("B", all, {imported(kService, "A", "foo", "bar")})}));
  EXPECT_TRUE(cycles({account("A", all, {imported(kService, "B", "x.*", "a.*")}),
                      account("B", all, {imported(kService, "C", "y", "x.7")}),
                      account("C", all, {imported(kService, "A", "a.7", "y")})}));
  EXPECT_TRUE(cycles({account("A", all, {imported(kService, "A", "foo")})}));
  EXPECT_TRUE(
      cycles({account("A", all, {imported(kStream, "B", "foo")}), account("B", all, {imported(kStream, "A", "foo")})}));
  EXPECT_TRUE(
      cycles({account("A", all, {imported(kService, "B", ">")}), account("B", all, {imported(kService, "A", ">")})}));
  // A chain is none, nor are two services that go opposite ways.
  EXPECT_EQ(mistakes_of({account("A", all, {imported(kService, "B", "foo")}),
                         account("B", all, {imported(kService, "C", "foo"), imported(kService, "A", "bar")}),
                         account("C", all)}),
            "");
}

TEST(AccountRules, streams_are_listened_for_and_heard_as_imported) {
  struct Row {
    const char* from;
    const char* to;
    const char* prefix;
    const char* subscribed;
    std::optional<std::string> listened;
    const char* published;
    const char* heard;
  };
  const std::vector<Row> rows = {
      {"ev.>", "", "", "ev.a", "ev.a", "ev.a", "ev.a"},
      {"ev.>", "", "", "ev.*.x", "ev.*.x", "ev.a.x", "ev.a.x"},
      {"ev.>", "", "", ">", "ev.>", "ev.a", "ev.a"},
      {"ev.>", "", "", "other", {}, "", ""},
      {"ev.>", "", "pre", "pre.ev.a", "ev.a", "ev.a", "pre.ev.a"},
      {"ev.>", "", "pre.", "pre.>", "ev.>", "ev.a.b", "pre.ev.a.b"},
      {"ev.>", "", "pre", "ev.a", {}, "", ""},
      {"ev.*.x", "my.*.y", "", "my.1.y", "ev.1.x", "ev.1.x", "my.1.y"},
      {"ev.*.x", "my.*.y", "", "my.>", "ev.*.x", "ev.7.x", "my.7.y"},
      {"ev.*.*", "my.$2.$1", "", "my.b.*", "ev.*.b", "ev.a.b", "my.b.a"},
      {"ev.*.*", "my.$2.$1", "", "*.*.c", "ev.c.*", "ev.c.q", "my.q.c"},
      {"lit", "other", "", "*", "lit", "lit", "other"},
      {"lit", "", "p.q", "p.>", "lit", "lit", "p.q.lit"},
  };
  for (const Row& row : rows) {
    std::vector<Error> mistakes;
    const auto rules = compile_accounts({account("X", {exported(kStream, ">")}),
                                         account("I", {}, {imported(kStream, "X", row.from, row.to, row.prefix)})},
                                        mistakes);
    ASSERT_NE(rules, nullptr) << mistakes.front().doing;
    const StreamImport& import = *rules->of("I").streams.front();
    EXPECT_EQ(import.listen_for(row.subscribed), row.listened) << row.from << " " << row.subscribed;
    std::string scratch;
    if (row.listened) {
      EXPECT_EQ(import.heard_as(row.published, scratch), row.heard);
    }
  }
}

// Whatever is imported and subscribed to: listening at listen_for() hears exactly what the subscription matches.
TEST(AccountRules, a_subscription_gets_exactly_what_it_matches_of_an_import) {
  std::mt19937 random(3);
  const auto below = [&](std::uint32_t bound) { return static_cast<std::uint32_t>(random() % bound); };
  const auto pattern = [&](std::uint32_t wild) {
    std::string made;
    const std::uint32_t tokens = 1 + below(3);
    for (std::uint32_t i = 0; i < tokens; ++i) {
      made += i == 0 ? "" : ".";
      made += below(100) >= wild                 ? std::string(1, static_cast<char>('a' + below(2)))
              : below(4) == 0 && i + 1 == tokens ? ">"
                                                 : "*";
    }
    return made;
  };
  int heard = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string from = pattern(50);
    const auto wildcards = static_cast<int>(std::count(from.begin(), from.end(), '*'));
    std::string to = below(2) == 0 ? "a" : "b";
    for (int w = wildcards; w > 0; --w) {
      to += ".$" + std::to_string(w);
    }
    to += from.ends_with('>') ? ".>" : "";
    std::vector<Error> mistakes;
    const auto rules = compile_accounts({account("X", {exported(kStream, ">")}),
                                         account("I", {}, {imported(kStream, "X", from, below(3) == 0 ? "" : to)})},
                                        mistakes);
    ASSERT_NE(rules, nullptr) << mistakes.front().doing;
    const StreamImport& import = *rules->of("I").streams.front();
    const std::string subscribed = pattern(50);
    const std::string published = pattern(0);
    const auto listened = import.listen_for(subscribed);
    std::string scratch;
    const bool wanted =
        wire::matches(from, published) && wire::matches(subscribed, import.heard_as(published, scratch));
    ASSERT_EQ(listened && wire::matches(*listened, published), wanted)
        << from << " -> " << to << " subscribed " << subscribed << " published " << published;
    heard += wanted ? 1 : 0;
  }
  EXPECT_GT(heard, 500);
}

TEST(AccountRules, services_are_asked_under_the_exporters_name) {
  struct Row {
    const char* to;
    const char* from;
    const char* published;
    const char* asked;
  };
  const std::vector<Row> rows = {
      {"req", "", "req", "req"},
      {"req", "ask", "ask", "req"},
      {"req.*", "", "req.a", "req.a"},
      {"req.*", "ask.*", "ask.a", "req.a"},
      {"r.*.*", "ask.$2.$1", "ask.b.a", "r.a.b"},
      {"req.>", "ask.>", "ask.a.b", "req.a.b"},
      {"req", "ask.*", "ask.a", "req"},
  };
  for (const Row& row : rows) {
    std::vector<Error> mistakes;
    const auto rules = compile_accounts(
        {account("X", {exported(kService, ">")}), account("I", {}, {imported(kService, "X", row.to, row.from)})},
        mistakes);
    ASSERT_NE(rules, nullptr) << mistakes.front().doing;
    const ServiceImport& import = *rules->of("I").services.front();
    EXPECT_TRUE(wire::matches(import.from, row.published)) << import.from;
    std::string scratch;
    EXPECT_EQ(import.asked_as(row.published, scratch), row.asked);
    EXPECT_TRUE(rules->of("X").responds);
    EXPECT_TRUE(rules->of("I").responds);
  }
}

TEST(AccountRules, a_service_import_takes_over_what_its_export_says) {
  Export streamed = exported(kService, "st.*");
  streamed.response = ResponseType::stream;
  streamed.response_threshold = std::chrono::seconds(7);
  std::vector<Error> mistakes;
  const auto rules =
      compile_accounts({account("X", {exported(kService, ">"), streamed}),
                        account("I", {}, {imported(kService, "X", "st.a"), imported(kService, "X", "x")})},
                       mistakes);
  ASSERT_NE(rules, nullptr);
  const auto& services = rules->of("I").services;
  EXPECT_EQ(services[0]->response, ResponseType::stream);
  EXPECT_EQ(services[0]->response_threshold, std::chrono::seconds(7));
  EXPECT_EQ(services[0]->exported, "st.*");
  EXPECT_EQ(services[1]->response, ResponseType::singleton);
  EXPECT_FALSE(rules->of("NOBODY").responds);
}

TEST(AccountFlows, give_up_where_imports_branch_without_end) {
  AccountFlows flows;
  std::vector<std::string> names;
  for (int i = 0; i < 40; ++i) {
    names.push_back("A" + std::to_string(i));
  }
  for (std::size_t i = 0; i + 1 < names.size(); ++i) {
    flows.add(names[i], ">", names[i + 1], ">", nullptr);
    flows.add(names[i], "*", names[i + 1], "*", nullptr);
  }
  EXPECT_EQ(flows.follow(names.front(), "a"), AccountFlows::Verdict::too_deep);
  EXPECT_EQ(flows.follow(names[35], "a"), AccountFlows::Verdict::ends);
}

}  // namespace
}  // namespace hawser::broker
