#include "store/batch.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <utility>

#include "store/crc32c.hpp"

namespace hawser::store {
namespace {

template <std::unsigned_integral T>
void put(char* to, T value) {
  for (std::size_t i = 0; i < sizeof value; ++i) {
    to[i] = static_cast<char>(static_cast<unsigned char>(value >> (8U * i)));
  }
}

template <std::unsigned_integral T>
T take(std::string_view& from) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) {
    value |= static_cast<T>(static_cast<T>(static_cast<unsigned char>(from[i])) << (8U * i));
  }
  from.remove_prefix(sizeof value);
  return value;
}

std::uint32_t checksum(Ticket id, std::string_view runs) {
  std::array<char, sizeof id> bytes{};
  put(bytes.data(), id);
  return crc32c(runs, crc32c({bytes.data(), bytes.size()}));
}

std::unexpected<Error> damaged(std::string what) { return fail(Errc::queue_damaged, "batch: " + std::move(what)); }

}  // namespace

std::string to_text(Ticket ticket) {
  const Ticket behind = ticket % kTicketStride;
  return std::to_string(ticket / kTicketStride) + (behind == 0 ? std::string() : "+" + std::to_string(behind));
}

void PackedBatch::add(const Run& run) {
  std::array<char, kRunHeaderBytes> header{};
  put(header.data(), run.client);
  put(header.data() + 8, static_cast<std::uint64_t>(run.arrived_ms));
  put(header.data() + 16, run.count);
  put(header.data() + 20, run.largest_payload);
  put(header.data() + 24, static_cast<std::uint32_t>(run.frames.size()));
  blob_.append(header.data(), header.size());
  blob_.append(run.frames);
  first_ms_ = messages_ == 0 ? run.arrived_ms : first_ms_;
  messages_ += run.count;
  largest_payload_ = std::max(largest_payload_, run.largest_payload);
}

void PackedBatch::seal() { put(blob_.data(), checksum(id_, blob().substr(kBatchHeaderBytes))); }

Result<std::vector<Run>> unpack_runs(std::string_view blob) {
  if (blob.size() < kBatchHeaderBytes + kRunHeaderBytes) {
    return damaged("too short for a run");
  }
  blob.remove_prefix(kBatchHeaderBytes);
  std::vector<Run> runs;
  while (!blob.empty()) {
    if (blob.size() < kRunHeaderBytes) {
      return damaged("it ends within the header of a run");
    }
    Run run;
    run.client = take<std::uint64_t>(blob);
    run.arrived_ms = static_cast<std::int64_t>(take<std::uint64_t>(blob));
    run.count = take<std::uint32_t>(blob);
    run.largest_payload = take<std::uint32_t>(blob);
    const auto size = take<std::uint32_t>(blob);
    if (size > blob.size()) {
      return damaged("a run does not fit");
    }
    run.frames = blob.substr(0, size);
    blob.remove_prefix(size);
    runs.push_back(run);
  }
  return runs;
}

Result<Batch> unpack(Ticket id, std::string blob) {
  std::string_view head(blob);
  if (head.size() < kBatchHeaderBytes || take<std::uint32_t>(head) != checksum(id, head)) {
    return damaged("its checksum is wrong");
  }
  auto runs = unpack_runs(blob);
  if (!runs) {
    return std::unexpected(std::move(runs.error()));
  }
  Batch batch;
  batch.id = id;
  batch.data = std::move(blob);
  batch.runs = std::move(*runs);
  for (const Run& run : batch.runs) {
    batch.messages += run.count;
    batch.largest_payload = std::max(batch.largest_payload, run.largest_payload);
  }
  return batch;
}

}  // namespace hawser::store
