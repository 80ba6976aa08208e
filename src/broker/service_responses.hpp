// The answers that services of one account owe to others: for each request, the subject that stands in for its reply.
//
// Thread-safe. Bounded: beyond kMost the oldest is given up, as is each when its time is over. The subjects cannot be
// guessed, since whoever knows one may answer.
//
//   std::string reply = responses.open(requestor, message.reply, import, now);   // "_R_.x8Qf2m.…"
//   if (auto owed = responses.take(message.subject, now, ServiceResponses::Part::last)) route(*owed->requestor,
//   owed->reply);
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "broker/account_rules.hpp"

namespace hawser::broker {

struct AccountState;

class ServiceResponses {
 public:
  static constexpr std::size_t kMost = 1UL << 16U;
  static constexpr std::string_view kPrefix = "_R_.";

  struct Owed {
    AccountState* requestor = nullptr;
    std::string reply;  // in the requestor's account
    ServiceImportPtr import;
  };
  enum class Part : std::uint8_t { more, last };  // last: an empty message, which ends a stream of answers

  ServiceResponses();
  ServiceResponses(const ServiceResponses&) = delete;
  ServiceResponses& operator=(const ServiceResponses&) = delete;

  // What all these subjects match.
  [[nodiscard]] std::string pattern() const { return prefix_ + ">"; }

  // The subject that the service is to answer to.
  [[nodiscard]] std::string open(AccountState& requestor, std::string_view reply, ServiceImportPtr import, Time now);
  // An answer to it. A service with one answer has given it then; others may go on, for another threshold's time.
  [[nodiscard]] std::optional<Owed> take(std::string_view subject, Time now, Part part);
  // Nobody listens for the answer any more, or nobody was there to be asked.
  void close(std::string_view subject);

  void expire(Time now);
  // After a reload: those remain whose import does.
  void keep_only(const std::function<bool(const ServiceImport&)>& remains);
  [[nodiscard]] std::size_t size() const;

 private:
  struct Open {
    std::string subject;
    Owed owed;
    Time until;
  };
  using Opens = std::list<Open>;

  std::string random_subject();
  void erase(Opens::iterator open);

  std::string prefix_;  // "_R_.x8Qf2m."
  mutable std::mutex mutex_;
  Opens opens_;  // the one that was used last is last
  std::unordered_map<std::string_view, Opens::iterator> by_subject_;
  Time earliest_ = Time::max();  // no open one ends before
};

}  // namespace hawser::broker
