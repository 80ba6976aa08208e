#include "rotation/connz.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "identity/nkey.hpp"
#include "tls/openssl.hpp"

namespace hawser::rotation {
namespace {

namespace json = boost::json;

constexpr std::size_t kDepth = 16;
constexpr std::size_t kText = 1024;  // of a name, a subject
constexpr std::size_t kUser = 4096;  // of a user: a token may be as long as CONNECT
constexpr std::string_view kGlobalAccount = "$G";  // where tokens belong; nats-server leaves it out

std::unexpected<Error> not_so(std::string_view what) { return fail(Errc::rotation_monitor_silent, std::string(what)); }

Result<json::object> parse_object(std::string_view text, std::string_view what) {
  json::parse_options options;
  options.max_depth = kDepth;
  boost::system::error_code failed;
  json::value value = json::parse({text.data(), text.size()}, failed, {}, options);
  if (failed || !value.is_object()) {
    return not_so(fmt::format("{} is not a JSON object: {}", what, failed ? failed.message() : "something else"));
  }
  return std::move(value.get_object());
}

// Names are the clients' own: what is shown of them later must not move a cursor.
std::string text_of(const json::object& object, std::string_view key, std::size_t most = kText) {
  const json::value* found = object.if_contains({key.data(), key.size()});
  const json::string* text = found == nullptr ? nullptr : found->if_string();
  if (text == nullptr) {
    return {};
  }
  std::string out(text->data(), std::min(text->size(), most));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return out;
}

std::uint64_t number_of(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains({key.data(), key.size()});
  if (found == nullptr) {
    return 0;
  }
  boost::system::error_code failed;
  const auto number = found->to_number<std::uint64_t>(failed);
  return failed ? 0 : number;
}

bool is_digest(std::string_view text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_user_key(std::string_view text) {
  const Result<identity::PublicKey> key = identity::PublicKey::parse(text);
  return key && key->kind() == identity::KeyKind::user;
}

// A server with a token has no account but the global one, and its users no JWT.
SeenUser user_of(const json::object& row) {
  std::string text = text_of(row, "authorized_user", kUser);
  const std::string account = text_of(row, "account");
  const bool certain =
      row.contains("issuer_key") || (!account.empty() && account != kGlobalAccount) || is_user_key(text);
  return {std::move(text), certain ? SeenUser::Kind::certainly_a_user : SeenUser::Kind::perhaps_a_token};
}

Result<SeenConnection> parse_connection(const json::value& value) {
  const json::object* row = value.if_object();
  if (row == nullptr) {
    return not_so("connections of /connz hold something else");
  }
  const std::string ip = text_of(*row, "ip");
  SeenConnection out{
      .cid = number_of(*row, "cid"),
      .address = fmt::format("{}:{}", ip.find(':') == std::string::npos ? ip : "[" + ip + "]", number_of(*row, "port")),
      .since = text_of(*row, "start"),
      .name = text_of(*row, "name"),
      .user = user_of(*row),
      .certificate = {},
      .subject = {},
      .admitted = row->contains("lang"),
      .issuer = text_of(*row, "issuer_key")};
  const json::value* certificates = row->if_contains("tls_peer_certs");
  if (certificates == nullptr) {
    return out;
  }
  const json::array* chain = certificates->if_array();
  const json::object* leaf = chain == nullptr || chain->empty() ? nullptr : chain->front().if_object();
  if (leaf == nullptr) {
    return not_so("tls_peer_certs of /connz are not a list of certificates");
  }
  out.certificate = text_of(*leaf, "cert_sha256");
  out.subject = text_of(*leaf, "subject");
  return is_digest(out.certificate) ? Result<SeenConnection>(std::move(out))
                                    : not_so("cert_sha256 of /connz is no fingerprint");
}

}  // namespace

bool SeenUser::is_token(std::string_view sha256) const {
  return is_hidden_token() || (kind_ == Kind::perhaps_a_token && !empty() && tls::sha256_hex(text_) == sha256);
}

std::string SeenUser::shown(const UserNames& known) const {
  if (is_hidden_token()) {
    return "a token";
  }
  return kind_ == Kind::certainly_a_user || empty() || known.contains(text_) ? text_ : "hidden, as it may be a token";
}

Result<ConnzPage> parse_connz(std::string_view text) {
  const Result<json::object> object = parse_object(text, "/connz");
  if (!object) {
    return std::unexpected(object.error());
  }
  if (!object->contains("num_connections") || !object->contains("total")) {
    return not_so("/connz has no num_connections and total: is this a NATS server's monitoring?");
  }
  ConnzPage page{.server_id = text_of(*object, "server_id"), .total = number_of(*object, "total"), .connections = {}};
  const json::value* rows = object->if_contains("connections");
  if (rows == nullptr || rows->is_null()) {
    return page;
  }
  if (!rows->is_array()) {
    return not_so("connections of /connz are no list");
  }
  for (const json::value& row : rows->get_array()) {
    Result<SeenConnection> one = parse_connection(row);
    if (!one) {
      return std::unexpected(std::move(one.error()));
    }
    page.connections.push_back(std::move(*one));
  }
  return page;
}

Result<double> sum_of_metric(std::string_view text, std::string_view name) {
  double sum = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.starts_with(name)) {
      continue;
    }
    line.remove_prefix(name.size());
    // A longer name, or this one.
    if (!line.starts_with('{') && !line.starts_with(' ')) {
      continue;
    }
    const std::size_t labels = line.starts_with('{') ? line.rfind('}') : 0;
    if (labels == std::string_view::npos) {
      return not_so("a metric has labels without an end");
    }
    line.remove_prefix(labels + 1);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    double value = 0;
    if (std::from_chars(line.data(), line.data() + line.size(), value).ec != std::errc() || !std::isfinite(value)) {
      return not_so(fmt::format("the metric {} has no value", name));
    }
    sum += value;
  }
  return sum;
}

}  // namespace hawser::rotation
