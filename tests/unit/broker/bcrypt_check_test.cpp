#include "broker/bcrypt_check.hpp"

#include <future>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace hawser::broker {
namespace {

const std::string kDigest = "$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG";  // of "s3cret"

Secret secret(std::string_view text) { return Secret(text); }

TEST(Bcrypt, compares_all_the_versions_that_agree) {
  for (const char* version : {"$2a", "$2b", "$2y"}) {
    const Secret hash(version + kDigest);
    EXPECT_TRUE(valid_bcrypt(hash.reveal()));
    EXPECT_TRUE(bcrypt_matches(hash, secret("s3cret"))) << version;
    EXPECT_FALSE(bcrypt_matches(hash, secret("S3cret"))) << version;
    EXPECT_FALSE(bcrypt_matches(hash, secret(""))) << version;
    EXPECT_FALSE(bcrypt_matches(hash, secret(std::string_view("s3cret\0more", 11)))) << version;
  }
}

struct Row {
  std::string text;
  bool looks;
  bool valid;
};

TEST(Bcrypt, tells_hashes_from_passwords_and_whole_ones_from_damaged_ones) {
  const std::vector<Row> rows = {
      {"$2a" + kDigest, true, true},
      {"$2x" + kDigest, true, false},
      {"$2c" + kDigest, false, false},
      {"$2" + kDigest, false, false},
      {"$2a$4$" + kDigest.substr(4), false, false},
      {"$2a$03" + kDigest.substr(3), true, false},
      {"$2a$32" + kDigest.substr(3), true, false},
      {"$2a$31" + kDigest.substr(3), true, true},
      {"$2a" + kDigest.substr(0, 56), true, false},
      {"$2a" + kDigest + "x", true, false},
      {"$2a$04$", true, false},
      {"$2a$04$" + std::string(53, '!'), true, false},
      {"$2a" + kDigest.substr(0, 56) + "\n", true, false},
      {"s3cret", false, false},
      {"", false, false},
      {"$", false, false},
      {"$2a$", false, false},
      {"$1$salt$hash", false, false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(looks_like_bcrypt(row.text), row.looks) << row.text;
    EXPECT_EQ(valid_bcrypt(row.text), row.valid) << row.text;
    if (!row.valid) {
      EXPECT_FALSE(bcrypt_matches(Secret(row.text), secret("s3cret"))) << row.text;
    }
  }
}

TEST(BcryptChecks, answer_on_a_thread_of_their_own) {
  BcryptCheck check(2);
  std::vector<std::future<std::pair<BcryptAnswer, std::thread::id>>> answers;
  for (const char* password : {"s3cret", "wrong"}) {
    std::promise<std::pair<BcryptAnswer, std::thread::id>> promise;
    answers.push_back(promise.get_future());
    check.ask(Secret("$2a" + kDigest), secret(password), [promise = std::move(promise)](BcryptAnswer a) mutable {
      promise.set_value({a, std::this_thread::get_id()});
    });
  }
  const auto right = answers[0].get();
  EXPECT_EQ(right.first, BcryptAnswer::right);
  EXPECT_NE(right.second, std::this_thread::get_id());
  EXPECT_EQ(answers[1].get().first, BcryptAnswer::wrong);
}

TEST(BcryptChecks, take_no_more_than_their_bound_and_answer_every_question_once) {
  std::promise<void> started;
  std::promise<void> may_go_on;
  std::vector<BcryptAnswer> answers;  // of the waiting ones, all answered on this thread
  auto check = std::make_unique<BcryptCheck>(1, 2);
  check->ask(Secret("$2a" + kDigest), secret("s3cret"), [&](BcryptAnswer) {
    started.set_value();
    may_go_on.get_future().wait();
  });
  started.get_future().wait();  // the only thread is held up from here on
  for (int i = 0; i < 3; ++i) {
    check->ask(Secret("$2a" + kDigest), secret("guess"), [&](BcryptAnswer a) { answers.push_back(a); });
  }
  EXPECT_EQ(answers, std::vector{BcryptAnswer::busy});  // two wait, the third is one too many
  std::thread let_go([&may_go_on] { may_go_on.set_value(); });
  check.reset();
  let_go.join();
  // What waited was either compared before the end or answered at it.
  EXPECT_EQ(answers.size(), 3U);
}

// A check whose only thread is held up until let_go(), and who was answered what, in order.
struct HeldUp {
  explicit HeldUp(std::size_t most_waiting) : check(std::make_unique<BcryptCheck>(1, most_waiting)) {
    check->ask(Secret("$2a" + kDigest), secret("first"), [this](BcryptAnswer) {
      started.set_value();
      may_go_on.get_future().wait();
    });
    started.get_future().wait();
  }
  void ask(std::string address, const char* password = "guess", std::shared_ptr<std::atomic<bool>> gone = nullptr) {
    check->ask(Secret("$2a" + kDigest), secret(password),
               [this, address](BcryptAnswer a) {
                 const std::scoped_lock lock(mutex);
                 seen += address + (a == BcryptAnswer::busy ? " busy, " : a == BcryptAnswer::right ? " right, " : ", ");
                 ++answered;
                 answered.notify_all();
               },
               {.address = address, .gone = std::move(gone)});
  }
  std::string let_go(int expected) {
    may_go_on.set_value();
    for (int now = answered; now < expected; now = answered) {
      answered.wait(now);
    }
    check.reset();
    return seen;
  }

  std::promise<void> started;
  std::promise<void> may_go_on;
  std::mutex mutex;
  std::string seen;
  std::atomic<int> answered{0};
  std::unique_ptr<BcryptCheck> check;
};

TEST(BcryptChecks, addresses_take_turns) {
  HeldUp held(10);
  for (int i = 0; i < 4; ++i) {
    held.ask("guesser");
  }
  held.ask("other");
  EXPECT_EQ(held.let_go(5), "guesser, other, guesser, guesser, guesser, ");
}

TEST(BcryptChecks, the_address_that_asks_most_loses_when_too_many_wait) {
  HeldUp held(3);
  held.ask("guesser");
  held.ask("guesser");
  held.ask("guesser");
  held.ask("other");
  EXPECT_EQ(held.seen, "guesser busy, ");
  EXPECT_EQ(held.let_go(4), "guesser busy, guesser, other, guesser, ");
}

TEST(BcryptChecks, nothing_is_compared_for_who_has_gone) {
  HeldUp held(2);
  const auto gone = std::make_shared<std::atomic<bool>>(false);
  held.ask("one", "s3cret", gone);
  held.ask("two");
  *gone = true;
  held.ask("three");
  EXPECT_EQ(held.seen, "one busy, ") << "its place is taken";
  EXPECT_EQ(held.let_go(3), "one busy, two, three, ");
}

TEST(BcryptChecks, what_was_right_once_is_answered_at_once) {
  BcryptCheck check(1);
  const auto asked = [&](const std::string& hash, const char* password) {
    std::promise<std::pair<BcryptAnswer, std::thread::id>> promise;
    auto answer = promise.get_future();
    check.ask(Secret(hash), secret(password),
              [&promise](BcryptAnswer a) { promise.set_value({a, std::this_thread::get_id()}); });
    return answer.get();
  };
  EXPECT_NE(asked("$2a" + kDigest, "s3cret").second, std::this_thread::get_id());
  const auto again = asked("$2a" + kDigest, "s3cret");
  EXPECT_EQ(again.first, BcryptAnswer::right);
  EXPECT_EQ(again.second, std::this_thread::get_id());
  EXPECT_EQ(asked("$2a" + kDigest, "s3cret ").first, BcryptAnswer::wrong);
  EXPECT_NE(asked("$2b" + kDigest, "s3cret").second, std::this_thread::get_id()) << "another hash is another question";
}

}  // namespace
}  // namespace hawser::broker
