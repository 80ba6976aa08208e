#include "net/resolver.hpp"

#include <netdb.h>

#include <cerrno>
#include <cstring>

namespace hawser::net {
namespace {

Result<std::vector<Address>> ask_system(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int why = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (why != 0) {
    return fail(Errc::resolve_failed, "\"" + host + "\": " + (why == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(why)));
  }
  std::vector<Address> addresses;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    addresses.push_back(Address::from(at->ai_addr, at->ai_addrlen));
  }
  freeaddrinfo(list);
  return addresses;
}

void answer_on(Reactor& reactor, std::weak_ptr<Resolver::Answer> query, Result<std::vector<Address>> result) {
  reactor.post([query = std::move(query), result = std::move(result)]() mutable {
    if (const auto wanted = query.lock()) {
      (*wanted)(std::move(result));
    }
  });
}

}  // namespace

Resolver::Resolver() : Resolver(ask_system) {}

Resolver::~Resolver() { stop(); }

void Resolver::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  wake_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

Resolver::Query Resolver::resolve(Reactor& reactor, std::string host, std::uint16_t port, Answer answer) {
  auto query = std::make_shared<Answer>(std::move(answer));
  if (auto literal = Address::literal(host, port)) {
    answer_on(reactor, query, std::vector<Address>{*literal});
    return query;
  }
  const std::lock_guard lock(mutex_);
  if (jobs_.size() >= kMaxWaiting) {
    answer_on(reactor, query, fail(Errc::resolve_failed, "\"" + host + "\": too many names wait for the resolver"));
    return query;
  }
  jobs_.push_back(Job{&reactor, std::move(host), port, query});
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { work(); });
  }
  wake_.notify_one();
  return query;
}

bool Resolver::stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void Resolver::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) {
      return;
    }
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    if (job.query.expired()) {
      continue;
    }
    lock.unlock();
    auto result = look_up_(job.host, job.port);
    lock.lock();
    if (stopping_) {  // the reactors may be gone
      return;
    }
    // Thousands of sessions that lost one server ask for one name: asked once, answered to all of them.
    std::erase_if(jobs_, [&](const Job& other) {
      const bool same = other.host == job.host && other.port == job.port;
      if (same) {
        answer_on(*other.reactor, other.query, result);
      }
      return same;
    });
    answer_on(*job.reactor, job.query, std::move(result));
  }
}

}  // namespace hawser::net
