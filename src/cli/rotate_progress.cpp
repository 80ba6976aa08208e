#include "cli/rotate_progress.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.hpp"

namespace hawser::cli {

using namespace rotation;

namespace {

constexpr std::size_t kShownOfALook = 160;

std::string in_one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::string shortened(std::string text) {
  if (text.size() > kShownOfALook) {
    std::size_t end = kShownOfALook;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
      --end;  // not within a character
    }
    text.replace(end, std::string::npos, "…");
  }
  return text;
}

std::size_t columns() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

RotationProgress::RotationProgress(const Plan& plan, const std::vector<Passed>& passed, Showing showing)
    : plan_(plan), showing_(showing), marks_(plan) {
  for (const Passed& one : passed) {
    marks_.take(one);
  }
}

RotationProgress::~RotationProgress() {
  if (showing_ == Showing::terminal) {
    fmt::print("\r\x1b[K");
    std::fflush(stdout);
  }
}

void RotationProgress::on_phase(Phase phase) {
  phase_ = phase;
  line(std::string(to_string(phase)));
}

void RotationProgress::on_begun(Step step) {
  under_way_.push_back(step);
  draw();
}

void RotationProgress::on_done(Step step, const std::string& seen, Duration took) {
  const double seconds = std::chrono::duration<double>(took).count();
  done_.push_back({step, seen, seconds});
  marks_.take({step, Mark::done});
  std::erase(under_way_, step);
  const std::string shown = in_one_line(seen);
  line(fmt::format("  {}{}{} ({:.2f} s)", step_text(plan_, step), shown.empty() ? "" : ": ", shown, seconds));
}

void RotationProgress::on_failed(Step step, const Error& error, std::uint32_t attempt) {
  ++failures_;
  if (!looks_again(step.kind) && info(error.code).kind != ErrorKind::retryable) {
    std::erase(under_way_, step);
    return line(fmt::format("  {}: {}", step_text(plan_, step), in_one_line(error.message())));
  }
  // What is tried again is told once, and not at length: it may name every connection there is.
  if (attempt > 1) {
    return draw();
  }
  line(fmt::format("  {}: not yet: {}", step_text(plan_, step), shortened(in_one_line(error.doing))));
}

std::string RotationProgress::steps_json() const {
  boost::json::array steps;
  for (const Done& one : done_) {
    steps.push_back(
        {{"name", step_text(plan_, one.step)}, {"ok", true}, {"seconds", one.seconds}, {"detail", one.seen}});
  }
  return boost::json::serialize(steps);
}

void RotationProgress::line(const std::string& text) {
  if (showing_ == Showing::nothing) {
    return;
  }
  fmt::print("{}{} {}\n", showing_ == Showing::terminal ? "\r\x1b[K" : "", to_rfc3339(wall_now()), text);
  draw();
  std::fflush(stdout);
}

// Below the lines, never wider than the terminal: a line that wraps could not be taken back.
void RotationProgress::draw() const {
  if (showing_ != Showing::terminal) {
    return;
  }
  const std::string text = standing();
  fmt::print("\r\x1b[K{}", text.substr(0, columns() - 1));
  std::fflush(stdout);
}

// "moving | canary 1/1, others 3/12 | 2 looks in vain | prove: a5".
std::string RotationProgress::standing() const {
  std::string out(to_string(phase_));
  std::string between = " | ";
  for (std::size_t wave = 0; wave < plan_.waves.size(); ++wave) {
    const std::size_t first = first_target(plan_, wave);
    const std::size_t count = plan_.waves[wave].targets.size();
    std::size_t moved = 0;
    for (std::size_t target = first; target < first + count; ++target) {
      moved += marks_.done(StepKind::prove, target) ? 1U : 0U;
    }
    // Waves that are over say nothing any more.
    if (!marks_.wave_over(wave)) {
      out += fmt::format("{}{} {}/{}", between, plan_.waves[wave].name, moved, count);
      between = ", ";
    }
  }
  if (failures_ > 0) {
    out += fmt::format(" | {} in vain", failures_);
  }
  between = " | ";
  for (const Step step : under_way_) {
    out += between + step_text(plan_, step);
    between = ", ";
  }
  return out;
}

}  // namespace hawser::cli
