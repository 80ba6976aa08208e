#include "agent/expiry.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace hawser::agent {
namespace {

constexpr std::chrono::seconds kLookAtLeastEvery{60};  // the clock may be set

std::chrono::sys_seconds wall_seconds() { return std::chrono::floor<std::chrono::seconds>(wall_now()); }
double count(std::chrono::sys_seconds time) { return static_cast<double>(time.time_since_epoch().count()); }

}  // namespace

Expiry::Expiry(net::Reactor& reactor, Metrics& metrics) : metrics_(metrics), timer_(reactor, [this] { look(); }) {}

void Expiry::watch(const session::AccessPtr& access, const tls::MaterialPtr& material) {
  watched_.clear();
  metrics_.certificate_not_after.set(0);
  metrics_.credential_not_after.set(0);
  if (material->has_certificate()) {
    const tls::CertificateInfo& leaf = material->chain().front();
    metrics_.certificate_not_after.set(count(leaf.not_after));
    watched_.push_back({.what = "client certificate " + leaf.subject,
                        .ends_soon = Errc::certificate_expiring,
                        .has_ended = Errc::tls_certificate_expired,
                        .lifetime = {leaf.not_before, leaf.not_after}});
  }
  if (const auto lifetime = access->credential->lifetime()) {
    metrics_.credential_not_after.set(count(lifetime->end));
    watched_.push_back({.what = access->credential->printable(),
                        .ends_soon = Errc::user_jwt_expiring,
                        .has_ended = Errc::user_jwt_expired,
                        .lifetime = {lifetime->begin.value_or(wall_seconds()), lifetime->end}});
  }
  look();
}

void Expiry::look() {
  const std::chrono::sys_seconds now = wall_seconds();
  std::optional<std::chrono::sys_seconds> next;
  for (Watched& watched : watched_) {
    if (const Stage reached = stage(watched.lifetime, now); reached > watched.told) {
      watched.told = reached;
      tell(watched);
    }
    if (const auto begin = next_stage(watched.lifetime, now); begin && (!next || *begin < *next)) {
      next = begin;
    }
  }
  if (next) {
    timer_.start(std::min<std::chrono::seconds>(*next - now, kLookAtLeastEvery));
  } else {
    timer_.stop();
  }
}

void Expiry::tell(const Watched& watched) {
  const bool ended = watched.told == Stage::ended;
  const Errc code = ended ? watched.has_ended : watched.ends_soon;
  log::write(watched.told == Stage::soon ? log::Level::warn : log::Level::error,
             ended ? "what is connected with has ended" : "what is connected with ends soon",
             {{"id", error_id(code)},
              {"what", watched.what},
              {"until", tls::format_time(watched.lifetime.end)},
              {"hint", info(code).hint}});
}

}  // namespace hawser::agent
