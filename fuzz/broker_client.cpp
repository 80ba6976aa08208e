// Bytes of several clients against a whole in-process broker, on two threads' workers turned by hand. An input is what
// the clients send, in their turn, with bytes above 0xef as stage directions (Direction below), and its first byte
// chooses the configuration. Whatever they do: what each of them reads parses as a server's words, no more is kept
// for a client than its limit, a well-behaved client's messages still come round, and when they are gone nothing of
// them is left.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "broker/account_services.hpp"
#include "broker/turned_broker.hpp"

namespace {

using namespace hawser;
using namespace hawser::broker;
using namespace hawser::broker::test;

constexpr std::size_t kHostile = 4;
constexpr std::size_t kMostRepeated = 64UL << 10U;  // bytes that a `repeat` sends
constexpr std::size_t kMostPending = 256UL << 10U;
constexpr int kConfigurations = 7;

enum Direction : std::uint8_t {
  kTo0 = 0xf0,  // … 0xf3: what follows is sent by that client
  kClose = 0xf4,
  kEndWriting = 0xf5,
  kTurn = 0xf6,
  kDeaf = 0xf7,    // this client does not read, or reads again
  kReload = 0xf8,  // to the configuration that the next byte names
  kRepeat = 0xf9,  // the last piece, as often as the next byte says
  kLameDuck = 0xfa,
  kTrusted = 0xfb,  // close, and come again by the trusted door
  kTellInfo = 0xfc,
  kFirst = kTo0,
};

void require(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
  }
}

User user(std::string name, std::string account, std::optional<Permissions> permissions) {
  User made;
  made.name = std::move(name);
  made.password = Secret(std::string_view("p"));
  made.account = std::move(account);
  made.permissions = std::move(permissions);
  return made;
}

void add_users(Settings& settings) {
  const Permissions narrow{.publish = {.allow = {{"a.>", "b"}}, .deny = {"a.b"}},
                           .subscribe = {.allow = {{"a.>", "b q", "_INBOX.>"}}, .deny = {"a.b", "a.*.c q*"}},
                           .responses = ResponsePermission{.max = 2, .expires = std::chrono::seconds(1)}};
  settings.authorization.users.push_back(user("good", "", std::nullopt));
  settings.authorization.users.push_back(user("u", "", std::nullopt));
  settings.authorization.users.push_back(user("n", "", narrow));
}

Export exported(ExportKind kind, const char* subject, ResponseType response = ResponseType::singleton) {
  Export made;
  made.kind = kind;
  made.subject = subject;
  made.response = response;
  return made;
}

Import imported(ExportKind kind, const char* account, const char* subject, const char* to, const char* prefix = "") {
  Import made;
  made.kind = kind;
  made.account = account;
  made.subject = subject;
  made.to = to;
  made.prefix = prefix;
  made.share = kind == ExportKind::service;
  return made;
}

// Two accounts that ask each other, and one of them hears, and renames, what the other publishes.
void add_sharing_accounts(Settings& settings) {
  Account a;
  a.name = "A";
  a.exports = {exported(ExportKind::service, "svc.*"), exported(ExportKind::stream, "st.>")};
  a.imports = {imported(ExportKind::service, "B", "b.svc", "local")};
  Mapping mapping;
  mapping.source = "m.*";
  mapping.targets.push_back({.destination = "st.$1", .weight = 60, .cluster = {}});
  mapping.targets.push_back({.destination = "svc.{{partition(3,1)}}", .weight = 30, .cluster = {}});
  a.mappings.push_back(std::move(mapping));
  Account b;
  b.name = "B";
  b.exports = {exported(ExportKind::service, "b.svc", ResponseType::stream)};
  b.imports = {imported(ExportKind::service, "A", "svc.*", "ask.*"),
               imported(ExportKind::stream, "A", "st.>", "", "from"),
               imported(ExportKind::stream, "A", "st.one", "one")};
  settings.accounts.push_back(std::move(a));
  settings.accounts.push_back(std::move(b));
  settings.authorization.users.push_back(user("good", "", std::nullopt));
  settings.authorization.users.push_back(user("u", "A", std::nullopt));
  settings.authorization.users.push_back(user("n", "B", std::nullopt));
}

Settings settings_of(int which) {
  Settings settings;
  settings.threads = 2;
  settings.max_closed_clients = 16;
  settings.limits.max_pending = kMostPending;
  settings.limits.max_payload = 64UL << 10U;
  settings.lame_duck_duration = std::chrono::seconds(1);
  settings.lame_duck_grace_period = std::chrono::milliseconds(1);
  switch (which % kConfigurations) {
    case 1: add_users(settings); break;
    case 2:
      add_users(settings);
      settings.authorization.no_auth_user = "n";
      break;
    case 3: {
      for (const char* name : {"A", "B"}) {
        Account account;
        account.name = name;
        account.max_connections = 3;
        account.max_subscriptions = 8;
        account.max_payload = 100;
        settings.accounts.push_back(std::move(account));
      }
      settings.authorization.users.push_back(user("good", "", std::nullopt));
      settings.authorization.users.push_back(user("u", "A", std::nullopt));
      settings.authorization.users.push_back(user("n", "B", std::nullopt));
      break;
    }
    case 4:
      settings.limits.max_subscriptions = 4;
      settings.limits.max_subscription_tokens = 3;
      settings.limits.max_control_line = 256;
      settings.limits.max_payload = 300;
      settings.limits.max_pending = 4096;
      settings.limits.max_connections = 4;
      settings.no_header_support = true;
      break;
    case 5:
      settings.authorization.token = Secret(std::string_view("t"));
      settings.always_enable_nonce = true;
      settings.limits.ping_interval = std::chrono::milliseconds(40);
      settings.no_fast_producer_stall = true;
      break;
    case 6: add_sharing_accounts(settings); break;
    default: break;
  }
  return settings;
}

const char* good_connect(int which) {
  switch (which % kConfigurations) {
    case 1:
    case 2:
    case 3:
    case 6: return R"(CONNECT {"verbose":false,"pedantic":false,"user":"good","pass":"p"})";
    case 5: return R"(CONNECT {"verbose":false,"pedantic":false,"auth_token":"t"})";
    default: return R"(CONNECT {"verbose":false,"pedantic":false})";
  }
}

// What a server says, frame by frame, whatever the reads cut.
class Reader {
 public:
  void take(std::string_view bytes) {
    rest_ += bytes;
    std::string_view left = rest_;
    wire::Frame frame;
    while (!left.empty()) {
      const auto status = parser_.next(left, frame);
      if (status == wire::Parser::Status::error) {
        std::fprintf(stderr, "%s\n", parser_.error().message().c_str());
      }
      require(status != wire::Parser::Status::error, "what the broker says parses");
      if (status == wire::Parser::Status::more) {
        break;
      }
      require(any_ || frame.op == wire::Op::info || frame.op == wire::Op::err, "INFO comes first");
      any_ = true;
      left.remove_prefix(frame.raw.size());
    }
    rest_.erase(0, rest_.size() - left.size());
  }

 private:
  wire::Parser parser_{wire::Peer::server, {.control_line_bytes = 64UL << 10U}};
  std::string rest_;
  bool any_ = false;
};

struct Hostile {
  std::optional<TurnedClient> client;
  Reader reader;
  bool deaf = false;
};

class Stage {
 public:
  explicit Stage(int which) : which_(which) {
    auto made = TurnedBroker::make(settings_of(which));
    require(made.has_value(), "the configuration is valid");
    broker_ = std::move(*made);
    apply_services(broker_->hub().accounts, *broker_->configuration()->rules);
  }

  void play(std::string_view script) {
    while (!script.empty()) {
      const auto direction =
          std::find_if(script.begin(), script.end(), [](char c) { return static_cast<std::uint8_t>(c) >= kFirst; });
      const auto text = static_cast<std::size_t>(direction - script.begin());
      if (text > 0) {
        piece_ = script.substr(0, text);
        say(piece_);
      }
      script.remove_prefix(text);
      if (!script.empty()) {
        follow(script);
      }
    }
    step(2);
  }

  void check_well_behaved() {
    if (ducks_) {
      return;  // it may be closed at any time
    }
    for (const std::size_t worker : {0U, 1U}) {
      check_round_trip(worker);
    }
  }

  void check_nothing_left() {
    for (Hostile& one : hostile_) {
      one.client.reset();
    }
    const auto gone = [this] { return broker_->hub().clients == 0; };
    require(broker_->until(gone), "every connection is let go of");
    broker_->turn(2);
    apply_services(broker_->hub().accounts, AccountRuleSet(), UserInfo::none);  // what the broker itself subscribed to
    for (const AccountState* account : broker_->hub().accounts.all()) {
      require(account->connections == 0, "no account counts a client that is gone");
      require(account->subscriptions == 0, "nor its subscriptions");
      require(account->sublist.stats().count == 0, "no subscription stays behind");
    }
    for (const std::size_t worker : {0U, 1U}) {
      require(broker_->worker(worker).inbound_bytes() == 0, "nothing is on its way");
      require(broker_->worker(worker).clients() == 0, "the worker has no client");
    }
    require(broker_->hub().closed.list().size() <= 16, "few of the closed are remembered");
  }

 private:
  Hostile& current() { return hostile_[current_]; }

  void arrive(Door door) {
    current().client.emplace(broker_->connect(current_ % 2, door));
    current().reader = Reader();
    step(1);
  }

  void say(std::string_view bytes) {
    if (!current().client) {
      arrive(Door::listener);
    }
    while (!bytes.empty()) {
      const std::size_t taken = current().client->send(bytes);
      bytes.remove_prefix(taken);
      step(1);
      if (taken == 0) {
        return;  // closed, or full since the broker does not read: the rest is lost
      }
    }
  }

  void follow(std::string_view& script) {
    const auto direction = static_cast<std::uint8_t>(script.front());
    script.remove_prefix(1);
    const auto argument = [&] {
      const std::uint8_t value = script.empty() ? 0 : static_cast<std::uint8_t>(script.front());
      script.remove_prefix(script.empty() ? 0 : 1);
      return value;
    };
    switch (direction) {
      case kClose: current().client.reset(); break;
      case kEndWriting:
        if (current().client) {
          current().client->end_writing();
        }
        break;
      case kTurn: step(1); break;
      case kDeaf: current().deaf = !current().deaf; break;
      case kReload:
        which_ = argument() % kConfigurations;
        require(broker_->reload(settings_of(which_)).has_value(), "the configuration is valid");
        apply_services(broker_->hub().accounts, *broker_->configuration()->rules);
        break;
      case kRepeat: repeat(argument()); break;
      case kLameDuck:
        if (!std::exchange(ducks_, true)) {
          broker_->hub().lame_duck = true;
          for (const std::size_t worker : {0U, 1U}) {
            broker_->worker(worker).lame_duck(std::chrono::milliseconds(1), std::chrono::milliseconds(60), [] {});
          }
        }
        break;
      case kTrusted: arrive(Door::trusted); break;
      default: current_ = direction % kHostile; break;
    }
  }

  void repeat(std::size_t times) {
    const std::size_t most = kMostRepeated / std::max<std::size_t>(piece_.size(), 1);
    std::string all;
    for (std::size_t i = 0; i < std::min(times, most); ++i) {
      all += piece_;
    }
    say(all);
  }

  void step(int turns) {
    for (int i = 0; i < turns; ++i) {
      broker_->turn();
      for (Hostile& one : hostile_) {
        if (one.client && !one.deaf) {
          one.client->receive();
          one.reader.take(one.client->take_received());
        }
      }
    }
    for (const std::size_t worker : {0U, 1U}) {
      for (const auto& [id, client] : broker_->worker(worker).all()) {
        // One more frame than the limit may be there, and the answers to one read.
        require(client->ended() || client->basic_facts().pending_bytes <= kMostPending + (2UL << 20U),
                "what is kept for a client is bounded");
      }
    }
  }

  // Connects, subscribes, publishes, and wants to read that, then goes. The others are still there, unless their number
  // may be the most that is let in.
  void check_round_trip(std::size_t worker) {
    if (which_ == 4) {
      for (Hostile& one : hostile_) {
        one.client.reset();
      }
      require(broker_->until([this] { return broker_->hub().clients == 0; }), "who hangs up is gone");
    }
    TurnedClient good = broker_->connect(worker);
    good.send(std::string(good_connect(which_)) + "\r\nSUB good.* 7\r\nPING\r\nPUB good.x 5\r\nhello\r\nPING\r\n");
    const auto done = [&] {
      good.receive();
      const std::size_t heard = good.received().find("MSG good.x 7 5\r\nhello\r\n");
      return heard != std::string::npos && good.received().find("PONG\r\n", heard) != std::string::npos;
    };
    const bool came = broker_->until([&] { return done() || good.ended(); }) && done();
    if (!came) {
      std::fprintf(stderr, "it read: %s\n", good.received().c_str());
    }
    require(came, "a well-behaved client is served");
  }

  int which_;
  std::unique_ptr<TurnedBroker> broker_;
  std::array<Hostile, kHostile> hostile_;
  std::size_t current_ = 0;
  std::string piece_;
  bool ducks_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool quiet = [] {
    log::configure(log::Level::fatal, log::Format::text);
    return true;
  }();
  if (!quiet || size == 0) {
    return 0;
  }
  Stage stage(*data % kConfigurations);
  stage.play({reinterpret_cast<const char*>(data) + 1, size - 1});
  stage.check_well_behaved();
  stage.check_nothing_left();
  return 0;
}
