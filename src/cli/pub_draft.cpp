#include "cli/pub_draft.hpp"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <charconv>
#include <openssl/rand.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "cli/command.hpp"
#include "wire/headers.hpp"
#include "wire/subject.hpp"
#include "wire/writer.hpp"

namespace hawser::cli {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::uint32_t kLongestRandom = 1U << 20U;

std::string random_text(std::size_t length) {
  std::string bytes(length, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(length));
  for (char& c : bytes) {
    c = kAlphabet[static_cast<unsigned char>(c) % kAlphabet.size()];
  }
  return bytes;
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::int64_t unix_nanoseconds() { return wall_now().time_since_epoch().count(); }

Result<std::string> read_standard_input() {
  std::string body;
  constexpr std::size_t kStep = 64UL << 10U;
  while (true) {
    const std::size_t old = body.size();
    body.resize(old + kStep);
    const ssize_t n = ::read(STDIN_FILENO, body.data() + old, kStep);
    if (n < 0 && errno == EINTR) {
      if (stop_signal() != 0) {
        return fail(Errc::interrupted, "reading the body from standard input");
      }
      body.resize(old);
      continue;
    }
    if (n < 0) {
      return fail(Errc::file_unreadable, std::string("reading the body from standard input: ") + std::strerror(errno));
    }
    body.resize(old + static_cast<std::size_t>(n));
    if (n == 0) {
      return body;
    }
    if (body.size() > limits::kMaxPayloadBytes) {
      return fail(Errc::limit_exceeded, "reading the body from standard input: more than 64 MiB");
    }
  }
}

}  // namespace

std::string unique_id() { return random_text(22); }

// ---- templates --------------------------------------------------------------------------------------------------

Template Template::plain(std::string text) {
  Template made;
  if (!text.empty()) {
    made.pieces_.push_back({.what = What::text, .text = std::move(text)});
  }
  return made;
}

std::optional<Template::Piece> Template::parse_expression(std::string_view text) {
  text = trim(text);
  if (text.starts_with('.')) {  // as Go's templates have it
    text.remove_prefix(1);
  }
  static constexpr std::pair<std::string_view, What> kNames[] = {{"Count", What::count},
                                                                 {"Time", What::time},
                                                                 {"TimeStamp", What::time},
                                                                 {"Unix", What::unix_seconds},
                                                                 {"UnixNano", What::unix_nanoseconds},
                                                                 {"ID", What::id},
                                                                 {"Request", What::request}};
  for (const auto& [name, what] : kNames) {
    if (text == name) {
      return Piece{.what = what};
    }
  }
  if (!text.starts_with("Random ")) {
    return std::nullopt;
  }
  Piece piece{.what = What::random};
  const char* at = text.data() + 7;
  const char* const end = text.data() + text.size();
  for (std::uint32_t* number : {&piece.least, &piece.most}) {
    while (at != end && *at == ' ') {
      ++at;
    }
    const auto [stop, error] = std::from_chars(at, end, *number);
    if (error != std::errc() || *number > kLongestRandom) {
      return std::nullopt;
    }
    at = stop;
  }
  return at == end && piece.least <= piece.most ? std::optional(piece) : std::nullopt;
}

Template Template::parse(std::string_view text) {
  Template made;
  std::string run;
  while (!text.empty()) {
    const auto open = text.find("{{");
    const auto close = open == std::string_view::npos ? open : text.find("}}", open);
    if (close == std::string_view::npos) {
      break;
    }
    std::optional<Piece> piece = parse_expression(text.substr(open + 2, close - open - 2));
    if (!piece) {  // not ours: it stays, and what follows its first brace is looked at anew
      run += text.substr(0, open + 1);
      text.remove_prefix(open + 1);
      continue;
    }
    run += text.substr(0, open);
    if (!run.empty()) {
      made.pieces_.push_back({.what = What::text, .text = std::exchange(run, {})});
    }
    made.pieces_.push_back(std::move(*piece));
    text.remove_prefix(close + 2);
  }
  run += text;
  if (!run.empty()) {
    made.pieces_.push_back({.what = What::text, .text = std::move(run)});
  }
  return made;
}

std::optional<std::string_view> Template::constant() const {
  if (pieces_.empty()) {
    return std::string_view();
  }
  return pieces_.size() == 1 && pieces_[0].what == What::text ? std::optional<std::string_view>(pieces_[0].text)
                                                              : std::nullopt;
}

void Template::render(std::string& out, const TemplateValues& values) const {
  for (const Piece& piece : pieces_) {
    switch (piece.what) {
      case What::text: out += piece.text; break;
      case What::count: out += std::to_string(values.count); break;
      case What::time: out += to_rfc3339(wall_now(), Precision::milliseconds); break;
      case What::unix_seconds: out += std::to_string(unix_nanoseconds() / 1'000'000'000); break;
      case What::unix_nanoseconds: out += std::to_string(unix_nanoseconds()); break;
      case What::id: out += unique_id(); break;
      case What::request: out += values.request; break;
      case What::random: {
        std::uint32_t bits = 0;
        RAND_bytes(reinterpret_cast<unsigned char*>(&bits), sizeof bits);
        out += random_text(piece.least + bits % (piece.most - piece.least + 1));
        break;
      }
    }
  }
}

// ---- drafts -----------------------------------------------------------------------------------------------------

void add_draft_flags(CLI::App& command, DraftFlags& flags) {
  command.add_option("SUBJECT", flags.subject, "The subject; may have templates")->required();
  command.add_option("BODY", flags.body,
                     "The message; may have templates. \"-\", or nothing with input piped in: standard input");
  command
      .add_option("-H,--header", flags.headers, "A header \"Name: value\" (repeatable); the value may have templates")
      ->type_name("NAME:VALUE")
      ->allow_extra_args(false);
  command.add_flag("--no-templates", flags.no_templates, "Take {{Count}}, {{Time}}, {{ID}} and the like as they stand");
}

Result<Draft> Draft::make(const DraftFlags& flags) {
  const bool from_input = flags.body ? *flags.body == "-" : ::isatty(STDIN_FILENO) == 0;
  if (!from_input) {
    return make(flags, flags.body.value_or(""));
  }
  auto body = read_standard_input();
  return body ? make(flags, std::move(*body)) : Result<Draft>(std::unexpected(std::move(body.error())));
}

Result<Draft> Draft::make_without_input(const DraftFlags& flags) { return make(flags, flags.body.value_or("")); }

Result<Draft> Draft::make(const DraftFlags& flags, std::string body) {
  const auto text = [&](std::string value) {
    return flags.no_templates ? Template::plain(std::move(value)) : Template::parse(value);
  };
  Draft draft;
  draft.subject_ = text(flags.subject);
  if (const auto subject = draft.subject_.constant()) {
    if (const auto fault = wire::publish_fault(*subject); fault != wire::SubjectFault::none) {
      return std::unexpected(wire::bad_subject(*subject, fault));
    }
  }
  if (!flags.reply.empty()) {
    if (const auto fault = wire::publish_fault(flags.reply); fault != wire::SubjectFault::none) {
      return std::unexpected(wire::bad_subject(flags.reply, fault));
    }
    draft.reply_ = flags.reply;
  }
  draft.body_ = text(std::move(body));
  bool constant = true;
  for (const std::string& line : flags.headers) {
    const auto colon = line.find(':');
    if (colon == std::string::npos || colon == 0) {
      return fail(Errc::bad_usage, "-H takes \"Name: value\"");
    }
    draft.headers_.push_back(
        {line.substr(0, colon), text(std::string(trim(std::string_view(line).substr(colon + 1))))});
    constant = constant && draft.headers_.back().value.constant().has_value();
  }
  // Once in advance, so that a mistake shows before anything is sent.
  auto block = draft.header_block({});
  if (!block) {
    return std::unexpected(std::move(block.error()));
  }
  if (constant) {
    draft.constant_headers_ = std::move(*block);
  }
  return draft;
}

Result<std::string> Draft::header_block(const TemplateValues& values) const {
  if (headers_.empty() || !constant_headers_.empty()) {
    return constant_headers_;
  }
  wire::HeaderBuilder builder;
  for (const HeaderLine& header : headers_) {
    std::string value;
    header.value.render(value, values);
    if (auto added = builder.add(header.name, value); !added) {
      return fail(Errc::bad_usage, "-H " + header.name.substr(0, 64) + ": " + added.error().doing);
    }
  }
  return std::string(builder.finish());
}

Result<std::size_t> Draft::append(std::string& frames, const TemplateValues& values,
                                  const wire::ServerInfo& server) const {
  return append_request(frames, reply_, values, server);
}

Result<std::size_t> Draft::append_request(std::string& frames, std::string_view reply, const TemplateValues& values,
                                          const wire::ServerInfo& server) const {
  if (const auto subject = subject_.constant()) {
    return append_frame(frames, *subject, reply, values, server);
  }
  std::string subject;
  subject_.render(subject, values);
  if (const auto fault = wire::publish_fault(subject); fault != wire::SubjectFault::none) {
    return std::unexpected(wire::bad_subject(subject, fault));
  }
  return append_frame(frames, subject, reply, values, server);
}

Result<std::size_t> Draft::append_answer(std::string& frames, std::string_view subject, const TemplateValues& values,
                                         const wire::ServerInfo& server) const {
  return append_frame(frames, subject, {}, values, server);
}

Result<std::size_t> Draft::append_frame(std::string& frames, std::string_view subject, std::string_view reply,
                                        const TemplateValues& values, const wire::ServerInfo& server) const {
  std::string rendered;
  auto body = body_.constant();
  if (!body) {
    body_.render(rendered, values);
    body = rendered;
  }
  const auto headers = header_block(values);
  if (!headers) {
    return std::unexpected(headers.error());
  }
  return append_message(frames, subject, reply, *headers, *body, server);
}

Result<std::size_t> append_message(std::string& frames, std::string_view subject, std::string_view reply,
                                   std::string_view headers, std::string_view body, const wire::ServerInfo& server) {
  const std::size_t size = headers.size() + body.size();
  if (std::cmp_greater(size, server.max_payload)) {
    return fail(Errc::message_too_large,
                std::to_string(size) + " bytes; the server's max_payload is " + std::to_string(server.max_payload));
  }
  if (!headers.empty() && !server.headers) {
    return fail(Errc::server_refused, "the server takes no headers");
  }
  if (headers.empty()) {
    wire::append_pub(frames, subject, reply, body);
  } else {
    wire::append_hpub(frames, subject, reply, headers, body);
  }
  return size;
}

}  // namespace hawser::cli
