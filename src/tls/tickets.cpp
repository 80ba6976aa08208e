#include "tls/tickets.hpp"

#include <string>

#include "tls/connection.hpp"
#include "tls/context.hpp"
#include "tls/verify.hpp"

namespace hawser::tls {
namespace {

// A client sends it back with each hello. A longer chain stays out, and its client makes whole handshakes.
constexpr std::size_t kMostIntermediateBytes = 8192;

int on_ticket_made(SSL* ssl, void*) {
  const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl);  // a server's view of it is without the leaf
  if (SSL_session_reused(ssl) == 1 || sk_X509_num(chain) <= 0) {
    return 1;  // a resumed session keeps what it carries
  }
  std::string der;
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    unsigned char* one = nullptr;
    const int length = i2d_X509(sk_X509_value(chain, i), &one);
    if (length > 0) {
      der.append(reinterpret_cast<const char*>(one), static_cast<std::size_t>(length));
    }
    OPENSSL_free(one);
  }
  if (der.size() <= kMostIntermediateBytes) {
    SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), der.data(), der.size());
  }
  return 1;
}

bool still_verifies(SSL* ssl, SSL_SESSION* session) {
  const Connection* connection = connection_of(ssl);
  if (connection == nullptr) {
    return false;
  }
  const int mode = SSL_get_verify_mode(ssl);
  if (mode == SSL_VERIFY_NONE) {
    return true;
  }
  X509* leaf = SSL_SESSION_get0_peer(session);
  if (leaf == nullptr) {
    return (static_cast<unsigned>(mode) & SSL_VERIFY_FAIL_IF_NO_PEER_CERT) == 0;
  }
  const Ticketed ticketed(session);
  return verify_leaf(leaf, ticketed.chain(), SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)),
                     connection->material->parts(), {.usage = Usage::client, .at = wall_now()}) &&
         check_pins(connection->pins, leaf);
}

SSL_TICKET_RETURN on_ticket_read(SSL* ssl, SSL_SESSION* session, const unsigned char*, std::size_t,
                                 SSL_TICKET_STATUS status, void*) {
  switch (status) {
    case SSL_TICKET_SUCCESS:
      return still_verifies(ssl, session) ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_IGNORE_RENEW;
    case SSL_TICKET_SUCCESS_RENEW:
      return still_verifies(ssl, session) ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_IGNORE_RENEW;
    case SSL_TICKET_EMPTY:
    case SSL_TICKET_NO_DECRYPT: return SSL_TICKET_RETURN_IGNORE_RENEW;
    default: return SSL_TICKET_RETURN_ABORT;
  }
}

}  // namespace

void verify_resumed(SSL_CTX* ctx) { SSL_CTX_set_session_ticket_cb(ctx, on_ticket_made, on_ticket_read, nullptr); }

Ticketed::Ticketed(SSL_SESSION* session) {
  void* data = nullptr;
  std::size_t size = 0;
  if (session == nullptr || SSL_SESSION_get0_ticket_appdata(session, &data, &size) != 1 || size == 0) {
    return;
  }
  chain_ = sk_X509_new_null();
  const auto* at = static_cast<const unsigned char*>(data);
  const unsigned char* const end = at + size;
  while (at < end) {
    X509* one = d2i_X509(nullptr, &at, end - at);
    if (one == nullptr) {
      ERR_clear_error();
      return;
    }
    sk_X509_push(chain_, one);
  }
}

}  // namespace hawser::tls
