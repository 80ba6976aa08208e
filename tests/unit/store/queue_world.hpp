// A directory, numbered messages and a queue to wait for, for the tests of the disk queue.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <gtest/gtest.h>
#include <iterator>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "store/disk_queue.hpp"
#include "store/recovery.hpp"

namespace hawser::store {

inline constexpr auto kPatience = std::chrono::seconds(20);

// Gone with its content at the end. In memory if possible: what is tested is the order of things, not the disk.
class Directory {
 public:
  Directory() {
    const std::filesystem::path memory = "/dev/shm";
    const auto base = ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
    std::string name = (base / "hawser-store-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] std::filesystem::path path() const { return path_ / "queue"; }
  [[nodiscard]] std::filesystem::path database() const { return queue_path(path()); }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path())) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }
  [[nodiscard]] bool has_file_with(const std::string& part) const {
    for (const std::string& name : files()) {
      if (name.find(part) != std::string::npos) {
        return true;
      }
    }
    return false;
  }

 private:
  std::filesystem::path path_;
};

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// Without the unused room at the end of a database.
inline std::string used_bytes_of(const std::filesystem::path& database) {
  const std::string bytes = bytes_of(database);
  std::size_t pages = 0;
  for (std::size_t i = 28; i < 32; ++i) {
    pages = pages << 8U | static_cast<unsigned char>(bytes.at(i));
  }
  return bytes.substr(0, pages * 4096);
}

// "PUB test.n <size>\r\n<n>xxxx\r\n".
inline std::string frame(std::uint64_t number, std::size_t padding = 0) {
  const std::string body = std::to_string(number) + std::string(padding, 'x');
  return "PUB test.n " + std::to_string(body.size()) + "\r\n" + body + "\r\n";
}

// The numbers of one client's frames.
inline std::vector<std::uint64_t> numbers_in(std::string_view frames) {
  std::vector<std::uint64_t> numbers;
  while (!frames.empty()) {
    const std::size_t line = frames.find("\r\n");
    const std::size_t size = std::stoul(std::string(frames.substr(11, line - 11)));
    numbers.push_back(std::stoull(std::string(frames.substr(line + 2, size))));
    frames.remove_prefix(line + 2 + size + 2);
  }
  return numbers;
}

inline Run run_of(const std::string& frames, std::uint32_t count, std::uint64_t client = 1) {
  return {.client = client,
          .arrived_ms = 1'700'000'000'000,
          .count = count,
          .largest_payload = static_cast<std::uint32_t>(frames.size() / 2),
          .frames = frames};
}

// A queue, and what it takes to wait for its progress.
class World {
 public:
  explicit World(QueueOptions options) {
    auto opened = DiskQueue::open(std::move(options), [this] {
      const std::lock_guard lock(mutex_);
      ++progress_;
      changed_.notify_all();
    });
    if (opened) {
      queue_ = std::move(*opened);
    } else {
      error_ = opened.error();
    }
  }
  explicit World(const Directory& directory) : World(QueueOptions{.directory = directory.path()}) {}
  ~World() { queue_.reset(); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  explicit operator bool() const { return queue_ != nullptr; }
  DiskQueue* operator->() { return queue_.get(); }
  [[nodiscard]] const Error& error() const { return error_; }
  void close() { queue_.reset(); }

  template <class Condition>
  [[nodiscard]] bool wait(Condition condition) {
    std::unique_lock lock(mutex_);
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      // Counters move without a call of the callback, so it is not only that which is waited for.
      if (std::chrono::steady_clock::now() > until) {
        return false;
      }
      changed_.wait_for(lock, std::chrono::milliseconds(5));
    }
    return true;
  }

  Ticket append(std::uint64_t number, std::size_t padding = 0) {
    const std::string text = frame(number, padding);
    const auto ticket = queue_->append(run_of(text, 1));
    EXPECT_TRUE(ticket) << ticket.error().message();
    return ticket.value_or(0);
  }
  Ticket append_and_commit(std::uint64_t number, std::size_t padding = 0) {
    const Ticket ticket = append(number, padding);
    EXPECT_TRUE(wait([&] { return queue_->committed() >= ticket; }));
    return ticket;
  }
  Result<std::vector<Batch>> read(Ticket after, std::uint64_t max_bytes = UINT64_MAX) {
    auto answer = std::make_shared<std::promise<Result<std::vector<Batch>>>>();
    queue_->read(after, max_bytes,
                 [answer](Result<std::vector<Batch>> batches) { answer->set_value(std::move(batches)); });
    auto future = answer->get_future();
    if (future.wait_for(kPatience) != std::future_status::ready) {
      return fail(Errc::internal_error, "nobody answers");
    }
    return future.get();
  }
  // Of everything that is there, in order.
  std::vector<std::uint64_t> numbers() {
    std::vector<std::uint64_t> all;
    Ticket after = 0;
    while (true) {
      const auto batches = read(after, 1U << 20U);
      EXPECT_TRUE(batches) << batches.error().message();
      if (!batches || batches->empty()) {
        return all;
      }
      for (const Batch& batch : *batches) {
        for (const Run& run : batch.runs) {
          const auto some = numbers_in(run.frames);
          EXPECT_EQ(some.size(), run.count);
          all.insert(all.end(), some.begin(), some.end());
        }
        after = batch.id;
      }
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t progress_ = 0;
  Error error_;
  std::unique_ptr<DiskQueue> queue_;
};

inline std::vector<std::uint64_t> counted(std::uint64_t from, std::uint64_t to) {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t i = from; i <= to; ++i) {
    numbers.push_back(i);
  }
  return numbers;
}

}  // namespace hawser::store
