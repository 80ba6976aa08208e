// Bytes on their way out, in pooled chunks: appended at one end, sent from a cursor, and kept behind the cursor until
// released, so that what the far side has not confirmed needs no second copy.
//
//   retained            unsent
//   |---------------|---------------|
//   begin()         sent()          end()        absolute positions since the queue was made
//
// Belongs to one thread, as its pool does. A chunk holds as much as a TLS record, so that full chunks become full records.
// Bytes that go to many queues, of any thread, may be shared rather than copied into each: append_shared().
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace hawser::net {

// A piece of a queue: [begin, end) of `bytes`, which are its own (PooledChunk) or shared (SharedChunk).
struct Chunk {
  Chunk* next = nullptr;
  char* bytes = nullptr;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t capacity = 0;  // how far `end` may grow; 0: shared, and not ours to write

  [[nodiscard]] std::size_t room() const noexcept { return capacity > end ? capacity - end : 0; }
};

struct PooledChunk : Chunk {
  static constexpr std::size_t kBytes = 16384;  // the most that one TLS record carries
  PooledChunk() noexcept {
    bytes = data.data();
    capacity = kBytes;
  }
  std::array<char, kBytes> data;  // not initialised
};

// Immutable bytes with many holders.
using SharedBytes = std::shared_ptr<const std::string>;

struct SharedChunk : Chunk {
  SharedBytes whole;
};

// Chunks that are not in use, bounded. One a thread; outlives every queue that uses it. Those that are left of a storm
// lie far apart, and each keeps the half MiB around it from the system: trim() is for a slow timer.
class ChunkPool {
 public:
  explicit ChunkPool(std::size_t keep = 256) noexcept : keep_(keep) {}
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;
  ~ChunkPool();

  [[nodiscard]] PooledChunk* take();
  void give(Chunk* chunk) noexcept;
  // Lets go of as many as were never needed since the last time.
  void trim() noexcept;
  [[nodiscard]] std::size_t kept() const noexcept { return kept_; }

 private:
  PooledChunk* free_ = nullptr;
  std::size_t kept_ = 0;
  std::size_t least_ = 0;  // that were kept since the last trim
  std::size_t keep_;
};

class ByteQueue {
 public:
  explicit ByteQueue(ChunkPool& pool) noexcept : pool_(&pool) {}
  ByteQueue(const ByteQueue&) = delete;
  ByteQueue& operator=(const ByteQueue&) = delete;
  ~ByteQueue() { clear(); }

  void append(std::string_view bytes) {
    if (cursor_ != nullptr && tail_->room() >= bytes.size()) {
      put(bytes);
    } else {
      append_slowly(bytes);
    }
  }
  // Where this many bytes may be written at once; null: append them. grew() says that they are there.
  [[nodiscard]] char* room_for(std::size_t bytes) noexcept {
    return cursor_ != nullptr && tail_->room() >= bytes ? tail_->bytes + tail_->end : nullptr;
  }
  void grew(std::size_t bytes) noexcept {
    tail_->end += static_cast<std::uint32_t>(bytes);
    end_ += bytes;
  }
  // At most 4 GiB of `whole`, from `from` on, without a copy.
  void append_shared(SharedBytes whole, std::size_t from = 0);

  // The unsent bytes as at most spans.size() ranges, oldest first; returns how many.
  [[nodiscard]] std::size_t unsent(std::span<iovec> spans) const noexcept;
  // Moves the cursor; the bytes stay until released.
  void mark_sent(std::size_t bytes) noexcept;
  // Gives back what lies before this position (at most up to the cursor).
  void release(std::uint64_t position) noexcept;
  // Overwrites sent bytes that are still kept: a secret does not stay in a pooled chunk.
  void wipe_sent(std::uint64_t from, std::uint64_t to) noexcept;
  // Everything goes; positions go on.
  void clear() noexcept;

  [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
  [[nodiscard]] std::uint64_t end() const noexcept { return end_; }
  [[nodiscard]] std::size_t unsent_bytes() const noexcept { return end_ - sent_; }
  // Of the unsent bytes those in the last chunk, which is still being filled.
  [[nodiscard]] std::size_t tail_bytes() const noexcept {
    return cursor_ == nullptr ? 0 : tail_->end - (cursor_ == tail_ ? cursor_offset_ : tail_->begin);
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return end_ - begin_; }

  // Calls f(std::string_view) for the pieces of [from, to), which must lie inside [begin, end).
  template <class F>
  void read(std::uint64_t from, std::uint64_t to, F&& f) const {
    std::uint64_t at = begin_;
    for (const Chunk* chunk = head_; chunk != nullptr && at < to; chunk = chunk->next) {
      const std::uint64_t size = chunk->end - chunk->begin;
      if (at + size > from) {
        const std::uint64_t first = from > at ? from - at : 0;
        const std::uint64_t last = to < at + size ? to - at : size;
        f(std::string_view(chunk->bytes + chunk->begin + first, last - first));
      }
      at += size;
    }
  }

 private:
  void put(std::string_view bytes) noexcept {
    if (!bytes.empty()) {  // its data may be null then
      std::memcpy(tail_->bytes + tail_->end, bytes.data(), bytes.size());
      grew(bytes.size());
    }
  }
  void append_slowly(std::string_view bytes);
  void attach(Chunk* chunk) noexcept;

  ChunkPool* pool_;
  Chunk* head_ = nullptr;
  Chunk* tail_ = nullptr;
  Chunk* cursor_ = nullptr;        // the chunk that sent_ is in; null: none has unsent bytes
  std::uint32_t cursor_offset_ = 0;  // into cursor_->bytes
  std::uint64_t begin_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace hawser::net
