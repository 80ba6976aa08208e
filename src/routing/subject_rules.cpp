#include "routing/subject_rules.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "routing/token_hash.hpp"
#include "wire/subject.hpp"

namespace hawser::routing {
namespace {

constexpr std::size_t kFirstMemo = 8;
constexpr std::string_view kBlanks = " \t\r\n\f\v";

struct Words {
  std::array<std::string_view, 2> word;
  std::size_t count = 0;  // may be more than are kept
};

Words words_of(std::string_view entry) {
  Words words;
  for (;;) {
    const std::size_t start = entry.find_first_not_of(kBlanks);
    if (start == std::string_view::npos) {
      return words;
    }
    entry.remove_prefix(start);
    const std::string_view word = entry.substr(0, entry.find_first_of(kBlanks));
    if (words.count < words.word.size()) {
      words.word[words.count] = word;
    }
    ++words.count;
    entry.remove_prefix(word.size());
  }
}

}  // namespace

SubjectRules::List::List(const std::vector<std::string>& entries) {
  for (const std::string& entry : entries) {
    const Words words = words_of(entry);
    if (words.count == 1) {
      auto pattern = std::make_shared<Subscription>();
      pattern->subject = words.word[0];
      plain.insert(std::move(pattern));
      subjects.emplace_back(words.word[0]);
    } else if (words.count == 2) {
      queues.push_back({std::string(words.word[0]), std::string(words.word[1])});
    }
  }
}

bool SubjectRules::List::covers(std::string_view subject) const {
  if (!wire::has_wildcard(subject)) {
    return plain.has_interest(subject);
  }
  return std::any_of(subjects.begin(), subjects.end(),
                     [subject](const std::string& entry) { return wire::is_subset(subject, entry); });
}

std::optional<bool> SubjectRules::List::names_queue(std::string_view subject, std::string_view queue) const {
  std::optional<bool> named;
  for (const QueueEntry& entry : queues) {
    if (wire::is_subset(subject, entry.subject)) {
      named = named.value_or(false) || queue == entry.queue ||
              (wire::has_wildcard(entry.queue) && wire::is_subset(queue, entry.queue));
    }
  }
  return named;
}

SubjectRules::SubjectRules(const std::optional<std::vector<std::string>>& allow, const std::vector<std::string>& deny)
    : allow_(allow ? std::make_unique<const List>(*allow) : nullptr),
      deny_(deny.empty() ? nullptr : std::make_unique<const List>(deny)),
      seed_(random_seed()) {}

bool SubjectRules::permits_publish(std::string_view subject) const {
  return (allow_ == nullptr || allow_->plain.has_interest(subject)) && permits_delivery(subject);
}

bool SubjectRules::permits_subscribe(std::string_view subject, std::string_view queue) const {
  const auto decide = [&](const List& list) {
    const bool covered = list.covers(subject);
    return queue.empty() ? covered : list.names_queue(subject, queue).value_or(covered);
  };
  return (allow_ == nullptr || decide(*allow_)) && (deny_ == nullptr || !decide(*deny_));
}

bool SubjectRules::needs_delivery_check(std::string_view subject) const {
  return deny_ != nullptr && wire::has_wildcard(subject) &&
         std::any_of(deny_->subjects.begin(), deny_->subjects.end(),
                     [subject](const std::string& entry) { return wire::overlaps(subject, entry); });
}

bool SubjectRules::permits_delivery(std::string_view subject) const {
  return deny_ == nullptr || !deny_->plain.has_interest(subject);
}

template <class Ask>
bool PermissionMemo::recall(std::string_view subject, std::uint64_t seed, Ask ask) {
  if (subject.empty() || subject.size() > kMaxSubjectBytes) {
    return ask();
  }
  if (entries_.empty() || (lost_ > entries_.size() && entries_.size() < kMost)) {
    grow(seed);
  }
  Entry& entry = entries_[hash_of(subject, seed) & (entries_.size() - 1)];
  if (entry.subject != subject) {
    lost_ += entry.subject.empty() ? 0U : 1U;
    entry.permitted = ask();
    entry.subject.assign(subject);
  }
  return entry.permitted;
}

void PermissionMemo::grow(std::uint64_t seed) {
  std::vector<Entry> old(std::max(kFirstMemo, entries_.size() * 2));
  old.swap(entries_);
  lost_ = 0;
  for (Entry& entry : old) {
    if (!entry.subject.empty()) {
      entries_[hash_of(entry.subject, seed) & (entries_.size() - 1)] = std::move(entry);
    }
  }
}

bool SubjectRules::permits_publish(std::string_view subject, PermissionMemo& memo) const {
  return memo.recall(subject, seed_, [&] { return permits_publish(subject); });
}

bool SubjectRules::permits_delivery(std::string_view subject, PermissionMemo& memo) const {
  return memo.recall(subject, seed_, [&] { return permits_delivery(subject); });
}

std::optional<Error> SubjectRules::entry_fault(std::string_view entry, Entries kind) {
  const Words words = words_of(entry);
  const std::size_t most = kind == Entries::with_queue ? 2 : 1;
  if (words.count == 0 || words.count > most) {
    return wire::bad_subject(entry, words.count == 0 ? wire::SubjectFault::empty : wire::SubjectFault::blank);
  }
  if (const auto fault = wire::subscribe_fault(words.word[0]); fault != wire::SubjectFault::none) {
    return wire::bad_subject(words.word[0], fault);
  }
  return std::nullopt;
}

}  // namespace hawser::routing
