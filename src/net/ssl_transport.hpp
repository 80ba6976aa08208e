// How OpenSSL reads and writes for a Stream: a BIO over the thread's buffers, so that one recv and one send carry many
// records and no connection owns a buffer.
#pragma once

#include <openssl/types.h>

namespace hawser::net {

class Stream;

struct SslTransport {
  // Connects both directions of the SSL to the stream.
  static void attach(SSL* ssl, Stream& stream);

  static int read(BIO* bio, char* out, int size);
  static int write(BIO* bio, const char* bytes, int size);
};

}  // namespace hawser::net
