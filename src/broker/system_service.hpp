// The broker's own voice in the accounts: answers $SYS requests, and publishes events in the system account.
//
// Requests and events are noted on the workers' threads and dealt with on a thread of its own, since what is asked may
// mean asking the workers. At most 1,024 wait, with 16 MiB of payload; what comes on top is dropped and counted, as a
// request that nobody answers in time. In operator mode it is also the thread on which accounts change. The order of
// life: made after the workers and before they start, stop() before they stop, destroyed after they are.
//
//   SystemService service(hub, monitor.views(), settings.system_account, claims);
//   service.attach(); service.start();   …   service.stop();
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <variant>

#include "broker/claims_service.hpp"
#include "broker/client_events.hpp"
#include "broker/hub.hpp"
#include "broker/subscription.hpp"
#include "broker/system_answers.hpp"

namespace hawser::broker {

class SystemService final : public Responder, public ClientEvents {
 public:
  static constexpr std::size_t kMostWaiting = 1024;
  static constexpr std::size_t kMostPayload = 64UL << 10U;  // of a request; a longer one is not answered
  static constexpr std::size_t kMostWaitingBytes = 16UL << 20U;

  // `claims`: in operator mode; outlives it.
  SystemService(Hub& hub, MonitorViews& views, std::string_view system_account, ClaimsService* claims = nullptr);
  ~SystemService();
  SystemService(const SystemService&) = delete;
  SystemService& operator=(const SystemService&) = delete;

  // Subscribes in every account that there is; again after a reload, for those that are new.
  void attach();
  void start();
  void stop();

  void on_message(const Subscription& to, const Message& message) override;
  [[nodiscard]] bool wanted() const noexcept override;
  void connected(ConnectionFacts client) override;
  void disconnected(ConnectionFacts client) override;
  void refused(ConnectionFacts client) override;

 private:
  struct Asked {
    SystemRequest request;
    std::string reply;
    AccountState* account;  // where the answer goes
    bool claims = false;    // for the ClaimsService
  };
  enum class Happened : std::uint8_t { connected, disconnected, refused };
  struct Event {
    Happened what;
    ConnectionFacts client;
  };
  using Job = std::variant<Asked, Event>;

  void subscribe(AccountState& account, std::string subject);
  void add(Job job);
  void run();
  void let_go_out();
  void work_off(const Asked& asked);
  void work_off(const Event& event);
  void answer_claims(const Asked& asked);
  [[nodiscard]] Time next_look(Time next_heartbeat) const;
  void pass_time();
  bool kick(std::uint64_t cid);
  void tell_connections(std::string_view account);
  void heartbeat();
  void publish(AccountState& account, std::string subject, std::string text);
  void publish_if_wanted(std::string subject, const std::function<std::string()>& text);

  Hub& hub_;
  AccountState& system_;
  SystemAnswers answers_;
  ClaimsService* claims_;
  std::set<std::string, std::less<>> attached_;  // accounts; the thread that starts and reloads
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::size_t waiting_bytes_ = 0;  // of the payloads of jobs_
  bool accounts_changed_ = false;  // since it was last worked out when they change by themselves
  bool stopping_ = false;
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::size_t> in_flight_{0};  // bytes that the first worker has not sent on yet
  std::thread thread_;
};

}  // namespace hawser::broker
