#include "wire/info.hpp"

#include <array>
#include <variant>

#include "wire/json_fields.hpp"

namespace hawser::wire {
namespace {

using Place =
    std::variant<bool ServerInfo::*, int ServerInfo::*, std::uint16_t ServerInfo::*, std::int64_t ServerInfo::*,
                 std::uint64_t ServerInfo::*, std::string ServerInfo::*, std::vector<std::string> ServerInfo::*>;
enum class Empty : std::uint8_t { written, left_out };

struct Field {
  std::string_view key;
  Place place;
  Empty empty;
};

constexpr std::array<Field, 22> kFields = {{
    {"server_id", &ServerInfo::server_id, Empty::written},
    {"server_name", &ServerInfo::server_name, Empty::written},
    {"version", &ServerInfo::version, Empty::written},
    {"proto", &ServerInfo::proto, Empty::written},
    {"go", &ServerInfo::go, Empty::written},
    {"host", &ServerInfo::host, Empty::written},
    {"port", &ServerInfo::port, Empty::written},
    {"headers", &ServerInfo::headers, Empty::written},
    {"auth_required", &ServerInfo::auth_required, Empty::left_out},
    {"tls_required", &ServerInfo::tls_required, Empty::left_out},
    {"tls_verify", &ServerInfo::tls_verify, Empty::left_out},
    {"tls_available", &ServerInfo::tls_available, Empty::left_out},
    {"max_payload", &ServerInfo::max_payload, Empty::written},
    {"jetstream", &ServerInfo::jetstream, Empty::left_out},
    {"client_id", &ServerInfo::client_id, Empty::left_out},
    {"client_ip", &ServerInfo::client_ip, Empty::left_out},
    {"nonce", &ServerInfo::nonce, Empty::left_out},
    {"cluster", &ServerInfo::cluster, Empty::left_out},
    {"domain", &ServerInfo::domain, Empty::left_out},
    {"connect_urls", &ServerInfo::connect_urls, Empty::left_out},
    {"ldm", &ServerInfo::ldm, Empty::left_out},
    {"xkey", &ServerInfo::xkey, Empty::left_out},
}};

struct Reader final : JsonFields {
  ServerInfo info;

  bool field(std::string_view key, const JsonValue& value) override {
    for (const Field& row : kFields) {
      if (same_key(row.key, key)) {
        return std::visit([&](auto place) { return store(info.*place, value); }, row.place) &&
               info.connect_urls.size() <= kMaxConnectUrls;
      }
    }
    return true;
  }
};

template <class T>
bool is_empty(const T& value) {
  if constexpr (std::is_arithmetic_v<T>) {
    return value == T{};
  } else {
    return value.empty();
  }
}

}  // namespace

Result<ServerInfo> parse_info(std::string_view json) {
  Reader reader;
  if (auto read = read_json_object(json, Errc::wire_bad_info, "INFO", reader); !read) {
    return std::unexpected(std::move(read.error()));
  }
  return std::move(reader.info);
}

std::string to_json(const ServerInfo& info) {
  std::string text;
  JsonWriter writer(text);
  for (const Field& row : kFields) {
    std::visit(
        [&](auto place) {
          if (row.empty == Empty::written || !is_empty(info.*place)) {
            writer.member(row.key, info.*place);
          }
        },
        row.place);
  }
  writer.finish();
  return text;
}

}  // namespace hawser::wire
