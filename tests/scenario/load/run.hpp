// One run: connect, subscribe, warm up until every subscription hears every publisher, load, drain, judge.
//
// Driven by main's thread; libnats and the publishers have their own.
//
//   auto run = Run::start(options);  while (!done) run->tick();  run->finish();  report(*run)
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "churner.hpp"
#include "connection.hpp"
#include "options.hpp"
#include "publisher.hpp"
#include "request_load.hpp"
#include "subscriber.hpp"

namespace hawser::load {

class Run {
 public:
  explicit Run(const Options& options) : options_(options) {}

  // Connects and warms up; the reason when that did not succeed in time.
  std::expected<void, std::string> start();
  [[nodiscard]] bool publishers_finished() const;
  // Stops publishing, and waits until all has arrived or nothing has for a while.
  void finish();
  [[nodiscard]] Published published() const;

  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] const std::vector<std::shared_ptr<Judgement>>& judgements() const { return judgements_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Publisher>>& publishers() const { return publishers_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Requester>>& requesters() const { return requesters_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Churner>>& churners() const { return churners_; }
  [[nodiscard]] const Responder* responder() const { return responder_.get(); }
  [[nodiscard]] const ClientEvents& events() const { return events_; }
  [[nodiscard]] bool flushed() const { return flushed_; }
  [[nodiscard]] Clock::time_point began() const { return began_; }

 private:
  std::expected<void, std::string> connect();
  std::expected<void, std::string> subscribe(std::uint32_t subscriber, natsConnection* connection);
  std::expected<void, std::string> subscribe_group();
  std::expected<void, std::string> connect_publishers();
  std::expected<void, std::string> connect_requesters_and_churners();
  std::expected<void, std::string> add(natsConnection* connection, const std::string& who, const std::string& subject,
                                       std::vector<std::uint32_t> subjects, std::uint32_t unheard = Judgement::kNobody);
  [[nodiscard]] bool warm() const;
  [[nodiscard]] bool complete() const;
  [[nodiscard]] std::uint64_t arrived() const;

  const Options& options_;
  ClientEvents events_;
  std::vector<Connection> connections_;  // of the subscribers and the queue group's members
  std::vector<std::shared_ptr<Judgement>> judgements_;
  std::unique_ptr<Responder> responder_;
  std::vector<std::unique_ptr<Publisher>> publishers_;
  std::vector<std::unique_ptr<Requester>> requesters_;
  std::vector<std::unique_ptr<Churner>> churners_;
  std::vector<std::unique_ptr<Subscription>> subscriptions_;  // last: they go before their connections
  bool flushed_ = true;
  Clock::time_point began_{};
};

}  // namespace hawser::load
