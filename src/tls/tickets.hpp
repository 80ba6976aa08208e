// Session tickets of a server that trusts no more than it would without them: who resumes is verified again.
//
// OpenSSL itself takes a ticket's word for the client that it was given to. Here the leaf in it is verified against
// the context's own CAs, CRLs, pins and clock, with the intermediates that the client had sent (the ticket carries them
// along). Who does not pass is not resumed: the whole handshake follows, and refuses him with the reason.
//
//   verify_resumed(ctx);   // once, for contexts that give tickets
#pragma once

#include "tls/openssl.hpp"

namespace hawser::tls {

void verify_resumed(SSL_CTX* ctx);

// What a ticket carries besides the leaf. Owned; empty for null and for sessions without any.
class Ticketed {
 public:
  explicit Ticketed(SSL_SESSION* session);
  ~Ticketed() { sk_X509_pop_free(chain_, X509_free); }
  Ticketed(const Ticketed&) = delete;
  Ticketed& operator=(const Ticketed&) = delete;

  [[nodiscard]] STACK_OF(X509) * chain() const noexcept { return chain_; }  // null: nothing

 private:
  STACK_OF(X509) * chain_ = nullptr;
};

}  // namespace hawser::tls
