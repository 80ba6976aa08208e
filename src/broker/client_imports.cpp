// What a client hears of other accounts: each of its subscriptions listens there too, by a shadow, wherever an import
// of its account has something for it.
#include <algorithm>
#include <utility>

#include "broker/client.hpp"
#include "broker/worker.hpp"

namespace hawser::broker {

void Client::listen_abroad(const SubscriptionPtr& subscription, const std::vector<StreamImportPtr>& but_not) {
  for (const StreamImportPtr& import : view_->rules->streams) {
    auto subject = import->listen_for(subscription->subject);
    if (!subject || std::ranges::any_of(but_not, [&](const StreamImportPtr& known) { return *known == *import; })) {
      continue;
    }
    auto shadow = std::make_shared<Subscription>();
    shadow->subject = std::move(*subject);
    shadow->queue = subscription->queue;
    shadow->thread = subscription->thread;
    shadow->sid = subscription->sid;
    shadow->account = &worker_.hub().accounts.at(import->exporter);
    shadow->client = this;
    shadow->imported = std::make_unique<const Imported>(subscription, import);
    subscription->shadows.push_back(shadow);
    shadow->account->sublist.insert(std::move(shadow));
  }
}

void Client::stop_listening_abroad(Subscription& subscription) {
  for (const SubscriptionPtr& shadow : std::exchange(subscription.shadows, {})) {
    shadow->client = nullptr;
    shadow->account->sublist.remove(shadow);
  }
}

// After a reload that changed the account's imports. What is imported as before is heard without a gap.
void Client::renew_imports() {
  for (const auto& [sid, subscription] : subscriptions_) {
    std::vector<StreamImportPtr> kept;
    std::erase_if(subscription->shadows, [&](const SubscriptionPtr& shadow) {
      const StreamImportPtr& import = shadow->imported->import;
      if (std::ranges::any_of(view_->rules->streams, [&](const StreamImportPtr& now) { return *now == *import; })) {
        kept.push_back(import);
        return false;
      }
      shadow->client = nullptr;
      shadow->account->sublist.remove(shadow);
      return true;
    });
    listen_abroad(subscription, kept);
  }
}

bool Client::deliver_import(const Imported& imported, Fanout& fanout) {
  const Message& message = fanout.message();
  if (message.hops != nullptr) {
    return false;  // what came from another account as a request is not passed on to a third
  }
  const SubscriptionPtr to = imported.of;  // this may be its last message
  std::string scratch;
  const std::string_view subject = imported.import->heard_as(message.subject, scratch);
  if (subject == message.subject) {
    return deliver(*to, fanout);
  }
  Message heard = message;
  heard.subject = subject;
  Fanout one(heard, 1);
  return deliver(*to, one);
}

}  // namespace hawser::broker
