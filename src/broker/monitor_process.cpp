#include "broker/monitor_process.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace hawser::broker {
namespace {

Duration processor_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

std::uint64_t resident_bytes() {
  const int fd = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return 0;
  }
  std::array<char, 256> text{};
  const ssize_t got = ::read(fd, text.data(), text.size());
  ::close(fd);
  const std::string_view statm(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  return resident_pages(statm) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

std::uint64_t resident_pages(std::string_view statm) noexcept {
  const std::size_t space = statm.find(' ');
  std::uint64_t pages = 0;
  if (space != std::string_view::npos) {
    std::from_chars(statm.data() + space + 1, statm.data() + statm.size(), pages);
  }
  return pages;
}

ProcessMeter::ProcessMeter() : asked_at_(now()), used_(processor_time()) {}

ProcessUsage ProcessMeter::measure() {
  const std::lock_guard lock(mutex_);
  const Time at = now();
  if (at - asked_at_ >= std::chrono::seconds(1)) {
    const Duration used = processor_time();
    const double share = std::chrono::duration<double>(used - used_) / std::chrono::duration<double>(at - asked_at_);
    cpu_percent_ = std::round(share * 1000) / 10;
    asked_at_ = at;
    used_ = used;
  }
  return {cpu_percent_, resident_bytes()};
}

}  // namespace hawser::broker
