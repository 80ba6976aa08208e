#include "rotation/probe.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <vector>

#include "base/limits.hpp"
#include "rotation/conversation.hpp"
#include "wire/connect.hpp"
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

Result<wire::ServerInfo> hear_info(Conversation& line) {
  Result<std::string> said = read_line(line, limits::kInfoBytes);
  if (!said) {
    return fail(said.error().code == Errc::accept_timeout ? Errc::info_timeout : said.error().code, said.error().doing);
  }
  if (!said->starts_with("INFO ")) {
    return fail(Errc::not_a_nats_server, "it did not begin with INFO");
  }
  auto info = wire::parse_info(std::string_view(*said).substr(5));
  if (!info) {
    return fail(Errc::not_a_nats_server, info.error().doing);
  }
  return std::move(*info);
}

// A refusal of the certificate is an answer, anything else is none.
Result<Verdict> judged(const Error& error) {
  if (tls::is_certificate_refusal(error.code)) {
    return Verdict{.accepted = false, .seen = error.doing.substr(0, error.doing.find(';'))};
  }
  return std::unexpected(error);
}

// What it says before we say anything, which is nothing, unless it refuses our certificate.
Result<std::string> hear_early(Conversation& line) {
  std::array<char, 1024> early{};
  const auto got = line.read_until(early, now() + kAlert);
  if (!got) {
    return got.error().code == Errc::accept_timeout ? Result<std::string>("") : std::unexpected(got.error());
  }
  return *got > 0 ? Result<std::string>(std::string(early.data(), *got))
                  : fail(Errc::connection_lost, "closed by the other side");
}

// The first thing that it says which depends on the certificate.
Result<Verdict> hear_verdict(Conversation& line) {
  const Result<std::string> early = hear_early(line);
  if (!early) {
    return judged(early.error());
  }
  if (early->starts_with("-ERR")) {
    return Verdict{.accepted = true, .seen = early->substr(0, kShown)};
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

struct Secured {
  std::unique_ptr<Conversation> line;
  wire::ServerInfo info;  // of a server whose handshake comes first: not heard yet
};

Result<Secured> secured(const Broker& broker, const tls::Context& caller, Time until, const std::stop_token& stop) {
  Secured out;
  auto line = Conversation::dial(broker.clients, until, stop);
  if (!line) {
    return std::unexpected(line.error());
  }
  out.line = std::move(*line);
  if (!broker.tls_first) {
    auto heard = hear_info(*out.line);
    if (!heard) {
      return std::unexpected(heard.error());
    }
    out.info = std::move(*heard);
    if (!out.info.tls_required && !out.info.tls_available) {
      return fail(Errc::tls_not_offered, "nothing is presented without TLS");
    }
  }
  auto ssl = caller.connect(
      {.host = broker.server_name.empty() ? broker.clients.host : broker.server_name, .session_key = {}});
  if (!ssl) {
    return std::unexpected(ssl.error());
  }
  const Result<void> done = out.line->secure(std::move(*ssl));
  return done ? Result<Secured>(std::move(out)) : std::unexpected(done.error());
}

Result<Verdict> converse(const Broker& broker, const tls::Context& caller, Time until, const std::stop_token& stop) {
  const Result<Secured> open = secured(broker, caller, until, stop);
  if (!open) {
    return judged(open.error());
  }
  const std::vector<tls::CertificateInfo> chain = tls::peer_chain(open->line->ssl());
  Result<Verdict> verdict = hear_verdict(*open->line);
  if (verdict && !chain.empty()) {
    verdict->server_certificate = chain.front().sha256;
  }
  return verdict;
}

// The answer to a nonce; a secret, as a whole.
Result<Secret> hello_with(const Presented& presented, const wire::ServerInfo& info) {
  Result<identity::Proof> proof = presented.credential.prove(info.nonce);
  if (!proof) {
    return std::unexpected(proof.error());
  }
  wire::ConnectOptions options;
  options.verbose = false;
  options.pedantic = false;
  options.tls_required = true;
  options.protocol = 1;
  options.name = "hawser rotate";
  options.lang = "c++";
  options.version = "1";
  options.user = std::move(proof->user);
  options.pass = std::move(proof->password);
  options.auth_token = presented.token != nullptr ? presented.token->copy() : std::move(proof->auth_token);
  options.jwt = std::move(proof->jwt);
  options.nkey = std::move(proof->nkey);
  options.sig = Secret::take(std::move(proof->signature));
  const Secret json = wire::to_json(options);
  std::string text;
  text.reserve(json.reveal().size() + 32);  // one copy: none is left behind by growing
  wire::append_connect(text, json.reveal());
  text += wire::kPing;
  return Secret::take(std::move(text));
}

Result<Verdict> hear_admission(Conversation& line) {
  for (std::size_t words = 0; words < kMostWords; ++words) {
    const Result<std::string> answer = read_line(line, limits::kInfoBytes);
    if (!answer) {
      return std::unexpected(answer.error());
    }
    if (answer->starts_with("PONG")) {
      return Verdict{.accepted = true, .seen = "PONG"};
    }
    if (answer->starts_with("-ERR")) {
      return is_refusal_of_credential(*answer)
                 ? Result<Verdict>(Verdict{.accepted = false, .seen = answer->substr(0, kShown)})
                 : fail(Errc::server_protocol_error, answer->substr(0, kShown));
    }
  }
  return fail(Errc::server_protocol_error, "it says much, and neither PONG nor -ERR");
}

Result<Verdict> present(const Broker& broker, const tls::Context& caller, const Presented& presented, Time until,
                        const std::stop_token& stop) {
  Result<Secured> open = secured(broker, caller, until, stop);
  if (!open) {
    return std::unexpected(open.error());
  }
  if (broker.tls_first) {
    auto heard = hear_info(*open->line);
    if (!heard) {
      return std::unexpected(heard.error());
    }
    open->info = std::move(*heard);
  }
  if (const Result<std::string> early = hear_early(*open->line); !early) {
    return std::unexpected(early.error());
  }
  const Result<Secret> hello = hello_with(presented, open->info);
  const Result<void> said = hello ? open->line->write(hello->reveal()) : std::unexpected(hello.error());
  return said ? hear_admission(*open->line) : std::unexpected(said.error());
}

Result<Verdict> named(const Broker& broker, Result<Verdict> verdict) {
  if (!verdict) {
    verdict.error().doing = fmt::format("{} ({}): {}", broker.name, broker.clients.authority(), verdict.error().doing);
  }
  return verdict;
}

}  // namespace

bool is_refusal_of_credential(std::string_view answer) {
  constexpr std::array<std::string_view, 4> kRefusals{"authorization violation", "user authentication expired",
                                                      "user authentication revoked", "account authentication expired"};
  const std::size_t quote = answer.find('\'');
  std::string text(quote == std::string_view::npos ? std::string_view() : answer.substr(quote + 1));
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::any_of(kRefusals.begin(), kRefusals.end(),
                     [&text](std::string_view one) { return text.starts_with(one); });
}

Result<Verdict> probe(const Broker& broker, const tls::Context& identity, Time until, const std::stop_token& stop) {
  return named(broker, converse(broker, identity, until, stop));
}

Result<Verdict> probe_credential(const Broker& broker, const tls::Context& caller, const Presented& presented,
                                 Time until, const std::stop_token& stop) {
  return named(broker, present(broker, caller, presented, until, stop));
}

}  // namespace hawser::rotation
