#include "broker/batch.hpp"

#include "broker/service_imports.hpp"

namespace hawser::broker {

void Batch::add(const Message& message, std::uint64_t serial, SubscriptionPtr to, std::uint32_t leg) {
  if (last_serial_ != serial) {
    letters_.push_back({.from = message.from,
                        .hops = message.hops != nullptr,
                        .at = arena_.size(),
                        .subject = static_cast<std::uint32_t>(message.subject.size()),
                        .reply = static_cast<std::uint32_t>(message.reply.size()),
                        .headers = static_cast<std::uint32_t>(message.headers.size()),
                        .body = message.body.size()});
    arena_.append(message.subject).append(message.reply).append(message.body);
    last_serial_ = serial;
  }
  deliveries_.push_back({std::move(to), static_cast<std::uint32_t>(letters_.size() - 1), leg});
}

Message Batch::message(const Letter& letter) const {
  static constexpr ServiceHop kElsewhere{};
  const std::string_view all = arena_;
  const std::string_view body = all.substr(letter.at + letter.subject + letter.reply, letter.body);
  return {.subject = all.substr(letter.at, letter.subject),
          .reply = all.substr(letter.at + letter.subject, letter.reply),
          .headers = body.substr(0, letter.headers),
          .body = body,
          .from = letter.from,
          .hops = letter.hops ? &kElsewhere : nullptr};
}

}  // namespace hawser::broker
