#include "store/queue_view.hpp"

#include <gtest/gtest.h>

#include "store/queue_world.hpp"

namespace hawser::store {
namespace {

std::string publish(const std::string& subject, const std::string& body) {
  return "PUB " + subject + " " + std::to_string(body.size()) + "\r\n" + body + "\r\n";
}

// Batches 1 and 2 with two messages each, and dead letters of batch 0.
void fill(const Directory& directory) {
  World world(directory);
  const std::string first = publish("orders.new", "a") + publish("orders.old", "bb");
  const std::string second =
      publish("audit.x", "ccc") + "HPUB orders.new back.here 21 25\r\nNATS/1.0\r\nName: v\r\n\r\ndddd\r\n";
  const auto one = world->append({.client = 7, .arrived_ms = 1000, .count = 2, .largest_payload = 2, .frames = first});
  ASSERT_TRUE(world.wait([&] { return world->committed() >= *one; }));
  const auto two =
      world->append({.client = 8, .arrived_ms = 2000, .count = 2, .largest_payload = 25, .frames = second});
  ASSERT_TRUE(world.wait([&] { return world->committed() >= *two; }));
  world.close();
  const auto file = QueueFile::open(directory.database(), Use::owner, Sync::full);
  Transaction transaction((*file)->database());
  for (const std::uint32_t index : {0U, 1U, 2U}) {
    (void)(*file)->bury({.batch = kTicketStride / 2,
                         .index = index,
                         .client = 9,
                         .arrived_ms = 500,
                         .died_ms = 600,
                         .subject = index == 1 ? "secret.x" : "orders.dead",
                         .reason = "Permissions Violation",
                         .frame = publish(index == 1 ? "secret.x" : "orders.dead", "no" + std::to_string(index))});
  }
  transaction.commit();
}

std::unique_ptr<QueueView> view(const Directory& directory) {
  auto opened = QueueView::open(directory.path());
  EXPECT_TRUE(opened) << opened.error().message();
  return std::move(*opened);
}

std::vector<std::string> listed(const Directory& directory, std::optional<MessageName> after = std::nullopt) {
  std::vector<std::string> lines;
  const auto walked = view(directory)->walk(after, [&](const QueuedMessage& message) {
    lines.push_back(to_text(message.name) + " " + std::string(message.subject) + " " + std::string(message.payload));
    return true;
  });
  EXPECT_TRUE(walked);
  return lines;
}

std::vector<std::string> listed_dead(const Directory& directory, std::optional<MessageName> after = std::nullopt) {
  std::vector<std::string> lines;
  const auto walked = view(directory)->walk_dead(after, [&](const QueuedMessage& message) {
    lines.push_back(std::string(message.subject) + " " + std::string(message.payload));
    return true;
  });
  EXPECT_TRUE(walked);
  return lines;
}

using Lines = std::vector<std::string>;

TEST(QueueView, names_are_read_as_they_are_written) {
  for (const MessageName name : {MessageName{105 * kTicketStride, 3}, MessageName{105 * kTicketStride + 2, 0}}) {
    EXPECT_EQ(parse_message_name(to_text(name)), name);
  }
  for (const char* text :
       {"", "1", "1.", ".1", "1.x", "1.2x", "-1.2", "1+.2", "1+1048576.2", "99999999999999999999.1"}) {
    EXPECT_FALSE(parse_message_name(text)) << text;
  }
}

TEST(QueueView, counts_and_names_the_owner) {
  const Directory directory;
  fill(directory);
  auto summary = view(directory)->summary();
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->messages, 4U);
  EXPECT_EQ(summary->oldest_ms, 1000);
  EXPECT_EQ(summary->dead_letters, 3U);
  EXPECT_FALSE(summary->owner);
  const World world(directory);
  EXPECT_EQ(view(directory)->summary()->owner, ::getpid());
}

TEST(QueueView, lists_in_order_and_from_a_place_on) {
  const Directory directory;
  fill(directory);
  EXPECT_EQ(listed(directory),
            (Lines{"1.0 orders.new a", "1.1 orders.old bb", "2.0 audit.x ccc", "2.1 orders.new dddd"}));
  EXPECT_EQ(listed(directory, parse_message_name("1.1")), (Lines{"2.0 audit.x ccc", "2.1 orders.new dddd"}));
  EXPECT_EQ(listed_dead(directory), (Lines{"orders.dead no0", "secret.x no1", "orders.dead no2"}));
  EXPECT_EQ(listed_dead(directory, MessageName{kTicketStride / 2, 1}), Lines{"orders.dead no2"});
  (void)view(directory)->walk(parse_message_name("2.0"), [&](const QueuedMessage& message) {
    EXPECT_EQ(message.reply, "back.here");
    EXPECT_EQ(message.headers, "NATS/1.0\r\nName: v\r\n\r\n");
    EXPECT_EQ(message.client, 8U);
    return false;
  });
}

TEST(QueueView, replays_dead_letters_to_the_tail_and_a_running_agent_sees_them) {
  const Directory directory;
  fill(directory);
  World world(directory);
  const auto replayed = view(directory)->replay({.subject = "orders.*"});
  ASSERT_TRUE(replayed) << replayed.error().message();
  EXPECT_EQ(*replayed, 2U);
  EXPECT_EQ(listed_dead(directory), Lines{"secret.x no1"});
  const Lines all = listed(directory);
  ASSERT_EQ(all.size(), 6U);
  EXPECT_EQ(all[4], "2+1.0 orders.dead no0");
  EXPECT_EQ(all[5], "2+1.1 orders.dead no2");
  ASSERT_TRUE(world.wait([&] { return world->stats().messages == 6 && world->stats().dead_letters == 1; }));
  const auto read = world.read(2 * kTicketStride);
  ASSERT_EQ(read->size(), 1U);
  EXPECT_EQ(read->front().runs.front().client, 9U);
  const std::string more = publish("orders.new", "e");
  EXPECT_EQ(world->append(run_of(more, 1)), 3 * kTicketStride);
}

TEST(QueueView, purges_single_messages_and_leaves_their_neighbours) {
  const Directory directory;
  fill(directory);
  EXPECT_EQ(view(directory)->purge({.names = {*parse_message_name("1.1"), *parse_message_name("2.0")}}), 2U);
  EXPECT_EQ(listed(directory), (Lines{"1.0 orders.new a", "2.0 orders.new dddd"}));
  EXPECT_EQ(view(directory)->summary()->messages, 2U);
}

TEST(QueueView, purges_by_subject_and_age) {
  const Directory directory;
  fill(directory);
  EXPECT_EQ(view(directory)->purge({.subject = "orders.>", .before_ms = 1500}), 2U);
  EXPECT_EQ(listed(directory).size(), 2U);
  EXPECT_EQ(view(directory)->purge({.subject = "nothing.here"}), 0U);
  EXPECT_EQ(view(directory)->purge_dead({.subject = "secret.>"}), 1U);
  EXPECT_EQ(listed_dead(directory), (Lines{"orders.dead no0", "orders.dead no2"}));
}

TEST(QueueView, purges_everything_and_names_are_not_used_again) {
  const Directory directory;
  fill(directory);
  EXPECT_EQ(view(directory)->purge({}), 4U);
  EXPECT_EQ(view(directory)->purge_dead({}), 3U);
  EXPECT_TRUE(listed(directory).empty());
  World world(directory);
  EXPECT_EQ(world->drained(), world->last());
  EXPECT_EQ(world.append_and_commit(5), 3 * kTicketStride);
}

TEST(QueueView, changes_nothing_when_a_name_is_not_there) {
  const Directory directory;
  fill(directory);
  const auto purged = view(directory)->purge({.names = {*parse_message_name("1.0"), *parse_message_name("1.7")}});
  ASSERT_FALSE(purged);
  EXPECT_EQ(purged.error().code, Errc::queue_no_such_message);
  EXPECT_EQ(listed(directory).size(), 4U);
  EXPECT_FALSE(view(directory)->replay({.names = {*parse_message_name("1.0")}}));
}

}  // namespace
}  // namespace hawser::store
