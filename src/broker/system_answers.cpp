#include "broker/system_answers.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <openssl/rand.h>
#include <unistd.h>

#include "broker/monitor_text.hpp"
#include "broker/system_options.hpp"

namespace hawser::broker {
namespace {

namespace json = boost::json;

constexpr std::string_view kServer = "$SYS.REQ.SERVER.";
constexpr std::string_view kAccount = "$SYS.REQ.ACCOUNT.";
constexpr std::string_view kAll = "PING";  // every server, or every account

std::string json_string(std::string_view text) {
  std::string out;
  append_json(out, json::value(json::string_view(text.data(), text.size())), Form::compact);
  return out;
}

// 22 letters and digits, as NUIDs look.
std::string event_id() {
  constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::array<unsigned char, 22> random{};
  RAND_bytes(random.data(), static_cast<int>(random.size()));
  std::string id;
  for (const unsigned char byte : random) {
    id += kDigits[byte % kDigits.size()];
  }
  return id;
}

json::object flow(std::uint64_t msgs, std::uint64_t bytes) { return {{"msgs", msgs}, {"bytes", bytes}}; }

// The two tokens after the prefix.
std::optional<std::pair<std::string_view, std::string_view>> two_tokens(std::string_view rest) {
  const std::size_t dot = rest.find('.');
  if (dot == std::string_view::npos || rest.find('.', dot + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return std::pair(rest.substr(0, dot), rest.substr(dot + 1));
}

json::object client_of(const ConnectionFacts& c) {
  const auto put = [](json::object& out, const char* key, const std::string& value) {
    if (!value.empty()) {
      out[key] = value;
    }
  };
  json::object out{{"start", rfc3339_nano(c.start)}};
  put(out, "host", c.ip);
  out["id"] = c.cid;
  out["acc"] = c.account;
  put(out, "user", c.authorized_user);
  put(out, "name", c.name);
  put(out, "lang", c.lang);
  put(out, "ver", c.version);
  if (c.stop && c.rtt > Duration::zero()) {
    out["rtt"] = std::chrono::duration_cast<std::chrono::nanoseconds>(c.rtt).count();
  }
  if (c.stop) {
    out["stop"] = rfc3339_nano(*c.stop);
  }
  out["kind"] = "Client";
  out["client_type"] = "nats";
  return out;
}

}  // namespace

// What stands beside "server" in an answer: a member with its value, or nothing to say.
struct SystemAnswers::Reply {
  enum class Kind : std::uint8_t { silence, data, done, statsz, error } kind = Kind::silence;
  std::string text;
  int code = 0;

  static Reply silence() { return {}; }
  static Reply data(std::string text) { return {Kind::data, std::move(text), 0}; }
  static Reply error(int code, std::string text) { return {Kind::error, std::move(text), code}; }
  static Reply data_or(Parsed<std::string> text) {
    return text ? data(std::move(*text)) : error(500, std::move(text.error()));
  }
};

std::string SystemAnswers::server_info() {
  const ServerFacts server = views_.source().identity();
  json::object out{{"name", server.name}, {"host", server.host}, {"id", server.id}, {"ver", server.version}};
  out["seq"] = sequence_.fetch_add(1, std::memory_order_relaxed) + 1;
  out["jetstream"] = false;
  out["time"] = rfc3339_nano(wall_now());
  return json_text(out, Form::compact);
}

std::string SystemAnswers::enveloped(std::string_view member, std::string_view json) {
  return fmt::format(R"({{"server":{},"{}":{}}})", server_info(), member, json);
}

std::optional<std::string> SystemAnswers::answer(const SystemRequest& request) {
  Reply reply;
  const std::string_view subject = request.subject;
  if (subject == "$SYS.REQ.SERVER.PING") {
    reply = of_server("STATSZ", request.payload);
  } else if (!request.account.empty()) {  // of what another account may ask, the last token tells
    reply = of_account(subject.substr(subject.rfind('.') + 1), request.account, request.payload);
  } else if (subject.starts_with(kServer)) {
    const auto tokens = two_tokens(subject.substr(kServer.size()));
    const bool itself = tokens && tokens->first == views_.source().identity().id;
    const bool ours = itself || (tokens && tokens->first == kAll);
    reply = itself && tokens->second == "KICK" ? kick(request.payload)
            : ours                             ? of_server(tokens->second, request.payload)
                                               : Reply::silence();
  } else if (subject.starts_with(kAccount)) {
    const auto tokens = two_tokens(subject.substr(kAccount.size()));
    reply = tokens ? of_account(tokens->second, tokens->first, request.payload) : Reply::silence();
  }
  switch (reply.kind) {
    case Reply::Kind::silence: return std::nullopt;
    case Reply::Kind::data: return enveloped("data", reply.text);
    case Reply::Kind::done: return fmt::format(R"({{"server":{}}})", server_info());
    case Reply::Kind::statsz: return statsz();
    case Reply::Kind::error: break;
  }
  return fmt::format(R"({{"server":{},"error":{{"code":{},"description":{}}}}})", server_info(), reply.code,
                     json_string(reply.text));
}

SystemAnswers::Reply SystemAnswers::of_server(std::string_view name, std::string_view payload) {
  const Parsed<SystemOptions> options = SystemOptions::parse(payload);
  if (!options) {
    return Reply::error(400, options.error());
  }
  if (!options->meant_for(views_.source().identity())) {
    return Reply::silence();
  }
  if (name == "STATSZ") {
    return {Reply::Kind::statsz, {}, 0};
  }
  if (name == "VARZ") {
    return Reply::data(views_.varz(Form::compact));
  }
  if (name == "CONNZ") {
    const auto query = options->connz();
    return query ? Reply::data(views_.connz(*query, Form::compact)) : Reply::error(500, query.error());
  }
  if (name == "SUBSZ") {
    const auto query = options->subsz();
    return query ? Reply::data(views_.subsz(*query, Form::compact)) : Reply::error(500, query.error());
  }
  if (name == "ACCOUNTZ") {
    const auto account = options->account();
    return account ? Reply::data_or(views_.accountz(*account, Form::compact)) : Reply::error(400, account.error());
  }
  if (name == "HEALTHZ") {
    return Reply::data(views_.healthz().second);
  }
  if (name == "ROUTEZ") {
    return Reply::data(views_.routez(Form::compact));
  }
  if (name == "GATEWAYZ") {
    return Reply::data(views_.gatewayz(Form::compact));
  }
  return name == "LEAFZ" ? Reply::data(views_.leafz(Form::compact)) : Reply::silence();
}

// Named by its id alone: a wish to end a connection is never meant for all servers.
SystemAnswers::Reply SystemAnswers::kick(std::string_view payload) {
  const Parsed<SystemOptions> options = SystemOptions::parse(payload);
  const Parsed<std::uint64_t> cid = options ? options->cid() : std::unexpected(options.error());
  if (!cid) {
    return Reply::error(400, cid.error());
  }
  if (!kick_ || !kick_(*cid)) {
    return Reply::error(500, "no such client or leafnode id");
  }
  return {Reply::Kind::done, {}, 0};
}

SystemAnswers::Reply SystemAnswers::of_account(std::string_view name, std::string_view account,
                                               std::string_view payload) {
  const Parsed<SystemOptions> options = SystemOptions::parse(payload);
  if (!options) {
    return Reply::error(400, options.error());
  }
  if (!options->meant_for(views_.source().identity())) {
    return Reply::silence();
  }
  if (name == "CONNZ") {
    auto query = options->connz();
    if (!query) {
      return Reply::error(500, query.error());
    }
    query->account = account;
    return Reply::data(views_.connz(*query, Form::compact));
  }
  if (name == "SUBSZ") {
    auto query = options->subsz();
    if (!query) {
      return Reply::error(500, query.error());
    }
    query->account = account;
    query->subscriptions = true;
    return Reply::data(views_.subsz(*query, Form::compact));
  }
  if (name == "INFO") {
    return Reply::data_or(views_.account_info(account, Form::compact));
  }
  if (name == "STATZ") {
    auto query = options->accstatz();
    if (!query) {
      return Reply::error(400, query.error());
    }
    if (account != kAll) {
      query->accounts = {std::string(account)};
    }
    std::string text = views_.accstatz(*query, Form::compact);
    const bool none = text.ends_with("\"account_statz\":[]}");
    return none && !query->unused ? Reply::silence() : Reply::data(std::move(text));
  }
  return name == "LEAFZ" ? Reply::data(views_.leafz(Form::compact)) : Reply::silence();
}

std::string SystemAnswers::statsz() {
  MonitorSource& source = views_.source();
  const std::vector<AccountFacts> accounts = source.accounts();
  const ServerFacts server = with_sums(source.identity(), accounts);
  const ProcessUsage usage = views_.usage();
  json::object out{{"start", rfc3339_nano(server.start)}, {"mem", usage.resident_bytes}};
  out["cores"] = ::sysconf(_SC_NPROCESSORS_ONLN);
  out["cpu"] = usage.cpu_percent;
  out["connections"] = server.connections;
  out["total_connections"] = server.total_connections;
  out["active_accounts"] =
      std::count_if(accounts.begin(), accounts.end(), [](const AccountFacts& each) { return each.connections > 0; });
  out["subscriptions"] = server.sublist.subscriptions;
  out["sent"] = flow(server.traffic.out_msgs, server.traffic.out_bytes);
  out["received"] = flow(server.traffic.in_msgs, server.traffic.in_bytes);
  out["slow_consumers"] = server.slow_consumers_pending + server.slow_consumers_deadline;
  out["active_servers"] = 1;
  return fmt::format(R"({{"server":{},"statsz":{}}})", server_info(), json_text(out, Form::compact));
}

std::string SystemAnswers::event(const ConnectionFacts& client, bool ended) {
  std::string text = fmt::format(R"({{"type":"io.nats.server.advisory.v1.{}","id":"{}","timestamp":"{}")",
                                 ended ? "client_disconnect" : "client_connect", event_id(),
                                 rfc3339_nano(client.stop.value_or(wall_now())));
  text += fmt::format(R"(,"server":{},"client":{})", server_info(), json_text(client_of(client), Form::compact));
  if (ended) {  // as the client sees it: what it sent is what the broker received
    text += fmt::format(R"(,"sent":{},"received":{},"reason":{})",
                        json_text(flow(client.traffic.in_msgs, client.traffic.in_bytes), Form::compact),
                        json_text(flow(client.traffic.out_msgs, client.traffic.out_bytes), Form::compact),
                        json_string(to_string(client.reason)));
  }
  return text + "}";
}

std::string SystemAnswers::connected(const ConnectionFacts& client) { return event(client, false); }
std::string SystemAnswers::disconnected(const ConnectionFacts& client) { return event(client, true); }

std::string SystemAnswers::connections_of(const AccountFacts& account) {
  json::object out{{"acc", account.name}, {"conns", account.connections}, {"leafnodes", 0}};
  out["total_conns"] = account.total_connections;
  out["sent"] = flow(account.traffic.out_msgs, account.traffic.out_bytes);
  out["received"] = flow(account.traffic.in_msgs, account.traffic.in_bytes);
  out["slow_consumers"] = account.slow_consumers;
  const std::string members = json_text(out, Form::compact);
  return fmt::format(
      R"({{"type":"io.nats.server.advisory.v1.account_connections","id":"{}","timestamp":"{}","server":{},)"
      "{}",
      event_id(), rfc3339_nano(wall_now()), server_info(), members.substr(1));
}

}  // namespace hawser::broker
