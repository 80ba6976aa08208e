#include "tls_attacker.hpp"

#include <array>
#include <exception>
#include <string>
#include <sys/socket.h>
#include <thread>

namespace abuse {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

void be_impatient(const Link& link) {
  const timeval soon{.tv_sec = 0, .tv_usec = 300'000};
  ::setsockopt(link.fd(), SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
  ::setsockopt(link.fd(), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
}

// Asks and never reads.
void deaf(Link& link) {
  link.login("evil");
  be_impatient(link);
  const std::string pings = repeated("PING\r\n", 2000);
  for (int i = 0; i < 2000 && link.try_send(pings); ++i) {
  }
}

// Each asks for an answer; none is read.
void key_updates(Link& link) {
  link.login("evil");
  be_impatient(link);
  for (int i = 0; i < 2000 && SSL_key_update(link.ssl(), SSL_KEY_UPDATE_REQUESTED) == 1 && link.try_send("PING\r\n");
       ++i) {
  }
}

void renegotiation(Link& link) {
  link.login("evil");
  be_impatient(link);
  SSL_renegotiate(link.ssl());
  SSL_do_handshake(link.ssl());
  static_cast<void>(link.try_send("PING\r\n"));
}

// Records that no key ever sealed.
void raw_records(Link& link) {
  link.login("evil");
  const std::string record = "\x17\x03\x03\x40\x00"s + std::string(16384, 'r');
  ::send(link.fd(), record.data(), record.size(), MSG_NOSIGNAL);
}

void plain_text(Link& link) {
  link.login("evil");
  ::send(link.fd(), "PUB a 1\r\nx\r\n", 12, MSG_NOSIGNAL);
}

void half_a_frame(Link& link) {
  link.login("evil");
  link.send("PUB a 1000\r\nabc");
}

void dribble(Link& link) {
  link.login("evil");
  for (const char c : "SUB dribble 1\r\nPUB dribble 3\r\nabc\r\n"sv) {
    link.send({&c, 1});
  }
}

}  // namespace

void attack_inside_tls(const LinkOptions& options, const std::atomic<bool>& stop, std::atomic<unsigned>& rounds) {
  constexpr std::array kKinds = {deaf, key_updates, renegotiation, raw_records, plain_text, half_a_frame, dribble};
  for (unsigned i = 0; !stop; ++i) {
    const auto kind = kKinds[i % kKinds.size()];
    LinkOptions mine = options;
    mine.tls_version =
        kind == renegotiation || (i / kKinds.size() % 2 == 1 && kind != key_updates) ? TLS1_2_VERSION : TLS1_3_VERSION;
    try {
      Link link(mine);
      kind(link);
      ++rounds;
    } catch (const std::exception&) {
      // The broker may have had enough; the probe sees whether it has a right to.
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace abuse
