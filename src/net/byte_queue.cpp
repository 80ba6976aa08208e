#include "net/byte_queue.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/secret.hpp"

namespace hawser::net {

ChunkPool::~ChunkPool() {
  least_ = kept_;
  trim();
}

void ChunkPool::trim() noexcept {
  for (; least_ > 0; --least_) {
    delete std::exchange(free_, static_cast<PooledChunk*>(free_->next));
    --kept_;
  }
  least_ = kept_;
}

PooledChunk* ChunkPool::take() {
  if (free_ == nullptr) {
    return new PooledChunk;
  }
  PooledChunk* chunk = free_;
  free_ = static_cast<PooledChunk*>(chunk->next);
  least_ = std::min(least_, --kept_);
  chunk->next = nullptr;
  chunk->begin = 0;
  chunk->end = 0;
  return chunk;
}

void ChunkPool::give(Chunk* chunk) noexcept {
  if (chunk->capacity == 0) {
    delete static_cast<SharedChunk*>(chunk);
    return;
  }
  auto* pooled = static_cast<PooledChunk*>(chunk);
  if (kept_ >= keep_) {
    delete pooled;
    return;
  }
  pooled->next = free_;
  free_ = pooled;
  ++kept_;
}

void ByteQueue::attach(Chunk* chunk) noexcept {
  (tail_ == nullptr ? head_ : tail_->next) = chunk;
  tail_ = chunk;
}

void ByteQueue::append_slowly(std::string_view bytes) {
  while (!bytes.empty()) {
    if (tail_ == nullptr || tail_->room() == 0) {
      attach(pool_->take());
    }
    if (cursor_ == nullptr) {
      cursor_ = tail_;
      cursor_offset_ = tail_->end;
    }
    const std::size_t n = std::min(bytes.size(), tail_->room());
    put(bytes.substr(0, n));
    bytes.remove_prefix(n);
  }
}

void ByteQueue::append_shared(SharedBytes whole, std::size_t from) {
  if (from >= whole->size()) {
    return;
  }
  auto* chunk = new SharedChunk;
  chunk->bytes = const_cast<char*>(whole->data());  // capacity 0: nobody writes there
  chunk->begin = static_cast<std::uint32_t>(from);
  chunk->end = static_cast<std::uint32_t>(whole->size());
  end_ += whole->size() - from;
  chunk->whole = std::move(whole);
  attach(chunk);
  if (cursor_ == nullptr) {
    cursor_ = chunk;
    cursor_offset_ = chunk->begin;
  }
}

std::size_t ByteQueue::unsent(std::span<iovec> spans) const noexcept {
  std::size_t count = 0;
  std::uint32_t offset = cursor_offset_;
  for (Chunk* chunk = cursor_; chunk != nullptr && count < spans.size(); chunk = chunk->next) {
    if (chunk->end > offset) {
      spans[count++] = iovec{chunk->bytes + offset, chunk->end - offset};
    }
    offset = chunk->next != nullptr ? chunk->next->begin : 0;
  }
  return count;
}

void ByteQueue::mark_sent(std::size_t bytes) noexcept {
  sent_ += bytes;
  while (bytes > 0) {
    const std::size_t n = std::min<std::size_t>(bytes, cursor_->end - cursor_offset_);
    cursor_offset_ += static_cast<std::uint32_t>(n);
    bytes -= n;
    if (cursor_offset_ == cursor_->end) {
      cursor_ = cursor_->next;
      cursor_offset_ = cursor_ != nullptr ? cursor_->begin : 0;
    }
  }
}

void ByteQueue::release(std::uint64_t position) noexcept {
  position = std::min(position, sent_);
  while (begin_ < position) {
    const std::uint64_t n = std::min<std::uint64_t>(position - begin_, head_->end - head_->begin);
    head_->begin += static_cast<std::uint32_t>(n);
    begin_ += n;
    if (head_->begin == head_->end) {
      Chunk* next = head_->next;
      if (cursor_ == head_) {
        cursor_ = nullptr;  // all of it is sent
      }
      if (next == nullptr) {
        tail_ = nullptr;
      }
      pool_->give(head_);
      head_ = next;
    }
  }
}

void ByteQueue::wipe_sent(std::uint64_t from, std::uint64_t to) noexcept {
  to = std::min(to, sent_);
  std::uint64_t at = begin_;
  for (Chunk* chunk = head_; chunk != nullptr && at < to; chunk = chunk->next) {
    const std::uint64_t size = chunk->end - chunk->begin;
    const std::uint64_t first = from > at ? from - at : 0;
    if (first < size && chunk->capacity > 0) {
      const std::uint64_t last = std::min(to - at, size);
      wipe({chunk->bytes + chunk->begin + first, last - first});
    }
    at += size;
  }
}

void ByteQueue::clear() noexcept {
  while (head_ != nullptr) {
    Chunk* next = head_->next;
    pool_->give(head_);
    head_ = next;
  }
  tail_ = nullptr;
  cursor_ = nullptr;
  begin_ = sent_ = end_;
}

}  // namespace hawser::net
