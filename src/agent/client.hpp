// One local client and the session that stands for it at the server.
//
//   greeted --CONNECT--> serving --gone--> leaving --confirmed, or out of time--> removed
//
// Frames pass as the bytes that they came in: runs of PUBs are appended to the session's link, runs of MSGs to the client's
// output, sids and all. Belongs to one worker's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "agent/client_spool.hpp"
#include "agent/worker_context.hpp"
#include "net/stream.hpp"
#include "session/session.hpp"
#include "wire/parser.hpp"

namespace hawser::agent {

class Client final : public net::Retirable, private net::StreamOwner, private session::SessionUser, private SpoolOwner {
 public:
  // `gone` is called once, last: whoever keeps the client retires it.
  Client(WorkerContext& worker, std::uint64_t id, std::string ip);
  ~Client() override;

  Result<void> adopt(net::Fd fd);

  // New access for the session.
  void take_up(session::AccessPtr access, Duration delay);
  void check_posture();
  void queue_progressed();
  // A message of another local client's, while no server is there.
  void deliver(const LocalDelivery& delivery);
  // Reads no more, waits until what was published is confirmed, then closes.
  void stop_gently();
  // What no server has confirmed goes to the disk queue, if there is one. The last thing that is called.
  void put_away();

  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] const session::Session* session() const noexcept { return session_.get(); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  // StreamOwner
  std::size_t on_data(net::Stream& stream, std::string_view bytes) override;
  void on_written(net::Stream& stream) override;
  void on_closed(net::Stream& stream, const Error& error) override;
  // SessionUser
  void on_messages(std::string_view frames, std::size_t count) override;
  void on_flushed(std::uint64_t token) override;
  void on_client_error(std::string_view text) override;
  void on_up(const wire::ServerInfo& info) override;
  void on_down(const Error& error) override;
  void on_relieved() override;
  void on_subscription_ended(std::string_view sid) override;
  bool had_before(const wire::Frame& frame) override;
  // SpoolOwner
  void on_publish_refused(std::string_view subject, std::string_view why) override;
  bool answer_no_responders(const wire::Frame& request) override;
  bool wants_echo() const override { return echo_; }
  bool subscribes_to(std::string_view subject) const override;
  std::size_t max_body_with_headers() const override;
  void await_progress() override { worker_.await_queue(*this); }

  [[nodiscard]] bool blocked();
  void choke();
  void hear_again();
  void end_run();
  void on_control(const wire::Frame& frame);
  void on_connect(std::string_view json);
  void on_sub(const wire::Frame& frame);
  bool open_session(session::ConnectProfile profile);
  void refuse(std::string_view text, std::string_view reason);
  void add_to_run(const wire::Frame& frame);
  void refuse_flush();
  void tell_of_rejection();
  void give_up_waiting();
  bool reject_waiting();
  void disconnect_slow();
  void greet(const wire::ServerInfo& upstream);
  void leave();
  void end_when_done();
  void gone();

  WorkerContext& worker_;
  std::uint64_t id_;
  std::string ip_;
  std::string name_;
  net::Stream stream_;
  wire::Parser parser_;
  std::unique_ptr<session::Session> session_;
  std::unique_ptr<ClientSpool> spool_;  // if publishes do not just wait in memory
  std::unordered_map<std::string, LocalSubscriptionPtr> local_;  // by sid, if local clients reach each other
  std::string_view run_;  // PUBs not yet handed to the session
  std::size_t run_count_ = 0;
  std::string written_run_;  // where they are, if they are not what was read
  std::uint64_t messages_named_ = 0;
  std::uint64_t next_token_ = 1;
  std::int64_t max_payload_ = 0;  // as last told to the client
  Time last_written_{};
  Time last_rejection_told_{};
  std::string untold_rejection_;  // the subject of a rejected publish; empty: the client knows of all
  std::string why_rejected_;
  std::string answered_sid_;
  bool rejected_ = false;  // since the last flush: the next one may not be answered
  net::Timer patience_;  // with a client that does not read, a server that is away, or a last confirmation
  bool verbose_ = false;
  bool headers_ = false;
  bool echo_ = true;
  bool no_responders_ = false;
  bool wants_info_ = false;    // protocol 1
  bool choked_ = false;        // its output is full: the session is paused
  bool deaf_ = false;          // its output is full of answers: its input is paused
  bool waiting_ = false;       // its input is paused, until the session takes more
  bool rejecting_ = false;     // its publishes are refused with an error
  bool leaving_ = false;
  bool gone_ = false;
  std::uint64_t last_token_ = 0;  // of the confirmation that a leaving client waits for
};

}  // namespace hawser::agent
