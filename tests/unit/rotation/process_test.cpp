#include "rotation/process.hpp"

#include <csignal>
#include <gtest/gtest.h>
#include <unistd.h>

#include "rotation/directory.hpp"

namespace hawser::rotation {
namespace {

using namespace std::chrono_literals;

Command shell(std::string text) { return {{std::move(text)}, true}; }
Time soon() { return now() + 20s; }

TEST(RotationProcess, runs_words_without_a_shell_and_text_with_one) {
  EXPECT_EQ(*run_command({{"printf", "%s", "$HOME;*"}, false}, soon(), {}), "$HOME;*");
  EXPECT_EQ(*run_command(shell("printf a; printf b >&2"), soon(), {}), "ab");
  EXPECT_EQ(*run_command(shell("cat"), soon(), {}), "");  // no standard input
}

TEST(RotationProcess, tells_status_signal_and_the_end_of_the_output) {
  const auto status = run_command(shell("echo the disk is full; exit 3"), soon(), {});
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, Errc::rotation_command_failed);
  EXPECT_NE(status.error().doing.find("exit status 3: the disk is full"), std::string::npos);
  EXPECT_NE(run_command(shell("kill -9 $$"), soon(), {}).error().doing.find("ended by signal 9"), std::string::npos);
  EXPECT_NE(run_command({{"/nowhere/x"}, false}, soon(), {}).error().doing.find("cannot be started"),
            std::string::npos);
}

TEST(RotationProcess, ends_with_the_command_whatever_it_leaves_running) {
  const Time began = now();
  EXPECT_EQ(*run_command(shell("sleep 30 & echo started"), soon(), {}), "started\n");
  EXPECT_LT(now() - began, 10s);
}

TEST(RotationProcess, kills_what_takes_too_long_says_too_much_or_is_to_stop) {
  const Directory here;
  const std::string late = (here.path / "late").string();
  const auto slow = run_command(shell("sleep 30; touch " + late), now() + 100ms, {});
  EXPECT_NE(slow.error().doing.find("not done in time"), std::string::npos);
  EXPECT_NE(run_command(shell("yes"), soon(), {}).error().doing.find("output is too long"), std::string::npos);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(run_command(shell("sleep 30"), soon(), stop.get_token()).error().code, Errc::interrupted);
  EXPECT_FALSE(std::filesystem::exists(late));
}

TEST(RotationProcess, signals_the_process_of_a_file) {
  const Directory here;
  EXPECT_TRUE(send_signal({here.put("pid", std::to_string(::getpid()) + "\n"), 0, 0}).has_value());
  EXPECT_TRUE(send_signal({"", ::getpid(), 0}).has_value());
  for (const std::string_view text : {"", "x", "1", "-5", "12 13", "99999999999"}) {
    EXPECT_EQ(send_signal({here.put("pid", text), 0, 0}).error().code, Errc::rotation_command_failed) << text;
  }
  EXPECT_FALSE(send_signal({here.path / "none", 0, 0}).has_value());
}

}  // namespace
}  // namespace hawser::rotation
