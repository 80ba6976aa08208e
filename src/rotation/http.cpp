#include "rotation/http.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>
#include <memory>

#include "rotation/conversation.hpp"

namespace hawser::rotation {
namespace {

namespace http = boost::beast::http;
using Parser = http::response_parser<http::string_body>;

constexpr std::size_t kHeaderBytes = 16UL << 10U;

std::string url_of(const HttpQuestion& question) {
  return fmt::format("{}://{}{}{}", question.to.secure ? "https" : "http", question.to.authority(), question.to.path,
                     question.target);
}

Result<std::unique_ptr<Conversation>> open(const HttpQuestion& question, Time until, std::stop_token stop) {
  auto line = Conversation::dial(question.to, until, std::move(stop));
  if (!line || !question.to.secure) {
    return line;
  }
  if (question.trust == nullptr) {
    return fail(Errc::tls_no_trust, url_of(question));
  }
  auto ssl = question.trust->connect({.host = question.to.host, .session_key = {}});
  if (!ssl) {
    return std::unexpected(ssl.error());
  }
  if (Result<void> secured = (*line)->secure(std::move(*ssl)); !secured) {
    return std::unexpected(secured.error());
  }
  return line;
}

// Takes bytes as they come. What the parser left over stands at the front of `pending`.
boost::system::error_code take(Parser& parser, std::string& pending) {
  boost::system::error_code error;
  while (!pending.empty() && !parser.is_done()) {
    const std::size_t used = parser.put(boost::asio::buffer(pending), error);
    pending.erase(0, used);
    if (error == http::error::need_more || (!error && used == 0)) {
      return {};
    }
    if (error) {
      return error;
    }
  }
  return {};
}

std::unexpected<Error> not_http(const HttpQuestion& question, const boost::system::error_code& error) {
  const bool long_body = error == http::error::body_limit || error == http::error::header_limit;
  return fail(long_body ? Errc::limit_exceeded : Errc::server_protocol_error,
              fmt::format("{}: {}", url_of(question), error.message()));
}

Result<HttpAnswer> read_answer(Conversation& line, const HttpQuestion& question) {
  Parser parser;
  parser.header_limit(kHeaderBytes);
  parser.body_limit(kHttpBodyBytes);
  parser.eager(true);
  std::string pending;
  std::array<char, 16384> chunk{};
  while (!parser.is_done()) {
    const Result<std::size_t> got = line.read(chunk);
    if (!got) {
      return std::unexpected(got.error());
    }
    boost::system::error_code error;
    if (*got == 0) {
      parser.put_eof(error);
    } else {
      pending.append(chunk.data(), *got);
      error = take(parser, pending);
    }
    if (error) {
      return not_http(question, error);
    }
    if (*got == 0) {
      break;
    }
  }
  if (!parser.is_done()) {
    return fail(Errc::server_protocol_error, url_of(question) + ": the answer ended early");
  }
  return HttpAnswer{parser.get().result_int(), std::move(parser.get().body())};
}

}  // namespace

Result<HttpAnswer> ask(const HttpQuestion& question, Time until, std::stop_token stop) {
  auto line = open(question, until, std::move(stop));
  if (!line) {
    return std::unexpected(Error{line.error().code, fmt::format("{}: {}", url_of(question), line.error().doing)});
  }
  const std::string text =
      fmt::format("{} {}{} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                  question.post ? "POST" : "GET", question.to.path, question.target, question.to.authority());
  if (Result<void> sent = (*line)->write(text); !sent) {
    return std::unexpected(Error{sent.error().code, fmt::format("{}: {}", url_of(question), sent.error().doing)});
  }
  auto answer = read_answer(**line, question);
  if (!answer && answer.error().doing.find("://") == std::string::npos) {
    answer.error().doing = fmt::format("{}: {}", url_of(question), answer.error().doing);
  }
  return answer;
}

}  // namespace hawser::rotation
