// HTTPS of the admin endpoint, through real sockets on loopback.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/server.hpp"
#include "tls/pki.hpp"

namespace hawser::admin {
namespace {

using namespace tls::test;

tls::ContextPtr server_context(const tls::Authority& ca, tls::ClientCertificate wanted) {
  tls::CertificateRequest request;
  request.dns_names = {"localhost"};
  const tls::Issued own = server_cert(ca, std::move(request));
  return must(tls::Context::server(make_material(tls::Usage::server, &own, ca.certificate_pem()),
                                   {.client_certificate = wanted}));
}

int connected_to(const std::string& address) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr generic{};
  std::memcpy(&generic, &to, sizeof to);
  EXPECT_EQ(::connect(fd, &generic, sizeof to), 0);
  return fd;
}

struct Asked {
  std::string answer;
  std::string served_by;  // SHA-256 of the server's certificate
  bool closed_cleanly = false;
};

// One request by a client that has no certificate and trusts `ca` only.
Asked ask(const std::string& address, const tls::Authority& ca, std::string_view path) {
  const auto context = must(tls::Context::client(make_material(tls::Usage::client, nullptr, ca.certificate_pem()), {}));
  const tls::SslPtr ssl = must(context->connect({.host = "localhost"}));
  const int fd = connected_to(address);
  SSL_set_fd(ssl.get(), fd);
  Asked asked;
  if (SSL_connect(ssl.get()) != 1) {
    asked.answer = tls::handshake_error(ssl.get()).message();
    ::close(fd);
    return asked;
  }
  asked.served_by = tls::peer_chain(ssl.get()).at(0).sha256;
  const std::string request = "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  SSL_write(ssl.get(), request.data(), static_cast<int>(request.size()));
  std::array<char, 4096> chunk{};
  int got = 0;
  while ((got = SSL_read(ssl.get(), chunk.data(), static_cast<int>(chunk.size()))) > 0) {
    asked.answer.append(chunk.data(), static_cast<std::size_t>(got));
  }
  asked.closed_cleanly = SSL_get_error(ssl.get(), got) == SSL_ERROR_ZERO_RETURN;
  ::close(fd);
  return asked;
}

TEST(AdminServerTls, serves_clients_without_a_certificate_and_ends_in_order) {
  const tls::Authority ca = make_ca();
  Endpoints endpoints;
  const std::string large(3'000'000, 'x');  // many records, more than any socket buffer
  endpoints.routes["/large"] = [&large](const Request&) { return Response{200, "text/plain", large}; };
  Options options;
  options.tls = [context = server_context(ca, tls::ClientCertificate::required)] { return context; };
  const auto server = must(Server::start("127.0.0.1:0", std::move(endpoints), options));
  const Asked asked = ask(server->address(), ca, "/large");
  EXPECT_TRUE(asked.answer.starts_with("HTTP/1.1 200 OK\r\n")) << asked.answer.substr(0, 200);
  EXPECT_TRUE(asked.answer.ends_with("\r\n\r\n" + large)) << asked.answer.size();
  EXPECT_TRUE(asked.closed_cleanly);
}

TEST(AdminServerTls, shows_the_certificate_that_is_current_at_the_time_of_the_connection) {
  const tls::Authority one = make_ca("one");
  const tls::Authority two = make_ca("two");
  std::mutex mutex;
  tls::ContextPtr current = server_context(one, tls::ClientCertificate::none);
  Options options;
  options.tls = [&] {
    const std::lock_guard lock(mutex);
    return current;
  };
  Endpoints endpoints;
  endpoints.metrics = [] { return std::string("up 1\n"); };
  const auto server = must(Server::start("127.0.0.1:0", std::move(endpoints), options));
  const Asked before = ask(server->address(), one, "/metrics");
  EXPECT_TRUE(before.answer.ends_with("up 1\n")) << before.answer;
  {
    const std::lock_guard lock(mutex);
    current = server_context(two, tls::ClientCertificate::none);
  }
  EXPECT_TRUE(ask(server->address(), one, "/metrics").served_by.empty());
  const Asked after = ask(server->address(), two, "/metrics");
  EXPECT_TRUE(after.answer.ends_with("up 1\n")) << after.answer;
  EXPECT_NE(after.served_by, before.served_by);
}

TEST(AdminServerTls, closes_on_plain_http_on_a_missing_context_and_on_a_handshake_that_does_not_come) {
  const tls::Authority ca = make_ca();
  Options options;
  options.request_timeout = std::chrono::milliseconds(100);
  options.tls = [context = server_context(ca, tls::ClientCertificate::none), first = true]() mutable {
    return std::exchange(first, false) ? nullptr : context;
  };
  const auto server = must(Server::start("127.0.0.1:0", {}, options));
  for (const std::string_view said : {"", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", ""}) {
    const int fd = connected_to(server->address());
    if (!said.empty()) {
      EXPECT_GT(::send(fd, said.data(), said.size(), MSG_NOSIGNAL), 0);
    }
    std::array<char, 256> chunk{};
    ssize_t got = 0;
    while ((got = ::recv(fd, chunk.data(), chunk.size(), 0)) > 0) {
      EXPECT_NE(std::string_view(chunk.data(), 4), "HTTP");
    }
    EXPECT_TRUE(got == 0 || errno == ECONNRESET) << "the server did not close";
    ::close(fd);
  }
}

}  // namespace
}  // namespace hawser::admin
