#include "swarm.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace abuse {
namespace {

constexpr Milliseconds kTick(5);
constexpr int kReads = 4;

void must(bool holds, const char* what) {
  if (!holds) {
    std::perror(what);
    std::exit(2);
  }
}

sockaddr_in loopback(std::uint32_t host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(host);
  address.sin_port = htons(port);
  return address;
}

}  // namespace

void Connection::send(std::string_view bytes) {
  const bool idle = unsent() == 0;
  out_.append(bytes);
  if (idle && open_ && leaving_ == Leaving::no) {
    swarm_.watch(*this);
  }
}

void Connection::wake_in(Milliseconds delay) { swarm_.alarms_.push({Clock::now() + delay, id_}); }

void Connection::read(bool on) {
  reads_ = on;
  swarm_.watch(*this);
}

Swarm::Swarm(Target target, unsigned seed)
    : target_(target), epoll_(epoll_create1(EPOLL_CLOEXEC)), random_(seed), buffer_(256UL << 10U) {
  must(epoll_ >= 0, "epoll");
}

Swarm::~Swarm() {
  for (const auto& [id, one] : connections_) {
    ::close(one->fd_);
  }
  ::close(epoll_);
}

void Swarm::add(Recipe recipe) {
  recipes_.push_back(std::move(recipe));
  populations_.emplace_back();
}

Connection* Swarm::find(std::uint64_t id) {
  const auto at = connections_.find(id);
  return at == connections_.end() ? nullptr : at->second.get();
}

// From a loopback address of its own choosing, so that ports do not run out.
void Swarm::bear(std::size_t recipe) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return;  // as many as there can be
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const sockaddr_in from = loopback(INADDR_LOOPBACK + static_cast<std::uint32_t>(any(200)), 0);
  const sockaddr_in to = loopback(INADDR_LOOPBACK, recipes_[recipe].http ? target_.http_port : target_.port);
  const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0;
  if (!bound || (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS)) {
    ::close(fd);
    return;
  }
  const std::uint64_t id = next_id_++;
  auto one = std::make_unique<Connection>(*this, id, recipe);
  one->fd_ = fd;
  epoll_event event{.events = EPOLLIN | EPOLLOUT, .data = {.u64 = id}};
  must(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
  connections_.emplace(id, std::move(one));
  Totals& totals = recipes_[recipe].totals;
  ++totals.opened;
  totals.most_at_once = std::max<std::uint64_t>(totals.most_at_once, ++populations_[recipe].alive);
}

void Swarm::bear_those_due(Time now, Time before) {
  const double seconds = std::chrono::duration<double>(now - before).count();
  for (std::size_t i = 0; i < recipes_.size(); ++i) {
    Population& population = populations_[i];
    const Recipe& recipe = recipes_[i];
    population.births_due = std::min(population.births_due + seconds * recipe.births_a_second, 200.0);
    for (; population.births_due >= 1 && population.alive < recipe.wanted; population.births_due -= 1) {
      bear(i);
    }
  }
}

void Swarm::watch(Connection& one) {
  if (!one.open_) {
    return;
  }
  const std::uint32_t in = one.reads_ ? EPOLLIN : 0U;
  const std::uint32_t out = one.unsent() > 0 ? EPOLLOUT : 0U;
  epoll_event event{.events = in | out, .data = {.u64 = one.id_}};
  epoll_ctl(epoll_, EPOLL_CTL_MOD, one.fd_, &event);
}

bool Swarm::write(Connection& one) {
  while (one.unsent() > 0) {
    const ssize_t n = ::send(one.fd_, one.out_.data() + one.out_at_, one.unsent(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
      return errno == EAGAIN || errno == EINTR;
    }
    one.out_at_ += static_cast<std::size_t>(n);
    recipes_[one.recipe_].totals.bytes_out += static_cast<std::uint64_t>(n);
  }
  one.out_.clear();
  one.out_at_ = 0;
  watch(one);
  return true;
}

bool Swarm::read(Connection& one) {
  Recipe& recipe = recipes_[one.recipe_];
  for (int i = 0; i < kReads && one.reads_ && one.leaving_ == Connection::Leaving::no; ++i) {
    const ssize_t n = ::recv(one.fd_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (n < 0) {
      return errno == EAGAIN || errno == EINTR;
    }
    if (n == 0) {
      return false;
    }
    recipe.totals.bytes_in += static_cast<std::uint64_t>(n);
    if (recipe.bytes) {
      recipe.bytes(one, {buffer_.data(), static_cast<std::size_t>(n)});
    }
  }
  return true;
}

void Swarm::on_event(Connection& one, std::uint32_t events) {
  Recipe& recipe = recipes_[one.recipe_];
  bool alive = true;
  if (!one.open_) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(one.fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      bury(one.id_, false);
      return;
    }
    one.open_ = true;
    recipe.open(one);
    watch(one);
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    alive = read(one) && ((events & (EPOLLHUP | EPOLLERR)) == 0 || one.reads_);
  }
  if (alive && (events & EPOLLOUT) != 0) {
    alive = write(one);
  }
  if (!alive || one.leaving_ != Connection::Leaving::no) {
    bury(one.id_, !alive);
  }
}

void Swarm::bury(std::uint64_t id, bool by_broker) {
  const auto at = connections_.find(id);
  Connection& one = *at->second;
  if (one.leaving_ == Connection::Leaving::reset) {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(one.fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  ::close(one.fd_);
  --populations_[one.recipe_].alive;
  recipes_[one.recipe_].totals.ended_by_broker += by_broker ? 1 : 0;
  connections_.erase(at);
}

void Swarm::ring_alarms(Time now) {
  while (!alarms_.empty() && alarms_.top().at <= now) {
    const std::uint64_t id = alarms_.top().id;
    alarms_.pop();
    Connection* one = find(id);
    if (one == nullptr) {
      continue;
    }
    if (Recipe& recipe = recipes_[one->recipe_]; recipe.time) {
      recipe.time(*one);
    }
    if (one->leaving_ != Connection::Leaving::no) {
      bury(id, false);
    }
  }
}

void Swarm::run(std::chrono::seconds time) {
  const Time end = Clock::now() + time;
  Time before = Clock::now();
  std::array<epoll_event, 512> events;
  while (before < end) {
    const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), static_cast<int>(kTick.count()));
    for (int i = 0; i < n; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (Connection* one = find(event.data.u64)) {
        on_event(*one, event.events);
      }
    }
    const Time now = Clock::now();
    ring_alarms(now);
    bear_those_due(now, before);
    before = now;
  }
}

std::string login(std::string_view user) {
  std::string line = R"(CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"user":")";
  line.append(user).append(R"(","pass":")").append(user).append("\"}\r\n");
  return line;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) {
    all += text;
  }
  return all;
}

}  // namespace abuse
