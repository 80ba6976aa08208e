#include "store/leaf_scan.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace hawser::store {
namespace {

constexpr std::size_t kPageBytes = 4096;  // all of it usable
constexpr std::size_t kPointerBytes = 4;  // to the next overflow page
constexpr char kTableLeaf = 0x0d;
constexpr std::size_t kLeafHeaderBytes = 8;
constexpr std::size_t kMostLocal = kPageBytes - 35;
constexpr std::size_t kLeastLocal = (kPageBytes - 12) * 32 / 255 - 23;
using Page = std::array<char, kPageBytes>;

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes) {
    value = (value << 8U) | static_cast<unsigned char>(byte);
  }
  return value;
}

// Takes one from the front: seven bits a byte, high ones first, eight in the ninth.
std::optional<std::uint64_t> take_varint(std::string_view& from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(from.size(), 9); ++i) {
    const auto byte = static_cast<unsigned char>(from[i]);
    value = i == 8 ? (value << 8U) | byte : (value << 7U) | (byte & 0x7fU);
    if (i == 8 || byte < 0x80) {
      from.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

class Pages {
 public:
  explicit Pages(const std::filesystem::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status{};
    if (fd_ >= 0 && ::fstat(fd_, &status) == 0) {
      count_ = static_cast<std::uint64_t>(status.st_size) / kPageBytes;
    }
  }
  ~Pages() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  [[nodiscard]] std::uint64_t count() const { return count_; }
  // From 1.
  [[nodiscard]] bool read(std::uint64_t number, Page& page) const {
    return number >= 1 && number <= count_ &&
           ::pread(fd_, page.data(), page.size(), static_cast<off_t>((number - 1) * kPageBytes)) ==
               static_cast<ssize_t>(page.size());
  }

 private:
  int fd_;
  std::uint64_t count_ = 0;
};

// The whole of what begins in a cell and may go on in overflow pages.
std::optional<std::string> payload_of(const Pages& pages, std::string_view cell, std::size_t size) {
  const std::size_t wanted = kLeastLocal + (size - kLeastLocal) % (kPageBytes - kPointerBytes);
  const std::size_t local = size <= kMostLocal ? size : wanted <= kMostLocal ? wanted : kLeastLocal;
  if (cell.size() < local + (local < size ? kPointerBytes : 0)) {
    return std::nullopt;
  }
  std::string payload(cell.substr(0, local));
  payload.reserve(size);
  std::uint32_t next = local < size ? big_endian(cell.substr(local, kPointerBytes)) : 0;
  Page page;
  while (payload.size() < size) {
    if (!pages.read(next, page)) {
      return std::nullopt;
    }
    payload.append(page.data() + kPointerBytes, std::min(size - payload.size(), kPageBytes - kPointerBytes));
    next = big_endian({page.data(), kPointerBytes});
  }
  return payload;
}

// The blob of a record (NULL, blob), as rows of batch_data are.
std::optional<std::string_view> blob_of(std::string_view record) {
  std::string_view at = record;
  const auto header = take_varint(at);
  const auto id_type = take_varint(at);
  const auto blob_type = take_varint(at);
  if (!header || !id_type || !blob_type || *id_type != 0 || *blob_type < 12 || *blob_type % 2 != 0 ||
      *header != record.size() - at.size() || (*blob_type - 12) / 2 != at.size()) {
    return std::nullopt;
  }
  return at;
}

std::optional<Batch> batch_at(const Pages& pages, std::string_view cell) {
  const auto size = take_varint(cell);
  const auto id = take_varint(cell);
  if (!size || !id || *size <= kRunHeaderBytes || *size > pages.count() * kPageBytes) {
    return std::nullopt;
  }
  const auto payload = payload_of(pages, cell, *size);
  const auto blob = payload ? blob_of(*payload) : std::nullopt;
  auto batch = blob ? unpack(*id, std::string(*blob)) : fail(Errc::queue_damaged, {});
  return batch ? std::optional(std::move(*batch)) : std::nullopt;
}

}  // namespace

void scan_leaves(const std::filesystem::path& path, const std::function<void(Batch)>& found) {
  const Pages pages(path);
  Page page;
  for (std::uint64_t number = 2; number <= pages.count(); ++number) {
    if (!pages.read(number, page) || page[0] != kTableLeaf) {
      continue;
    }
    const std::string_view bytes(page.data(), page.size());
    const std::size_t cells = big_endian(bytes.substr(3, 2));
    for (std::size_t i = 0; i < cells && kLeafHeaderBytes + 2 * i + 2 <= kPageBytes; ++i) {
      const std::size_t offset = big_endian(bytes.substr(kLeafHeaderBytes + 2 * i, 2));
      auto batch = offset < kPageBytes ? batch_at(pages, bytes.substr(offset)) : std::nullopt;
      if (batch) {
        found(std::move(*batch));
      }
    }
  }
}

}  // namespace hawser::store
