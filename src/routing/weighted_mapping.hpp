// Subject mappings of an account: what is published to a subject goes to another one, or by chance to one of several.
//
// Immutable once made, and safe from any thread; chance is the caller's.
//
//   SubjectMappings mappings; mappings.add(*WeightedMapping::make("foo", {{"foo.v2", 10}}));   // 90 % stay "foo"
//   if (const WeightedMapping* mapping = mappings.find(subject)) mapping->apply(subject, random, to);
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "routing/subject_transform.hpp"

namespace hawser::routing {

class WeightedMapping {
 public:
  struct Target {
    std::string destination;
    std::uint32_t weight = 100;  // per cent
    std::string cluster;         // one that names a cluster is for others: it is checked, and not used
  };
  // What the weights leave over stays as it was published; unless the source itself is a target, then it is lost.
  [[nodiscard]] static Result<WeightedMapping> make(std::string_view source, const std::vector<Target>& targets);

  // Appends the subject that it goes to; false: this one is lost. `random` may be any number.
  [[nodiscard]] bool apply(std::string_view subject, std::uint32_t random, std::string& to) const;

  [[nodiscard]] const std::string& source() const noexcept { return source_; }

 private:
  struct Choice {
    std::optional<SubjectTransform> transform;  // none: it stays as it is
    std::uint32_t below;                        // of a hundred, all choices before it included
  };
  WeightedMapping() = default;

  std::string source_;
  std::vector<Choice> choices_;
};

class SubjectMappings {
 public:
  // One for the same source takes the place of the older.
  void add(WeightedMapping mapping);
  // A literal source goes before one with wildcards; of these the first that matches, as they were added.
  [[nodiscard]] const WeightedMapping* find(std::string_view subject) const;
  [[nodiscard]] bool empty() const noexcept { return literals_.empty() && patterns_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return literals_.size() + patterns_.size(); }

 private:
  std::map<std::string, WeightedMapping, std::less<>> literals_;
  std::vector<WeightedMapping> patterns_;
};

}  // namespace hawser::routing
