// "Did you mean …": the nearest of some known words, by edit distance with transpositions. Pure.
//
//   nearest("chekc", {"check", "pub"})  ->  "check"
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawser {

// The known word that needs the fewest edits (case does not count), if they are at most a third of the longer word's
// length, rounded up; the first of equals. Words over 64 bytes have none.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace hawser
