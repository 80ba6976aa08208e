// Exports, imports and activations: what one account lets another have.
#include <algorithm>
#include <boost/json/value.hpp>

#include "identity/token_write.hpp"

namespace hawser::identity {
namespace {

namespace json = boost::json;

void write_response(const ExportClaim& exported, MemberWriter& members) {
  switch (exported.response) {
    case ResponseKind::singleton: members.put("response_type", exported.response_named ? "Singleton" : ""); break;
    case ResponseKind::stream: members.put("response_type", "Stream"); break;
    case ResponseKind::chunked: members.put("response_type", "Chunked"); break;
  }
  members.put("response_threshold", exported.response_threshold);
}

void write_latency(const ServiceLatency& latency, MemberWriter& members) {
  const json::value sampling = latency.sampling == 0 ? json::value("headers") : json::value(latency.sampling);
  members.put_always("service_latency", json::object{{"sampling", sampling}, {"results", latency.results}});
}

void write_export(const ExportClaim& exported, MemberWriter& members) {
  members.put("name", exported.name);
  members.put("subject", exported.subject);
  write_kind("type", exported.kind, members);
  members.put("token_req", exported.token_required);
  write_revocations(exported.revocations, members);
  write_response(exported, members);
  if (exported.latency) {
    write_latency(*exported.latency, members);
  }
  members.put("account_token_position", std::int64_t(exported.account_token_position));
  members.put("advertise", exported.advertise);
  members.put("description", exported.description);
  members.put("info_url", exported.info_url);
  members.put_rest(exported.unknown);
}

void write_import(const ImportClaim& imported, MemberWriter& members) {
  members.put("name", imported.name);
  members.put("subject", imported.subject);
  members.put("account", imported.account);
  members.put("token", imported.token);
  members.put("to", imported.to);
  members.put("local_subject", imported.local_subject);
  write_kind("type", imported.kind, members);
  members.put("share", imported.share);
  members.put_rest(imported.unknown);
}

// By subject, as nats-io/jwt sorts them.
template <class T>
void write_each(std::string_view key, const std::vector<T>& items, MemberWriter& members,
                void (*write)(const T&, MemberWriter&)) {
  std::vector<const T*> sorted;
  sorted.reserve(items.size());
  std::ranges::transform(items, std::back_inserter(sorted), [](const T& item) { return &item; });
  std::ranges::sort(sorted, {}, [](const T* item) { return std::pair(std::string_view(item->subject), item); });
  json::array array;
  for (const T* item : sorted) {
    json::object object;
    MemberWriter inner(object, members.fault());
    write(*item, inner);
    array.emplace_back(std::move(object));
  }
  if (!array.empty()) {
    members.put_always(key, std::move(array));
  }
}

}  // namespace

void write_kind(std::string_view key, ShareKind kind, MemberWriter& members) {
  switch (kind) {
    case ShareKind::unknown: break;
    case ShareKind::stream: members.put(key, "stream"); break;
    case ShareKind::service: members.put(key, "service"); break;
  }
}

void write_revocations(const Revocations& revocations, MemberWriter& members) {
  json::object object;
  for (const auto& [key, time] : revocations) {
    object.emplace(json::string_view(key), std::int64_t(time.time_since_epoch().count()));
  }
  if (!object.empty()) {
    members.put_always("revocations", std::move(object));
  }
}

void write_exports(const std::vector<ExportClaim>& exports, MemberWriter& members) {
  write_each<ExportClaim>("exports", exports, members, write_export);
}

void write_imports(const std::vector<ImportClaim>& imports, MemberWriter& members) {
  write_each<ImportClaim>("imports", imports, members, write_import);
}

void write_activation(const ActivationClaims& claims, MemberWriter& nats) {
  nats.put("subject", claims.import_subject);
  write_kind("kind", claims.kind, nats);
  nats.put("issuer_account", claims.issuer_account);
}

}  // namespace hawser::identity
