#include "net/stream.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "net/ssl_transport.hpp"

namespace hawser::net {
namespace {

constexpr int kReadsPerTurn = 4;                      // then others have their turn
constexpr std::size_t kStageBytes = 64UL << 10U;      // records sealed before they are sent: more leave the cache
constexpr std::size_t kMostSealed = 1UL << 20U;       // with what a peer can make OpenSSL say that does not read its answers
constexpr std::size_t kSpans = 64;

Error system_error(Errc code, const char* doing, int number) {
  return Error{code, std::string(doing) + ": " + std::strerror(number)};
}

}  // namespace

Stream::~Stream() { close(); }

Result<void> Stream::adopt(Fd fd) {
  fd_ = std::move(fd);
  open_ = true;
  writable_ = true;
  return reactor_.watch(fd_.value(), *this);
}

void Stream::start_tls(tls::SslPtr ssl) {
  if (output_.unsent_bytes() > 0) {
    write_plain();
  }
  if (!open_) {
    return;
  }
  if (output_.unsent_bytes() > 0) {
    fail_with(Error{Errc::write_stalled, "the other side does not read, before TLS"});
    return;
  }
  output_.release(output_.sent());
  ssl_ = std::move(ssl);
  SslTransport::attach(ssl_.get(), *this);
  take_cipher({});
}

void Stream::resume() {
  if (paused_ && open_) {
    paused_ = false;
    reshow_ = true;  // even if nothing is kept now: this may be within on_data, before its rest is
    read_again();
  }
}

void Stream::yield() {
  yielding_ = true;
  read_again();
}

// Calls on_ready in the next turn; there may be no edge for what is to be done.
void Stream::read_again() {
  if (open_ && !again_) {
    again_ = true;
    reactor_.call_again(*this);
  }
}

void Stream::close_when_written() {
  closing_ = true;
  touch();
}

void Stream::close() {
  if (dirty_ || again_) {
    reactor_.forget(*this);
    dirty_ = again_ = false;
  }
  open_ = false;
  fd_.reset();
}

void Stream::fail_with(Error error) {
  if (open_) {
    close();
    owner_.on_closed(*this, error);
  }
}

void Stream::on_ready(std::uint32_t events) {
  if (!open_) {
    return;
  }
  if (events == 0) {
    again_ = false;
    reshow_ = reshow_ || yielding_;
    yielding_ = false;
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    readable_ = true;
    ended_ = ended_ || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  }
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0 && !writable_ && write_error_ == 0) {
    writable_ = true;
    touch();
  }
  if (reshow_ && !paused()) {
    reshow_ = false;
    if (!kept_.empty() && !half_closed_ && !show_kept()) {
      return;
    }
  }
  if (readable_) {
    read_in();
  }
  if (open_ && write_error_ != 0 && (paused_ || !readable_)) {
    fail_with(system_error(Errc::connection_lost, "writing", write_error_));
  }
}

void Stream::read_in() {
  if (ssl_ && !secured_ && !reactor_.may_shake_hands()) {
    read_again();
    return;
  }
  const int most = reactor_.crowded() ? 1 : kReadsPerTurn;
  for (int i = 0; i < most; ++i) {
    if (!open_ || (paused() && !half_closed_) || !readable_) {
      return;
    }
    if (!read_once()) {
      return;
    }
  }
  if (readable_ && !paused_) {
    read_again();
  }
}

bool Stream::read_once() {
  SharedBuffers& buffers = reactor_.buffers();
  const std::size_t lead = ssl_ ? 0 : lead_in();
  char* const at = ssl_ ? buffers.cipher.get() : buffers.plain.get() + lead;
  const ssize_t n = ::recv(fd_.value(), at, SharedBuffers::kRead, 0);
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) {
      readable_ = errno == EINTR;
      if (lead > 0) {
        kept_.assign(buffers.plain.get(), lead);
      }
      return readable_;
    }
    fail_with(system_error(Errc::connection_lost, "reading", errno));
    return false;
  }
  if (n == 0) {
    fail_with(ssl_ && !secured_    ? Error{Errc::tls_cut_short, "TLS handshake"}
              : write_error_ != 0 ? system_error(Errc::connection_lost, "writing", write_error_)
              : half_closed_      ? Error{Errc::connection_closed, "closed here"}
                                  : Error{Errc::connection_closed, "the other side closed it"});
    return false;
  }
  const auto size = static_cast<std::size_t>(n);
  if (half_closed_) {
    // Ignored.
  } else if (ssl_) {
    take_cipher({at, size});
  } else {
    deliver(buffers.plain.get(), lead + size);
  }
  // A short read has emptied the socket, and new bytes are a new edge. The end of the stream may have had its edge already.
  if (size < SharedBuffers::kRead && !ended_) {
    readable_ = false;
  }
  return open_ && readable_;
}

std::size_t Stream::lead_in() {
  if (kept_.empty() || kept_.size() > SharedBuffers::kHeadroom) {
    return 0;  // a large piece grows where it is (deliver)
  }
  const std::size_t size = kept_.size();
  std::memcpy(reactor_.buffers().plain.get(), kept_.data(), size);
  kept_.clear();
  if (kept_.capacity() > 4096) {
    kept_.shrink_to_fit();
  }
  return size;
}

// Shows the owner what there is, and keeps what it does not consume. False when the stream is over.
bool Stream::deliver(const char* bytes, std::size_t size) {
  if (kept_.empty()) {
    return show({bytes, size});
  }
  kept_.append(bytes, size);  // the piece of a large frame: more of it
  return show_kept();
}

bool Stream::show(std::string_view bytes) {
  const std::size_t used = ask_owner(bytes);
  if (open_ && used < bytes.size()) {
    kept_.assign(bytes.substr(used));
  }
  return open_;
}

// The same for what is kept. Where nothing is consumed nothing is copied: the pieces of a frame of 64 MiB are hundreds.
bool Stream::show_kept() {
  std::string whole = std::exchange(kept_, {});
  const std::size_t used = ask_owner(whole);
  if (open_ && used < whole.size()) {
    if (used == 0) {
      kept_ = std::move(whole);
    } else {
      kept_.assign(whole, used);
    }
  }
  return open_;
}

// How much the owner consumed. If it turned to TLS, all of it is: what follows the bytes that asked for TLS is TLS, whatever
// it looks like, and nothing said in clear counts any more.
std::size_t Stream::ask_owner(std::string_view bytes) {
  const bool was_plain = ssl_ == nullptr;
  const std::size_t used = owner_.on_data(*this, bytes);
  if (open_ && was_plain && ssl_) {
    take_cipher(std::string(bytes.substr(used)));
    return bytes.size();
  }
  return used;
}

void Stream::take_cipher(std::string_view cipher) {
  cipher_in_ = cipher;
  if (!secured_ && !advance_handshake()) {
    cipher_in_ = {};
    return;
  }
  drain_plain();
  cipher_in_ = {};
  if (open_ && !reactor_.buffers().stage.empty()) {
    send_stage();  // an alert, a key update or a ticket
  }
}

// True when the handshake is over and application data can be read.
bool Stream::advance_handshake() {
  ERR_clear_error();  // SSL_get_error takes an error that somebody left for ours
  const Time began = hawser::now();
  const int done = SSL_do_handshake(ssl_.get());
  reactor_.shook_hands(hawser::now() - began);
  if (done == 1) {
    secured_ = true;
    send_stage();
    if (open_) {
      owner_.on_secured(*this);
      if (open_) {
        touch();
      }
    }
    return open_;
  }
  const int why = SSL_get_error(ssl_.get(), done);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
    send_stage();
    return false;
  }
  Error error = tls_error("TLS handshake");
  send_stage();  // the alert that tells the other side
  fail_with(std::move(error));
  return false;
}

void Stream::drain_plain() {
  SharedBuffers& buffers = reactor_.buffers();
  std::size_t have = lead_in();
  const std::size_t room = SharedBuffers::kHeadroom + SharedBuffers::kRead + SharedBuffers::kRecord;
  while (open_) {
    std::size_t got = 0;
    ERR_clear_error();  // the owner was called since
    const int ok = SSL_read_ex(ssl_.get(), buffers.plain.get() + have, room - have, &got);
    if (ok == 1) {
      have += got;
      if (room - have < SharedBuffers::kRecord) {
        send_stage();  // the stage is the thread's: the owner may make another stream use it
        if (!open_ || !deliver(buffers.plain.get(), have)) {
          return;
        }
        have = lead_in();
      }
      continue;
    }
    const int why = SSL_get_error(ssl_.get(), ok);
    Error error;
    bool over = true;
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
      over = false;
    } else if (why == SSL_ERROR_ZERO_RETURN) {
      error = Error{Errc::connection_closed, "the other side closed it"};
    } else {
      error = tls_error("reading TLS");
    }
    if (!buffers.stage.empty()) {
      send_stage();
    }
    if (!open_ || (have > 0 && !deliver(buffers.plain.get(), have))) {
      return;
    }
    if (over) {
      fail_with(std::move(error));
    }
    return;
  }
}

Error Stream::tls_error(const char* doing) const {
  Error error = tls::handshake_error(ssl_.get());
  error.doing = error.doing.empty() ? doing : std::string(doing) + ": " + error.doing;
  return error;
}

void Stream::write_out() {
  dirty_ = false;
  if (!open_) {
    return;
  }
  if (ssl_ && !secured_) {
    if (closing_) {
      fail_with(Error{Errc::connection_closed, "closed here, during the TLS handshake"});
    } else {
      send_stage();
    }
    return;
  }
  write_some(output_.unsent_bytes());
  if (open_ && closing_ && !half_closed_ && output_.unsent_bytes() == 0 && sealed_.empty()) {
    say_goodbye();
  }
}

void Stream::write_early() {
  if (open_ && (!ssl_ || secured_)) {
    write_some(output_.unsent_bytes());
  }
}

void Stream::write_full_chunks() {
  if (open_ && writable_ && (!ssl_ || secured_)) {
    write_some(output_.unsent_bytes() - output_.tail_bytes());
  }
}

// At least this many bytes, if the socket takes them.
void Stream::write_some(std::size_t bytes) {
  const std::uint64_t before = output_.sent();
  if (writable_) {
    ssl_ ? write_tls(bytes) : write_plain();
  }
  if (!open_) {
    return;
  }
  if (!keep_sent_) {
    output_.release(output_.sent());
  }
  if (output_.sent() != before) {
    owner_.on_written(*this);
  }
}

void Stream::say_goodbye() {
  if (ssl_ && !std::exchange(goodbye_sent_, true)) {
    SSL_shutdown(ssl_.get());
    send_stage();
    if (!open_ || !sealed_.empty()) {
      return;  // the rest of it goes when the socket takes it
    }
  }
  if (write_error_ == 0) {
    half_closed_ = true;
    kept_ = std::string();
    ::shutdown(fd_.value(), SHUT_WR);
    read_again();  // it may have ended already, or be paused with bytes to be ignored
  }
}

void Stream::write_plain() {
  std::array<iovec, kSpans> spans;
  while (const std::size_t count = output_.unsent(spans)) {
    msghdr message{};
    message.msg_iov = spans.data();
    message.msg_iovlen = count;
    const ssize_t n = ::sendmsg(fd_.value(), &message, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EINTR) {
        continue;
      }
      if (errno == EAGAIN) {
        writable_ = false;
        return;
      }
      write_failed(errno);
      return;
    }
    output_.mark_sent(static_cast<std::size_t>(n));
  }
}

void Stream::write_tls(std::size_t bytes) {
  std::string& stage = reactor_.buffers().stage;
  std::array<iovec, 1> span;
  if (!send_stage()) {
    return;
  }
  const std::uint64_t until = output_.sent() + bytes;
  while (output_.sent() < until && output_.unsent(span) > 0) {
    std::size_t written = 0;
    ERR_clear_error();
    const int ok = SSL_write_ex(ssl_.get(), span[0].iov_base, span[0].iov_len, &written);
    if (ok != 1) {
      // The transport takes everything, so only a fatal error can be the reason.
      Error error = tls_error("writing TLS");
      stage.clear();
      fail_with(std::move(error));
      return;
    }
    output_.mark_sent(written);
    if (stage.size() >= kStageBytes && !send_stage()) {
      return;
    }
  }
  send_stage();
}

// Sends sealed records: what an earlier call left, then the stage. False when the socket is full or the stream over.
bool Stream::send_stage() {
  std::string& stage = reactor_.buffers().stage;
  if (!sealed_.empty()) {
    sealed_.append(stage);
    stage.clear();
  }
  std::string_view rest = sealed_.empty() ? stage : sealed_;
  while (!rest.empty() && writable_) {
    const ssize_t n = ::send(fd_.value(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      writable_ = false;
    } else if (errno != EINTR) {
      write_failed(errno);
    }
  }
  if (rest.empty()) {
    sealed_ = std::string();
  } else if (sealed_.empty()) {
    sealed_.assign(rest);
  } else {
    sealed_.erase(0, sealed_.size() - rest.size());
  }
  stage.clear();
  if (sealed_.size() > kMostSealed) {
    fail_with(Error{Errc::write_stalled, "it asks for answers that it does not read"});
  }
  return open_ && sealed_.empty() && writable_;
}

// Not the end yet: a server that refuses us says why, and closes. Its words may have arrived, and they are the reason.
void Stream::write_failed(int number) {
  writable_ = false;
  if (std::exchange(write_error_, number) == 0) {
    readable_ = ended_ = true;
    read_again();
  }
}

}  // namespace hawser::net
