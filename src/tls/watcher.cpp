#include "tls/watcher.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "tls/material_parts.hpp"
#include "tls/reload_decision.hpp"
#include "tls/watched_places.hpp"

namespace hawser::tls {
namespace {

// The inotify side: directories that are watched, and the names in them that matter.
class Directories {
 public:
  Directories() : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    if (fd_ < 0) {
      const Error error{Errc::tls_watch_failed, std::generic_category().message(errno)};
      log::write(log::Level::warn, "certificate files are polled, not watched", error);
    }
  }
  ~Directories() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Directories(const Directories&) = delete;
  Directories& operator=(const Directories&) = delete;

  [[nodiscard]] int descriptor() const { return fd_; }  // negative, and ignored by poll(2), without inotify

  // Watches exactly these from now on. What cannot be watched is left to the poll.
  void watch(const Places& places) {
    constexpr std::uint32_t kEvents = IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO |
                                      IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
    if (fd_ < 0) {
      return;
    }
    std::map<int, std::set<std::string>> now;
    for (const auto& [directory, names] : places) {
      // The same directory under two paths has one number.
      if (const int watched = ::inotify_add_watch(fd_, directory.c_str(), kEvents); watched >= 0) {
        now[watched].insert(names.begin(), names.end());
      }
    }
    for (const auto& [watched, names] : watched_) {
      if (!now.contains(watched)) {
        ::inotify_rm_watch(fd_, watched);
      }
    }
    watched_ = std::move(now);
  }

  // Reads all events that are there; true when one of them matters.
  bool drain() {
    alignas(inotify_event) std::array<char, 16384> buffer{};
    bool matters = false;
    for (ssize_t got = ::read(fd_, buffer.data(), buffer.size()); got > 0;
         got = ::read(fd_, buffer.data(), buffer.size())) {
      for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
        inotify_event event{};
        std::memcpy(&event, buffer.data() + at, sizeof event);
        const char* name = event.len > 0 ? buffer.data() + at + sizeof event : "";
        matters = matters || concerns_us(event, name);
        at += sizeof event + event.len;
      }
    }
    return matters;
  }

 private:
  [[nodiscard]] bool concerns_us(const inotify_event& event, const char* name) const {
    if ((event.mask & IN_Q_OVERFLOW) != 0) {
      return true;  // something was missed
    }
    const auto watched = watched_.find(event.wd);
    if (watched == watched_.end() || (event.mask & IN_IGNORED) != 0) {
      return false;  // of a watch that was taken back
    }
    return (event.mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0 || watched->second.contains(name);
  }

  int fd_;
  std::map<int, std::set<std::string>> watched_;
};

// The content of a credential file; empty while it is gone, unreadable or emptied to be written again.
std::string file_digest(const std::string& path) {
  const Result<Secret> text = read_secret_file(path, limits::kCredentialFileBytes);
  const bool blank = !text || text->reveal().find_first_not_of(" \t\r\n") == std::string_view::npos;
  return blank ? std::string() : sha256_hex(text->reveal());
}

}  // namespace

class Watcher::Thread {
 public:
  Thread(MaterialPtr material, std::vector<std::string> extra_files, const WatchOptions& options, WatchEvents events,
         int wake)
      : wake_(wake),
        source_(material->source()),
        current_(std::move(material)),
        decision_(options, current_->id(), now()),
        automatic_(options.automatic),
        events_(std::move(events)) {
    for (std::string& path : extra_files) {
      std::string digest = file_digest(path);
      files_.push_back({std::move(path), std::move(digest)});
    }
    watch_places();  // before the thread: what is written after start() returned is seen
    if (automatic_) {
      decision_.changed(now());  // and what was written since the material was loaded
    }
    thread_ = std::thread([this] { run(); });
  }

  ~Thread() {
    stopping_ = true;
    wake();
    thread_.join();
    ::close(wake_);
  }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  void ask() {
    asked_ = true;
    wake();
  }

 private:
  struct File {
    std::string path;
    std::string digest;  // as last reported
  };

  void wake() const { static_cast<void>(::eventfd_write(wake_, 1)); }

  void run() {
    while (!stopping_) {
      std::array<pollfd, 2> waits = {pollfd{wake_, POLLIN, 0}, pollfd{directories_.descriptor(), POLLIN, 0}};
      ::poll(waits.data(), waits.size(), wait_ms());
      if ((waits[0].revents & POLLIN) != 0) {
        eventfd_t count = 0;
        ::eventfd_read(wake_, &count);
      }
      if ((waits[1].revents & POLLIN) != 0 && directories_.drain()) {
        decision_.changed(now());
      }
      if (asked_.exchange(false)) {
        decision_.asked();
      }
      if (const std::optional<Time> at = decision_.next_look(); !stopping_ && at && *at <= now()) {
        look();
      }
    }
  }

  [[nodiscard]] int wait_ms() const {
    const std::optional<Time> at = decision_.next_look();
    if (!at) {
      return -1;
    }
    const Time present = now();
    if (*at <= present) {
      return 0;
    }
    constexpr std::int64_t kLongest = 3'600'000;
    return static_cast<int>(std::min(kLongest, std::chrono::ceil<std::chrono::milliseconds>(*at - present).count()));
  }

  void watch_places() {
    if (!automatic_) {
      return;
    }
    Places places;
    for (const std::string& path : {source_.cert_file, source_.key_in_token() ? std::string() : source_.key_file,
                                    source_.ca_file, source_.crl_file}) {
      if (!path.empty()) {
        add_places(path, places);
      }
    }
    for (const File& file : files_) {
      add_places(file.path, places);
    }
    directories_.watch(places);
  }

  void look() {
    watch_places();  // before reading: what changes after it is an event
    const Result<SourceBytes> bytes = read_files(source_);
    std::vector<std::string> digests;
    bool differ = false;
    for (const File& file : files_) {
      digests.push_back(file_digest(file.path));
      differ = differ || (!digests.back().empty() && digests.back() != file.digest);
    }
    const std::string id = bytes ? content_id(source_, *bytes) : "unreadable: " + bytes.error().doing;
    const ReloadDecision::Looked looked = decision_.looked(now(), id, differ);
    if (looked.load) {
      load_and_report(bytes);
    }
    if (looked.take_files) {
      report_files(std::move(digests));
    }
    if (looked.report_unchanged && events_.unchanged) {
      events_.unchanged();
    }
  }

  void load_and_report(const Result<SourceBytes>& bytes) {
    Result<MaterialPtr> loaded =
        bytes ? load(source_, *bytes, wall_now(), current_.get()) : std::unexpected(bytes.error());
    switch (decision_.loaded(now(), loaded ? std::nullopt : std::optional(loaded.error().code))) {
      case ReloadDecision::Report::nothing: return;
      case ReloadDecision::Report::publish:
        current_ = std::move(*loaded);
        if (events_.published) {
          events_.published(current_);
        }
        return;
      case ReloadDecision::Report::incomplete:
        if (events_.incomplete) {
          events_.incomplete(loaded.error());
        }
        return;
      case ReloadDecision::Report::reject:
        if (loaded.error().code == Errc::tls_not_complete && bytes) {
          loaded = load(source_, *bytes, wall_now());  // the wait is over: call it what it is
        }
        if (events_.rejected && !loaded) {
          events_.rejected(loaded.error());
        }
        return;
    }
  }

  void report_files(std::vector<std::string> digests) {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (digests[i].empty() || digests[i] == files_[i].digest) {
        continue;
      }
      files_[i].digest = std::move(digests[i]);
      if (events_.file_changed) {
        events_.file_changed(files_[i].path);
      }
    }
  }

  int wake_;
  Source source_;
  MaterialPtr current_;
  ReloadDecision decision_;
  bool automatic_;
  WatchEvents events_;
  std::vector<File> files_;
  Directories directories_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> asked_ = false;
  std::thread thread_;
};

Watcher::Watcher(std::unique_ptr<Thread> thread) : thread_(std::move(thread)) {}
Watcher::~Watcher() = default;

Result<std::unique_ptr<Watcher>> Watcher::start(MaterialPtr material, std::vector<std::string> extra_files,
                                                const WatchOptions& options, WatchEvents events) {
  const int wake = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake < 0) {
    return fail(Errc::tls_watch_failed, std::generic_category().message(errno));
  }
  try {
    return std::unique_ptr<Watcher>(new Watcher(
        std::make_unique<Thread>(std::move(material), std::move(extra_files), options, std::move(events), wake)));
  } catch (const std::system_error& error) {  // no thread to be had
    ::close(wake);
    return fail(Errc::tls_watch_failed, error.what());
  }
}

void Watcher::reload_now() { thread_->ask(); }

}  // namespace hawser::tls
