// One connected socket, plain or TLS, of one reactor.
//
// Reading: bytes arrive in the thread's read buffer; the owner consumes whole frames from its front and the rest is kept
// and shown again with what follows. Writing: append to output(), which is sent at the end of the turn; with
// `keep_sent` the bytes stay in the queue until the owner releases them. TLS is OpenSSL driven directly: records are
// decrypted from, and encrypted into, buffers of the thread, so that an idle connection holds none.
//
// The owner gives the stream to Reactor::retire() when done; after close() or on_closed() no event comes any more.
//
//   stream.adopt(std::move(fd)); stream.start_tls(std::move(ssl)); stream.write("PING\r\n");
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "net/address.hpp"
#include "net/byte_queue.hpp"
#include "net/fd.hpp"
#include "net/reactor.hpp"
#include "tls/context.hpp"

namespace hawser::net {

class Stream;

class StreamOwner {
 public:
  // Returns how many bytes from the front were consumed; the rest is shown again, with more behind it.
  virtual std::size_t on_data(Stream& stream, std::string_view bytes) = 0;
  // The TLS handshake, started by start_tls(), is done. In TLS 1.3 a client's server has not judged it yet.
  virtual void on_secured(Stream& stream) { static_cast<void>(stream); }
  // Output was written.
  virtual void on_written(Stream& stream) { static_cast<void>(stream); }
  // Over, with the reason. Not called after close().
  virtual void on_closed(Stream& stream, const Error& error) = 0;

 protected:
  ~StreamOwner() = default;
};

class Stream final : public Watched {
 public:
  Stream(Reactor& reactor, StreamOwner& owner) noexcept : reactor_(reactor), owner_(owner), output_(reactor.chunks()) {}
  ~Stream() override;

  // Takes over a connected, non-blocking socket.
  Result<void> adopt(Fd fd);
  // From here on, TLS: as a client or a server, as the SSL was set up. Bytes that came with the last plain read and were not
  // consumed are fed to it. Call once, before anything secret is written.
  void start_tls(tls::SslPtr ssl);

  void write(std::string_view bytes) {
    output_.append(bytes);
    touch();
  }
  // For writers that append themselves. Call touch() afterwards.
  [[nodiscard]] ByteQueue& output() noexcept { return output_; }
  [[nodiscard]] const ByteQueue& output() const noexcept { return output_; }
  // Asks for a write at the end of this turn.
  void touch() {
    if (!dirty_ && open_) {
      dirty_ = true;
      reactor_.mark_dirty(*this);
    }
  }
  // Sent bytes stay in output() until the owner releases them.
  void keep_sent() noexcept { keep_sent_ = true; }

  // Back-pressure: no more is read until resume(). What was read already is still shown, and may be left unconsumed: it is
  // shown again after resume().
  void pause() noexcept { paused_ = true; }
  void resume();
  // Within on_data(): it has gone on for long enough. What is left is shown again in the next turn, and before that nothing
  // new is read.
  void yield();
  // No more is to be consumed for now.
  [[nodiscard]] bool paused() const noexcept { return paused_ || yielding_; }

  // Sends what is queued, says goodbye (TLS close_notify, FIN), ignores what still comes until the other side closes as
  // well, and then closes: a close with unread bytes would be a reset, which can take the last words with it. Bounded by the
  // owner's timer. on_closed follows.
  void close_when_written();
  // At once, without on_closed.
  void close();

  [[nodiscard]] bool is_open() const noexcept { return open_; }
  [[nodiscard]] bool secured() const noexcept { return secured_; }
  [[nodiscard]] SSL* ssl() const noexcept { return ssl_.get(); }
  [[nodiscard]] int fd() const noexcept { return fd_.value(); }

  // Sends what the socket takes now rather than when the turn ends, for output that grows large within one. It may find that
  // the connection is gone: on_closed.
  void write_early();
  // The same for what fills whole chunks, and so whole TLS records: while it is still in the cache.
  void write_full_chunks();

  void on_ready(std::uint32_t events) override;
  // The reactor's, at the end of a turn.
  void write_out();

 private:
  friend struct SslTransport;

  void read_in();
  bool read_once();  // false: nothing more for now
  void take_cipher(std::string_view cipher);
  bool advance_handshake();
  void drain_plain();
  bool deliver(const char* bytes, std::size_t size);
  bool show(std::string_view bytes);
  bool show_kept();
  std::size_t ask_owner(std::string_view bytes);
  std::size_t lead_in();  // copies the kept piece to the front of the thread's buffer; returns its size
  void write_some(std::size_t bytes);
  void write_plain();
  void write_tls(std::size_t bytes);
  bool send_stage();
  void say_goodbye();
  void read_again();
  void write_failed(int number);
  void fail_with(Error error);
  [[nodiscard]] Error tls_error(const char* doing) const;

  Reactor& reactor_;
  StreamOwner& owner_;
  Fd fd_;
  tls::SslPtr ssl_;
  ByteQueue output_;
  std::string kept_;             // the beginning of a frame whose end has not arrived
  std::string sealed_;           // TLS records that the socket did not take
  std::string_view cipher_in_;   // what OpenSSL may read now; empty between events
  bool open_ = false;
  bool secured_ = false;
  bool readable_ = false;
  bool writable_ = false;
  bool paused_ = false;
  bool dirty_ = false;
  bool again_ = false;
  bool yielding_ = false;
  bool reshow_ = false;  // kept_ may hold what the owner did not take while it was paused
  bool keep_sent_ = false;
  bool closing_ = false;
  bool goodbye_sent_ = false;
  bool half_closed_ = false;  // this side has ended; what comes is ignored
  bool ended_ = false;        // epoll has told of the end of the stream
  int write_error_ = 0;       // errno; what was received before it is read first
};

}  // namespace hawser::net
