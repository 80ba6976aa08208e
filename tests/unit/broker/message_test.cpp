#include "broker/message.hpp"

#include <array>
#include <gtest/gtest.h>
#include <string>

#include "broker/batch.hpp"

namespace hawser::broker {
namespace {

std::string unsent_of(const net::ByteQueue& queue) {
  std::array<iovec, 64> spans;
  std::string bytes;
  const std::size_t count = queue.unsent(spans);
  for (std::size_t i = 0; i < count; ++i) {
    bytes.append(static_cast<const char*>(spans[i].iov_base), spans[i].iov_len);
  }
  return bytes;
}

TEST(Fanout, writes_a_message_as_msg_with_and_without_reply) {
  net::ChunkPool pool;
  net::ByteQueue queue(pool);
  const Message hello{.subject = "a.b", .reply = {}, .headers = {}, .body = "hello\r\n"};
  Fanout plain(hello, 1);
  EXPECT_EQ(plain.write(queue, "7", true), 5U);
  const Message asked{.subject = "a.b", .reply = "inbox", .headers = {}, .body = "\r\n"};
  Fanout request(asked, 1);
  EXPECT_EQ(request.write(queue, "8", false), 0U);
  EXPECT_EQ(unsent_of(queue), "MSG a.b 7 5\r\nhello\r\nMSG a.b 8 inbox 0\r\n\r\n");
}

TEST(Fanout, strips_headers_for_those_who_cannot_read_them) {
  const std::string headers = "NATS/1.0\r\nA: b\r\n\r\n";
  const std::string body = headers + "hi\r\n";
  net::ChunkPool pool;
  net::ByteQueue queue(pool);
  const Message message{
      .subject = "s", .reply = "r", .headers = std::string_view(body).substr(0, headers.size()), .body = body};
  Fanout fanout(message, 2);
  EXPECT_EQ(fanout.write(queue, "1", true), 20U);
  EXPECT_EQ(fanout.write(queue, "2", false), 2U);
  EXPECT_EQ(fanout.write(queue, "3", true), 20U);
  const std::string headed = " r 18 20\r\n" + body;
  EXPECT_EQ(unsent_of(queue), "HMSG s 1" + headed + "MSG s 2 r 2\r\nhi\r\n" + "HMSG s 3" + headed);
}

TEST(Fanout, copies_a_large_body_once_for_all_of_its_recipients) {
  const std::string headers = "NATS/1.0\r\nA: b\r\n\r\n";
  const std::string body = headers + std::string(20000, 'x') + "\r\n";
  net::ChunkPool pool;
  net::ByteQueue one(pool);
  net::ByteQueue two(pool);
  const Message message{
      .subject = "s", .reply = {}, .headers = std::string_view(body).substr(0, headers.size()), .body = body};
  Fanout fanout(message, 2);
  fanout.write(one, "1", true);
  fanout.write(two, "2", false);
  EXPECT_EQ(unsent_of(one), "HMSG s 1 18 20018\r\n" + body);
  EXPECT_EQ(unsent_of(two), "MSG s 2 20000\r\n" + body.substr(headers.size()));
  std::array<iovec, 8> spans;
  ASSERT_EQ(one.unsent(spans), 2U);
  const void* first = spans[1].iov_base;
  ASSERT_EQ(two.unsent(spans), 2U);
  EXPECT_EQ(static_cast<const char*>(spans[1].iov_base), static_cast<const char*>(first) + headers.size());
}

TEST(Batch, keeps_alive_whom_it_goes_to_until_it_is_read) {
  BatchPool pool;
  Batch batch = pool.take();
  std::vector<std::shared_ptr<Subscription>> all;
  for (std::uint64_t serial = 1; serial <= 300; ++serial) {  // more of them than it remembers at a time
    if (serial <= 100) {
      all.push_back(std::make_shared<Subscription>());
      all.back()->sid = std::to_string(serial % 100);
    }
    batch.add({.subject = "a", .reply = {}, .headers = {}, .body = "\r\n"}, serial, all[serial % all.size()], 0);
  }
  const std::weak_ptr<Subscription> one = all.front();
  all.clear();
  EXPECT_FALSE(one.expired());
  std::size_t count = 0;
  batch.each([&](const Message&, std::span<const Batch::Delivery> deliveries) {
    for (const Batch::Delivery& delivery : deliveries) {
      count += delivery.to->sid.empty() ? 0U : 1U;
    }
  });
  EXPECT_EQ(count, 300U);
  pool.give(std::move(batch));
  EXPECT_TRUE(one.expired());
  EXPECT_TRUE(pool.take().empty());
}

TEST(Batch, gives_back_what_was_added_message_by_message) {
  const auto to = [](std::string sid) {
    auto subscription = std::make_shared<Subscription>();
    subscription->sid = std::move(sid);
    return subscription;
  };
  Batch batch;
  EXPECT_TRUE(batch.empty());
  const std::string body = "NATS/1.0\r\n\r\n" + std::string(1000, 'p') + "\r\n";
  batch.add({.subject = "a", .reply = "r", .headers = std::string_view(body).substr(0, 12), .body = body, .from = 4}, 1,
            to("1"), 0);
  batch.add({.subject = "a", .reply = "r", .headers = std::string_view(body).substr(0, 12), .body = body, .from = 4}, 1,
            to("2"), 1);
  batch.add({.subject = "a", .reply = {}, .headers = {}, .body = "\r\n", .from = 5}, 2, to("3"), 0);
  EXPECT_LT(batch.bytes(), 2 * body.size());  // the same message is there once
  std::string seen;
  batch.each([&](const Message& message, std::span<const Batch::Delivery> deliveries) {
    seen += std::string(message.subject) + "," + std::string(message.reply) + "," +
            std::to_string(message.headers.size()) + "," + std::to_string(message.payload_bytes()) + "," +
            std::to_string(message.from) + ":";
    for (const Batch::Delivery& delivery : deliveries) {
      seen += delivery.to->sid + (delivery.leg != 0 ? "q " : " ");
    }
    seen += "|";
  });
  EXPECT_EQ(seen, "a,r,12,1000,4:1 2q |a,,0,0,5:3 |");
}

}  // namespace
}  // namespace hawser::broker
