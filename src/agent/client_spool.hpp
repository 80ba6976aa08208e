// The disk queue as one client's session sees it: decides about each publish that no link can take.
//
//   a request         answered 503 at once, or by a local responder; or queued, if that is asked for
//   anything else     offered to local clients while the server is away, marked if one had it, and queued
//
// With fallback.mode fail or drop there is no queue, and nothing is kept. Belongs to the client's worker.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/metrics.hpp"
#include "agent/outage.hpp"
#include "session/spool.hpp"
#include "wire/frame.hpp"

namespace hawser::agent {

// What the spool needs of its client.
class SpoolOwner {
 public:
  // A publish was not taken, and the client is to know why. No flush behind it may be answered.
  virtual void on_publish_refused(std::string_view subject, std::string_view why) = 0;
  // Tells the client that nobody answers this request now. False: it cannot be told, as it does not wait for the reply
  // itself.
  [[nodiscard]] virtual bool answer_no_responders(const wire::Frame& request) = 0;
  [[nodiscard]] virtual bool wants_echo() const = 0;
  [[nodiscard]] virtual bool subscribes_to(std::string_view subject) const = 0;
  // Of headers and payload, at the server; 0: it takes no headers.
  [[nodiscard]] virtual std::size_t max_body_with_headers() const = 0;
  // Session::spool_progressed() is to be called once something has changed.
  virtual void await_progress() = 0;

 protected:
  ~SpoolOwner() = default;
};

class ClientSpool final : public session::Spool {
 public:
  ClientSpool(Outage& outage, Metrics& metrics, SpoolOwner& owner, std::uint64_t client);

  // The queue has got on: it may have room again.
  void progressed() noexcept { full_ = false; }

  std::size_t put(std::string_view frames, Why why) override;
  std::uint64_t mark() const override { return last_; }
  bool safe(std::uint64_t mark) const override;
  bool clear() const override;
  bool nearly_clear() const override;
  std::string_view server_id() const override;
  bool accepts(Why why) const override;

 private:
  enum class Fate : std::uint8_t { settled, queued };

  Fate decide(const wire::Frame& frame, Why why);
  bool offer(const wire::Frame& frame);
  void keep(const wire::Frame& frame);
  bool commit();
  void forget_run();

  Outage& outage_;
  Metrics& metrics_;
  SpoolOwner& owner_;
  const std::uint64_t client_;
  store::Ticket last_ = 0;    // of what was put last
  store::Ticket behind_ = 0;  // what has to leave the queue before this client publishes by itself again
  bool full_ = false;         // the queue refused the last put
  mutable std::shared_ptr<const std::string> server_;

  // What is being put.
  std::string run_;
  std::uint32_t count_ = 0;
  std::uint32_t largest_ = 0;
  std::string mark_;  // of the frame that is being put; empty: none
  routing::Route route_;
  std::unordered_map<std::uint32_t, std::vector<LocalDelivery>> deliveries_;  // by worker
};

}  // namespace hawser::agent
