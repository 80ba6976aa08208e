#include "payload.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace hawser::load {
namespace {

constexpr std::uint32_t kMagic = 0x4c575648;  // "HVWL"

// Both ends are one process, so the machine's own byte order is good enough.
struct Layout {
  std::uint32_t magic;
  std::uint32_t publisher;
  std::uint32_t subject;
  std::uint32_t size;
  std::uint64_t sequence;
  std::int64_t sent_ns;
};
static_assert(sizeof(Layout) == kStampBytes);

char padding_byte(std::uint64_t sequence, std::size_t index) {
  return static_cast<char>((sequence * 131U + index) & 0xffU);
}

}  // namespace

void write_payload(std::string& out, const Stamp& stamp, std::size_t size_bytes) {
  const std::size_t size = std::max(size_bytes, kStampBytes);
  out.resize(size);
  const Layout layout{kMagic,
                      stamp.publisher,
                      stamp.subject,
                      static_cast<std::uint32_t>(size),
                      stamp.sequence,
                      std::chrono::nanoseconds(stamp.sent.time_since_epoch()).count()};
  std::memcpy(out.data(), &layout, sizeof layout);
  for (std::size_t i = kStampBytes; i < size; ++i) out[i] = padding_byte(stamp.sequence, i);
}

std::optional<Stamp> read_payload(std::string_view payload) {
  Layout layout{};
  if (payload.size() < sizeof layout) return std::nullopt;
  std::memcpy(&layout, payload.data(), sizeof layout);
  if (layout.magic != kMagic || layout.size != payload.size()) return std::nullopt;
  for (std::size_t i = kStampBytes; i < payload.size(); ++i) {
    if (payload[i] != padding_byte(layout.sequence, i)) return std::nullopt;
  }
  return Stamp{layout.publisher, layout.subject, layout.sequence,
               Clock::time_point(std::chrono::nanoseconds(layout.sent_ns))};
}

}  // namespace hawser::load
