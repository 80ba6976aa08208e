// What the disk queue costs, as ratios within one run: durable enqueueing against a file that is appended to and
// fdatasync'ed as often, the latency of a flush against one fdatasync, reading, memory and start-up by length.
//
//   bench_store_queue [--messages 10000000] [--directory DIR] [--rounds 5]      --rounds 0: only what depends on length
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "store/disk_queue.hpp"
#include "store/recovery.hpp"

namespace {

using namespace hawser;
using namespace hawser::store;
namespace fs = std::filesystem;

constexpr std::uint32_t kPayload = 128;
constexpr std::uint64_t kFlushEvery = 1000;  // messages
constexpr std::uint32_t kRun = 100;          // messages that one read from a client's socket brings

std::string frames(std::uint32_t count) {
  std::string one = "PUB bench.orders.new 128\r\n" + std::string(kPayload, 'x') + "\r\n";
  std::string all;
  for (std::uint32_t i = 0; i < count; ++i) {
    all += one;
  }
  return all;
}

double seconds_since(Time start) { return std::chrono::duration<double>(hawser::now() - start).count(); }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "bench_store_queue: %s\n", what.c_str());
  std::exit(1);
}

// A queue, and one that waits for it, as a client that flushes does.
class Queue {
 public:
  explicit Queue(const fs::path& directory, std::uint64_t max_messages = UINT64_MAX) {
    auto opened =
        DiskQueue::open({.directory = directory, .max_bytes = UINT64_MAX, .max_messages = max_messages}, [this] {
          const std::lock_guard lock(mutex_);
          changed_.notify_all();
        });
    if (!opened) {
      die(opened.error().message());
    }
    queue_ = std::move(*opened);
  }
  ~Queue() { queue_.reset(); }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  DiskQueue* operator->() { return queue_.get(); }

  Ticket append(const std::string& bytes, std::uint32_t count) {
    const auto ticket =
        queue_->append({.client = 1, .arrived_ms = 1, .count = count, .largest_payload = kPayload, .frames = bytes});
    if (!ticket) {
      die(ticket.error().message());
    }
    return *ticket;
  }
  void flush(Ticket ticket) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return queue_->committed() >= ticket; });
  }
  std::vector<Batch> read(Ticket after, std::uint64_t bytes) {
    std::promise<Result<std::vector<Batch>>> answer;
    queue_->read(after, bytes, [&](Result<std::vector<Batch>> batches) { answer.set_value(std::move(batches)); });
    auto batches = answer.get_future().get();
    if (!batches) {
      die(batches.error().message());
    }
    return std::move(*batches);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<DiskQueue> queue_;
};

void enqueue(Queue& queue, std::uint64_t messages, std::uint64_t flush_every, std::uint32_t run) {
  const std::string bytes = frames(run);
  Ticket ticket = 0;
  for (std::uint64_t i = run; i <= messages; i += run) {
    ticket = queue.append(bytes, run);
    if (i % flush_every == 0) {
      queue.flush(ticket);
    }
  }
  queue.flush(ticket);
}

double enqueue_rate(const fs::path& directory, std::uint64_t messages, std::uint32_t run) {
  fs::remove_all(directory);
  Queue queue(directory);
  const Time start = hawser::now();
  enqueue(queue, messages, kFlushEvery, run);
  return static_cast<double>(messages) / seconds_since(start);
}

class PlainFile {
 public:
  explicit PlainFile(const fs::path& path)
      : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {}
  ~PlainFile() { ::close(fd_); }
  PlainFile(const PlainFile&) = delete;
  PlainFile& operator=(const PlainFile&) = delete;
  void append(std::string_view bytes) const {
    if (::write(fd_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
      die(std::strerror(errno));
    }
  }
  void sync() const {
    if (::fdatasync(fd_) != 0) {
      die(std::strerror(errno));
    }
  }

 private:
  int fd_;
};

double plain_rate(const fs::path& path, std::uint64_t messages) {
  const std::string bytes = frames(kFlushEvery);
  const PlainFile file(path);
  const Time start = hawser::now();
  for (std::uint64_t i = 0; i < messages; i += kFlushEvery) {
    file.append(bytes);
    file.sync();
  }
  const double rate = static_cast<double>(messages) / seconds_since(start);
  fs::remove(path);
  return rate;
}

void throughput(const fs::path& root, int rounds) {
  constexpr std::uint64_t kMessages = 300'000;
  std::vector<double> plain;
  std::vector<double> queue;
  std::vector<double> singly;
  for (int round = 0; round < rounds; ++round) {
    plain.push_back(plain_rate(root / "plain", kMessages));
    queue.push_back(enqueue_rate(root / "queue", kMessages, kRun));
    singly.push_back(enqueue_rate(root / "queue", kMessages, 1));
  }
  std::printf(
      "enqueue, flush every %llu: queue %.0f/s, message by message %.0f/s, plain file %.0f/s: ratios %.2f, %.2f\n",
      static_cast<unsigned long long>(kFlushEvery), median(queue), median(singly), median(plain),
      median(queue) / median(plain), median(singly) / median(plain));
}

void latency(const fs::path& root) {
  constexpr int kFlushes = 1000;
  fs::remove_all(root / "queue");
  Queue queue(root / "queue");
  const std::string bytes = frames(1);
  const PlainFile file(root / "plain");
  std::vector<double> plain;
  std::vector<double> flushed;
  for (int i = 0; i < kFlushes; ++i) {
    Time start = hawser::now();
    file.append(bytes);
    file.sync();
    plain.push_back(seconds_since(start) * 1e6);
    start = hawser::now();
    queue.flush(queue.append(bytes, 1));
    flushed.push_back(seconds_since(start) * 1e6);
  }
  const auto p99 = [](std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() * 99 / 100];
  };
  std::printf(
      "flush of one message: queue p50 %.0f us, p99 %.0f us; append and fdatasync p50 %.0f us, p99 %.0f us: ratio "
      "%.2f\n",
      median(flushed), p99(flushed), median(plain), p99(plain), median(flushed) / median(plain));
}

long resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) {
      return std::atol(line.c_str() + 6);
    }
  }
  return 0;
}

// In a child, so that each starts with the same memory.
template <class Body>
void apart(Body body) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    std::fflush(stdout);
    ::_exit(0);
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0) {
    die("a part failed");
  }
}

void fill(const fs::path& directory, std::uint64_t messages) {
  fs::remove_all(directory);
  Queue queue(directory);
  const Time start = hawser::now();
  enqueue(queue, messages, kFlushEvery, kRun);
  std::printf("%llu messages queued: %.0f/s; resident %ld KiB while the queue is that long\n",
              static_cast<unsigned long long>(messages), static_cast<double>(messages) / seconds_since(start),
              resident_kib());
}

void forget_cache(const fs::path& directory) {
  ::sync();
  for (const auto& entry : fs::directory_iterator(directory)) {
    const int fd = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    ::close(fd);
  }
}

void start_up(const fs::path& directory, const char* how) {
  const Time start = hawser::now();
  Queue queue(directory);
  const double took = seconds_since(start);
  std::printf("start-up with %llu queued, %s: %.3f s; resident %ld KiB\n",
              static_cast<unsigned long long>(queue->stats().messages), how, took, resident_kib());
}

double read_plainly(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::vector<char> buffer(1U << 20U);
  const Time start = hawser::now();
  double bytes = 0;
  for (ssize_t n = 0; (n = ::read(fd, buffer.data(), buffer.size())) > 0;) {
    bytes += static_cast<double>(n);
  }
  ::close(fd);
  return bytes / seconds_since(start) / 1e6;
}

void drain(const fs::path& directory, const char* how, bool confirm) {
  Queue queue(directory);
  const Time start = hawser::now();
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  for (Ticket after = 0;;) {
    const auto batches = queue.read(after, 1UL << 20U);
    if (batches.empty()) {
      break;
    }
    for (const Batch& batch : batches) {
      messages += batch.messages;
      bytes += batch.data.size();
    }
    after = batches.back().id;
    if (confirm) {
      queue->confirm(after);
    }
  }
  const double took = seconds_since(start);
  std::printf("%s: %.0f messages/s, %.0f MB/s; resident %ld KiB\n", how, static_cast<double>(messages) / took,
              static_cast<double>(bytes) / took / 1e6, resident_kib());
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t messages = 10'000'000;
  int rounds = 5;
  fs::path root = fs::temp_directory_path();
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--messages") {
      messages = std::strtoull(argv[i + 1], nullptr, 10);
    } else if (option == "--rounds") {
      rounds = std::atoi(argv[i + 1]);
    } else if (option == "--directory") {
      root = argv[i + 1];
    } else {
      die("unknown option " + std::string(option));
    }
  }
  root /= "hawser-bench-store";
  fs::create_directories(root);
  if (rounds > 0) {
    apart([&] { throughput(root, rounds); });
    apart([&] { latency(root); });
  }
  apart([&] { fill(root / "queue", 10'000); });
  apart([&] { fill(root / "queue", messages); });
  forget_cache(root / "queue");
  apart([&] { start_up(root / "queue", "cold"); });
  apart([&] { start_up(root / "queue", "warm"); });
  forget_cache(root / "queue");
  apart([&] { drain(root / "queue", "read, cold", false); });
  forget_cache(root / "queue");
  std::printf("the file read plainly, cold: %.0f MB/s\n", read_plainly(root / "queue/queue.db"));
  apart([&] { drain(root / "queue", "read, warm", false); });
  apart([&] { drain(root / "queue", "drained: read and removed, warm", true); });
  fs::remove_all(root);
}
