#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "net/byte_queue.hpp"

namespace hawser::net {
namespace {

// A queue as one string: what it must agree with after every operation.
struct Model {
  std::string all;  // since the queue was made
  std::size_t begin = 0;
  std::size_t sent = 0;
};

std::string unsent_of(const ByteQueue& queue, std::size_t spans) {
  std::vector<iovec> room(spans);
  std::string bytes;
  const std::size_t count = queue.unsent(room);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_GT(room[i].iov_len, 0U);
    bytes.append(static_cast<const char*>(room[i].iov_base), room[i].iov_len);
  }
  return bytes;
}

std::string read_of(const ByteQueue& queue, std::uint64_t from, std::uint64_t to) {
  std::string bytes;
  queue.read(from, to, [&](std::string_view piece) { bytes += piece; });
  return bytes;
}

void compare(const ByteQueue& queue, const Model& model) {
  ASSERT_EQ(queue.begin(), model.begin);
  ASSERT_EQ(queue.sent(), model.sent);
  ASSERT_EQ(queue.end(), model.all.size());
  ASSERT_EQ(queue.unsent_bytes(), model.all.size() - model.sent);
  ASSERT_EQ(queue.bytes(), model.all.size() - model.begin);
  ASSERT_EQ(unsent_of(queue, 1024), model.all.substr(model.sent));
  const std::string few = unsent_of(queue, 2);
  ASSERT_EQ(few, model.all.substr(model.sent, few.size()));
  ASSERT_EQ(few.empty(), model.sent == model.all.size());
}

TEST(ChunkPool, trim_lets_go_of_what_nobody_needed_since_the_last) {
  ChunkPool pool(8);
  const auto use = [&pool](std::size_t count) {
    std::vector<PooledChunk*> taken;
    for (std::size_t i = 0; i < count; ++i) {
      taken.push_back(pool.take());
    }
    for (PooledChunk* chunk : taken) {
      pool.give(chunk);
    }
  };
  use(20);
  EXPECT_EQ(pool.kept(), 8U);
  pool.trim();
  EXPECT_EQ(pool.kept(), 8U);
  use(3);
  pool.trim();
  EXPECT_EQ(pool.kept(), 3U);
  use(5);
  pool.trim();
  EXPECT_EQ(pool.kept(), 5U);
  pool.trim();
  EXPECT_EQ(pool.kept(), 0U);
  use(1);
  EXPECT_EQ(pool.kept(), 1U);
}

TEST(ByteQueue, agrees_with_a_string_under_random_operations) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
    ChunkPool pool(4);
    ByteQueue queue(pool);
    Model model;
    for (int step = 0; step < 400; ++step) {
      switch (random() % 8) {
        case 0:
        case 1:
        case 2: {
          const std::size_t size = random() % 10 == 0 ? below(60000) : below(300);
          const std::string bytes(size, static_cast<char>('a' + step % 26));
          if (random() % 4 == 0) {
            const std::size_t from = below(size + 1);
            queue.append_shared(std::make_shared<const std::string>(bytes), from);
            model.all += bytes.substr(from);
            break;
          }
          if (char* at = queue.room_for(size); at != nullptr && random() % 2 == 0) {
            bytes.copy(at, size);
            queue.grew(size);
          } else {
            queue.append(bytes);
          }
          model.all += bytes;
          break;
        }
        case 3:
        case 4: {
          const std::size_t size = random() % 3 == 0 ? queue.unsent_bytes() : below(queue.unsent_bytes() + 1);
          queue.mark_sent(size);
          model.sent += size;
          break;
        }
        case 5: {  // beyond the cursor: up to it
          const std::size_t to = model.begin + below(model.all.size() - model.begin + 100);
          queue.release(to);
          model.begin = std::max(model.begin, std::min(to, model.sent));
          break;
        }
        case 6: {
          const std::size_t from = model.begin + below(model.all.size() - model.begin + 1);
          const std::size_t to = from + below(model.all.size() - from + 1);
          ASSERT_EQ(read_of(queue, from, to), model.all.substr(from, to - from));
          break;
        }
        case 7:
          if (random() % 10 == 0) {
            queue.clear();
            model.begin = model.sent = model.all.size();
          }
          break;
      }
      ASSERT_NO_FATAL_FAILURE(compare(queue, model)) << "seed " << seed << " step " << step;
    }
  }
}

TEST(ByteQueue, full_chunks_are_full_records) {
  ChunkPool pool;
  ByteQueue queue(pool);
  for (int i = 0; i < 1000; ++i) {
    queue.append(std::string(100, 'x'));
  }
  std::array<iovec, 16> spans;
  const std::size_t count = queue.unsent(spans);
  ASSERT_EQ(count, 7U);
  for (std::size_t i = 0; i + 1 < count; ++i) {
    EXPECT_EQ(spans[i].iov_len, 16384U);
  }
}

TEST(ByteQueue, knows_how_much_is_in_the_chunk_that_is_not_full_yet) {
  ChunkPool pool;
  ByteQueue queue(pool);
  EXPECT_EQ(queue.tail_bytes(), 0U);
  queue.append(std::string(100, 'a'));
  EXPECT_EQ(queue.tail_bytes(), 100U);
  queue.mark_sent(40);
  EXPECT_EQ(queue.tail_bytes(), 60U);
  queue.append(std::string(2 * PooledChunk::kBytes, 'b'));
  EXPECT_EQ(queue.tail_bytes(), 100U);
  queue.mark_sent(queue.unsent_bytes() - 30);
  EXPECT_EQ(queue.tail_bytes(), 30U);
  queue.mark_sent(30);
  EXPECT_EQ(queue.tail_bytes(), 0U);
}

TEST(ByteQueue, gives_its_chunks_back_and_the_next_queue_uses_them) {
  ChunkPool pool(2);
  const void* first = nullptr;
  {
    ByteQueue queue(pool);
    queue.append("x");
    std::array<iovec, 1> span;
    ASSERT_EQ(queue.unsent(span), 1U);
    first = span[0].iov_base;
  }
  ByteQueue queue(pool);
  queue.append("y");
  std::array<iovec, 1> span;
  ASSERT_EQ(queue.unsent(span), 1U);
  EXPECT_EQ(span[0].iov_base, first);
}

TEST(ByteQueue, shares_bytes_with_other_queues_and_lets_go_of_them) {
  ChunkPool pool;
  ByteQueue one(pool);
  ByteQueue two(pool);
  const auto shared = std::make_shared<const std::string>(100000, 's');
  one.append_shared(shared);
  two.append_shared(shared);
  EXPECT_EQ(shared.use_count(), 3);
  std::array<iovec, 2> spans;
  ASSERT_EQ(one.unsent(spans), 1U);
  EXPECT_EQ(spans[0].iov_base, shared->data());
  one.mark_sent(100000);
  one.wipe_sent(0, 100000);  // not its own to wipe
  one.release(100000);
  two.clear();
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_EQ(*shared, std::string(100000, 's'));
}

TEST(ByteQueue, wipes_what_was_sent_and_nothing_else) {
  ChunkPool pool;
  ByteQueue queue(pool);
  queue.append(std::string(16380, 'a') + "secret" + std::string(20, 'b'));
  queue.mark_sent(16386);
  queue.release(10);
  queue.wipe_sent(16380, 20000);  // no further than the cursor
  EXPECT_EQ(read_of(queue, 16378, 16390), std::string("aa") + std::string(6, '\0') + "bbbb");
}

}  // namespace
}  // namespace hawser::net
