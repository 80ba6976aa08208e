// What happens to each publish that no link can take, on a real queue in a temporary directory.
#include "agent/client_spool.hpp"

#include <condition_variable>
#include <filesystem>
#include <gtest/gtest.h>
#include <set>
#include <stdlib.h>

#include "agent/local_mark.hpp"
#include "wire/headers.hpp"
#include "wire/parser.hpp"
#include "wire/writer.hpp"

namespace hawser::agent {
namespace {

using Why = session::Spool::Why;
using Strings = std::vector<std::string>;

struct Owner final : SpoolOwner {
  void on_publish_refused(std::string_view subject, std::string_view why) override {
    refused.emplace_back(std::string(subject) + ": " + std::string(why));
  }
  bool answer_no_responders(const wire::Frame& request) override {
    if (inboxes.contains(std::string(request.reply))) {
      answered.emplace_back(request.reply);
      return true;
    }
    return false;
  }
  bool wants_echo() const override { return echo; }
  bool subscribes_to(std::string_view subject) const override { return own.contains(std::string(subject)); }
  std::size_t max_body_with_headers() const override { return max_body; }
  void await_progress() override { ++awaits; }

  Strings refused;
  Strings answered;
  std::set<std::string> inboxes{"_INBOX.1"};
  std::set<std::string> own;
  std::size_t max_body = 1UL << 20U;
  bool echo = true;
  int awaits = 0;
};

struct ClientSpoolTest : ::testing::Test {
  std::filesystem::path directory;
  metrics::Registry registry;
  Metrics metrics{registry};
  Owner owner;
  std::mutex mutex;
  std::condition_variable moved;
  std::unique_ptr<store::DiskQueue> queue;
  std::unique_ptr<Outage> outage;
  std::vector<LocalDelivery> delivered;

  ClientSpoolTest() {
    std::string name = std::filesystem::temp_directory_path() / "hawser-spool-XXXXXX";
    directory = ::mkdtemp(name.data());
  }
  ~ClientSpoolTest() override {
    queue.reset();
    std::filesystem::remove_all(directory);
  }
  void open(Fallback fallback = {}, std::uint64_t max_messages = 1000) {
    store::QueueOptions options;
    options.directory = directory / "queue";
    options.max_messages = max_messages;
    auto opened = store::DiskQueue::open(options, [this] {
      const std::lock_guard lock(mutex);
      moved.notify_all();
    });
    ASSERT_TRUE(opened) << opened.error().message();
    queue = std::move(*opened);
    outage = std::make_unique<Outage>(fallback, queue.get(), "NAGENT");
    outage->deliver = [this](std::uint32_t /*worker*/, std::vector<LocalDelivery> deliveries) {
      delivered.insert(delivered.end(), deliveries.begin(), deliveries.end());
    };
  }
  // The frames that are in the queue, in order.
  Strings queued() {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(moved.wait_for(lock, std::chrono::seconds(20), [&] { return queue->committed() == queue->last(); }));
    lock.unlock();
    Strings frames;
    std::mutex done_mutex;
    std::condition_variable done;
    bool read = false;
    queue->read(0, 1UL << 30U, [&](Result<std::vector<store::Batch>> batches) {
      for (const store::Batch& batch : *batches) {
        for (const store::Run& run : batch.runs) {
          wire::Parser parser(wire::Peer::client);
          wire::Frame frame;
          for (std::string_view rest = run.frames;
               !rest.empty() && parser.next(rest, frame) == wire::Parser::Status::frame;) {
            frames.emplace_back(frame.raw);
            rest.remove_prefix(frame.raw.size());
          }
        }
      }
      const std::lock_guard done_lock(done_mutex);
      read = true;
      done.notify_one();
    });
    std::unique_lock done_lock(done_mutex);
    done.wait(done_lock, [&] { return read; });
    return frames;
  }
  static std::string pub(std::string_view subject, std::string_view payload, std::string_view reply = {}) {
    std::string frame;
    wire::append_pub(frame, subject, reply, payload);
    return frame;
  }
};

TEST_F(ClientSpoolTest, queues_publishes_as_they_came) {
  open();
  ClientSpool spool(*outage, metrics, owner, 1);
  const std::string frames = pub("a", "1") + pub("b", "2");
  EXPECT_EQ(spool.put(frames, Why::away), frames.size());
  EXPECT_EQ(queued(), (Strings{pub("a", "1"), pub("b", "2")}));
  EXPECT_TRUE(spool.safe(spool.mark()));
  EXPECT_FALSE(spool.clear());
  queue->confirm(queue->last());
  EXPECT_TRUE(spool.clear());
}

TEST_F(ClientSpoolTest, answers_a_request_at_once_and_does_not_queue_it) {
  open();
  ClientSpool spool(*outage, metrics, owner, 1);
  for (const Why why : {Why::away, Why::behind}) {
    EXPECT_GT(spool.put(pub("svc", "q", "_INBOX.1"), why), 0U);
  }
  EXPECT_EQ(owner.answered, (Strings{"_INBOX.1", "_INBOX.1"}));
  EXPECT_EQ(queue->last(), 0U);
}

TEST_F(ClientSpoolTest, queues_a_message_whose_reply_goes_to_somebody_else) {
  open();
  ClientSpool spool(*outage, metrics, owner, 1);
  EXPECT_GT(spool.put(pub("svc", "q", "audit.log"), Why::away), 0U);
  EXPECT_EQ(queued(), (Strings{pub("svc", "q", "audit.log")}));
}

TEST_F(ClientSpoolTest, queues_requests_when_that_is_asked_for) {
  open({.mode = FallbackMode::local_queue, .drain = true, .local_delivery = true, .queue_requests = true});
  ClientSpool spool(*outage, metrics, owner, 1);
  EXPECT_GT(spool.put(pub("svc", "q", "_INBOX.1"), Why::away), 0U);
  EXPECT_TRUE(owner.answered.empty());
  EXPECT_EQ(queued().size(), 1U);
}

TEST_F(ClientSpoolTest, a_local_responder_gets_the_request_and_nobody_else) {
  open();
  const auto responder = outage->routes.join(0, 2, "7", "svc", "");
  ClientSpool spool(*outage, metrics, owner, 1);
  EXPECT_GT(spool.put(pub("svc", "q", "_INBOX.1"), Why::away), 0U);
  ASSERT_EQ(delivered.size(), 1U);
  EXPECT_EQ(delivered.front().to, responder);
  EXPECT_EQ(delivered.front().message->reply, "_INBOX.1");
  EXPECT_EQ(queue->last(), 0U);
  EXPECT_TRUE(owner.answered.empty());
}

TEST_F(ClientSpoolTest, what_local_clients_have_had_is_marked_in_the_queue) {
  open();
  const auto plain = outage->routes.join(0, 2, "7", "a.*", "");
  const auto one = outage->routes.join(0, 3, "1", "a.b", "workers");
  const auto two = outage->routes.join(0, 4, "1", "a.b", "workers");
  ClientSpool spool(*outage, metrics, owner, 1);
  EXPECT_GT(spool.put(pub("a.b", "x") + pub("nobody", "y"), Why::away), 0U);
  EXPECT_EQ(delivered.size(), 2U) << "one plain subscriber and one of the group";
  const Strings frames = queued();
  ASSERT_EQ(frames.size(), 2U);
  wire::Parser parser(wire::Peer::client);
  wire::Frame frame;
  ASSERT_EQ(parser.next(frames[0], frame), wire::Parser::Status::frame);
  const auto value = wire::find_header(frame.headers, kLocalMark);
  ASSERT_TRUE(value);
  const auto mark = parse_mark(*value);
  ASSERT_TRUE(mark);
  EXPECT_EQ(mark->agent, "NAGENT");
  EXPECT_GT(mark->number, plain->since);
  EXPECT_TRUE(mark->has_group("workers"));
  EXPECT_EQ(mark->sum, message_sum("a.b", "x"));
  EXPECT_EQ(frames[1], pub("nobody", "y"));
}

TEST_F(ClientSpoolTest, behind_the_queue_nothing_is_delivered_locally) {
  open();
  const auto plain = outage->routes.join(0, 2, "7", "a", "");
  ClientSpool spool(*outage, metrics, owner, 1);
  EXPECT_GT(spool.put(pub("a", "x"), Why::behind), 0U);
  EXPECT_TRUE(delivered.empty());
  EXPECT_EQ(queued(), (Strings{pub("a", "x")}));
}

TEST_F(ClientSpoolTest, who_does_not_want_an_echo_gets_none_now_or_later) {
  open();
  owner.echo = false;
  owner.own = {"a"};
  const auto own = outage->routes.join(0, 1, "7", "a", "");
  ClientSpool spool(*outage, metrics, owner, 1);
  EXPECT_GT(spool.put(pub("a", "x"), Why::away), 0U);
  EXPECT_TRUE(delivered.empty());
  const Strings frames = queued();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_NE(frames.front().find("Hawser-Local: NAGENT 1 1 "), std::string::npos) << frames.front();
}

TEST_F(ClientSpoolTest, what_could_not_carry_the_mark_is_not_delivered_locally) {
  open();
  owner.max_body = 1000;
  const auto plain = outage->routes.join(0, 2, "7", "a", "");
  ClientSpool spool(*outage, metrics, owner, 1);
  EXPECT_GT(spool.put(pub("a", std::string(900, 'x')), Why::away), 0U);
  EXPECT_TRUE(delivered.empty());
  EXPECT_EQ(queued().size(), 1U);
}

TEST_F(ClientSpoolTest, a_full_queue_takes_nothing_and_delivers_nothing) {
  open({}, 2);
  const auto plain = outage->routes.join(0, 2, "7", "a", "");
  ClientSpool spool(*outage, metrics, owner, 1);
  EXPECT_GT(spool.put(pub("a", "1") + pub("a", "2"), Why::away), 0U);
  EXPECT_EQ(delivered.size(), 2U);
  EXPECT_TRUE(spool.accepts(Why::away));
  EXPECT_EQ(spool.put(pub("a", "3"), Why::away), 0U);
  EXPECT_EQ(delivered.size(), 2U);
  EXPECT_FALSE(spool.accepts(Why::away));
  spool.progressed();
  EXPECT_TRUE(spool.accepts(Why::away)) << "it is worth another try";
}

TEST_F(ClientSpoolTest, a_client_stands_behind_what_was_queued_before_it_came) {
  open();
  ClientSpool first(*outage, metrics, owner, 1);
  EXPECT_GT(first.put(pub("a", "1"), Why::away), 0U);
  ClientSpool second(*outage, metrics, owner, 2);
  EXPECT_FALSE(second.clear());
  EXPECT_EQ(queued().size(), 1U);
  queue->confirm(queue->last());
  EXPECT_TRUE(second.clear());
  EXPECT_TRUE(first.clear());
}

TEST_F(ClientSpoolTest, mode_fail_refuses_each_publish_and_keeps_none) {
  open({.mode = FallbackMode::fail, .drain = true, .local_delivery = true, .queue_requests = false});
  ClientSpool spool(*outage, metrics, owner, 1);
  EXPECT_GT(spool.put(pub("a", "1") + pub("b", "2"), Why::away), 0U);
  EXPECT_EQ(owner.refused.size(), 2U);
  EXPECT_EQ(queue->last(), 0U);
}

TEST_F(ClientSpoolTest, mode_drop_keeps_none_and_counts_them) {
  open({.mode = FallbackMode::drop, .drain = true, .local_delivery = true, .queue_requests = false});
  ClientSpool spool(*outage, metrics, owner, 1);
  EXPECT_GT(spool.put(pub("a", "1") + pub("b", "2"), Why::away), 0U);
  EXPECT_TRUE(owner.refused.empty());
  EXPECT_EQ(metrics.dropped_in_outage.value(), 2U);
  EXPECT_EQ(queue->last(), 0U);
}

}  // namespace
}  // namespace hawser::agent
