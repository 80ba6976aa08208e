#include "broker/bcrypt_check.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <crypt.h>
#include <deque>
#include <mutex>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace hawser::broker {
namespace {

constexpr std::size_t kHashLength = 60;  // "$2b$12$", 22 characters of salt, 31 of digest

bool digit(char c) { return c >= '0' && c <= '9'; }

bool bcrypt_letter(char c) {
  return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '/';
}

// crypt_r's working memory, 32 KiB: too much for a stack, and wiped since it held the password.
struct Workspace {
  crypt_data data{};
  Workspace() = default;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() { wipe({reinterpret_cast<char*>(&data), sizeof data}); }
};

struct Question {
  Secret hash;
  Secret password;
  std::move_only_function<void(BcryptAnswer)> answer;
  Asker asker;

  [[nodiscard]] bool pointless() const { return asker.gone != nullptr && *asker.gone; }
};

// Passwords that were right, by a digest that means nothing without a key of this process's.
class Remembered {
 public:
  using Digest = std::string;

  Remembered() : usable_(RAND_bytes(key_.data(), static_cast<int>(key_.size())) == 1) {}
  Remembered(const Remembered&) = delete;
  Remembered& operator=(const Remembered&) = delete;
  ~Remembered() { wipe({reinterpret_cast<char*>(key_.data()), key_.size()}); }

  [[nodiscard]] Digest digest(const Secret& hash, const Secret& password) const {
    std::string text;
    text.reserve(hash.reveal().size() + 1 + password.reveal().size());  // growing would leave a copy behind
    text.append(hash.reveal()).append("\n").append(password.reveal());
    const Secret both = Secret::take(std::move(text));
    std::array<unsigned char, EVP_MAX_MD_SIZE> made{};
    unsigned size = 0;
    const bool done = usable_ && HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
                                      reinterpret_cast<const unsigned char*>(both.reveal().data()),
                                      both.reveal().size(), made.data(), &size) != nullptr;
    return done ? Digest(reinterpret_cast<const char*>(made.data()), size) : Digest();
  }
  [[nodiscard]] bool knows(const Digest& digest) const { return digests_.contains(digest); }
  void add(const Digest& digest) {
    if (digest.empty() || !digests_.insert(digest).second) {
      return;
    }
    oldest_.push_back(digest);
    if (oldest_.size() > BcryptCheck::kMostRemembered) {
      digests_.erase(oldest_.front());
      oldest_.pop_front();
    }
  }

 private:
  std::array<unsigned char, 32> key_{};
  bool usable_;
  std::unordered_set<Digest> digests_;
  std::deque<Digest> oldest_;
};

}  // namespace

bool looks_like_bcrypt(std::string_view password) noexcept {
  return password.size() >= 7 && password.starts_with("$2") &&
         std::string_view("abxy").find(password[2]) != std::string_view::npos && password[3] == '$' &&
         digit(password[4]) && digit(password[5]) && password[6] == '$';
}

bool valid_bcrypt(std::string_view hash) noexcept {
  if (!looks_like_bcrypt(hash) || hash[2] == 'x' || hash.size() != kHashLength) {
    return false;
  }
  const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
  return cost >= 4 && cost <= 31 && std::ranges::all_of(hash.substr(7), bcrypt_letter);
}

bool bcrypt_matches(const Secret& hash, const Secret& password) {
  // A C string ends at its first NUL: what comes after it would not count.
  if (!valid_bcrypt(hash.reveal()) || password.reveal().find('\0') != std::string_view::npos) {
    return false;
  }
  const auto workspace = std::make_unique<Workspace>();
  const std::string setting(hash.reveal());
  const Secret phrase = password.copy();
  const char* made = ::crypt_r(phrase.reveal().data(), setting.c_str(), &workspace->data);
  return made != nullptr && equal_in_constant_time(Secret(std::string_view(made)), hash);
}

class BcryptCheck::Pool {
 public:
  Pool(std::size_t threads, std::size_t most_waiting) : most_threads_(threads), most_waiting_(most_waiting) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  ~Pool() {
    std::deque<Question> left;
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
      left.swap(waiting_);
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
      thread.join();
    }
    for (Question& question : left) {
      question.answer(BcryptAnswer::busy);
    }
  }

  void ask(Question question) {
    const Remembered::Digest digest = right_.digest(question.hash, question.password);
    std::optional<BcryptAnswer> at_once;
    {
      const std::scoped_lock lock(mutex_);
      if (right_.knows(digest)) {
        at_once = BcryptAnswer::right;
      } else if (stopping_) {
        at_once = BcryptAnswer::busy;
      } else {
        waiting_.push_back(std::move(question));
        if (waiting_.size() > most_waiting_) {
          question = take_one_too_many();
          at_once = BcryptAnswer::busy;
        }
        if (threads_.size() < std::max<std::size_t>(most_threads_, 1)) {
          threads_.emplace_back([this] { work(); });
        }
        wake_.notify_one();
      }
    }
    if (at_once) {
      question.answer(*at_once);
    }
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) {
        return;
      }
      Question question = take_next();
      lock.unlock();
      const BcryptAnswer answer = question.pointless()                               ? BcryptAnswer::busy
                                  : bcrypt_matches(question.hash, question.password) ? BcryptAnswer::right
                                                                                     : BcryptAnswer::wrong;
      if (answer == BcryptAnswer::right) {
        const Remembered::Digest digest = right_.digest(question.hash, question.password);
        const std::scoped_lock again(mutex_);
        right_.add(digest);
      }
      question.answer(answer);
      question = {};  // whatever the answer holds goes outside of the lock
      lock.lock();
    }
  }

  // The first of another address than the last one was, if there is any.
  Question take_next() {
    auto next = std::ranges::find_if(
        waiting_, [this](const Question& one) { return one.asker.address != last_ || one.pointless(); });
    if (next == waiting_.end()) {
      next = waiting_.begin();
    }
    Question taken = std::move(*next);
    waiting_.erase(next);
    last_ = taken.asker.address;
    return taken;
  }

  // One that nobody waits for, or else the last of the address that asks most.
  Question take_one_too_many() {
    auto surplus = std::ranges::find_if(waiting_, &Question::pointless);
    if (surplus == waiting_.end()) {
      std::unordered_map<std::string_view, std::size_t> counts;
      std::size_t most = 0;
      for (const Question& one : waiting_) {
        most = std::max(most, ++counts[one.asker.address]);
      }
      const auto last = std::find_if(waiting_.rbegin(), waiting_.rend(),
                                     [&](const Question& one) { return counts[one.asker.address] == most; });
      surplus = std::prev(last.base());
    }
    Question taken = std::move(*surplus);
    waiting_.erase(surplus);
    return taken;
  }

  const std::size_t most_threads_;
  const std::size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;             // guarded by mutex_
  std::deque<Question> waiting_;      // guarded by mutex_
  std::string last_;                  // address; guarded by mutex_
  Remembered right_;                  // but for its key, guarded by mutex_
  std::vector<std::thread> threads_;  // begun when first there is something to do; guarded by mutex_ until the end
};

BcryptCheck::BcryptCheck(std::size_t threads, std::size_t most_waiting)
    : pool_(std::make_unique<Pool>(threads, most_waiting)) {}
BcryptCheck::~BcryptCheck() = default;

void BcryptCheck::ask(Secret hash, Secret password, std::move_only_function<void(BcryptAnswer)> answer, Asker asker) {
  pool_->ask({std::move(hash), std::move(password), std::move(answer), std::move(asker)});
}

}  // namespace hawser::broker
