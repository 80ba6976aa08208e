// New material and new credentials: from the watcher, validated, into a new Access that every session takes up.
//
// Callbacks come on the watcher's thread. What cannot be used never replaces what is in use: it is logged and counted.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "agent/metrics.hpp"
#include "posture/settings.hpp"
#include "session/access.hpp"
#include "tls/watcher.hpp"

namespace hawser::agent {

class Reloads {
 public:
  using Fresh = std::function<void(const session::AccessPtr&, const tls::MaterialPtr&)>;

  [[nodiscard]] static Result<std::unique_ptr<Reloads>> start(session::AccessPtr access,
                                                              std::shared_ptr<const posture::Settings> settings,
                                                              tls::MaterialPtr material, const tls::WatchOptions& watch,
                                                              Metrics& metrics, Fresh fresh);
  ~Reloads();

  // Any thread. Looks at all files now; credentials are read again in any case.
  void now();
  // The same, without a word if nothing is new: the server has refused what is in use.
  void after_refusal();
  // The same as now(), and what came of it.
  [[nodiscard]] Result<std::string> now_and_wait(std::chrono::milliseconds at_most);

  [[nodiscard]] session::AccessPtr current() const;
  [[nodiscard]] tls::MaterialPtr material() const;
  [[nodiscard]] std::string last_rejection() const;  // empty: what is on disk is what is in use

 private:
  Reloads(session::AccessPtr access, std::shared_ptr<const posture::Settings> settings, tls::MaterialPtr material,
          Metrics& metrics, Fresh fresh);

  void on_material(tls::MaterialPtr material);
  void on_credential(const std::string& path);
  void on_unchanged();
  void reject(const Error& error);
  void renew(std::shared_ptr<const posture::Decision> decision, tls::MaterialPtr material, std::string what);
  void tell(Result<std::string> outcome);

  std::shared_ptr<const posture::Settings> settings_;
  Metrics& metrics_;
  Fresh fresh_;
  mutable std::mutex mutex_;
  std::condition_variable told_;
  std::atomic<bool> after_refusal_{false};
  session::AccessPtr access_;          // guarded by mutex_, as what follows
  tls::MaterialPtr material_;
  std::string last_rejection_;
  std::uint64_t outcomes_ = 0;
  Result<std::string> outcome_ = std::string();
  std::unique_ptr<tls::Watcher> watcher_;  // last: it calls the rest
};

}  // namespace hawser::agent
