#include "broker/service_responses.hpp"

#include <algorithm>
#include <array>
#include <openssl/rand.h>
#include <utility>

namespace hawser::broker {
namespace {

constexpr std::size_t kPrefixDigits = 6;
constexpr std::size_t kDigits = 22;  // 128 bits

// Of 64, so that a byte's low bits choose without a bias.
void append_random_digits(std::string& to, std::size_t count) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<unsigned char, kDigits> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(count));
  for (std::size_t i = 0; i < count; ++i) {
    to += kAlphabet[bytes[i] & 63U];
  }
}

}  // namespace

ServiceResponses::ServiceResponses() : prefix_(kPrefix) {
  append_random_digits(prefix_, kPrefixDigits);
  prefix_ += '.';
}

std::string ServiceResponses::random_subject() {
  std::string subject = prefix_;
  append_random_digits(subject, kDigits);
  return subject;
}

std::string ServiceResponses::open(AccountState& requestor, std::string_view reply, ServiceImportPtr import, Time now) {
  const Time until = now + import->response_threshold;
  Open open{random_subject(), {&requestor, std::string(reply), std::move(import)}, until};
  std::string subject = open.subject;
  const std::lock_guard lock(mutex_);
  if (opens_.size() >= kMost) {
    erase(opens_.begin());
  }
  opens_.push_back(std::move(open));
  by_subject_.emplace(opens_.back().subject, std::prev(opens_.end()));
  earliest_ = std::min(earliest_, until);
  return subject;
}

std::optional<ServiceResponses::Owed> ServiceResponses::take(std::string_view subject, Time now, Part part) {
  const std::lock_guard lock(mutex_);
  const auto at = by_subject_.find(subject);
  if (at == by_subject_.end()) {
    return std::nullopt;
  }
  const Opens::iterator open = at->second;
  if (open->until <= now) {
    erase(open);
    return std::nullopt;
  }
  if (part == Part::last || open->owed.import->response == ResponseType::singleton) {
    Owed owed = std::move(open->owed);
    erase(open);
    return owed;
  }
  open->until = now + open->owed.import->response_threshold;
  opens_.splice(opens_.end(), opens_, open);
  return open->owed;
}

void ServiceResponses::close(std::string_view subject) {
  const std::lock_guard lock(mutex_);
  if (const auto at = by_subject_.find(subject); at != by_subject_.end()) {
    erase(at->second);
  }
}

void ServiceResponses::expire(Time now) {
  const std::lock_guard lock(mutex_);
  if (now < earliest_) {
    return;
  }
  earliest_ = Time::max();
  for (auto open = opens_.begin(); open != opens_.end();) {
    const auto next = std::next(open);
    if (open->until <= now) {
      erase(open);
    } else {
      earliest_ = std::min(earliest_, open->until);
    }
    open = next;
  }
}

void ServiceResponses::keep_only(const std::function<bool(const ServiceImport&)>& remains) {
  const std::lock_guard lock(mutex_);
  for (auto open = opens_.begin(); open != opens_.end();) {
    const auto next = std::next(open);
    if (!remains(*open->owed.import)) {
      erase(open);
    }
    open = next;
  }
}

std::size_t ServiceResponses::size() const {
  const std::lock_guard lock(mutex_);
  return opens_.size();
}

void ServiceResponses::erase(Opens::iterator open) {
  by_subject_.erase(open->subject);
  opens_.erase(open);
}

}  // namespace hawser::broker
