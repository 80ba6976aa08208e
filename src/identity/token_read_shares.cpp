// Exports, imports and activations: what one account lets another have.
#include <boost/json/value.hpp>
#include <limits>

#include "base/limits.hpp"
#include "identity/token_read.hpp"

namespace hawser::identity {
namespace {

namespace json = boost::json;

void read_response(MemberReader& members, ExportClaim& exported) {
  std::string text;
  members.take("response_type", text);
  exported.response_named = !text.empty();
  if (text == "Stream") {
    exported.response = ResponseKind::stream;
  } else if (text == "Chunked") {
    exported.response = ResponseKind::chunked;
  } else if (!text.empty() && text != "Singleton") {
    members.refuse("response_type", "is not Singleton, Stream or Chunked");
  }
}

void read_latency(MemberReader& members, std::optional<ServiceLatency>& latency) {
  const json::object* object = members.object("service_latency");
  if (object == nullptr) {
    return;
  }
  MemberReader inner(*object, members.path_of("service_latency"), members.fault());
  latency.emplace();
  latency->sampling = 0;
  if (const json::value* sampling = inner.value("sampling"); sampling != nullptr && !sampling->is_string()) {
    std::uint32_t per_cent = 0;
    inner.take("sampling", per_cent, std::numeric_limits<std::int32_t>::max());
    latency->sampling = static_cast<int>(per_cent);
  } else if (sampling != nullptr && sampling->get_string() != "headers") {
    inner.refuse("sampling", "is neither a number nor \"headers\"");
  }
  inner.take("results", latency->results);
  (void)inner.rest();
}

void read_export(MemberReader& members, ExportClaim& exported) {
  members.take("name", exported.name);
  members.take("subject", exported.subject);
  read_kind(members, "type", exported.kind);
  members.take("token_req", exported.token_required);
  read_revocations(members, exported.revocations);
  read_response(members, exported);
  members.take("response_threshold", exported.response_threshold);
  read_latency(members, exported.latency);
  members.take("account_token_position", exported.account_token_position, std::numeric_limits<std::uint32_t>::max());
  members.take("advertise", exported.advertise);
  members.take("description", exported.description, kTextBytes);
  members.take("info_url", exported.info_url, kTextBytes);
  exported.unknown = members.rest();
}

void read_import(MemberReader& members, ImportClaim& imported) {
  members.take("name", imported.name);
  members.take("subject", imported.subject);
  members.take("account", imported.account);
  members.take("token", imported.token, limits::kCredentialFileBytes);
  members.take("to", imported.to);
  members.take("local_subject", imported.local_subject);
  read_kind(members, "type", imported.kind);
  members.take("share", imported.share);
  imported.unknown = members.rest();
}

template <class T>
void read_each(MemberReader& members, std::string_view key, std::vector<T>& place, void (*read)(MemberReader&, T&)) {
  const json::array* array = members.array(key);
  for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
    const std::string path = members.path_of(key, i);
    if (const json::object* object = object_at(*array, i, path, members.fault()); object != nullptr) {
      MemberReader inner(*object, path, members.fault());
      read(inner, place.emplace_back());
    }
  }
}

}  // namespace

void read_kind(MemberReader& members, std::string_view key, ShareKind& kind) {
  std::string text;
  members.take(key, text);
  kind = text == "stream" ? ShareKind::stream : text == "service" ? ShareKind::service : ShareKind::unknown;
  if (kind == ShareKind::unknown && members.value(key) != nullptr) {
    members.refuse(key, "is neither \"stream\" nor \"service\"");
  }
}

void read_revocations(MemberReader& members, Revocations& revocations) {
  const json::object* object = members.object("revocations");
  if (object == nullptr) {
    return;
  }
  for (const json::key_value_pair& member : *object) {
    const json::value& at = member.value();
    if (!at.is_int64() || at.get_int64() < 0) {
      members.refuse("revocations", "holds what is no time in seconds");
      return;
    }
    const std::chrono::seconds seconds(std::min(at.get_int64(), kLatestSecond));
    revocations.emplace(std::string(member.key().data(), member.key().size()), std::chrono::sys_seconds(seconds));
  }
}

void read_exports(MemberReader& members, std::vector<ExportClaim>& exports) {
  read_each<ExportClaim>(members, "exports", exports, read_export);
}

void read_imports(MemberReader& members, std::vector<ImportClaim>& imports) {
  read_each<ImportClaim>(members, "imports", imports, read_import);
}

void read_activation(PayloadMembers members, ActivationClaims& claims) {
  const bool first_version = claims.version == 1;
  members.nats.take("subject", claims.import_subject);
  read_kind(members.nats, first_version ? "type" : "kind", claims.kind);
  (first_version ? members.outer : members.nats).take("issuer_account", claims.issuer_account);
}

}  // namespace hawser::identity
