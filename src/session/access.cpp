#include "session/access.hpp"

#include <algorithm>

#include "posture/gather.hpp"

namespace hawser::session {

Result<AccessPtr> make_access(std::shared_ptr<const posture::Decision> decision, const tls::MaterialPtr& material,
                              std::uint64_t generation) {
  for (const posture::ServerUrl& server : decision->servers) {
    if (server.scheme == posture::Scheme::ws || server.scheme == posture::Scheme::wss) {
      return fail(Errc::websocket_unsupported, server.printable());
    }
  }
  auto access = std::make_shared<Access>();
  tls::ClientOptions options;
  options.min_version = decision->tls.min_version;
  options.dangerous_skip_verify = decision->tls.insecure;
  auto context = tls::Context::client(material, options);
  if (!context) {
    return std::unexpected(std::move(context.error()));
  }
  auto upgraded = context;
  if (!std::ranges::all_of(decision->servers, &posture::ServerUrl::secure)) {  // the system's roots take their time to read
    options.roots = tls::Roots::material_and_system;
    upgraded = tls::Context::client(material, options);
    if (!upgraded) {
      return std::unexpected(std::move(upgraded.error()));
    }
  }
  auto credential = posture::load_credential(*decision);
  if (!credential) {
    return std::unexpected(std::move(credential.error()));
  }
  access->decision = std::move(decision);
  access->tls = std::move(*context);
  access->tls_upgraded = std::move(*upgraded);
  access->credential = std::make_shared<const identity::Credential>(std::move(*credential));
  access->generation = generation;
  return access;
}

}  // namespace hawser::session
