#include "base/secret.hpp"

#include <cstring>
#include <utility>

namespace hawser {

void wipe(std::span<char> memory) noexcept {
  if (!memory.empty()) {
    explicit_bzero(memory.data(), memory.size());
  }
}

Secret Secret::take(std::string&& text) {
  Secret secret{std::string_view(text)};
  wipe(text);
  text.clear();
  return secret;
}

Secret::Secret(Secret&& other) noexcept : text_(other.text_) {
  // Copied, then wiped: a moved-from short string would keep its bytes in place.
  wipe(other.text_);
  other.text_.clear();
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe(text_);
    text_ = other.text_;
    wipe(other.text_);
    other.text_.clear();
  }
  return *this;
}

Secret::~Secret() { wipe(text_); }

bool equal_in_constant_time(const Secret& a, const Secret& b) noexcept {
  const std::string_view x = a.reveal();
  const std::string_view y = b.reveal();
  unsigned difference = x.size() == y.size() ? 0U : 1U;
  for (std::size_t i = 0; i < x.size() && i < y.size(); ++i) {
    difference |= static_cast<unsigned char>(x[i]) ^ static_cast<unsigned>(static_cast<unsigned char>(y[i]));
  }
  return difference == 0;
}

}  // namespace hawser
