// When to look at watched files, and what to make of what is there: the watcher's decisions without its files and
// threads.
//
//                  changed ──> settling ──(quiet, or longest_wait)──> look
//   poll ──(other content, or files differ)──> settling               │
//   asked ──────────────────────────────────────────────────────────> look ──(not in use, not refused)──> load
//   load: good ──> publish │ half written ──> wait, until incomplete_for is over │ bad ──> reject, once
//
// Pure: time is an argument. Not thread-safe; one a watcher.
//
//   if (now >= *decision.next_look()) { Looked l = decision.looked(now, id, false); if (l.load) decision.loaded(now,
//   code); }
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "tls/watcher.hpp"

namespace hawser::tls {

class ReloadDecision {
 public:
  ReloadDecision(const WatchOptions& options, std::string id_in_use, Time now);

  // Something happened in a watched directory.
  void changed(Time now);
  // Somebody wants a look now, and an answer.
  void asked() { asked_ = true; }

  // When the files are to be read next; nothing: not before somebody asks.
  [[nodiscard]] std::optional<Time> next_look() const;

  struct Looked {
    bool load = false;              // parse and validate what was read, then call loaded()
    bool take_files = false;        // report extra files that differ
    bool report_unchanged = false;  // nothing is new: the answer to asked(), or what was wrong has been put right
  };
  // The files were read: the id of the material's content (anything else that names it when unreadable), and whether an
  // extra file differs from what was last reported.
  [[nodiscard]] Looked looked(Time now, std::string id, bool files_differ);

  enum class Report : std::uint8_t { nothing, publish, reject, incomplete };
  // The outcome of a load that looked() asked for; no code: it is valid.
  [[nodiscard]] Report loaded(Time now, std::optional<Errc> failure);

 private:
  void settle_nothing_new();
  [[nodiscard]] Report wait_for_other_half(Time now);
  [[nodiscard]] Report refuse(Errc failure);

  WatchOptions options_;
  std::string in_use_;
  std::string seen_;  // what the last look found
  std::optional<Time> first_change_;
  std::optional<Time> last_change_;
  Time next_poll_;
  bool asked_ = false;
  bool answer_due_ = false;  // the load under way answers asked()
  std::optional<Time> incomplete_since_;
  std::string incomplete_reported_;
  std::string refused_;
  std::optional<Errc> refused_for_;
};

}  // namespace hawser::tls
