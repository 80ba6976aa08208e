#include "wire/connect.hpp"

#include <array>
#include <variant>

#include "wire/json_fields.hpp"

namespace hawser::wire {
namespace {

using Place = std::variant<bool ConnectOptions::*, int ConnectOptions::*, std::string ConnectOptions::*,
                           Secret ConnectOptions::*>;

struct Field {
  std::string_view key;
  Place place;
};

constexpr std::array<Field, 18> kFields = {{
    {"verbose", &ConnectOptions::verbose},
    {"pedantic", &ConnectOptions::pedantic},
    {"tls_required", &ConnectOptions::tls_required},
    {"name", &ConnectOptions::name},
    {"lang", &ConnectOptions::lang},
    {"version", &ConnectOptions::version},
    {"protocol", &ConnectOptions::protocol},
    {"echo", &ConnectOptions::echo},
    {"headers", &ConnectOptions::headers},
    {"no_responders", &ConnectOptions::no_responders},
    {"user", &ConnectOptions::user},
    {"pass", &ConnectOptions::pass},
    {"auth_token", &ConnectOptions::auth_token},
    {"nkey", &ConnectOptions::nkey},
    {"jwt", &ConnectOptions::jwt},
    {"sig", &ConnectOptions::sig},
    {"account", &ConnectOptions::account},
    {"new_account", &ConnectOptions::new_account},
}};

struct Reader final : JsonFields {
  explicit Reader(ConnectOptions onto) : options(std::move(onto)) {}

  ConnectOptions options;

  bool field(std::string_view key, const JsonValue& value) override {
    for (const Field& row : kFields) {
      if (same_key(row.key, key)) {
        return std::visit([&](auto place) { return store(options.*place, value); }, row.place);
      }
    }
    return true;
  }
};

// At most this many bytes of JSON, so that the text with its secrets never moves while it grows.
std::size_t bound(const ConnectOptions& options) {
  constexpr std::size_t kEscaped = 6;  // \u00XX
  const std::size_t text = options.name.size() + options.lang.size() + options.version.size() + options.user.size() +
                           options.nkey.size() + options.account.size() + options.pass.reveal().size() +
                           options.auth_token.reveal().size() + options.jwt.reveal().size() +
                           options.sig.reveal().size();
  return 512 + text * kEscaped;
}

}  // namespace

Result<ConnectOptions> parse_connect(std::string_view json, ConnectOptions onto) {
  Reader reader(std::move(onto));
  if (auto read = read_json_object(json, Errc::wire_bad_connect, "CONNECT", reader); !read) {
    return std::unexpected(std::move(read.error()));
  }
  return std::move(reader.options);
}

std::string_view connect_refusal(const ConnectOptions& options, bool server_headers) noexcept {
  if (options.new_account || !options.account.empty()) {
    return "Authorization Violation";
  }
  if (options.protocol < 0 || options.protocol > 1) {
    return "invalid client protocol";
  }
  if (options.no_responders && !(options.headers && server_headers)) {
    return "no responders requires headers support";
  }
  return {};
}

Secret to_json(const ConnectOptions& options) {
  std::string text;
  text.reserve(bound(options));
  JsonWriter writer(text);
  for (const Field& row : kFields) {
    std::visit(
        [&]<class T>(T ConnectOptions::* place) {
          const T& value = options.*place;
          if constexpr (std::is_same_v<T, Secret>) {
            if (!value.empty()) {
              writer.member(row.key, value.reveal());
            }
          } else if constexpr (std::is_same_v<T, std::string>) {
            if (!value.empty()) {
              writer.member(row.key, std::string_view(value));
            }
          } else if (row.key != "new_account" || options.new_account) {
            writer.member(row.key, value);
          }
        },
        row.place);
  }
  writer.finish();
  return Secret::take(std::move(text));
}

}  // namespace hawser::wire
