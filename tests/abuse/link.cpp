#include "link.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "swarm.hpp"

namespace abuse {
namespace {

constexpr timeval kPatience{.tv_sec = 30, .tv_usec = 0};

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error(what + ": " + (errno != 0 ? std::strerror(errno) : "the connection ended"));
}

}  // namespace

Link::Link(const LinkOptions& options) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(options.port);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    const int number = errno;
    ::close(fd_);
    errno = number;
    give_up("connecting");
  }
  try {
    expect("INFO ");
    while (kept_.find('\n') == std::string::npos) {
      kept_ += receive(std::chrono::seconds(30));
    }
    kept_.erase(0, kept_.find('\n') + 1);
    if (!options.ca.empty()) {
      handshake(options);
    }
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

Link::~Link() { ::close(fd_); }

void Link::handshake(const LinkOptions& options) {
  context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context_.get(), options.tls_version);
  SSL_CTX_set_max_proto_version(context_.get(), options.tls_version);
  SSL_CTX_load_verify_file(context_.get(), options.ca.c_str());
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  if (!options.cert.empty()) {
    SSL_CTX_use_certificate_chain_file(context_.get(), options.cert.c_str());
    SSL_CTX_use_PrivateKey_file(context_.get(), options.key.c_str(), SSL_FILETYPE_PEM);
  }
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), fd_);
  if (SSL_connect(ssl_.get()) != 1) {
    give_up("TLS handshake");
  }
}

void Link::login(std::string_view user) {
  send(abuse::login(user) + "PING\r\n");
  expect("PONG\r\n");
}

bool Link::try_send(std::string_view bytes) {
  while (!bytes.empty()) {
    errno = 0;
    const ssize_t n = ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                           : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void Link::send(std::string_view bytes) {
  if (!try_send(bytes)) {
    give_up("sending");
  }
}

std::string Link::receive(std::chrono::milliseconds within) {
  if (!kept_.empty()) {
    return std::exchange(kept_, {});
  }
  pollfd wait{.fd = fd_, .events = POLLIN, .revents = 0};
  if ((!ssl_ || SSL_pending(ssl_.get()) == 0) && ::poll(&wait, 1, static_cast<int>(within.count())) <= 0) {
    return {};
  }
  std::array<char, 65536> bytes;
  errno = 0;
  const ssize_t n = ssl_ ? SSL_read(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                         : ::recv(fd_, bytes.data(), bytes.size(), 0);
  if (n <= 0) {
    give_up("receiving");
  }
  return {bytes.data(), static_cast<std::size_t>(n)};
}

void Link::expect(std::string_view what) {
  std::string all;
  while (all.find(what) == std::string::npos) {
    const std::string more = receive(std::chrono::seconds(30));
    if (more.empty()) {
      errno = ETIMEDOUT;
      give_up("waiting for " + std::string(what));
    }
    all += more;
  }
  kept_ = all.substr(all.find(what) + what.size());
}

}  // namespace abuse
