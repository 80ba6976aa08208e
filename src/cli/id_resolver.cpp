#include "cli/id_resolver.hpp"

#include <boost/json.hpp>
#include <cstdlib>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/pub_draft.hpp"
#include "identity/creds_text.hpp"
#include "net/fd.hpp"
#include "wire/headers.hpp"
#include "wire/writer.hpp"

namespace hawser::cli {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr std::size_t kMostAnswers = 100'000;
// How long after an answer another server's may come; nobody knows how many there are.
constexpr Duration kQuiet = 300ms;

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  const json::string* text = found != nullptr ? found->if_string() : nullptr;
  return text != nullptr ? std::string(text->data(), text->size()) : std::string();
}

// {"server": {"name"}, "data": {"code", "message"} or [public keys], "error": {"description"}}
ServerAnswer read_answer(std::string_view body) {
  ServerAnswer answer{.server = "a server", .text = "an answer that is not understood"};
  boost::system::error_code failed;
  const json::value document = json::parse(body, failed);
  const json::object* fields = failed ? nullptr : document.if_object();
  if (fields == nullptr) {
    return answer;
  }
  if (const json::value* server = fields->if_contains("server"); server != nullptr && server->is_object()) {
    answer.server = text_at(server->get_object(), "name");
  }
  if (const json::value* error = fields->if_contains("error"); error != nullptr && error->is_object()) {
    answer.text = text_at(error->get_object(), "description");
    return answer;
  }
  const json::value* data = fields->if_contains("data");
  if (data != nullptr && data->is_object()) {
    answer.text = text_at(data->get_object(), "message");
    // A server without a directory forgets the JWT of an account that nobody uses at the moment, and says so with code
    // 200.
    answer.taken = answer.text.find("skipped") == std::string::npos;
  } else if (data != nullptr && data->is_array()) {
    answer.taken = true;
    for (const json::value& key : data->get_array()) {
      if (const json::string* text = key.if_string()) {
        answer.accounts.emplace_back(text->data(), text->size());
      }
    }
    answer.text = fmt::format("{} accounts", answer.accounts.size());
  }
  return answer;
}

bool has_credential(const ConnectionFlags& flags) {
  return !flags.creds.empty() || !flags.nkey.empty() || !flags.user.empty() || !flags.token.empty() ||
         !flags.token_file.empty() || !flags.context.empty();
}

// For two minutes, and for what a resolver is asked only.
Result<Secret> system_creds(const IdStore& id, const std::string& inbox_prefix) {
  const auto account = id.store.account_of_key(id.op.claims.system_account);
  const auto key = account ? identity::KeyPair::create(identity::KeyKind::user) : std::unexpected(account.error());
  if (!key) {
    return std::unexpected(key.error());
  }
  identity::UserClaims claims;
  claims.subject = key->public_key().text();
  claims.name = "hawser id";
  claims.expires = id.now + 2min;
  claims.permissions.publish.allow = {"$SYS.REQ.CLAIMS.*", "$SYS.REQ.ACCOUNT.*.CLAIMS.*"};
  claims.permissions.subscribe.allow = {inbox_prefix + ".>"};
  const auto token = id.issuer().user(account->claims, claims);
  return token ? Result<Secret>(identity::creds_text(*token, *key)) : std::unexpected(token.error());
}

}  // namespace

// A file without a name, that the connection reads as any other.
class Resolver::CredsInMemory {
 public:
  [[nodiscard]] static std::unique_ptr<CredsInMemory> make(const Secret& text) {
    auto made = std::make_unique<CredsInMemory>(::memfd_create("creds", MFD_CLOEXEC));
    const std::string_view all = text.reveal();
    const bool done = made->file_ && ::fchmod(made->file_.value(), S_IRUSR | S_IWUSR) == 0 &&
                      ::write(made->file_.value(), all.data(), all.size()) == static_cast<ssize_t>(all.size());
    return done ? std::move(made) : nullptr;
  }
  explicit CredsInMemory(int fd) : file_(fd) {}
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(file_.value()); }

 private:
  net::Fd file_;
};

Resolver::Resolver() = default;
Resolver::~Resolver() = default;

Result<std::unique_ptr<Resolver>> Resolver::connect(const IdStore& id, ConnectionFlags& flags, std::string_view command,
                                                    bool json) {
  std::unique_ptr<Resolver> resolver(new Resolver);
  if (flags.server.empty() && flags.context.empty() && std::getenv("NATS_URL") == nullptr) {
    flags.server = !id.op.claims.account_server_url.empty() ? id.op.claims.account_server_url
                   : !id.op.claims.service_urls.empty()     ? id.op.claims.service_urls.front()
                                                            : std::string();
  }
  if (!has_credential(flags)) {
    const auto creds = system_creds(id, flags.inbox_prefix.empty() ? "_INBOX" : flags.inbox_prefix);
    if (creds) {
      resolver->creds_ = CredsInMemory::make(*creds);
      flags.creds = resolver->creds_ ? resolver->creds_->path() : std::string();
      flags.made_for_this_run = true;
    } else if (creds.error().code != Errc::id_key_missing && creds.error().code != Errc::id_not_found) {
      return std::unexpected(creds.error());
    }
  }
  auto connection = settle(flags, command, json);
  if (!connection) {
    return std::unexpected(std::move(connection.error()));
  }
  resolver->connection_ = std::move(*connection);
  auto session =
      UserSession::connect(resolver->connection_, Away::give_up,
                           [self = resolver.get()](const wire::Frame& message) { self->on_message(message); });
  if (!session) {
    return std::unexpected(std::move(session.error()));
  }
  resolver->session_ = std::move(*session);
  return resolver;
}

void Resolver::on_message(const wire::Frame& message) {
  if (message.sid != std::to_string(asked_)) {
    return;  // a late answer to an earlier question
  }
  if (message.payload.empty() && wire::header_status(message.headers).code == wire::kNoResponders) {
    nobody_ = true;
    return;
  }
  last_came_ = hawser::now();
  if (bodies_.size() < kMostAnswers) {
    bodies_.emplace_back(message.payload);
  }
}

Result<std::vector<std::string>> Resolver::ask(std::string_view subject, std::string_view body,
                                               const std::function<bool(std::string_view)>& last) {
  bodies_.clear();
  nobody_ = false;
  const std::string inbox = connection_.inbox_prefix + "." + unique_id();
  session_->subscribe(std::to_string(++asked_), inbox, "");
  std::string frames;
  if (const auto appended = append_message(frames, subject, inbox, "", body, session_->server()); !appended) {
    return std::unexpected(appended.error());
  }
  if (auto sent = session_->publish(frames, 1); !sent) {
    return std::unexpected(std::move(sent.error()));
  }
  if (auto processed = session_->flush(); !processed) {
    return std::unexpected(std::move(processed.error()));
  }
  const auto until = hawser::now() + connection_.timeout;
  const auto complete = [&] { return nobody_ || (!bodies_.empty() && last && last(bodies_.back())); };
  while (!complete()) {
    const auto came = session_->wait([&, seen = bodies_.size()] { return complete() || bodies_.size() > seen; },
                                     bodies_.empty() || last ? until : std::min(until, last_came_ + kQuiet));
    if (!came) {
      return std::unexpected(came.error());
    }
    if (!*came) {
      break;
    }
  }
  if (nobody_) {
    return fail(
        Errc::no_responders,
        fmt::format("asking {}: the server has no resolver for it, or the user is not of the system account", subject));
  }
  return bodies_.empty() ? fail(Errc::no_reply, "asking " + std::string(subject))
                         : Result<std::vector<std::string>>(std::move(bodies_));
}

Result<std::vector<ServerAnswer>> Resolver::ask_all(std::string_view subject, std::string_view body) {
  const auto bodies = ask(subject, body);
  if (!bodies) {
    return std::unexpected(bodies.error());
  }
  std::vector<ServerAnswer> answers;
  for (const std::string& one : *bodies) {
    answers.push_back(read_answer(one));
  }
  return answers;
}

Result<std::vector<ServerAnswer>> Resolver::update(std::string_view account, std::string_view token) {
  auto answers = ask_all("$SYS.REQ.CLAIMS.UPDATE", token);
  if (!answers && answers.error().code == Errc::no_responders) {
    // Servers that do not keep JWTs take one up for as long as they run.
    answers = ask_all(fmt::format("$SYS.REQ.ACCOUNT.{}.CLAIMS.UPDATE", account), token);
  }
  return answers;
}

Result<std::vector<ServerAnswer>> Resolver::list() { return ask_all("$SYS.REQ.CLAIMS.LIST", ""); }

Result<std::vector<ServerAnswer>> Resolver::erase(std::string_view request) {
  return ask_all("$SYS.REQ.CLAIMS.DELETE", request);
}

Result<std::map<std::string, std::string>> Resolver::everything() {
  // One server answers with "KEY|JWT" a message, and an empty one at the end.
  const auto bodies = ask("$SYS.REQ.CLAIMS.PACK", "", [](std::string_view body) { return body.empty(); });
  if (!bodies) {
    return std::unexpected(bodies.error());
  }
  if (!bodies->back().empty()) {
    return fail(Errc::no_reply, "reading all accounts: the end of them did not come");
  }
  std::map<std::string, std::string> all;
  for (std::string_view lines : *bodies) {
    while (!lines.empty()) {
      const std::size_t end = lines.find('\n');
      const std::string_view line = lines.substr(0, end);
      lines = end == std::string_view::npos ? std::string_view() : lines.substr(end + 1);
      if (const std::size_t bar = line.find('|'); bar != std::string_view::npos) {
        all.insert_or_assign(std::string(line.substr(0, bar)), std::string(line.substr(bar + 1)));
      }
    }
  }
  return all;
}

}  // namespace hawser::cli
