#include "net/ssl_transport.hpp"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>

#include "net/stream.hpp"

namespace hawser::net {
namespace {

long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH || command == BIO_CTRL_PUSH || command == BIO_CTRL_POP ? 1 : 0;
}

int create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

const BIO_METHOD* method() {
  static const BIO_METHOD* const made = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "hawser stream");
    BIO_meth_set_read(m, SslTransport::read);
    BIO_meth_set_write(m, SslTransport::write);
    BIO_meth_set_ctrl(m, control);
    BIO_meth_set_create(m, create);
    return m;
  }();
  return made;
}

}  // namespace

void SslTransport::attach(SSL* ssl, Stream& stream) {
  BIO* bio = BIO_new(method());
  BIO_set_data(bio, &stream);
  BIO_up_ref(bio);
  SSL_set0_rbio(ssl, bio);
  SSL_set0_wbio(ssl, bio);
  SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
}

int SslTransport::read(BIO* bio, char* out, int size) {
  auto& stream = *static_cast<Stream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (stream.cipher_in_.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t n = std::min(stream.cipher_in_.size(), static_cast<std::size_t>(size));
  std::memcpy(out, stream.cipher_in_.data(), n);
  stream.cipher_in_.remove_prefix(n);
  return static_cast<int>(n);
}

int SslTransport::write(BIO* bio, const char* bytes, int size) {
  auto& stream = *static_cast<Stream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  // Bounded: a stream writes records only while the socket takes them (Stream::write_tls), and handshakes are short.
  stream.reactor_.buffers().stage.append(bytes, static_cast<std::size_t>(size));
  return size;
}

}  // namespace hawser::net
