#include "store/batch.hpp"

#include <gtest/gtest.h>
#include <string>

namespace hawser::store {
namespace {

PackedBatch two_runs() {
  PackedBatch batch(3 * kTicketStride);
  batch.add({.client = 7,
             .arrived_ms = 1000,
             .count = 2,
             .largest_payload = 3,
             .frames = "PUB a 3\r\nabc\r\nPUB a 0\r\n\r\n"});
  batch.add({.client = UINT64_MAX, .arrived_ms = -5, .count = 1, .largest_payload = 1, .frames = "PUB b 1\r\nx\r\n"});
  batch.seal();
  return batch;
}

TEST(Batch, unpacks_what_was_packed) {
  const PackedBatch packed = two_runs();
  EXPECT_EQ(packed.messages(), 3U);
  EXPECT_EQ(packed.first_ms(), 1000);
  EXPECT_EQ(packed.largest_payload(), 3U);
  auto batch = unpack(packed.id(), std::string(packed.blob()));
  ASSERT_TRUE(batch) << batch.error().message();
  const Batch moved = std::move(*batch);
  ASSERT_EQ(moved.runs.size(), 2U);
  EXPECT_EQ(moved.messages, 3U);
  EXPECT_EQ(moved.largest_payload, 3U);
  EXPECT_EQ(moved.runs[0].client, 7U);
  EXPECT_EQ(moved.runs[0].frames, "PUB a 3\r\nabc\r\nPUB a 0\r\n\r\n");
  EXPECT_EQ(moved.runs[1].client, UINT64_MAX);
  EXPECT_EQ(moved.runs[1].arrived_ms, -5);
  EXPECT_EQ(moved.runs[1].frames, "PUB b 1\r\nx\r\n");
}

TEST(Batch, any_flipped_bit_is_noticed) {
  const PackedBatch packed = two_runs();
  for (std::size_t bit = 0; bit < packed.blob().size() * 8; ++bit) {
    std::string blob(packed.blob());
    blob[bit / 8] = static_cast<char>(blob[bit / 8] ^ (1 << (bit % 8)));
    const auto batch = unpack(packed.id(), std::move(blob));
    ASSERT_FALSE(batch);
    EXPECT_EQ(batch.error().code, Errc::queue_damaged);
  }
}

TEST(Batch, any_missing_end_is_noticed) {
  const PackedBatch packed = two_runs();
  for (std::size_t size = 0; size < packed.blob().size(); ++size) {
    EXPECT_FALSE(unpack(packed.id(), std::string(packed.blob().substr(0, size))));
  }
}

TEST(Batch, that_of_another_id_is_noticed) {
  const PackedBatch packed = two_runs();
  EXPECT_FALSE(unpack(packed.id() + 1, std::string(packed.blob())));
}

TEST(Batch, runs_that_do_not_fit_are_refused_whatever_the_checksum) {
  const std::string blob(two_runs().blob());
  for (std::size_t size = 0; size < blob.size(); ++size) {
    const auto runs = unpack_runs(std::string_view(blob).substr(0, size));
    const bool ends_after_the_first_run = size == kBatchHeaderBytes + kRunHeaderBytes + 25;
    EXPECT_EQ(runs.has_value(), ends_after_the_first_run) << size;
  }
}

TEST(Batch, takes_runs_until_it_has_a_mebibyte) {
  const std::string frames(400'000, 'x');
  PackedBatch batch(kTicketStride);
  int runs = 0;
  for (; !batch.full(); ++runs) {
    batch.add({.count = 1, .frames = frames});
  }
  EXPECT_EQ(runs, 3);
}

TEST(Batch, names_are_short) {
  EXPECT_EQ(to_text(105 * kTicketStride), "105");
  EXPECT_EQ(to_text(105 * kTicketStride + 2), "105+2");
}

}  // namespace
}  // namespace hawser::store
