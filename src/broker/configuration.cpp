#include "broker/hub.hpp"
#include "broker/validate.hpp"

namespace hawser::broker {

Result<ConfigurationPtr> configure(Settings settings) {
  if (auto valid = validate(settings); !valid) {
    return std::unexpected(std::move(valid.error()));
  }
  auto made = std::make_shared<Configuration>();
  made->settings = std::make_shared<const Settings>(std::move(settings));
  auto authenticator = Authenticator::make(made->settings);
  if (!authenticator) {
    return std::unexpected(std::move(authenticator.error()));
  }
  made->authenticator = std::move(*authenticator);
  std::vector<Error> mistakes;  // none: validate() has compiled them too
  made->rules = compile_accounts(made->settings->accounts, mistakes);
  if (made->settings->tls) {
    auto tls = TlsPolicy::make(*made->settings->tls, std::chrono::floor<std::chrono::seconds>(wall_now()));
    if (!tls) {
      return std::unexpected(std::move(tls.error()));
    }
    made->tls = std::move(*tls);
  }
  if (made->tls && made->settings->monitoring.https) {
    auto context =
        tls::Context::server(made->tls->context().material(), {.client_certificate = tls::ClientCertificate::none});
    if (!context) {
      return std::unexpected(std::move(context.error()));
    }
    made->monitoring_tls = std::move(*context);
  }
  made->loaded = wall_now();
  return made;
}

}  // namespace hawser::broker
