// Any bytes as certificate, key, CA bundle and CRL: a result, never a crash.
#include <cstdint>
#include <string_view>

#include "tls/material.hpp"
#include "tls/verify.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const WallTime now{std::chrono::sys_days(std::chrono::year(2030) / 3 / 1)};
  tls::SourceBytes trust;
  trust.ca = text;
  const tls::Assessment bundle = tls::assess(tls::Source{}, trust, now);
  tls::SourceBytes all;
  all.cert = text;
  all.key = Secret(text);
  all.ca = text;
  all.crl = text;
  const tls::Assessment whole = tls::assess(tls::Source{}, all, now, bundle.material.get());
  for (const tls::MaterialPtr& material : {bundle.material, whole.material}) {
    if (material != nullptr) {
      static_cast<void>(tls::verify_pem(text, *material, {.name = "nats.example.com", .at = now}));
    }
  }
  return 0;
}
