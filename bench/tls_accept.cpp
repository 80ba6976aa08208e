// What an accept costs a server in CPU, handshake by handshake in memory: the client's part is not counted.
#include <benchmark/benchmark.h>
#include <cstdlib>
#include <ctime>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <string>

#include "tls/authority.hpp"
#include "tls/context.hpp"
#include "tls/material.hpp"

namespace hawser::tls {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::abort();
  }
  return std::move(*result);
}

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void connect_memory(SSL* one, SSL* other) {
  BIO* near = nullptr;
  BIO* far = nullptr;
  BIO_new_bio_pair(&near, 64UL << 10U, &far, 64UL << 10U);
  SSL_set_bio(one, near, near);
  SSL_set_bio(other, far, far);
}

struct Pki {
  Authority ca = must(Authority::create({.name = "Bench CA"}));
  Issued server = must(ca.issue({.common_name = "nats", .dns_names = {"localhost"}, .usage = CertUsage::server}));
  Issued client = must(ca.issue({.common_name = "client", .usage = CertUsage::client}));

  [[nodiscard]] MaterialPtr material(Usage usage, const Issued& own) const {
    SourceBytes bytes;
    bytes.cert = own.chain_pem;
    bytes.key = own.key_pem.copy();
    bytes.ca = ca.certificate_pem();
    return must(load({.usage = usage}, bytes, wall_now()));
  }
};

enum class Kind : std::uint8_t { plain, mutual, resumed };

void accept(benchmark::State& state, Kind kind, int version) {
  const Pki pki;
  ServerOptions options;
  options.client_certificate = kind == Kind::plain ? ClientCertificate::none : ClientCertificate::required;
  options.tickets = kind == Kind::resumed ? 1 : 0;
  const ContextPtr server = must(Context::server(pki.material(Usage::server, pki.server), options));
  const ContextPtr client = must(Context::client(pki.material(Usage::client, pki.client), {}));
  bool first = kind == Kind::resumed;
  for (auto _ : state) {
    double spent = 0;
    for (bool again = true; again; first = false) {
      again = first;
      SslPtr from = must(client->connect({.host = "localhost", .session_key = "here"}));
      SSL_set_max_proto_version(from.get(), version);
      spent = cpu_seconds();
      SslPtr to = must(server->accept());
      spent = cpu_seconds() - spent;
      connect_memory(from.get(), to.get());
      char byte = 0;
      while (SSL_is_init_finished(from.get()) == 0 || SSL_is_init_finished(to.get()) == 0) {
        SSL_do_handshake(from.get());
        const double start = cpu_seconds();
        if (SSL_do_handshake(to.get()) <= 0 && SSL_get_error(to.get(), -1) == SSL_ERROR_SSL) {
          std::abort();
        }
        spent += cpu_seconds() - start;
      }
      SSL_read(from.get(), &byte, 1);  // tickets
      if (!again && (SSL_session_reused(to.get()) == 1) != (kind == Kind::resumed)) {
        std::abort();  // measured something else
      }
      const double start = cpu_seconds();
      to.reset();
      spent += cpu_seconds() - start;
    }
    state.SetIterationTime(spent);
  }
}

BENCHMARK_CAPTURE(accept, tls13_plain, Kind::plain, TLS1_3_VERSION)->UseManualTime();
BENCHMARK_CAPTURE(accept, tls13_mutual, Kind::mutual, TLS1_3_VERSION)->UseManualTime();
BENCHMARK_CAPTURE(accept, tls13_mutual_resumed, Kind::resumed, TLS1_3_VERSION)->UseManualTime();
BENCHMARK_CAPTURE(accept, tls12_mutual, Kind::mutual, TLS1_2_VERSION)->UseManualTime();
BENCHMARK_CAPTURE(accept, tls12_mutual_resumed, Kind::resumed, TLS1_2_VERSION)->UseManualTime();

}  // namespace
}  // namespace hawser::tls

BENCHMARK_MAIN();
