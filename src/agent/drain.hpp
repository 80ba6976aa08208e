// Brings the disk queue to the server, oldest first: the agent's own session publishes it, and what the server has
// confirmed leaves the queue.
//
//   away --a server is there--> gathering --all clients are back, or two seconds--> draining --the server is lost-->
//   away
//
// Gathering: local clients have their subscriptions at the server again before it is given what they would miss. With
// fallback.drain_delay it takes at least so long, for the clients of other agents.
//
// A message that the server refuses by itself (a permission, its size) goes to the dead letters with the server's
// words, and the others go on. If the server ends the connection over a message, the batch is sent again message by
// message until it is known which. Belongs to the first worker's thread; it publishes over the session that it is
// given.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/metrics.hpp"
#include "agent/outage.hpp"
#include "net/reactor.hpp"
#include "session/session.hpp"

namespace hawser::agent {

class Drain {
 public:
  // `renew` makes the session anew: what was on its way is forgotten.
  Drain(net::Reactor& reactor, Outage& outage, Metrics& metrics, std::function<void()> renew);
  ~Drain();

  // The session; null: none. What was sent over the one before is sent again.
  void use(session::Session* session);

  // What the session says.
  void on_up(const wire::ServerInfo& info);
  void on_down(const Error& error);
  void on_flushed(std::uint64_t token);
  void on_client_error(std::string_view text);
  void on_relieved() { send_more(); }

  // The queue has more, or less.
  void queue_progressed();

 private:
  struct Message {
    std::uint64_t client;
    std::int64_t arrived_ms;
    std::string_view frame;  // into the batch
  };
  // A batch on its way. Its messages are looked at one by one only when there is a reason to.
  struct Sent {
    std::uint64_t token;
    std::shared_ptr<const store::Batch> batch;
    std::size_t first = 0;  // messages [first, last) of the batch
    std::size_t last = 0;
    bool ends_batch = true;
  };

  void read_more();
  void on_read(Result<std::vector<store::Batch>> batches);
  void send_more();
  void send_whole(const std::shared_ptr<const store::Batch>& batch);
  void send_singly(const std::shared_ptr<const store::Batch>& batch);
  void bury(const store::Batch& batch, std::size_t index, const Message& message, Errc code, std::string_view words);
  void bury_refused(const Sent& sent);
  void start_over();
  void gather();
  void show();
  [[nodiscard]] static std::vector<Message> messages_of(const store::Batch& batch);

  static constexpr std::size_t kReadBytes = 1UL << 20U;
  static constexpr std::size_t kUnsentBatches = 4;  // read, and not sent

  net::Reactor& reactor_;
  Outage& outage_;
  Metrics& metrics_;
  std::function<void()> renew_;
  session::Session* session_ = nullptr;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // answers of the queue come by post
  std::uint64_t generation_ = 0;                                // of reads: those of before a new start are not wanted
  bool up_ = false;
  bool gathering_ = false;
  bool reading_ = false;
  std::size_t max_body_ = 0;
  store::Ticket read_through_ = 0;
  std::deque<std::shared_ptr<const store::Batch>> waiting_;  // read, not sent
  std::deque<Sent> sent_;                                    // not confirmed
  std::uint64_t next_token_ = 1;
  std::uint64_t shared_errors_through_ = 0;  // tokens up to it were sent again in one go: one PONG answers them all
  std::unordered_map<std::string, std::string> refused_;     // subject, words; of what is on its way first
  store::Ticket careful_through_ = 0;                        // up to it, messages are sent one by one
  std::size_t careful_next_ = 0;                             // message of the batch that is sent so
  std::vector<std::pair<store::Ticket, std::size_t>> dead_;  // of the batch that is sent one by one
  std::uint64_t shed_shown_ = 0;
  Time gathers_from_{};
  Time gathers_until_{};
  net::Timer gather_;
  net::Timer look_;  // at the age of the oldest, and whether a read that failed works again
};

}  // namespace hawser::agent
