#include "admin/page.hpp"

#include <array>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "admin/page_look.hpp"

namespace hawser::admin {
namespace {

const WallTime kTime = *parse_rfc3339("2026-11-22T10:00:00Z");

TEST(Page, escapes_everything_that_it_is_handed) {
  const std::string hostile = "<script>alert('x')</script>&\"";
  Status status{hostile,
                hostile,
                Tone::bad,
                {{hostile, {{hostile, hostile, Tone::good}}}},
                {{hostile, {hostile}, {{hostile}}, 0}}};
  const std::string html = render_page(status, kTime);
  EXPECT_EQ(html.find("<script"), html.rfind("<script")) << "our own alone";
  EXPECT_EQ(html.find("alert('"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;"), std::string::npos);
}

TEST(Page, shows_headline_sections_and_tables_and_when_it_was_made) {
  const Status status{"hawser agent",
                      "connected",
                      Tone::good,
                      {{"Certificate", {{"expires", "in 3 d", Tone::warning}}}},
                      {{"Clients", {"name"}, {{"billing"}}, 0}, {"Reloads", {"when"}, {}, 0}}};
  const std::string html = render_page(status, kTime);
  for (const std::string_view part :
       {"<title>hawser agent: connected</title>", "<div class=\"headline good\" role=\"status\" data-part id=\"headline\">connected</div>",
        "<dt>expires</dt><dd class=\"warning\">in 3 d</dd>", "<th scope=\"col\">name</th>", "<td>billing</td>",
        "<p class=\"more\">none</p>", "2026-11-22T10:00:00Z"}) {
    EXPECT_NE(html.find(part), std::string::npos) << part;
  }
}

TEST(Page, runs_the_script_that_its_policy_allows_and_loads_nothing) {
  const std::string html = render_page(Status{}, kTime);
  const std::size_t begin = html.find("<script>") + 8;
  const std::string script = html.substr(begin, html.find("</script>") - begin);
  std::array<unsigned char, 32> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(script.data()), script.size(), digest.data());
  std::array<unsigned char, 45> text{};
  EVP_EncodeBlock(text.data(), digest.data(), digest.size());
  EXPECT_NE(content_security_policy().find("script-src 'sha256-" + std::string(text.begin(), text.end() - 1) + "'"), std::string::npos);
  EXPECT_EQ(html.find("src="), std::string::npos);
  EXPECT_EQ(html.find("http://"), std::string::npos);
  EXPECT_EQ(html.find("https://"), std::string::npos);
}

TEST(Page, tells_what_changed_as_an_event_of_whole_lines) {
  EXPECT_EQ(event_of("one\n\ntwo"), "data: one\ndata: \ndata: two\n\n");
  const std::string parts = render_parts({"t", "line\r\n\nbreak", Tone::good, {}, {}});
  const std::string event = event_of(parts);
  for (std::size_t at = 0; at + 1 < event.size(); at = event.find('\n', at) + 1) {
    EXPECT_TRUE(event.substr(at).starts_with("data: ")) << event.substr(at, 40);
  }
}

TEST(Page, shows_the_first_rows_of_a_long_table_and_how_many_there_are) {
  Status status;
  status.tables.push_back({"Clients", {"id"}, {}, 2000});
  for (std::size_t i = 0; i < kRowsShown + 5; ++i) {
    status.tables[0].rows.push_back({"row" + std::to_string(i) + "."});
  }
  const std::string html = render_page(status, kTime);
  EXPECT_NE(html.find("row199."), std::string::npos);
  EXPECT_EQ(html.find("row200."), std::string::npos);
  EXPECT_NE(html.find("200 of 2000 shown"), std::string::npos);
}

TEST(Json, of_status_has_all_that_was_handed_over) {
  const Status status{"t", "h", Tone::warning, {{"s", {{"n", "v", Tone::bad}}}}, {{"c", {"x"}, {{"1"}}, 7}}};
  EXPECT_EQ(
      status_json(status),
      R"({"title":"t","headline":"h","tone":"warning","sections":[{"title":"s","items":[{"name":"n","value":"v","tone":"bad"}]}],)"
      R"("tables":[{"title":"c","columns":["x"],"rows":[["1"]],"total":7}]})");
}

TEST(Json, of_health_is_not_ok_when_one_check_is_not) {
  EXPECT_EQ(health_json({}), R"({"ok":true,"checks":[]})");
  EXPECT_EQ(
      health_json({{{"upstream", false, "no server"}, {"certificate", true, ""}}}),
      R"({"ok":false,"checks":[{"name":"upstream","ok":false,"reason":"no server"},{"name":"certificate","ok":true,"reason":""}]})");
}

TEST(Json, of_an_outcome_has_the_error_with_its_hint_and_no_secret) {
  EXPECT_EQ(outcome_json(std::string("2 files")), R"({"ok":true,"detail":"2 files"})");
  const std::string failed = outcome_json(fail(Errc::connect_refused, "nats://u:hunter2@h"));
  EXPECT_NE(failed.find(R"({"ok":false,"error":{"id":"NET-302","name":"connect-refused")"), std::string::npos)
      << failed;
  EXPECT_NE(failed.find("\"hint\":"), std::string::npos);
  EXPECT_EQ(failed.find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace hawser::admin
