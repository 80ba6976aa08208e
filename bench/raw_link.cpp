#include "raw_link.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <utility>

namespace hawser::bench {
namespace {

struct Target {
  std::string host;
  std::uint16_t port = 0;
  std::string user;
  std::string password;
};

// nats://user:password@127.0.0.1:4222
Target parse(std::string_view url) {
  Target target;
  url.remove_prefix(url.find("://") + 3);
  if (const auto at = url.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = url.substr(0, at);
    const auto colon = user.find(':');
    target.user = user.substr(0, colon);
    target.password = user.substr(colon + 1);
    url.remove_prefix(at + 1);
  }
  const auto colon = url.rfind(':');
  target.host = url.substr(0, colon);
  std::from_chars(url.data() + colon + 1, url.data() + url.size(), target.port);
  return target;
}

int dial(const Target& target) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(target.port);
  ::inet_pton(AF_INET, target.host.c_str(), &address.sin_addr);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return -1;
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

std::string connect_frame(const Target& target) {
  std::string frame = R"(CONNECT {"verbose":false,"pedantic":false,"lang":"raw","version":"1.0.0","name":"bench idle",)"
                      R"("headers":true,"no_responders":true,"protocol":1)";
  if (!target.user.empty()) {
    frame += R"(,"user":")" + target.user + R"(","pass":")" + target.password + '"';
  }
  return frame + "}\r\nPING\r\n";
}

}  // namespace

void SslFree::operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
void SslFree::operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
void SslFree::operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }

TlsContext open_tls(const std::string& ca, const std::string& cert, const std::string& key) {
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  const bool used = SSL_CTX_load_verify_locations(context.get(), ca.c_str(), nullptr) == 1 &&
                    SSL_CTX_use_certificate_chain_file(context.get(), cert.c_str()) == 1 &&
                    SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) == 1;
  return used ? std::move(context) : nullptr;
}

std::expected<RawLink, std::string> RawLink::open(const std::string& url, SSL_CTX* tls, SSL_SESSION* session) {
  const Target target = parse(url);
  RawLink link;
  link.fd_ = dial(target);
  if (link.fd_ < 0) {
    return std::unexpected("cannot connect to " + url);
  }
  if (!link.read_until("\r\n")) {
    return std::unexpected("no INFO");
  }
  if (tls != nullptr) {
    link.ssl_.reset(SSL_new(tls));
    SSL_set_fd(link.ssl_.get(), link.fd_);
    if (session != nullptr) {
      SSL_set_session(link.ssl_.get(), session);
    }
    if (SSL_connect(link.ssl_.get()) != 1) {
      return std::unexpected(std::string("TLS: ") + ERR_error_string(ERR_get_error(), nullptr));
    }
  }
  if (!link.send(connect_frame(target)) || !link.read_until("PONG\r\n")) {
    return std::unexpected("CONNECT was not answered with PONG");
  }
  return link;
}

RawLink::RawLink(RawLink&& other) noexcept : fd_(std::exchange(other.fd_, -1)), ssl_(std::move(other.ssl_)) {}

RawLink::~RawLink() {
  if (ssl_) {
    SSL_shutdown(ssl_.get());
  }
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

bool RawLink::subscribe(std::string_view subject) {
  return send("SUB " + std::string(subject) + " 1\r\nPING\r\n") && read_until("PONG\r\n");
}

bool RawLink::resumed() const { return ssl_ && SSL_session_reused(ssl_.get()) == 1; }
TlsSession RawLink::session() const { return TlsSession(ssl_ ? SSL_get1_session(ssl_.get()) : nullptr); }

bool RawLink::send(std::string_view bytes) {
  if (ssl_) {
    return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size());
  }
  return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

bool RawLink::read_until(std::string_view text) {
  constexpr std::size_t kMost = 64UL << 10U;
  std::string seen;
  std::array<char, 8192> room;
  while (seen.find(text) == std::string::npos && seen.size() < kMost) {
    const auto n = ssl_ ? static_cast<ssize_t>(SSL_read(ssl_.get(), room.data(), static_cast<int>(room.size())))
                        : ::recv(fd_, room.data(), room.size(), 0);
    if (n <= 0) {
      return false;
    }
    seen.append(room.data(), static_cast<std::size_t>(n));
  }
  return seen.find(text) != std::string::npos;
}

}  // namespace hawser::bench
