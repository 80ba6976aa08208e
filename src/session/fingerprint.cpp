#include "session/fingerprint.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace hawser::session {
namespace {

// SipHash by Aumasson and Bernstein, with one round a word and three at the end, 128 bits out.
class SipHash {
 public:
  explicit SipHash(const FingerprintKey& key)
      : v0_(key.first ^ 0x736f6d6570736575U),
        v1_(key.second ^ 0x646f72616e646f6dU ^ 0xeeU),
        v2_(key.first ^ 0x6c7967656e657261U),
        v3_(key.second ^ 0x7465646279746573U) {}

  void add(std::string_view bytes) {
    if (bytes.empty()) return;
    total_ += bytes.size();
    if (pending_size_ != 0) {
      const std::size_t taken = std::min(bytes.size(), pending_.size() - pending_size_);
      std::memcpy(pending_.data() + pending_size_, bytes.data(), taken);
      pending_size_ += taken;
      bytes.remove_prefix(taken);
      if (pending_size_ < pending_.size()) return;
      word(load(pending_.data()));
      pending_size_ = 0;
    }
    for (; bytes.size() >= pending_.size(); bytes.remove_prefix(pending_.size())) word(load(bytes.data()));
    if (!bytes.empty()) std::memcpy(pending_.data(), bytes.data(), bytes.size());
    pending_size_ = bytes.size();
  }

  void add(std::uint64_t number) {
    std::array<char, sizeof number> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(number >> (8 * i));
    add(std::string_view(bytes.data(), bytes.size()));
  }

  Fingerprint finish() {
    std::uint64_t last = total_ << 56U;
    for (std::size_t i = 0; i < pending_size_; ++i) {
      last |= std::uint64_t{static_cast<unsigned char>(pending_[i])} << (8 * i);
    }
    word(last);
    v2_ ^= 0xeeU;
    for (int i = 0; i < 3; ++i) round();
    const std::uint64_t low = v0_ ^ v1_ ^ v2_ ^ v3_;
    v1_ ^= 0xddU;
    for (int i = 0; i < 3; ++i) round();
    return {low, v0_ ^ v1_ ^ v2_ ^ v3_};
  }

 private:
  static std::uint64_t load(const char* bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    return word;
  }

  void word(std::uint64_t m) {
    v3_ ^= m;
    round();
    v0_ ^= m;
  }

  void round() {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v2_ = std::rotl(v2_, 32);
  }

  std::uint64_t v0_, v1_, v2_, v3_;
  std::array<char, 8> pending_{};
  std::size_t pending_size_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace

Fingerprint fingerprint(const FingerprintKey& key, std::uint64_t subscription, std::string_view subject,
                        std::string_view reply, std::string_view headers, std::string_view payload) {
  SipHash hash(key);
  hash.add(subscription);
  // Lengths first: no two messages give the same bytes.
  hash.add(subject.size() | std::uint64_t{reply.size()} << 32U);
  hash.add(headers.size() | std::uint64_t{payload.size()} << 32U);
  hash.add(subject);
  hash.add(reply);
  hash.add(headers);
  hash.add(payload);
  return hash.finish();
}

Fingerprint siphash(const FingerprintKey& key, std::string_view bytes) {
  SipHash hash(key);
  hash.add(bytes);
  return hash.finish();
}

}  // namespace hawser::session
