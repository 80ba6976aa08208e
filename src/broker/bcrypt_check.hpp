// Compares passwords with bcrypt hashes on threads of its own: a hash of cost 11 takes a tenth of a second.
//
// Thread-safe. Bounded: when too many questions wait, one of the address that asks most is answered with `busy`, and
// its client denied; addresses take turns, so that whoever guesses does not keep others out. What was right once is
// remembered, as a keyed digest, so that a thousand clients of one user may come back at once. Destruction waits for
// the comparisons under way; questions that still wait are answered with `busy`.
//
//   check.ask(std::move(q.hash), std::move(q.password), [&reactor, …](BcryptAnswer a) { reactor.post(…); });
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/secret.hpp"

namespace hawser::broker {

enum class BcryptAnswer : std::uint8_t { right, wrong, busy };

// Whether a configured password is taken for a hash rather than for plain text: it starts as a hash of some version
// does.
[[nodiscard]] bool looks_like_bcrypt(std::string_view password) noexcept;
// Whether such a hash can be compared: $2a$, $2b$ or $2y$, a cost of 04 to 31, 53 characters of bcrypt's alphabet.
[[nodiscard]] bool valid_bcrypt(std::string_view hash) noexcept;
// The comparison itself, on the calling thread. Slow.
[[nodiscard]] bool bcrypt_matches(const Secret& hash, const Secret& password);

// For whom a question is asked.
struct Asker {
  std::string address = {};                                 // without its port
  std::shared_ptr<const std::atomic<bool>> gone = nullptr;  // true: nobody waits for the answer any more
};

class BcryptCheck {
 public:
  static constexpr std::size_t kMostWaiting = 256;
  static constexpr std::size_t kMostRemembered = 4096;

  explicit BcryptCheck(std::size_t threads = 1, std::size_t most_waiting = kMostWaiting);
  ~BcryptCheck();
  BcryptCheck(const BcryptCheck&) = delete;
  BcryptCheck& operator=(const BcryptCheck&) = delete;

  // Calls `answer` exactly once: on a thread of this object, or on that of a caller, perhaps at once.
  void ask(Secret hash, Secret password, std::move_only_function<void(BcryptAnswer)> answer, Asker asker = {});

 private:
  class Pool;
  std::unique_ptr<Pool> pool_;
};

}  // namespace hawser::broker
