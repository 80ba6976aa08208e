// What the files of `hawser drill` share: how its outcome is shown, and how it is watched while it goes.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "admin/server.hpp"
#include "cli/rotate_board.hpp"
#include "cli/rotate_progress.hpp"
#include "drill/drill.hpp"

namespace hawser::cli {

// "1 agent", "4 agents".
[[nodiscard]] std::string counted(std::size_t number, std::string_view what);
// Milliseconds: of all messages, the longest from sent to delivered.
[[nodiscard]] double longest_ms(const drill::Outcome& outcome);
// For people; and one line of JSON (docs/commands.md). `report`: where the page lies; empty: nowhere.
[[nodiscard]] std::string render_drill(const drill::Outcome& outcome, const drill::DrillOptions& options,
                                       const std::string& report);
[[nodiscard]] std::string drill_json(const drill::Outcome& outcome, const drill::DrillOptions& options,
                                     const std::string& report);
// One page that needs nothing else.
[[nodiscard]] std::string drill_html(const drill::Outcome& outcome, const drill::DrillOptions& options);

// A drill as it goes: lines for a terminal, and a page. The page's part is thread-safe; the rest is the drill's
// thread's.
class DrillScreen final : public drill::Listener {
 public:
  // `show` is called with the verdict, while everything is still up; with `hold` it then stays up until it is asked to
  // stop.
  DrillScreen(Showing showing, bool hold, std::function<void(const drill::Outcome&)> show)
      : showing_(showing), hold_(hold), show_(std::move(show)) {}

  // GET / and the others, on a loopback address. Errors: those of admin::Server::start.
  Result<std::string> serve(const std::string& listen);

  void on_started(const drill::System& system, drill::Traffic& traffic) override;
  void on_note(const std::string& text) override;
  std::unique_ptr<rotation::Watcher> watcher(const rotation::Plan& plan,
                                             const std::vector<rotation::Passed>& passed) override;
  void on_verdict(const drill::Outcome& outcome) override;
  void on_ended() override;
  [[nodiscard]] bool stop_asked() override;

 private:
  // A rotation that is shown, with a plan of its own: pages may ask for it when the drill has gone on.
  struct Shown {
    Shown(const rotation::Plan& its, const std::vector<rotation::Passed>& passed) : plan(its), board(plan, passed) {}
    const rotation::Plan plan;
    RotationBoard board;
  };

  [[nodiscard]] admin::Status status();
  void line(const std::string& text);

  const Showing showing_;
  const bool hold_;
  const std::function<void(const drill::Outcome&)> show_;
  std::mutex mutex_;
  std::shared_ptr<Shown> shown_;       // guarded by mutex_
  drill::Traffic* traffic_ = nullptr;  // guarded by mutex_
  std::string headline_ = "starting";  // guarded by mutex_
  admin::Tone tone_ = admin::Tone::neutral;
  std::vector<admin::Status::Item> places_;  // guarded by mutex_
  std::unique_ptr<admin::Server> server_;    // ends first
};

}  // namespace hawser::cli
