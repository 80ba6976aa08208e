// A server's resolver, asked over the system account: what it has, and what it is to take.
//
// One connection; main thread. Without a credential among the flags, a user of the system account that lives for two
// minutes is made with the store's key; its creds exist in memory only.
//
//   auto resolver = Resolver::connect(*id, flags, "hawser id push", exit.json);
//   Result<std::vector<ServerAnswer>> answers = (*resolver)->update(account_key, token);
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/connection.hpp"
#include "cli/id.hpp"
#include "cli/user_session.hpp"

namespace hawser::cli {

struct ServerAnswer {
  std::string server;  // its name
  bool taken = false;
  std::string text;
  std::vector<std::string> accounts{};  // of list(): public keys
};

class Resolver {
 public:
  // Errors: those of settle() and UserSession::connect().
  [[nodiscard]] static Result<std::unique_ptr<Resolver>> connect(const IdStore& id, ConnectionFlags& flags,
                                                                 std::string_view command, bool json);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // An answer from each server. Errors of all: no_responders (no resolver, or not the system account), no_reply,
  // server_refused, and those of the connection.
  [[nodiscard]] Result<std::vector<ServerAnswer>> update(std::string_view account, std::string_view token);
  [[nodiscard]] Result<std::vector<ServerAnswer>> list();
  [[nodiscard]] Result<std::vector<ServerAnswer>> erase(std::string_view request);
  // All accounts of one server: their JWTs by public key, not verified.
  [[nodiscard]] Result<std::map<std::string, std::string>> everything();

 private:
  class CredsInMemory;
  Resolver();

  // Bodies of answers, until no more came for a moment or `last` says so.
  [[nodiscard]] Result<std::vector<std::string>> ask(std::string_view subject, std::string_view body,
                                                     const std::function<bool(std::string_view)>& last = {});
  [[nodiscard]] Result<std::vector<ServerAnswer>> ask_all(std::string_view subject, std::string_view body);
  void on_message(const wire::Frame& message);

  std::unique_ptr<CredsInMemory> creds_;
  Connection connection_;
  std::vector<std::string> bodies_;
  bool nobody_ = false;
  Time last_came_{};
  std::uint64_t asked_ = 0;
  std::unique_ptr<UserSession> session_;
};

}  // namespace hawser::cli
