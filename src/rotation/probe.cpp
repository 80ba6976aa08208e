#include "rotation/probe.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <vector>

#include "base/limits.hpp"
#include "rotation/conversation.hpp"
#include "wire/info.hpp"
#include "wire/writer.hpp"

namespace hawser::rotation {
namespace {

using namespace std::chrono_literals;

// For an alert to arrive before we say anything: what is unread when a server closes makes a reset, which takes it
// away.
constexpr Duration kAlert = 150ms;
constexpr std::size_t kMostWords = 4096;
constexpr std::size_t kShown = 200;

// No user, no password: it is the certificate that is tried. Neither verbose nor pedantic.
constexpr std::string_view kHello =
    "CONNECT {\"verbose\":false,\"pedantic\":false,\"tls_required\":true,\"name\":\"hawser rotate\",\"lang\":\"c++\","
    "\"version\":\"1\",\"protocol\":1}\r\nPING\r\n";

// A line without its end; one byte at a time while TLS may follow behind it.
Result<std::string> read_line(Conversation& line, std::size_t most) {
  std::string out;
  char byte = 0;
  while (out.size() < most) {
    const Result<std::size_t> got = line.read(std::span(&byte, 1));
    if (!got) {
      return std::unexpected(got.error());
    }
    if (*got == 0) {
      return fail(Errc::connection_lost, "closed by the other side");
    }
    if (byte == '\n') {
      out.erase(out.find_last_not_of('\r') + 1);
      return out;
    }
    out += byte;
  }
  return fail(Errc::not_a_nats_server, "a line without an end");
}

Result<void> hear_info(Conversation& line) {
  Result<std::string> said = read_line(line, limits::kInfoBytes);
  if (!said) {
    return fail(said.error().code == Errc::accept_timeout ? Errc::info_timeout : said.error().code, said.error().doing);
  }
  if (!said->starts_with("INFO ")) {
    return fail(Errc::not_a_nats_server, "it did not begin with INFO");
  }
  const auto info = wire::parse_info(std::string_view(*said).substr(5));
  if (!info) {
    return fail(Errc::not_a_nats_server, info.error().doing);
  }
  return {};
}

// A refusal of the certificate is an answer, anything else is none.
Result<Verdict> judged(const Error& error) {
  if (tls::is_certificate_refusal(error.code)) {
    return Verdict{.accepted = false, .seen = error.doing.substr(0, error.doing.find(';'))};
  }
  return std::unexpected(error);
}

// The first thing that it says which depends on the certificate.
Result<Verdict> hear_verdict(Conversation& line) {
  std::array<char, 1024> early{};
  const auto alert = line.read_until(early, now() + kAlert);
  if (!alert && alert.error().code != Errc::accept_timeout) {
    return judged(alert.error());
  }
  if (alert && *alert == 0) {
    return fail(Errc::connection_lost, "closed by the other side");
  }
  if (alert && std::string_view(early.data(), *alert).starts_with("-ERR")) {
    return Verdict{.accepted = true, .seen = std::string(early.data(), std::min<std::size_t>(*alert, kShown))};
  }
  if (Result<void> said = line.write(kHello); !said) {
    return judged(said.error());
  }
  for (std::size_t words = 0; words < kMostWords; ++words) {
    const Result<std::string> answer = read_line(line, limits::kInfoBytes);
    if (!answer) {
      return judged(answer.error());
    }
    if (answer->starts_with("PONG") || answer->starts_with("-ERR")) {
      return Verdict{.accepted = true, .seen = answer->substr(0, kShown)};
    }
  }
  return fail(Errc::server_protocol_error, "it says much, and neither PONG nor -ERR");
}

Result<Verdict> converse(const Broker& broker, const tls::Context& identity, Time until, const std::stop_token& stop) {
  auto line = Conversation::dial(broker.clients, until, stop);
  if (!line) {
    return std::unexpected(line.error());
  }
  if (!broker.tls_first) {
    if (Result<void> heard = hear_info(**line); !heard) {
      return std::unexpected(heard.error());
    }
  }
  auto ssl = identity.connect(
      {.host = broker.server_name.empty() ? broker.clients.host : broker.server_name, .session_key = {}});
  if (!ssl) {
    return std::unexpected(ssl.error());
  }
  if (Result<void> secured = (*line)->secure(std::move(*ssl)); !secured) {
    return judged(secured.error());
  }
  const std::vector<tls::CertificateInfo> chain = tls::peer_chain((*line)->ssl());
  Result<Verdict> verdict = hear_verdict(**line);
  if (verdict && !chain.empty()) {
    verdict->server_certificate = chain.front().sha256;
  }
  return verdict;
}

}  // namespace

Result<Verdict> probe(const Broker& broker, const tls::Context& identity, Time until, const std::stop_token& stop) {
  Result<Verdict> verdict = converse(broker, identity, until, stop);
  if (!verdict) {
    verdict.error().doing = fmt::format("{} ({}): {}", broker.name, broker.clients.authority(), verdict.error().doing);
  }
  return verdict;
}

}  // namespace hawser::rotation
