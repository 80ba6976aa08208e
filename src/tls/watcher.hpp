// Watches the files of a material source, and credential files, and publishes what changed once it is whole and valid.
//
// Owns one thread. It watches directories with inotify (every one that a path leads through, symlinks included) and
// compares content on a slow poll (NFS is silent, and a renewal need not change mtime). When things have been quiet for
// a moment it reads one generation, validates it, and calls back. Identical content never publishes; invalid material
// is reported and never replaces valid. Callbacks run on the watcher's thread and must not destroy it. The destructor
// stops the thread and waits for at most one load.
//
//   auto watcher = Watcher::start(material, {nkey_file}, {}, {.published = …, .rejected = …, .file_changed = …});
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "tls/material.hpp"

namespace hawser::tls {

struct WatchOptions {
  bool automatic = true;                            // false: only reload_now() looks
  std::chrono::milliseconds quiet{250};             // how long nothing may change before files are read
  std::chrono::milliseconds longest_wait{3000};     // but look after this long even if it never gets quiet
  std::chrono::milliseconds poll{5000};             // content comparison, where inotify is silent
  std::chrono::milliseconds incomplete_for{30000};  // a half-written pair is called rejected only after this
};

// Each may be empty.
struct WatchEvents {
  std::function<void(MaterialPtr)> published{};                 // valid, and differs from the one before
  std::function<void(const Error&)> rejected{};                 // once for each content that is not usable
  std::function<void(const Error&)> incomplete{};               // waiting for the other half; once for each content
  std::function<void(const std::string& path)> file_changed{};  // an extra file has other content than before
  // reload_now() found nothing new, or what was rejected or incomplete is again what is in use.
  std::function<void()> unchanged{};
};

class Watcher {
 public:
  // `material` is the snapshot in use; its source says what to watch. `extra_files` are credential files: their change
  // is reported, not their content. Errors: tls_watch_failed.
  [[nodiscard]] static Result<std::unique_ptr<Watcher>> start(MaterialPtr material,
                                                              std::vector<std::string> extra_files,
                                                              const WatchOptions& options, WatchEvents events);
  // Looks now, without waiting for quiet (SIGHUP, POST /reload). Returns at once; the outcome is an event, also when it
  // is the same rejection again. Any thread.
  void reload_now();

  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

 private:
  class Thread;
  explicit Watcher(std::unique_ptr<Thread> thread);
  std::unique_ptr<Thread> thread_;
};

}  // namespace hawser::tls
