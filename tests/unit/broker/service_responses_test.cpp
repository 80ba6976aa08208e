#include "broker/service_responses.hpp"

#include <gtest/gtest.h>
#include <set>
#include <string>
#include <vector>

#include "broker/accounts.hpp"
#include "wire/subject.hpp"

namespace hawser::broker {
namespace {

using namespace std::chrono_literals;
using Part = ServiceResponses::Part;

ServiceImportPtr import_of(ResponseType response, Duration threshold = 10s, std::string from = "ask") {
  auto import = std::make_shared<ServiceImport>();
  import->importer = "IMPORTER";
  import->from = std::move(from);
  import->response = response;
  import->response_threshold = threshold;
  return import;
}

struct ServiceResponsesTest : ::testing::Test {
  AccountState requestor{"IMPORTER"};
  ServiceResponses responses;
  Time now{1000s};
};

TEST_F(ServiceResponsesTest, one_answer_is_all_that_a_single_one_takes) {
  const std::string subject = responses.open(requestor, "in.1", import_of(ResponseType::singleton), now);
  EXPECT_TRUE(wire::matches(responses.pattern(), subject)) << subject;
  EXPECT_TRUE(wire::valid_publish_subject(subject));
  const auto owed = responses.take(subject, now, Part::more);
  ASSERT_TRUE(owed);
  EXPECT_EQ(owed->requestor, &requestor);
  EXPECT_EQ(owed->reply, "in.1");
  EXPECT_FALSE(responses.take(subject, now, Part::more));
  EXPECT_EQ(responses.size(), 0U);
}

TEST_F(ServiceResponsesTest, a_stream_of_answers_ends_with_an_empty_one) {
  for (const ResponseType type : {ResponseType::stream, ResponseType::chunked}) {
    const std::string subject = responses.open(requestor, "in.1", import_of(type), now);
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(responses.take(subject, now, Part::more));
    }
    EXPECT_EQ(responses.take(subject, now, Part::last)->reply, "in.1");
    EXPECT_FALSE(responses.take(subject, now, Part::more));
  }
}

TEST_F(ServiceResponsesTest, answers_that_come_too_late_are_none) {
  const std::string one = responses.open(requestor, "in.1", import_of(ResponseType::singleton, 10s), now);
  EXPECT_FALSE(responses.take(one, now + 10s, Part::more));
  const std::string stream = responses.open(requestor, "in.1", import_of(ResponseType::stream, 10s), now);
  EXPECT_TRUE(responses.take(stream, now + 9s, Part::more));
  EXPECT_TRUE(responses.take(stream, now + 18s, Part::more)) << "each answer gives another while";
  EXPECT_FALSE(responses.take(stream, now + 28s, Part::more));
}

TEST_F(ServiceResponsesTest, what_is_over_is_given_up) {
  const std::string shorter = responses.open(requestor, "in.1", import_of(ResponseType::singleton, 5s), now);
  const std::string longer = responses.open(requestor, "in.2", import_of(ResponseType::singleton, 20s), now);
  responses.expire(now + 4s);
  EXPECT_EQ(responses.size(), 2U);
  responses.expire(now + 5s);
  EXPECT_EQ(responses.size(), 1U);
  responses.expire(now + 19s);
  EXPECT_TRUE(responses.take(longer, now + 19s, Part::more));
  EXPECT_FALSE(responses.take(shorter, now, Part::more));
}

TEST_F(ServiceResponsesTest, a_stream_that_goes_on_is_not_given_up) {
  const std::string stream = responses.open(requestor, "in.1", import_of(ResponseType::stream, 10s), now);
  const std::string other = responses.open(requestor, "in.2", import_of(ResponseType::singleton, 10s), now);
  EXPECT_TRUE(responses.take(stream, now + 8s, Part::more));
  responses.expire(now + 12s);
  EXPECT_EQ(responses.size(), 1U);
  EXPECT_TRUE(responses.take(stream, now + 12s, Part::more));
  responses.expire(now + 22s);
  EXPECT_EQ(responses.size(), 0U);
  EXPECT_FALSE(responses.take(other, now, Part::more));
}

TEST_F(ServiceResponsesTest, what_is_closed_is_not_answered) {
  const std::string subject = responses.open(requestor, "in.1", import_of(ResponseType::stream), now);
  responses.close(subject);
  responses.close(subject);
  responses.close("_R_.never.was");
  EXPECT_FALSE(responses.take(subject, now, Part::more));
  EXPECT_FALSE(responses.take("", now, Part::more));
}

TEST_F(ServiceResponsesTest, subjects_are_not_given_twice) {
  std::set<std::string> seen;
  ServiceResponses other;
  EXPECT_NE(responses.pattern(), other.pattern());
  for (int i = 0; i < 10000; ++i) {
    EXPECT_TRUE(seen.insert(responses.open(requestor, "in", import_of(ResponseType::singleton), now)).second);
  }
}

TEST_F(ServiceResponsesTest, the_oldest_gives_way_when_there_are_too_many) {
  const auto import = import_of(ResponseType::stream);
  const std::string first = responses.open(requestor, "in.first", import, now);
  const std::string second = responses.open(requestor, "in.second", import, now);
  for (std::size_t i = 2; i < ServiceResponses::kMost; ++i) {
    std::ignore = responses.open(requestor, "in", import, now);
  }
  EXPECT_TRUE(responses.take(first, now, Part::more)) << "used, and so the youngest";
  std::ignore = responses.open(requestor, "in", import, now);
  EXPECT_EQ(responses.size(), ServiceResponses::kMost);
  EXPECT_TRUE(responses.take(first, now, Part::more));
  EXPECT_FALSE(responses.take(second, now, Part::more));
}

TEST_F(ServiceResponsesTest, go_with_the_import_that_they_belong_to) {
  const std::string stays = responses.open(requestor, "in.1", import_of(ResponseType::singleton, 10s, "stays"), now);
  const std::string goes = responses.open(requestor, "in.2", import_of(ResponseType::singleton, 10s, "goes"), now);
  responses.keep_only([](const ServiceImport& import) { return import.from == "stays"; });
  EXPECT_FALSE(responses.take(goes, now, Part::more));
  EXPECT_TRUE(responses.take(stays, now, Part::more));
}

}  // namespace
}  // namespace hawser::broker
