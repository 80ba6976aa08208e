#include "broker/bcrypt_check.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <crypt.h>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
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
  Pool(std::size_t threads, std::size_t most_waiting) : most_waiting_(most_waiting) {
    for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i) {
      threads_.emplace_back([this] { work(); });
    }
  }
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
    {
      const std::scoped_lock lock(mutex_);
      if (!stopping_ && waiting_.size() < most_waiting_) {
        waiting_.push_back(std::move(question));
        wake_.notify_one();
        return;
      }
    }
    question.answer(BcryptAnswer::busy);
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) {
        return;
      }
      Question question = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      question.answer(bcrypt_matches(question.hash, question.password) ? BcryptAnswer::right : BcryptAnswer::wrong);
      question = {};  // whatever the answer holds goes outside of the lock
      lock.lock();
    }
  }

  const std::size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;         // guarded by mutex_
  std::deque<Question> waiting_;  // guarded by mutex_
  std::vector<std::thread> threads_;
};

BcryptCheck::BcryptCheck(std::size_t threads, std::size_t most_waiting)
    : pool_(std::make_unique<Pool>(threads, most_waiting)) {}
BcryptCheck::~BcryptCheck() = default;

void BcryptCheck::ask(Secret hash, Secret password, std::move_only_function<void(BcryptAnswer)> answer) {
  pool_->ask({std::move(hash), std::move(password), std::move(answer)});
}

}  // namespace hawser::broker
