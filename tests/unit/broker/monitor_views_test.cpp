#include "broker/monitor_views.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "broker/monitor_page.hpp"
#include "broker/monitor_source.hpp"

namespace hawser::broker {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using test::account;
using test::connection;
using test::MadeUpSource;
using test::subscription;

class MonitorViewsTest : public testing::Test {
 protected:
  MonitorViewsTest() {
    source_.server_now.id = "NID";
    source_.server_now.name = "name";
    source_.server_now.start = wall_now() - 90s;
  }

  std::vector<std::uint64_t> ids(std::string_view query) {
    std::vector<std::uint64_t> all;
    const json::value connz = shown(query);  // GCC 12 does not keep a temporary for the loop
    for (const json::value& each : connz.at("connections").as_array()) {
      all.push_back(each.at("cid").to_number<std::uint64_t>());
    }
    return all;
  }
  json::value shown(std::string_view query) {
    const auto parsed = connz_query(admin::parse_query(query));
    EXPECT_TRUE(parsed) << query;
    return json::parse(views_.connz(*parsed, Form::pretty));
  }
  json::value entry(std::string_view query) { return shown(query).at("connections").at(0); }
  json::value subsz(std::string_view query) {
    return json::parse(views_.subsz(*subsz_query(admin::parse_query(query)), Form::pretty));
  }

  MadeUpSource source_;
  MonitorViews views_{source_};
};

using Ids = std::vector<std::uint64_t>;

TEST_F(MonitorViewsTest, indents_as_nats_server_does) {
  const std::string empty = views_.connz({}, Form::pretty);
  EXPECT_TRUE(empty.starts_with("{\n  \"server_id\": \"NID\",\n  \"now\": \"20")) << empty;
  EXPECT_TRUE(
      empty.ends_with("\",\n  \"num_connections\": 0,\n  \"total\": 0,\n  \"offset\": 0,\n  \"limit\": 1024,\n"
                      "  \"connections\": []\n}"))
      << empty;
  source_.open = {connection(1), connection(2)};
  const std::string two = views_.connz({}, Form::pretty);
  EXPECT_NE(two.find("  \"connections\": [\n    {\n      \"cid\": 1,\n      \"kind\": \"Client\",\n"),
            std::string::npos);
  EXPECT_NE(two.find("\n    },\n    {\n      \"cid\": 2,\n"), std::string::npos);
  EXPECT_TRUE(two.ends_with("\n    }\n  ]\n}")) << two;
  EXPECT_EQ(json::parse(two).at("connections"), json::parse(views_.connz({}, Form::compact)).at("connections"));
  EXPECT_EQ(views_.connz({}, Form::compact).find('\n'), std::string::npos);
}

TEST_F(MonitorViewsTest, sorts_connections_by_every_key) {
  ConnectionFacts a = connection(1, 300s);
  ConnectionFacts b = connection(2, 200s);
  ConnectionFacts c = connection(3, 100s);
  a.traffic = {1, 30, 2, 20};
  b.traffic = {3, 10, 1, 30};
  c.traffic = {2, 20, 3, 10};
  b.subscriptions = 9;
  c.pending_bytes = 5;
  a.last_activity = wall_now() - 1s;
  b.last_activity = wall_now() - 50s;
  c.last_activity = wall_now() - 20s;
  a.rtt = 5ms;
  b.rtt = 1ms;
  c.rtt = 9ms;
  source_.open = {c, a, b};
  struct Case {
    std::string_view key;
    Ids order;
  };
  for (const Case& each :
       {Case{"", {1, 2, 3}}, Case{"cid", {1, 2, 3}}, Case{"start", {1, 2, 3}}, Case{"subs", {2, 1, 3}},
        Case{"pending", {3, 1, 2}}, Case{"msgs_from", {2, 3, 1}}, Case{"msgs_to", {3, 1, 2}},
        Case{"bytes_from", {1, 3, 2}}, Case{"bytes_to", {2, 1, 3}}, Case{"last", {1, 3, 2}}, Case{"idle", {2, 3, 1}},
        Case{"uptime", {3, 2, 1}}, Case{"rtt", {3, 1, 2}}}) {
    EXPECT_EQ(ids("sort=" + std::string(each.key)), each.order) << each.key;
  }
}

TEST_F(MonitorViewsTest, sorts_closed_connections_by_end_and_reason) {
  struct Gone {
    std::uint64_t cid;
    std::chrono::seconds ago;
    CloseReason reason;
  };
  for (const Gone& each : {Gone{1, 10s, CloseReason::stale_connection}, Gone{2, 30s, CloseReason::client_closed},
                           Gone{3, 20s, CloseReason::kicked}}) {
    ConnectionFacts facts = connection(each.cid);
    facts.stop = wall_now() - each.ago;
    facts.reason = each.reason;
    source_.gone.add(std::move(facts));
  }
  source_.open = {connection(9)};
  EXPECT_EQ(ids("state=closed&sort=stop"), (Ids{1, 3, 2}));
  EXPECT_EQ(ids("state=closed&sort=reason"), (Ids{2, 3, 1}));
  EXPECT_EQ(ids("state=closed"), (Ids{1, 2, 3}));
  EXPECT_EQ(ids("state=any"), (Ids{1, 2, 3, 9}));
  EXPECT_EQ(ids(""), (Ids{9}));
  EXPECT_EQ(shown("state=any").at("total").to_number<int>(), 4);
  EXPECT_EQ(ids("cid=2&state=closed"), (Ids{2}));
  EXPECT_EQ(ids("cid=9&state=any"), (Ids{9}));
  EXPECT_EQ(ids("cid=2"), Ids{});
  const json::value one = entry("cid=1&state=closed");
  EXPECT_EQ(one.at("reason").as_string(), "Stale Connection");
  EXPECT_EQ(one.at("uptime").as_string(), "1m30s") << "until it ended";
  EXPECT_TRUE(one.as_object().contains("stop"));
}

TEST_F(MonitorViewsTest, shows_pages_of_connections) {
  for (std::uint64_t cid = 1; cid <= 5; ++cid) {
    source_.open.push_back(connection(cid));
  }
  EXPECT_EQ(ids("limit=2"), (Ids{1, 2}));
  EXPECT_EQ(ids("limit=2&offset=4"), (Ids{5}));
  EXPECT_EQ(ids("offset=5"), Ids{});
  EXPECT_EQ(ids("offset=9223372036854775807&limit=9223372036854775807"), Ids{});
  EXPECT_EQ(shown("limit=2&offset=4").at("num_connections").to_number<int>(), 1);
  EXPECT_EQ(shown("limit=2&offset=4").at("total").to_number<int>(), 5);
}

TEST_F(MonitorViewsTest, filters_connections_by_user_account_and_interest) {
  ConnectionFacts kate = connection(1);
  kate.authorized_user = "kate";
  kate.account = "A";
  kate.subscriptions_list = {subscription("A", "orders.*", 1)};
  ConnectionFacts joe = connection(2);
  joe.authorized_user = "joe";
  joe.account = "A";
  joe.subscriptions_list = {subscription("A", "news.>", 2)};
  source_.open = {kate, joe, connection(3)};
  EXPECT_EQ(ids("user=kate"), (Ids{1}));
  EXPECT_EQ(ids("acc=A"), (Ids{1, 2}));
  EXPECT_EQ(ids("acc=%24G"), (Ids{3}));
  EXPECT_EQ(ids("acc=absent"), Ids{});
  EXPECT_EQ(ids("acc=A&filter_subject=orders.new"), (Ids{1}));
  EXPECT_EQ(ids("acc=A&filter_subject=*.new"), (Ids{1, 2}));
  EXPECT_EQ(ids("acc=A&filter_subject=other"), Ids{});
  EXPECT_EQ(ids("mqtt_client=x"), Ids{});
  EXPECT_FALSE(entry("acc=A&filter_subject=orders.new").as_object().contains("subscriptions_list"));
}

TEST_F(MonitorViewsTest, tells_users_and_certificates_only_when_asked_and_the_global_account_never) {
  ConnectionFacts one = connection(1);
  one.authorized_user = "kate";
  one.account = "A";
  one.tls_version = "1.3";
  one.tls_cipher_suite = "TLS_AES_128_GCM_SHA256";
  one.tls_peer_certs = {{"CN=kate,O=Acme", "aa", "bb"}};
  one.tls_first = true;
  source_.open = {one};
  const json::object plain = entry("").as_object();
  for (const char* key : {"authorized_user", "account", "tls_peer_certs"}) {
    EXPECT_FALSE(plain.contains(key)) << key;
  }
  EXPECT_EQ(plain.at("tls_version").as_string(), "1.3");
  const json::object asked = entry("auth=1").as_object();
  EXPECT_EQ(asked.at("authorized_user").as_string(), "kate");
  EXPECT_EQ(asked.at("account").as_string(), "A");
  EXPECT_EQ(json::serialize(asked.at("tls_peer_certs")),
            R"([{"subject":"CN=kate,O=Acme","spki_sha256":"aa","cert_sha256":"bb"}])");
  source_.open = {connection(1)};
  EXPECT_FALSE(entry("auth=1").as_object().contains("account"));
}

TEST_F(MonitorViewsTest, lists_subscriptions_by_name_or_in_detail) {
  ConnectionFacts one = connection(1);
  one.subscriptions = 2;
  one.subscriptions_list = {subscription("$G", "foo", 1), subscription("$G", "bar.>", 1, "q")};
  one.subscriptions_list[1].max = 5;
  one.subscriptions_list[1].delivered = 3;
  source_.open = {one};
  EXPECT_FALSE(entry("").as_object().contains("subscriptions_list"));
  EXPECT_EQ(json::serialize(entry("subs=1").at("subscriptions_list")), R"(["foo","bar.>"])");
  EXPECT_EQ(json::serialize(entry("subs=detail").at("subscriptions_list_detail")),
            R"([{"subject":"foo","sid":"1","msgs":0,"cid":1},)"
            R"({"subject":"bar.>","qgroup":"q","sid":"1","msgs":3,"max":5,"cid":1}])");
}

TEST_F(MonitorViewsTest, writes_json_of_any_bytes_that_a_client_sent) {
  ConnectionFacts one = connection(1);
  one.name = "</script><b>\"\\\n\x01\x7f";
  one.lang = "\xff\xfe caf\xc3\xa9 \xe2\x82";
  one.version = std::string("\xed\xa0\x80\xc0\xaf\0\xf0\x9f\x98\x80", 10);
  source_.open = {one};
  const std::string text = views_.connz({}, Form::pretty);
  EXPECT_EQ(text.find("</script>"), std::string::npos);
  const json::value parsed = json::parse(text).at("connections").at(0);
  EXPECT_EQ(parsed.at("name").as_string(), one.name);
  EXPECT_EQ(parsed.at("lang").as_string(), "\xef\xbf\xbd\xef\xbf\xbd caf\xc3\xa9 \xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_NE(parsed.at("version").as_string().find("\xf0\x9f\x98\x80"), std::string::npos);
}

TEST_F(MonitorViewsTest, says_in_varz_how_it_is_configured_and_how_much_went_through) {
  Settings& settings = *source_.settings_now;
  settings.limits.max_subscriptions = 7;
  settings.authorization.user = "kate";
  settings.tls.emplace();
  settings.tls->verify = true;
  settings.tls->timeout = 1500ms;
  settings.config_digest = "sha256:ab";
  source_.server_now.slow_consumers_pending = 2;
  source_.server_now.slow_consumers_deadline = 3;
  source_.server_now.stale_connections = 4;
  source_.accounts_now = {account("$G", 0), account("A", 1)};
  source_.accounts_now[0].traffic = {1, 1, 1, 3};
  source_.accounts_now[1].traffic = {1, 2, 3, 1};
  source_.server_now.tls_not_after = parse_rfc3339("2030-01-02T03:04:05Z");
  views_.count_request("/varz");
  views_.listens(8222, 0);
  const json::value varz = json::parse(views_.varz(Form::pretty));
  EXPECT_TRUE(varz.at("auth_required").as_bool());
  EXPECT_TRUE(varz.at("tls_required").as_bool());
  EXPECT_TRUE(varz.at("tls_verify").as_bool());
  EXPECT_EQ(varz.at("tls_timeout").as_double(), 1.5);
  EXPECT_EQ(varz.at("auth_timeout").as_double(), 2.5) << "the TLS timeout and a second";
  EXPECT_EQ(varz.at("max_subscriptions").to_number<int>(), 7);
  EXPECT_EQ(varz.at("slow_consumers").to_number<int>(), 5);
  EXPECT_EQ(json::serialize(varz.at("slow_consumer_stats")), R"({"clients":5,"routes":0,"gateways":0,"leafs":0})");
  EXPECT_EQ(varz.at("stale_connections").to_number<int>(), 4);
  EXPECT_EQ(varz.at("out_bytes").to_number<int>(), 4);
  EXPECT_EQ(varz.at("tls_cert_not_after").as_string(), "2030-01-02T03:04:05Z");
  EXPECT_EQ(varz.at("config_digest").as_string(), "sha256:ab");
  EXPECT_EQ(varz.at("uptime").as_string(), "1m30s");
  EXPECT_EQ(varz.at("ping_interval").to_number<std::int64_t>(), 120'000'000'000);
  EXPECT_EQ(varz.at("http_port").to_number<int>(), 8222);
  EXPECT_EQ(json::serialize(varz.at("http_req_stats")), R"({"/varz":1})");
  settings.allow_non_tls = true;
  settings.tls->verify = false;
  settings.authorization.user.clear();
  settings.system_account.clear();
  const json::object open = json::parse(views_.varz(Form::compact)).as_object();
  for (const char* key : {"auth_required", "tls_required", "tls_verify", "system_account"}) {
    EXPECT_FALSE(open.contains(key)) << key;
  }
}

TEST_F(MonitorViewsTest, shows_subscriptions_by_page_account_and_test) {
  source_.accounts_now = {account("$G", 0, 1), account("A", 1, 2)};
  source_.accounts_now[1].sublist.matches = 4;
  source_.accounts_now[1].sublist.cache_hits = 3;
  source_.all_subscriptions = {subscription("$G", "x", 1), subscription("A", "a.*", 2), subscription("A", "a.b", 3)};
  EXPECT_EQ(subsz("").at("num_subscriptions").to_number<int>(), 3);
  EXPECT_EQ(subsz("").at("cache_hit_rate").as_double(), 0.75);
  EXPECT_FALSE(subsz("").as_object().contains("server_id")) << "the numbers alone, as nats-server";
  EXPECT_EQ(subsz("subs=1").at("subscriptions_list").as_array().size(), 3U);
  EXPECT_EQ(subsz("subs=1").at("total").to_number<int>(), 3);
  const json::value page = subsz("subs=1&offset=1&limit=1");
  EXPECT_EQ(json::serialize(page.at("subscriptions_list")),
            R"([{"account":"A","subject":"a.*","sid":"1","msgs":0,"cid":2}])");
  EXPECT_EQ(page.at("total").to_number<int>(), 3);
  EXPECT_EQ(subsz("subs=1&acc=A").at("num_subscriptions").to_number<int>(), 2);
  EXPECT_EQ(subsz("subs=1&test=a.b").at("total").to_number<int>(), 2);
  EXPECT_EQ(subsz("subs=1&test=a.c").at("subscriptions_list").as_array().size(), 1U);
  EXPECT_FALSE(subsz("subs=1&test=none").as_object().contains("subscriptions_list"));
}

TEST_F(MonitorViewsTest, tells_an_accounts_exports_imports_and_mappings) {
  Account a;
  a.name = "A";
  a.exports.push_back({.kind = ExportKind::stream, .subject = "str.>", .accounts = {}, .place = {}});
  a.exports.push_back({.kind = ExportKind::service,
                       .subject = "svc",
                       .accounts = std::vector<std::string>{"B"},
                       .response = ResponseType::chunked,
                       .place = {}});
  a.imports.push_back(
      {.kind = ExportKind::service, .account = "B", .subject = "far", .to = "near", .prefix = {}, .place = {}});
  a.imports.push_back(
      {.kind = ExportKind::stream, .account = "B", .subject = "s.>", .to = {}, .prefix = "p", .place = {}});
  a.mappings.push_back({.source = "m", .targets = {{.destination = "n", .weight = 60, .cluster = {}}}, .place = {}});
  source_.settings_now->accounts.push_back(std::move(a));
  source_.accounts_now = {account("$G", 0), account("A", 1, 2), account("$SYS", 0)};
  const auto shown = [this](std::string_view name) { return json::parse(*views_.accountz(name, Form::pretty)); };
  EXPECT_EQ(json::serialize(shown("").at("accounts")), R"(["$G","A","$SYS"])");
  const json::value detail = shown("A").at("account_detail");
  EXPECT_EQ(
      json::serialize(detail.at("exports")),
      R"([{"subject":"svc","type":"service","response_type":"Chunked","approved_accounts":["B"]},)"
      R"({"subject":"str.>","type":"stream"}])");
  EXPECT_EQ(json::serialize(detail.at("imports")),
            R"([{"subject":"s.>","account":"B","local_subject":"p.s.>","type":"stream","invalid":false,"share":false,)"
            R"("tracking":false},{"subject":"near","account":"B","to":"far","type":"service","invalid":false,)"
            R"("share":false,"tracking":false}])");
  EXPECT_EQ(json::serialize(detail.at("mappings")), R"({"m":[{"subject":"n","weight":60}]})");
  EXPECT_EQ(detail.at("client_connections").to_number<int>(), 1);
  EXPECT_FALSE(detail.as_object().contains("is_system"));
  EXPECT_TRUE(shown("$SYS").at("account_detail").at("is_system").as_bool());
  EXPECT_EQ(views_.accountz("NO", Form::pretty).error(), "Account NO does not exist");
}

TEST_F(MonitorViewsTest, counts_by_account_and_leaves_out_unused_ones) {
  source_.accounts_now = {account("$G", 0), account("A", 2, 3)};
  source_.accounts_now[1].traffic = {1, 2, 3, 4};
  source_.accounts_now[1].total_connections = 9;
  const auto names = [this](const AccstatzQuery& query) {
    std::string all;
    const json::value accstatz = json::parse(views_.accstatz(query, Form::pretty));
    for (const json::value& each : accstatz.at("account_statz").as_array()) {
      all += std::string(each.at("acc").as_string()) + " ";
    }
    return all;
  };
  EXPECT_EQ(names({}), "A ");
  EXPECT_EQ(names({.unused = true}), "$G A ");
  EXPECT_EQ(names({.unused = true, .accounts = {"$G", "absent"}}), "$G ");
  const json::value one = json::parse(views_.accstatz({}, Form::pretty)).at("account_statz").at(0);
  EXPECT_EQ(json::serialize(one), R"({"acc":"A","conns":2,"leafnodes":0,"total_conns":9,"sent":{"msgs":3,"bytes":4},)"
                                  R"("received":{"msgs":1,"bytes":2},"slow_consumers":0,"num_subscriptions":3})");
}

TEST_F(MonitorViewsTest, says_when_it_is_not_well) {
  EXPECT_EQ(views_.healthz(), std::pair(true, std::string(R"({"status":"ok"})")));
  source_.trouble_now = "thread 1 does not answer";
  EXPECT_EQ(views_.healthz(),
            std::pair(false, std::string(R"({"status":"error","error":"thread 1 does not answer"})")));
  EXPECT_EQ(index_page(views_, "/").headline, "not well: thread 1 does not answer");
  EXPECT_EQ(index_page(views_, "/").tone, admin::Tone::bad);
}

TEST_F(MonitorViewsTest, links_its_pages_below_the_base_path) {
  for (const std::string_view base : {"/mon", "/mon/"}) {
    const admin::Status page = index_page(views_, base);
    for (const admin::Status::Link& link : page.links) {
      EXPECT_TRUE(link.href.starts_with("/mon/") && link.href[5] != '/') << link.href;
    }
  }
  EXPECT_EQ(index_page(views_, "/").links.at(0).href, "/varz");
  EXPECT_EQ(index_page(views_, "").links.at(0).href, "/varz");
}

}  // namespace
}  // namespace hawser::broker
