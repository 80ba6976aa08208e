// A secret that wipes itself and does not print.
//
// Move-only, so that there is one copy; the memory is overwritten before it is given back. Has no operator<<, no
// formatter and no implicit conversion. Not synchronised: one owner.
//
//   Secret seed = Secret::take(std::move(line));   // `line` is wiped
//   sign(seed.reveal(), nonce);
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hawser {

// Overwrites memory in a way that the compiler may not drop.
void wipe(std::span<char> memory) noexcept;

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : text_(text) {}
  // Takes over the text, wiping the source.
  [[nodiscard]] static Secret take(std::string&& text);

  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  // The plain text, for the one place that needs it. Valid while this object lives unchanged.
  [[nodiscard]] std::string_view reveal() const noexcept { return text_; }
  // An explicit second copy.
  [[nodiscard]] Secret copy() const { return Secret(text_); }

 private:
  std::string text_;
};

// Equal without telling by its time where the texts differ.
[[nodiscard]] bool equal_in_constant_time(const Secret& a, const Secret& b) noexcept;

}  // namespace hawser
