// `hawser id server-config`: a whole configuration for nats-server or `hawser broker` that trusts the operator.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>

#include "base/file.hpp"
#include "cli/id.hpp"

namespace hawser::cli {
namespace {

using identity::Store;

struct ConfigOptions {
  StoreFlags store;
  std::string resolver;
  std::string dir = "./jwt";
  std::string cert, key, ca;
  std::string listen;
  std::string http;
  std::string out;
};

// As a text in quotes. Paths with control characters are nobody's.
Result<std::string> quoted(std::string_view flag, const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ') {
      return fail(Errc::bad_usage, std::string(flag) + " holds a control character");
    }
    out += c == '"' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
  }
  return out + '"';
}

Result<std::string> tls_block(const ConfigOptions& options) {
  if (options.cert.empty() != options.key.empty() || (options.cert.empty() && !options.ca.empty())) {
    return fail(Errc::bad_usage, "--tls-cert and --tls-key belong together, and --tls-ca to them");
  }
  if (options.cert.empty()) {
    return std::string();
  }
  const auto cert = quoted("--tls-cert", options.cert);
  const auto key = quoted("--tls-key", options.key);
  const auto ca = quoted("--tls-ca", options.ca);
  for (const auto* one : {&cert, &key, &ca}) {
    if (!*one) {
      return *one;
    }
  }
  return fmt::format(
      "\ntls {{\n  cert_file: {}\n  key_file: {}\n{}  timeout: 5\n}}\n", *cert, *key,
      options.ca.empty()
          ? std::string()
          : fmt::format("  ca_file: {}\n  verify: true  # clients show a certificate of this CA\n", *ca));
}

// A comment must stay one.
std::string in_comment(std::string_view name) {
  std::string out;
  for (const char c : name) {
    out += static_cast<unsigned char>(c) < ' ' ? '?' : c;
  }
  return out;
}

Result<std::string> preload(const IdStore& id, bool system_only) {
  const auto accounts = id.store.accounts();
  if (!accounts) {
    return std::unexpected(accounts.error());
  }
  std::string text = "\nresolver_preload {\n";
  for (const auto& account : *accounts) {
    if (!system_only || account.claims.subject == id.op.claims.system_account) {
      text += fmt::format("  # {}\n  {}: {}\n", in_comment(account.name), account.claims.subject, account.token);
    }
  }
  return text + "}\n";
}

Result<std::string> resolver_block(const IdStore& id, const ConfigOptions& options) {
  if (options.resolver == "memory") {
    return std::string(
        "\n# All accounts stand below; after a change make this file anew, and reload the server.\nresolver: MEMORY\n");
  }
  if (id.op.claims.system_account.empty()) {
    return fail(Errc::broker_system_account,
                "a full resolver is talked to over it: `hawser id account add SYS`, then "
                "`hawser id operator edit --system-account SYS`");
  }
  const auto dir = quoted("--dir", options.dir);
  return dir ? Result<std::string>(
                   fmt::format("\n# Accounts come with `hawser id push`; only the system account stands below.\n"
                               "resolver {{\n  type: full\n  dir: {}\n  allow_delete: true  # `push --prune`; files "
                               "are renamed, not removed\n"
                               "  interval: \"2m\"\n  timeout: \"1.9s\"\n}}\n",
                               *dir))
             : dir;
}

Result<void> write_config(const ConfigOptions& options) {
  const auto id = open_id_store(options.store, Store::Access::read);
  const auto resolver = id ? resolver_block(*id, options) : std::unexpected(id.error());
  const auto tls = resolver ? tls_block(options) : resolver;
  const auto accounts = tls ? preload(*id, options.resolver == "full") : tls;
  if (!accounts) {
    return std::unexpected(accounts.error());
  }
  std::string text = fmt::format(
      "# Who may connect, by the operator {}. Made by `hawser id server-config`; it holds nothing secret.\n",
      in_comment(id->op.name));
  for (const auto& [flag, name, value] :
       {std::tuple{"--listen", "listen", &options.listen}, std::tuple{"--http", "http", &options.http}}) {
    if (!value->empty()) {
      const auto address = quoted(flag, *value);
      if (!address) {
        return std::unexpected(address.error());
      }
      text += fmt::format("{}: {}\n", name, *address);
    }
  }
  text += *tls + fmt::format("\noperator: {}\n", id->op.token);
  if (!id->op.claims.system_account.empty()) {
    text += fmt::format("system_account: {}\n", id->op.claims.system_account);
  }
  text += *resolver + *accounts;
  if (options.out.empty()) {
    fmt::print("{}", text);
    return {};
  }
  return write_file_atomically(options.out, text, FileMode::world_readable);
}

}  // namespace

void add_id_server_config(CLI::App& id, Exit& exit) {
  auto options = std::make_shared<ConfigOptions>();
  CLI::App* command =
      add_command(id, "server-config", "A configuration for nats-server or `hawser broker` that trusts the operator",
                  "hawser id server-config --resolver memory > nats-server.conf\n"
                  "hawser id server-config --resolver full --dir /var/lib/nats/jwt --listen 0.0.0.0:4222 "
                  "--tls-cert tls/nats.crt --tls-key tls/nats.key --tls-ca ca/ca.crt -o nats-server.conf");
  command
      ->add_option("--resolver", options->resolver,
                   "memory: all accounts stand in it; full: they are pushed, and kept in --dir")
      ->required()
      ->check(CLI::IsMember({"memory", "full"}));
  command->add_option("--dir", options->dir, "Where the server keeps accounts that are pushed")
      ->capture_default_str()
      ->type_name("DIR");
  command->add_option("--tls-cert", options->cert, "The server's certificate")->type_name("FILE");
  command->add_option("--tls-key", options->key, "Its private key")->type_name("FILE");
  command->add_option("--tls-ca", options->ca, "Clients have to show a certificate of this CA")->type_name("FILE");
  command->add_option("--listen", options->listen, "Where clients connect: 0.0.0.0:4222")->type_name("ADDRESS");
  command->add_option("--http", options->http, "Where monitoring is: 127.0.0.1:8222")->type_name("ADDRESS");
  command->add_option("-o,--out", options->out, "File to write; without it, standard output")->type_name("FILE");
  add_store_flags(*command, options->store);
  command->callback([options, &exit] { exit = write_config(*options); });
}

}  // namespace hawser::cli
