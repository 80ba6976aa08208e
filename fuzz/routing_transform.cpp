// Transforms of subjects: source, destination and a subject, a line each. What is accepted can be applied, within
// bounds, and a reversible one goes there and back.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "routing/subject_transform.hpp"
#include "routing/weighted_mapping.hpp"
#include "wire/subject.hpp"

namespace {

void require(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
  }
}

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser;
  using Use = routing::SubjectTransform::Use;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view source = take_line(rest);
  const std::string_view destination = take_line(rest);
  const std::string_view subject = take_line(rest);
  const bool literal = wire::valid_publish_subject(subject);
  if (const auto transform = routing::SubjectTransform::make(source, destination)) {
    const std::string made = transform->apply(subject);  // whatever it is
    require(made.size() <= (destination.size() + 1) * (2 * subject.size() + 12), "it grows within bounds");
    if (const auto mapping = routing::WeightedMapping::make(source, {{std::string(destination), 50, ""}})) {
      std::string to;
      require(!mapping->apply(subject, 10, to) || to == made, "a mapping does as its target's transform");
    }
  }
  const auto reversible = routing::SubjectTransform::make(source, destination, Use::reversible);
  if (reversible && literal && reversible->matches(subject)) {
    const auto back = reversible->reverse();
    require(back.has_value(), "a reversible one has a way back");
    const std::string there = reversible->apply(subject);
    require(wire::matches(reversible->destination_pattern(), there), "it arrives where it says");
    require(back->matches(there) && back->apply(there) == subject, "there and back");
  }
  return 0;
}
