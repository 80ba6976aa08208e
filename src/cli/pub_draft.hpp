// What is published: subject, headers and body from the command line or standard input, with templates in them.
//
// A draft is made once and rendered for each message. {{Count}} is the message's number, {{Time}} the time (RFC 3339,
// milliseconds), {{Unix}} and {{UnixNano}} the same as a number, {{ID}} a unique id, {{Random 1 9}} that many random
// characters, {{Request}} the body of the request that is answered. Anything else in braces stays as it is. Pure but
// for reading standard input.
//
//   Result<Draft> draft = Draft::make(flags);
//   draft->append(frames, {.count = 1}, session.server());
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "wire/info.hpp"

namespace CLI {
class App;
}

namespace hawser::cli {

struct TemplateValues {
  std::uint64_t count = 0;
  std::string_view request = {};
};

// A text with templates, cut once.
class Template {
 public:
  [[nodiscard]] static Template plain(std::string text);
  [[nodiscard]] static Template parse(std::string_view text);

  void render(std::string& out, const TemplateValues& values) const;
  // The whole text, when there is no template in it.
  [[nodiscard]] std::optional<std::string_view> constant() const;

 private:
  enum class What : std::uint8_t { text, count, time, unix_seconds, unix_nanoseconds, id, random, request };
  struct Piece {
    What what = What::text;
    std::string text{};
    std::uint32_t least = 0;  // of random
    std::uint32_t most = 0;
  };
  [[nodiscard]] static std::optional<Piece> parse_expression(std::string_view text);

  std::vector<Piece> pieces_;
};

struct DraftFlags {
  std::string subject;
  std::optional<std::string> body;   // "-": standard input; absent: the same, if it is not a terminal
  std::vector<std::string> headers;  // "Name: value"
  std::string reply;
  bool no_templates = false;
};
// SUBJECT, [BODY], -H and --no-templates.
void add_draft_flags(CLI::App& command, DraftFlags& flags);

class Draft {
 public:
  // Reads standard input where it is the body; up to limits::kMaxPayloadBytes. Errors: wire_bad_subject, bad_usage,
  // limit_exceeded, file_unreadable.
  [[nodiscard]] static Result<Draft> make(const DraftFlags& flags);
  // The same without looking at standard input: an absent body is empty.
  [[nodiscard]] static Result<Draft> make_without_input(const DraftFlags& flags);

  // Appends one PUB or HPUB frame; answers its payload's size. Errors: those of append_message, wire_bad_subject,
  // bad_usage for a header that a template made unusable.
  [[nodiscard]] Result<std::size_t> append(std::string& frames, const TemplateValues& values,
                                           const wire::ServerInfo& server) const;
  // The same with another reply subject: a request.
  [[nodiscard]] Result<std::size_t> append_request(std::string& frames, std::string_view reply,
                                                   const TemplateValues& values, const wire::ServerInfo& server) const;
  // Body and headers to another subject: an answer.
  [[nodiscard]] Result<std::size_t> append_answer(std::string& frames, std::string_view subject,
                                                  const TemplateValues& values, const wire::ServerInfo& server) const;

 private:
  struct HeaderLine {
    std::string name;
    Template value;
  };

  [[nodiscard]] Result<std::size_t> append_frame(std::string& frames, std::string_view subject, std::string_view reply,
                                                 const TemplateValues& values, const wire::ServerInfo& server) const;

  [[nodiscard]] static Result<Draft> make(const DraftFlags& flags, std::string body);
  [[nodiscard]] Result<std::string> header_block(const TemplateValues& values) const;

  Template subject_;
  Template body_;
  std::vector<HeaderLine> headers_;
  std::string constant_headers_;  // the block, when no value has templates
  std::string reply_;
};

// PUB, or HPUB when there are headers. Errors: message_too_large, server_refused (headers to a server without).
[[nodiscard]] Result<std::size_t> append_message(std::string& frames, std::string_view subject, std::string_view reply,
                                                 std::string_view headers, std::string_view body,
                                                 const wire::ServerInfo& server);

// 22 random letters and digits: for inboxes and {{ID}}.
[[nodiscard]] std::string unique_id();

}  // namespace hawser::cli
