#include "config/agent_file.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <limits>
#include <tuple>
#include <utility>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "config/letters.hpp"
#include "config/yaml_block.hpp"
#include "config/yaml_tree.hpp"

namespace hawser::config {

namespace {

using posture::Key;
using Advice = std::pair<std::string_view, std::string_view>;
using namespace std::chrono_literals;

constexpr std::uint64_t kKiB = 1ULL << 10U;
constexpr std::uint64_t kGiB = 1ULL << 30U;

// Reads one file, top down: a function a block.
class AgentFileReader {
 public:
  AgentFileReader(Schema& schema, AgentFile& out) : schema_(schema), out_(out) {}

  void read(const YamlNode& root);

 private:
  void read_broker(Block& broker);
  void read_local(Block& broker);
  void read_servers(Block& broker);
  void read_tls(Block tls);
  void read_auth(Block auth);
  void read_plaintext(Block plaintext);
  void read_persistence(Block persistence);
  void read_limits(Block limits);
  void read_fallback(Block fallback);
  void read_reconnect(Block reconnect);
  void read_agent(Block agent);
  void read_listen(Block& agent);

  void put(Key key, std::string_view text, const Place& at) { posture::set(out_.connection, key, text, at.text()); }
  void put_text(Block& block, std::string_view name, Key key) {
    if (const YamlNode* node = block.scalar(name)) put(key, node->text, node->place);
  }
  void put_path(Block& block, std::string_view name, Key key) {
    if (const auto path = block.path(name)) put(key, *path, block.value(name)->place);
  }
  void put_boolean(Block& block, std::string_view name, Key key) {
    if (!block.has(name)) return void(block.value(name));
    const std::size_t before = schema_.mistakes.size();
    bool value = false;
    block.boolean(name, value);
    const YamlNode* node = block.value(name);
    if (node != nullptr && schema_.mistakes.size() == before) put(key, value ? "true" : "false", node->place);
  }
  template <std::size_t N>
  void put_choice(Block& block, std::string_view name, Key key,
                  const std::array<std::pair<std::string_view, std::string_view>, N>& choices) {
    std::string_view word;
    block.choice<std::string_view>(name, word, choices);
    if (!word.empty()) put(key, word, block.value(name)->place);
  }

  Schema& schema_;
  AgentFile& out_;
};

constexpr std::array<Advice, 12> kTopAdvice{{
    {"url", "Move it under broker:."},
    {"urls", "Move it under broker:."},
    {"servers", "Move it under broker:."},
    {"tls", "Move it under broker:."},
    {"auth", "Move it under broker:."},
    {"type", "Move it under broker:."},
    {"plaintext", "Move it under broker:."},
    {"persistence", "Move it under broker:."},
    {"limits", "Move it under broker:."},
    {"fallback", "Move it under broker:."},
    {"reconnect", "Move it under broker:."},
    {"listen", "Move it under agent:."},
}};

void AgentFileReader::read(const YamlNode& root) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kEnvironments{{{"production", "production"},
                                                                                        {"prod", "production"},
                                                                                        {"development", "development"},
                                                                                        {"dev", "development"},
                                                                                        {"staging", "development"},
                                                                                        {"test", "development"}}};
  Block top(schema_, &root, "");
  put_choice(top, "environment", Key::environment, kEnvironments);
  read_agent(top.block("agent"));
  if (top.has("broker")) {
    Block broker = top.block("broker");
    read_broker(broker);
    broker.finish();
    top.finish(kTopAdvice);
    return;
  }
  read_broker(top);  // the bare form: what is a block elsewhere is the file itself
  static_cast<void>(top.value("broker"));
  top.finish();
}

void AgentFileReader::read_broker(Block& broker) {
  constexpr std::array<std::pair<std::string_view, BrokerType>, 2> kTypes{
      {{"nats", BrokerType::nats}, {"local", BrokerType::local}}};
  broker.choice<BrokerType>("type", out_.broker, kTypes);
  read_local(broker);
  read_servers(broker);
  read_tls(broker.block("tls"));
  read_auth(broker.block("auth"));
  read_plaintext(broker.block("plaintext"));
  read_persistence(broker.block("persistence"));
  read_limits(broker.block("limits"));
  read_fallback(broker.block("fallback"));
  read_reconnect(broker.block("reconnect"));
}

void AgentFileReader::read_local(Block& broker) {
  const bool local = out_.broker == BrokerType::local;
  if (const auto config = broker.path("config")) out_.local.config = *config;
  if (const YamlNode* user = broker.scalar("user")) out_.local.user = user->text;
  const auto no_use = [&](std::string_view name, std::string_view type) {
    const YamlNode* node = broker.has(name) ? broker.value(name) : nullptr;
    if (node == nullptr) return;
    schema_.mistake(Errc::config_conflict, node->place,
                    fmt::format("{} has no use with type: {}", broker.full(name), type));
  };
  if (!local) {
    no_use("config", "nats");
    no_use("user", "nats");
    return;
  }
  for (const std::string_view name : {"tls", "auth", "plaintext", "persistence", "fallback", "reconnect"}) no_use(name, "local");
  if (!out_.local.user.empty() && out_.local.config.empty())
    broker.bad("user", *broker.value("user"), "names a user of broker.config, which is missing");
}

void AgentFileReader::read_servers(Block& broker) {
  constexpr std::array<std::string_view, 3> kNames{"url", "urls", "servers"};
  constexpr std::size_t kServers = 1'000;
  std::string_view first;
  for (const std::string_view name : kNames) {
    const YamlNode* node = broker.value(name);
    if (node == nullptr) continue;
    if (!first.empty()) {
      schema_.mistake(Errc::config_conflict, node->place,
                      fmt::format("{} and {} mean the same: keep one", broker.full(first), broker.full(name)));
      continue;
    }
    first = name;
    if (out_.broker == BrokerType::local) {
      schema_.mistake(Errc::config_conflict, node->place,
                      fmt::format("{} has no use with type: local", broker.full(name)));
    }
    if (node->is(YamlNode::Kind::scalar)) {
      put_text(broker, name, Key::url);
      continue;
    }
    if (!node->is(YamlNode::Kind::sequence) || node->items.empty() || node->items.size() > kServers) {
      broker.bad(name, *node, "must be a URL, or a list of them");
      continue;
    }
    for (const YamlNode& item : node->items) {
      if (item.is(YamlNode::Kind::scalar) && !trimmed(item.text).empty()) {
        put(Key::url, item.text, item.place);
      } else {
        broker.bad(name, item, "must hold URLs only");
      }
    }
  }
}

void AgentFileReader::read_tls(Block tls) {
  constexpr std::array<std::pair<std::string_view, Reload>, 2> kReloads{
      {{"auto", Reload::automatic}, {"signal", Reload::on_signal}}};
  constexpr std::array<Advice, 4> kAdvice{{
      {"verify", "the server is always verified; to switch that off in development: insecure: true"},
      {"skip_verify", "did you mean \"insecure\"?"},
      {"cert", "did you mean \"cert_file\"?"},
      {"client_auth", "that is the server's side; here cert_file and key_file are enough"},
  }};
  put_path(tls, "cert_file", Key::tls_cert);
  put_path(tls, "key_file", Key::tls_key);
  put_path(tls, "ca_file", Key::tls_ca);
  put_path(tls, "crl_file", Key::tls_crl);
  put_text(tls, "server_name", Key::tls_server_name);
  put_text(tls, "min_version", Key::tls_min_version);
  put_boolean(tls, "handshake_first", Key::tls_handshake_first);
  put_boolean(tls, "insecure", Key::tls_insecure);
  tls.choice<Reload>("reload", out_.tls_reload.mode, kReloads);
  tls.duration("reload_quiet", out_.tls_reload.quiet, 0ns, 1min);
  tls.finish(kAdvice);
}

void AgentFileReader::read_auth(Block auth) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kPolicies{
      {{"strict", "strict"}, {"precedence", "precedence"}}};
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kModes{
      {{"user", "user"}, {"token", "token"}, {"nkey", "nkey"}, {"creds", "creds"}, {"cert", "cert"}, {"none", "none"}}};
  constexpr std::array<Advice, 7> kAdvice{{
      {"password", "secrets do not stand in this file: use password_file"},
      {"pass", "secrets do not stand in this file: use password_file"},
      {"token", "secrets do not stand in this file: use token_file"},
      {"nkey", "secrets do not stand in this file: use nkey_file"},
      {"seed", "secrets do not stand in this file: use nkey_file"},
      {"creds", "did you mean \"creds_file\"?"},
      {"username", "did you mean \"user\"?"},
  }};
  bool enabled = true;
  auth.boolean("enabled", enabled);
  constexpr std::array<std::string_view, 5> kCredentials{"nkey_file", "creds_file", "user", "password_file",
                                                         "token_file"};
  put_path(auth, "nkey_file", Key::nkey_file);
  put_path(auth, "creds_file", Key::creds);
  put_text(auth, "user", Key::username);
  put_path(auth, "password_file", Key::password_file);
  put_path(auth, "token_file", Key::token_file);
  put_choice(auth, "policy", Key::auth_policy, kPolicies);
  put_choice(auth, "mode", Key::auth_mode, kModes);
  if (!enabled) {
    for (const std::string_view name : kCredentials) {
      const YamlNode* node = auth.value(name);
      if (node != nullptr)
        schema_.mistake(Errc::config_conflict, node->place,
                        fmt::format("{} stands beside enabled: false", auth.full(name)));
    }
    if (const YamlNode* node = auth.value("enabled"); node != nullptr && !auth.has("mode"))
      put(Key::auth_mode, "none", node->place);
  }
  auth.finish(kAdvice);
}

void AgentFileReader::read_plaintext(Block plaintext) {
  put_boolean(plaintext, "allow", Key::allow_plaintext);
  put_text(plaintext, "owner", Key::plaintext_owner);
  if (const YamlNode* node = plaintext.scalar("until")) {
    if (parse_rfc3339(trimmed(node->text))) {
      put(Key::plaintext_until, node->text, node->place);
    } else {
      plaintext.bad("until", *node, "is not a time like 2026-12-31T00:00:00Z");
    }
  }
  plaintext.finish();
}

void AgentFileReader::read_persistence(Block persistence) {
  constexpr std::array<std::pair<std::string_view, Sync>, 2> kSyncs{{{"full", Sync::full}, {"normal", Sync::normal}}};
  constexpr std::array<std::pair<std::string_view, WhenFull>, 2> kWhenFull{
      {{"reject", WhenFull::reject}, {"shed_oldest", WhenFull::shed_oldest}}};
  Persistence& out = out_.persistence;
  persistence.boolean("enabled", out.enabled);
  if (const auto path = persistence.path("path")) out.path = *path;
  persistence.choice<Sync>("sync", out.sync, kSyncs);
  persistence.size("max_bytes", out.max_bytes, 1 * kKiB * kKiB, 1ULL << 50U);
  persistence.choice<WhenFull>("when_full", out.when_full, kWhenFull);
  persistence.boolean("dedupe_header", out.dedupe_header);
  if (const YamlNode* node = persistence.value("enabled"); node != nullptr && out.enabled && !persistence.has("path")) {
    schema_.mistake(Errc::config_missing, node->place,
                    fmt::format("{} needs a {}", persistence.full("enabled"), persistence.full("path")));
  }
  persistence.finish();
}

void AgentFileReader::read_limits(Block limits) {
  std::uint64_t max_payload = 0;
  limits.size("max_payload", max_payload, 1, limits::kMaxPayloadBytes);
  if (max_payload > 0) out_.limits.max_payload = max_payload;
  limits.number("max_pending", out_.limits.max_pending, 1, 1'000'000'000'000ULL);
  limits.finish();
}

void AgentFileReader::read_fallback(Block fallback) {
  constexpr std::array<std::pair<std::string_view, FallbackMode>, 3> kModes{
      {{"local_queue", FallbackMode::local_queue}, {"fail", FallbackMode::fail}, {"drop", FallbackMode::drop}}};
  constexpr std::array<std::pair<std::string_view, FallbackRequests>, 2> kRequests{
      {{"fail_fast", FallbackRequests::fail_fast}, {"queue", FallbackRequests::queue}}};
  fallback.choice<FallbackMode>("mode", out_.fallback.mode, kModes);
  fallback.boolean("drain_on_reconnect", out_.fallback.drain_on_reconnect);
  fallback.duration("drain_delay", out_.fallback.drain_delay, 0ns, 1h);
  fallback.boolean("local_delivery", out_.fallback.local_delivery);
  fallback.choice<FallbackRequests>("requests", out_.fallback.requests, kRequests);
  fallback.finish();
}

void AgentFileReader::read_reconnect(Block reconnect) {
  reconnect.duration("wait", out_.reconnect.wait, 1ms, 1h);
  reconnect.duration("max_wait", out_.reconnect.max_wait, 1ms, 24h);
  if (out_.reconnect.max_wait < out_.reconnect.wait) {
    const YamlNode* node = reconnect.has("max_wait") ? reconnect.value("max_wait") : reconnect.value("wait");
    if (node != nullptr)
      reconnect.bad(reconnect.has("max_wait") ? "max_wait" : "wait", *node, "leaves max_wait below wait");
  }
  reconnect.finish();
}

void AgentFileReader::read_agent(Block agent) {
  constexpr std::array<std::pair<std::string_view, log::Level>, 6> kLevels{{{"debug", log::Level::debug},
                                                                            {"info", log::Level::info},
                                                                            {"warn", log::Level::warn},
                                                                            {"warning", log::Level::warn},
                                                                            {"error", log::Level::error},
                                                                            {"err", log::Level::error}}};
  constexpr std::array<std::pair<std::string_view, log::Format>, 2> kFormats{
      {{"text", log::Format::text}, {"json", log::Format::json}}};
  constexpr std::array<Advice, 1> kAdvice{{{"listen_tls", "this version listens on loopback only, without TLS"}}};
  AgentOptions& out = out_.agent;
  read_listen(agent);
  std::uint64_t threads = out.threads;
  std::uint64_t max_clients = out.max_clients;
  agent.number("threads", threads, 0, 1'024);
  agent.number("max_clients", max_clients, 1, 10'000'000);
  out.threads = static_cast<std::uint32_t>(threads);
  out.max_clients = static_cast<std::uint32_t>(max_clients);
  agent.size("client_max_pending", out.client_max_pending, 64 * kKiB, 16 * kGiB);
  agent.size("window", out.window, 64 * kKiB, 16 * kGiB);
  agent.choice<log::Level>("log_level", out.log_level, kLevels);
  agent.choice<log::Format>("log_format", out.log_format, kFormats);
  agent.finish(kAdvice);
}

void AgentFileReader::read_listen(Block& agent) {
  const auto address = [&](std::string_view name) -> std::optional<ListenAddress> {
    const YamlNode* node = agent.scalar(name);
    if (node == nullptr) return std::nullopt;
    const Result<ListenAddress> parsed = parse_listen_address(node->text);
    if (parsed) return *parsed;
    schema_.mistake(parsed.error().code, node->place, fmt::format("{}: {}", agent.full(name), parsed.error().doing),
                    parsed.error().code == Errc::config_listen_not_loopback
                        ? "listen_tls does not exist yet; use 127.0.0.1, ::1 or localhost"
                        : "");
    return std::nullopt;
  };
  if (const auto listen = address("listen")) out_.agent.listen = *listen;
  const YamlNode* admin = agent.value("admin");
  if (admin != nullptr &&
      (same_letters(admin->text, "off") || same_letters(admin->text, "false") || same_letters(admin->text, "none"))) {
    out_.agent.admin.reset();
  } else if (const auto parsed = address("admin")) {
    out_.agent.admin = *parsed;
    if (parsed->port != 0 && *parsed == out_.agent.listen)
      agent.bad("admin", *admin, "is the same address as agent.listen");
  }
}

}  // namespace

AgentFileResult parse_agent_file(std::string_view text, const std::filesystem::path& path) {
  Schema schema{path.parent_path(), {}, {}};
  AgentFile out;
  out.path = path;
  Result<std::vector<YamlDocument>> documents = parse_yaml(text, path.string());
  if (!documents) {
    // The text already begins with the place.
    return std::unexpected(std::vector<Mistake>{{documents.error().code, {}, documents.error().doing, {}}});
  }
  if (documents->size() > 1) {
    schema.mistake(Errc::config_syntax, (*documents)[1].root.place, "a second YAML document in the file");
  }
  if (!documents->empty()) {
    const YamlDocument& document = documents->front();
    for (const DuplicateKey& twice : document.duplicates) {
      schema.mistake(Errc::config_duplicate_key, twice.second,
                     fmt::format("the key \"{}\" stands twice, first in line {}", twice.path, twice.first.line));
    }
    AgentFileReader(schema, out).read(document.root);
  }
  if (!schema.mistakes.empty()) {
    std::sort(schema.mistakes.begin(), schema.mistakes.end(), [](const Mistake& a, const Mistake& b) {
      return std::tie(a.place.line, a.place.column, a.message) < std::tie(b.place.line, b.place.column, b.message);
    });
    return std::unexpected(std::move(schema.mistakes));
  }
  out.origins = std::move(schema.origins);
  return out;
}

Result<AgentFile> load_agent_file(const std::filesystem::path& path) {
  const Result<std::string> text = read_file(path, limits::kConfigFileBytes);
  if (!text) return std::unexpected(text.error());
  AgentFileResult parsed = parse_agent_file(*text, path);
  if (!parsed) return std::unexpected(as_error(parsed.error()));
  return std::move(*parsed);
}

std::optional<std::filesystem::path> find_agent_file(const std::filesystem::path& directory) {
  std::error_code ignored;
  if (std::filesystem::exists(directory, ignored) && !std::filesystem::is_directory(directory, ignored))
    return directory;
  for (const char* name : {"broker.yaml", "broker.yml"}) {
    if (std::filesystem::exists(directory / name, ignored)) return directory / name;
  }
  return std::nullopt;
}

Result<AgentFile> load_agent_directory(const std::filesystem::path& directory) {
  const auto path = find_agent_file(directory);
  if (!path) return fail(Errc::config_not_found, fmt::format("looking for broker.yaml in {}", directory.string()));
  return load_agent_file(*path);
}

}  // namespace hawser::config
