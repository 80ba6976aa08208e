// Batches: what the queue keeps on disk as one row, packed and checked here.
//
// A batch is some runs of messages in the order in which they arrived, each run the whole frames (PUB, HPUB) of one
// client. Its blob, with all numbers little-endian:
//
//   batch := crc32c:u32 run+                 the CRC is over the batch's id as u64 and everything behind the CRC
//   run   := client:u64 arrived_ms:i64 count:u32 largest_payload:u32 size:u32 frames[size]
//
// Pure; values.
//
//   PackedBatch batch(id); batch.add(run); batch.seal();    insert(batch.id(), batch.blob());
//   Result<Batch> again = unpack(id, blob);                 for (const Run& run : again->runs) …
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace hawser::store {

// Names a batch, and everything before it; grows, across restarts too. 0 is before all. Batches that an agent queues
// have multiples of kTicketStride; between them is room for those that another process puts at the tail (`hawser queue
// replay`).
using Ticket = std::uint64_t;
inline constexpr Ticket kTicketStride = 1UL << 20U;

// "105", or "105+2" for the second that was put behind it.
[[nodiscard]] std::string to_text(Ticket ticket);

// Whole frames of one client, in order.
struct Run {
  std::uint64_t client = 0;
  std::int64_t arrived_ms = 0;        // since 1970
  std::uint32_t count = 0;            // messages, at least 1
  std::uint32_t largest_payload = 0;  // bytes, headers included
  std::string_view frames = {};       // less than 4 GiB
};

// Bytes that a run takes in a blob beyond its frames; and a blob beyond its runs.
inline constexpr std::size_t kRunHeaderBytes = 28;
inline constexpr std::size_t kBatchHeaderBytes = 4;
// A batch takes no more runs from here on. A run is not divided, so a batch may be as much larger as its last run is.
inline constexpr std::size_t kBatchBytes = 1UL << 20U;

// One that is being filled.
class PackedBatch {
 public:
  explicit PackedBatch(Ticket id) : id_(id), blob_(kBatchHeaderBytes, '\0') {}

  void add(const Run& run);
  [[nodiscard]] bool full() const noexcept { return blob_.size() >= kBatchBytes; }
  // Writes the CRC. To be called after the last add().
  void seal();

  [[nodiscard]] Ticket id() const noexcept { return id_; }
  [[nodiscard]] std::string_view blob() const noexcept { return blob_; }
  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return blob_.size(); }
  [[nodiscard]] std::int64_t first_ms() const noexcept { return first_ms_; }
  [[nodiscard]] std::uint32_t largest_payload() const noexcept { return largest_payload_; }

 private:
  Ticket id_;
  std::string blob_;
  std::uint64_t messages_ = 0;
  std::int64_t first_ms_ = 0;
  std::uint32_t largest_payload_ = 0;
};

// One that was read. Movable: the views follow, since `data` is always longer than what a string keeps inside itself.
struct Batch {
  Ticket id = 0;
  std::vector<Run> runs;  // views into `data`
  std::uint64_t messages = 0;
  std::uint32_t largest_payload = 0;
  std::string data;

  Batch() = default;
  Batch(Batch&&) noexcept = default;
  Batch& operator=(Batch&&) noexcept = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch() = default;
};

// The runs of a blob as views into it, without regard to its CRC. Errors: queue_damaged, saying what does not fit.
[[nodiscard]] Result<std::vector<Run>> unpack_runs(std::string_view blob);
// Errors: queue_damaged when the CRC is not that of this id and these bytes, or the runs do not fit.
[[nodiscard]] Result<Batch> unpack(Ticket id, std::string blob);

}  // namespace hawser::store
