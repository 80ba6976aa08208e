#include "broker/service_imports.hpp"

#include <utility>

#include "base/log.hpp"
#include "broker/service_request.hpp"
#include "broker/service_user_info.hpp"
#include "broker/worker.hpp"

namespace hawser::broker {
namespace {

constexpr std::size_t kMostHops = 64;  // a configuration that has more is refused; this is for what nobody thought of
constexpr std::string_view kUserInfo = "$SYS.REQ.USER.INFO";

// Whether the message may take this import; not if it did before.
bool may_go_on(const ServiceHop* hops, const ServiceImport* import) {
  std::size_t count = 0;
  for (; hops != nullptr; hops = hops->before) {
    if (hops->import == import || ++count >= kMostHops) {
      return false;
    }
  }
  return true;
}

const std::string& name_of(const Configuration& configuration, const Hub& hub) {
  const std::string& name = configuration.settings->server_name;
  return name.empty() ? hub.server_id : name;
}

}  // namespace

ServiceImportSubscription::ServiceImportSubscription(ServiceImportPtr import, AccountState& requestor,
                                                     AccountState& exporter)
    : import_(std::move(import)), requestor_(requestor), exporter_(exporter) {
  subject = import_->from;
}

bool ServiceImportSubscription::take(Worker& worker, const Message& message) {
  if (!may_go_on(message.hops, import_.get())) {
    return false;
  }
  AccountView& exporter = worker.view(exporter_);
  std::string renamed;
  std::string mapped;
  const std::string_view asked = worker.mapped(exporter, import_->asked_as(message.subject, renamed), mapped);
  if (asked.empty()) {
    return false;
  }
  std::string reply;
  if (!message.reply.empty()) {
    reply = exporter_.responses.open(requestor_, message.reply, import_, worker.reactor().now());
  }
  const ServiceHop hop{import_.get(), message.hops};
  Message request = message;
  request.subject = asked;
  request.reply = reply;
  request.hops = &hop;
  std::string told;
  if (const std::string who = describe_client(worker, message); !who.empty()) {
    std::size_t header_bytes = 0;
    told = with_request_info(message.headers, message.body.substr(message.headers.size()), who, header_bytes);
    request.body = told;
    request.headers = request.body.substr(0, header_bytes);
  }
  const bool delivered = worker.route(exporter, request);
  if (!delivered && !reply.empty()) {
    exporter_.responses.close(reply);
  }
  return delivered;
}

// The first import of a chain decides how much is told.
std::string ServiceImportSubscription::describe_client(Worker& worker, const Message& message) const {
  const Client* client = worker.find(message.from);
  if (client == nullptr) {
    return {};
  }
  const ServiceImport* first = import_.get();
  for (const ServiceHop* hop = message.hops; hop != nullptr; hop = hop->before) {
    first = hop->import;
  }
  const ConnectionFacts facts = client->basic_facts();
  return request_info_json({.client = facts,
                            .account = facts.account,
                            .via = first == import_.get() ? std::string_view() : std::string_view(requestor_.name),
                            .share = first->share,
                            .server = first->share || import_->share
                                          ? std::string_view(name_of(*worker.configuration(), worker.hub()))
                                          : std::string_view()});
}

ServiceResponseSubscription::ServiceResponseSubscription(AccountState& exporter) : exporter_(exporter) {
  subject = exporter.responses.pattern();
}

// What nobody waits for any more vanishes: it is no request that somebody should have answered.
bool ServiceResponseSubscription::take(Worker& worker, const Message& message) {
  const auto part = message.bytes() == 0 ? ServiceResponses::Part::last : ServiceResponses::Part::more;
  const auto owed = exporter_.responses.take(message.subject, worker.reactor().now(), part);
  if (!owed || !may_go_on(message.hops, nullptr)) {
    return true;
  }
  AccountView& requestor = worker.view(*owed->requestor);
  std::string mapped;
  std::string reply;
  if (!message.reply.empty()) {  // an answer that wants an answer
    reply = owed->requestor->responses.open(exporter_, message.reply, owed->import, worker.reactor().now());
  }
  const ServiceHop hop{owed->import.get(), message.hops};
  Message answer = message;
  answer.subject = worker.mapped(requestor, owed->reply, mapped);
  answer.reply = reply;
  answer.hops = &hop;
  if (answer.subject.empty() || !worker.route(requestor, answer)) {
    exporter_.responses.close(message.subject);
    if (!reply.empty()) {
      owed->requestor->responses.close(reply);
    }
  }
  return true;
}

UserInfoSubscription::UserInfoSubscription(AccountState& account) : account_(account) { subject = kUserInfo; }

bool UserInfoSubscription::take(Worker& worker, const Message& message) {
  const Client* client = worker.find(message.from);
  if (client == nullptr || message.reply.empty()) {
    return true;
  }
  const Configuration& configuration = *worker.configuration();
  const std::string text = user_info_json({.server_name = name_of(configuration, worker.hub()),
                                           .server_id = worker.hub().server_id,
                                           .version = worker.hub().version,
                                           .host = configuration.host,
                                           .time = wall_now(),
                                           .user = client->grant().user,
                                           .account = client->grant().account,
                                           .permissions = client->grant().permissions.get(),
                                           .ends = client->grant().jwt ? client->grant().jwt->ends : std::nullopt}) +
                           "\r\n";
  const Message answer{.subject = message.reply, .reply = {}, .headers = {}, .body = text, .from = 0};
  worker.route(worker.view(account_), answer);
  return true;
}

}  // namespace hawser::broker
