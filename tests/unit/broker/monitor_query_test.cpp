#include "broker/monitor_query.hpp"

#include <gtest/gtest.h>

namespace hawser::broker {
namespace {

Parsed<ConnzQuery> connz(std::string_view text) { return connz_query(admin::parse_query(text)); }
Parsed<SubszQuery> subsz(std::string_view text) { return subsz_query(admin::parse_query(text)); }

TEST(ConnzQuery, asks_for_the_first_open_connections_by_itself) {
  const auto query = connz("");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->sort, ConnzSort::cid);
  EXPECT_EQ(query->state, ConnzState::open);
  EXPECT_EQ(query->limit, 1024U);
  EXPECT_EQ(query->offset, 0U);
  EXPECT_FALSE(query->auth || query->subscriptions || query->subscriptions_detail);
}

TEST(ConnzQuery, reads_every_field_and_leaves_unknown_ones_alone) {
  const auto query = connz(
      "auth=true&subs=DETAIL&offset=5&limit=%2B7&state=ALL&user=kate&acc=A&filter_subject=foo.%3E&sort=bytes_to&"
      "unknown=1");
  ASSERT_TRUE(query) << query.error();
  EXPECT_TRUE(query->auth);
  EXPECT_TRUE(query->subscriptions_detail);
  EXPECT_FALSE(query->subscriptions);
  EXPECT_EQ(query->offset, 5U);
  EXPECT_EQ(query->limit, 7U);
  EXPECT_EQ(query->state, ConnzState::all);
  EXPECT_EQ(query->user, "kate");
  EXPECT_EQ(query->account, "A");
  EXPECT_EQ(query->filter_subject, "foo.>");
  EXPECT_EQ(query->sort, ConnzSort::bytes_to);
  EXPECT_EQ(connz("cid=18446744073709551615")->cid, 18446744073709551615ULL);
  EXPECT_EQ(connz("cid=7&limit=50")->limit, 1U) << "one connection is asked for";
  EXPECT_EQ(connz("limit=-1&offset=-9")->limit, 1024U);
  EXPECT_EQ(connz("limit=-1&offset=-9")->offset, 0U);
  EXPECT_TRUE(connz("subs=1")->subscriptions);
  EXPECT_EQ(connz("state=closed&sort=stop")->sort, ConnzSort::stop);
  EXPECT_EQ(connz("filter_subject=%3E")->filter_subject, "") << "everything is no filter";
}

TEST(ConnzQuery, refuses_what_nats_server_refuses_in_its_words) {
  struct Case {
    std::string_view query, error;
  };
  for (const Case& c :
       {Case{"sort=bogus", "invalid sorting option: bogus"}, Case{"sort=CID", "invalid sorting option: CID"},
        Case{"state=bogus", "Error decoding state for bogus"}, Case{"state=2", "Error decoding state for 2"},
        Case{"limit=x", "Error decoding int for 'limit': strconv.Atoi: parsing \"x\": invalid syntax"},
        Case{"limit=1.5", "Error decoding int for 'limit': strconv.Atoi: parsing \"1.5\": invalid syntax"},
        Case{"offset=+-1", "Error decoding int for 'offset': strconv.Atoi: parsing \" -1\": invalid syntax"},
        Case{"offset=%2B-1", "Error decoding int for 'offset': strconv.Atoi: parsing \"+-1\": invalid syntax"},
        Case{"offset=9223372036854775808",
             "Error decoding int for 'offset': strconv.Atoi: parsing \"9223372036854775808\": value out of range"},
        Case{"cid=-1", "Error decoding uint64 for 'cid': strconv.ParseUint: parsing \"-1\": invalid syntax"},
        Case{"cid=18446744073709551616",
             "Error decoding uint64 for 'cid': strconv.ParseUint: parsing "
             "\"18446744073709551616\": value out of range"},
        Case{"auth=maybe", "Error decoding boolean for 'auth': strconv.ParseBool: parsing \"maybe\": invalid syntax"},
        Case{"auth=yes&limit=x",
             "Error decoding boolean for 'auth': strconv.ParseBool: parsing \"yes\": invalid syntax"},
        Case{"subs=2", "Error decoding boolean for 'subs': strconv.ParseBool: parsing \"2\": invalid syntax"},
        Case{"sort=stop", "sort by stop only valid on closed connections"},
        Case{"sort=stop&state=any", "sort by stop only valid on closed connections"},
        Case{"sort=reason", "sort by reason only valid on closed connections"},
        Case{"filter_subject=foo", "filter by subject only valid with account filtering"}}) {
    const auto query = connz(c.query);
    ASSERT_FALSE(query) << c.query;
    EXPECT_EQ(query.error(), c.error) << c.query;
  }
}

TEST(SubszQuery, tests_literal_subjects_only) {
  EXPECT_EQ(subsz("subs=1&test=a.b&acc=A&limit=3")->test, "a.b");
  EXPECT_EQ(subsz("subs=1&test=a.b&acc=A&limit=3")->account, "A");
  EXPECT_EQ(subsz("")->limit, 1024U);
  for (const std::string_view bad : {"a.*", "%3E", "a..b", ".a", "a.", "a%20b"}) {
    const auto query = subsz("test=" + std::string(bad));
    ASSERT_FALSE(query) << bad;
    EXPECT_TRUE(query.error().starts_with("invalid test subject, must be valid publish subject: ")) << query.error();
  }
}

TEST(AccstatzQuery, reads_whether_unused_accounts_count) {
  EXPECT_TRUE(accstatz_query(admin::parse_query("unused=1"))->unused);
  EXPECT_FALSE(accstatz_query(admin::parse_query(""))->unused);
  EXPECT_FALSE(accstatz_query(admin::parse_query("unused=x")));
}

}  // namespace
}  // namespace hawser::broker
