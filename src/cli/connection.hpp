// What every connecting command has in common: its flags, and what becomes of them once posture has had its say.
//
// Flags over the context of --context over the environment over broker.yaml. settle() reads files and prints posture's
// warnings on standard error; what it refuses is an Error (exit code 4). Main thread, before any other thread.
//
//   auto flags = std::make_shared<ConnectionFlags>();
//   add_connection_flags(*command, *flags);
//   Result<Connection> connection = settle(*flags, "hawser pub", exit.json);
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "posture/settings.hpp"
#include "session/access.hpp"
#include "tls/material.hpp"

namespace CLI {
class App;
}

namespace hawser::cli {

struct ConnectionFlags {
  std::string server;
  std::string user;
  std::string password;  // wiped by settle(), as is the token; both are overwritten in the process's arguments
  std::string password_file;
  std::string token;
  std::string token_file;
  std::string creds;
  std::string nkey;
  std::string tlscert;
  std::string tlskey;
  std::string tlsca;
  bool tlsfirst = false;
  std::string timeout = "5s";
  std::string context;
  std::string config;
  std::string name;
  std::string inbox_prefix;
  bool trace = false;
  bool made_for_this_run = false;  // the creds: that they end soon is no news
};

void add_connection_flags(CLI::App& command, ConnectionFlags& flags);

// Posture has allowed it.
struct Connection {
  std::shared_ptr<const posture::Settings> settings;
  tls::MaterialPtr material;
  session::AccessPtr access;
  std::string name;          // for the server's list of connections
  std::string inbox_prefix;  // "_INBOX"
  Duration timeout{};        // to connect, and for an answer
  bool json = false;         // notices on standard error are JSON
};

// The first half of settle(): everything but `material` and `access`, which are null. Posture has not judged it yet. Errors:
// CFG; context_unusable, bad_usage, bad_quantity, wire_bad_subject, file_unreadable.
[[nodiscard]] Result<Connection> collect(ConnectionFlags& flags, std::string_view command, bool json);
// Errors: the same, and those of posture, TLS and IDN.
[[nodiscard]] Result<Connection> settle(ConnectionFlags& flags, std::string_view command, bool json);

// A context of the nats CLI: $XDG_CONFIG_HOME/nats/context/NAME.json.
struct Context {
  posture::Settings settings;
  std::string inbox_prefix;
};
// Errors: context_unusable.
[[nodiscard]] Result<Context> read_context(const std::string& name);

// A password or token: one line from the terminal, not shown. Errors: bad_usage when there is no terminal.
[[nodiscard]] Result<Secret> ask_secret(std::string_view what);
// Overwrites, in what other users can see of this process, the values of --password and --token and credentials in
// URLs. They were visible from the start of the process until this is called.
void hide_secret_arguments();

// A finding, or another notice for a person, on standard error: text or one line of JSON.
void print_finding(const posture::Finding& finding, bool json);
void print_notice(std::string_view text, bool json);

}  // namespace hawser::cli
