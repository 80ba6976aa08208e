#include "routing/weighted_mapping.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "routing/destination_token.hpp"
#include "wire/subject.hpp"

namespace hawser::routing {
namespace {

constexpr std::uint32_t kAll = 100;

}  // namespace

Result<WeightedMapping> WeightedMapping::make(std::string_view source, const std::vector<Target>& targets) {
  WeightedMapping mapping;
  mapping.source_ = source;
  std::set<std::string_view> seen;
  std::map<std::string_view, std::uint32_t> totals;  // by cluster
  for (const Target& target : targets) {
    if (!seen.insert(target.destination).second) {
      return std::unexpected(bad_destination(target.destination, "duplicate entry"));
    }
    std::uint32_t& total = totals[target.cluster];
    if (target.weight > kAll || (total += target.weight) > kAll) {
      return std::unexpected(bad_destination(target.destination, "weights of more than 100 %"));
    }
    auto transform = SubjectTransform::make(source, target.destination);
    if (!transform) {
      return std::unexpected(std::move(transform.error()));
    }
    if (target.cluster.empty()) {
      mapping.choices_.push_back({std::move(*transform), target.weight});
    }
  }
  if (const auto fault = wire::subscribe_fault(source); fault != wire::SubjectFault::none) {
    return std::unexpected(wire::bad_subject(source, fault));
  }
  if (totals[""] < kAll && !seen.contains(source)) {
    mapping.choices_.push_back({std::nullopt, kAll - totals[""]});
  }
  std::uint32_t below = 0;
  for (Choice& choice : mapping.choices_) {
    below += choice.below;
    choice.below = below;
  }
  return mapping;
}

bool WeightedMapping::apply(std::string_view subject, std::uint32_t random, std::string& to) const {
  const std::uint32_t chosen = random % kAll;
  for (const Choice& choice : choices_) {
    if (chosen < choice.below) {
      if (choice.transform) {
        choice.transform->append(to, subject);
      } else {
        to += subject;
      }
      return true;
    }
  }
  return false;
}

void SubjectMappings::add(WeightedMapping mapping) {
  if (!wire::has_wildcard(mapping.source())) {
    std::string source = mapping.source();
    literals_.insert_or_assign(std::move(source), std::move(mapping));
    return;
  }
  const auto same = std::find_if(patterns_.begin(), patterns_.end(),
                                 [&](const WeightedMapping& other) { return other.source() == mapping.source(); });
  if (same != patterns_.end()) {
    *same = std::move(mapping);
  } else {
    patterns_.push_back(std::move(mapping));
  }
}

const WeightedMapping* SubjectMappings::find(std::string_view subject) const {
  if (const auto literal = literals_.find(subject); literal != literals_.end()) {
    return &literal->second;
  }
  const auto pattern = std::find_if(patterns_.begin(), patterns_.end(), [subject](const WeightedMapping& mapping) {
    return wire::matches(mapping.source(), subject);
  });
  return pattern == patterns_.end() ? nullptr : &*pattern;
}

}  // namespace hawser::routing
