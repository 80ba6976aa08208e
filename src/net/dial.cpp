#include "net/dial.hpp"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hawser::net {

// One address; retired rather than destroyed, since an event for it may be in this turn's batch.
class Dial::Attempt final : public Watched {
 public:
  Attempt(Dial& dial, Fd fd) : fd_(std::move(fd)), dial_(&dial) {}
  void on_ready(std::uint32_t events) override {
    if (dial_ != nullptr) {
      dial_->on_attempt_ready(events);
    }
  }
  void abandon() noexcept {
    dial_ = nullptr;
    fd_.reset();
  }
  Fd fd_;

 private:
  Dial* dial_;
};

Dial::Dial(Reactor& reactor, Resolver& resolver, Done done)
    : reactor_(reactor),
      resolver_(resolver),
      done_(std::move(done)),
      deadline_(reactor,
                [this] {
                  code_ = Errc::connect_timeout;
                  finish(fail(code_, target_ + (reason_.empty() ? "" : " (before that: " + reason_ + ")")));
                }),
      next_(reactor, [this] {
        reason_ = "an address did not answer in time";
        code_ = Errc::connect_timeout;
        try_next();
      }) {}

Dial::~Dial() {
  if (attempt_) {
    attempt_->abandon();
    reactor_.retire(std::move(attempt_));
  }
}

void Dial::start(const std::string& host, std::uint16_t port, Duration timeout) {
  target_ = host + ":" + std::to_string(port);
  share_ = timeout;
  deadline_.start(timeout);
  query_ = resolver_.resolve(reactor_, host, port, [this](Result<std::vector<Address>> found) {
    if (!found) {
      finish(std::unexpected(std::move(found.error())));
      return;
    }
    addresses_ = std::move(*found);
    std::ranges::reverse(addresses_);
    share_ /= static_cast<long>(std::max<std::size_t>(addresses_.size(), 1));
    try_next();
  });
}

void Dial::try_next() {
  next_.stop();  // it was the last address's; the one after the others has all the time that is left
  if (attempt_) {
    attempt_->abandon();
    reactor_.retire(std::move(attempt_));
  }
  while (!addresses_.empty()) {
    const Address address = addresses_.back();
    addresses_.pop_back();
    Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) {
      finish(fail(Errc::out_of_descriptors, target_ + ": " + std::strerror(errno)));
      return;
    }
    const int on = 1;
    ::setsockopt(fd.value(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd.value(), address.raw(), address.size()) != 0 && errno != EINPROGRESS) {
      code_ = errno == ECONNREFUSED ? Errc::connect_refused : Errc::connect_failed;
      reason_ = address.text() + ": " + std::strerror(errno);
      continue;
    }
    attempt_ = std::make_unique<Attempt>(*this, std::move(fd));
    if (auto watched = reactor_.watch(attempt_->fd_.value(), *attempt_); !watched) {
      finish(std::unexpected(watched.error()));
    } else if (!addresses_.empty()) {
      next_.start(share_);
    }
    return;
  }
  finish(fail(code_, target_ + (reason_.empty() ? "" : ": " + reason_)));
}

void Dial::on_attempt_ready(std::uint32_t events) {
  if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) {
    return;
  }
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(attempt_->fd_.value(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    code_ = error == ECONNREFUSED ? Errc::connect_refused : Errc::connect_failed;
    reason_ = std::strerror(error);
    try_next();
    return;
  }
  const int fd = attempt_->fd_.value();
  if (Address::local_of(fd) == Address::peer_of(fd)) {
    // Nothing listened on a loopback port of the ephemeral range, and the system picked that very port for our end. Kept,
    // it would also keep the server from coming back.
    code_ = Errc::connect_refused;
    reason_ = "nothing listens there: the connection met itself";
    try_next();
    return;
  }
  reactor_.unwatch(fd);  // the stream that takes it over registers it anew
  Fd connected = std::move(attempt_->fd_);
  finish(std::move(connected));
}

void Dial::cancel() {
  done_ = nullptr;
  finish(fail(Errc::interrupted, target_));
}

void Dial::finish(Result<Fd> result) {
  deadline_.stop();
  next_.stop();
  query_.reset();
  if (attempt_) {
    attempt_->abandon();
    reactor_.retire(std::move(attempt_));
  }
  if (done_) {
    const Done done = std::exchange(done_, nullptr);
    done(std::move(result));
  }
}

}  // namespace hawser::net
