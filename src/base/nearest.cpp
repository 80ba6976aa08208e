#include "base/nearest.hpp"

#include <algorithm>
#include <array>

namespace hawser {
namespace {

constexpr std::size_t kLongestWord = 64;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Optimal string alignment: insert, delete, replace, and swap of two neighbours cost one each.
std::size_t edits(std::string_view a, std::string_view b) {
  using Row = std::array<std::size_t, kLongestWord + 1>;
  Row two_before{};
  Row before{};
  Row current{};
  for (std::size_t j = 0; j <= b.size(); ++j) {
    before[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = before[j - 1] + (lower(a[i - 1]) == lower(b[j - 1]) ? 0U : 1U);
      current[j] = std::min({before[j] + 1, current[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1])) {
        current[j] = std::min(current[j], two_before[j - 2] + 1);
      }
    }
    two_before = before;
    before = current;
  }
  return before[b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
  std::optional<std::string> best;
  std::size_t best_edits = kLongestWord;
  for (const std::string& candidate : known) {
    if (word.empty() || word.size() > kLongestWord || candidate.size() > kLongestWord) {
      continue;
    }
    const std::size_t needed = edits(word, candidate);
    const std::size_t allowed = (std::max(word.size(), candidate.size()) + 2) / 3;
    if (needed <= allowed && needed < best_edits) {
      best = candidate;
      best_edits = needed;
    }
  }
  return best;
}

}  // namespace hawser
