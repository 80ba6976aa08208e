#include "rotation/presented.hpp"

#include <fmt/format.h>

#include "tls/certificate.hpp"

namespace hawser::rotation {

std::string to_text(const Identity& identity) {
  if (!identity.certificate.empty()) {
    return tls::short_fingerprint(identity.certificate);
  }
  if (identity.token) {
    return "a token";
  }
  if (identity.user.empty()) {
    return fmt::format("users that {} signs", identity.issuer);
  }
  return identity.issuer.empty() ? "user " + identity.user
                                 : fmt::format("user {} signed by {}", identity.user, identity.issuer);
}

bool presents(const SeenConnection& connection, const Identity& identity) {
  if (!identity.certificate.empty()) {
    return connection.certificate == identity.certificate;
  }
  if (identity.token) {
    return connection.user.is_token(identity.user);
  }
  const bool signed_so = identity.issuer.empty() || connection.issuer == identity.issuer;
  return !identity.empty() && signed_so && (identity.user.empty() || connection.user.is(identity.user));
}

void Identities::add(const Identity& identity) {
  if (!identity.certificate.empty()) {
    certificates_.emplace(identity.certificate, identity);
  } else if (identity.token) {
    token_ = identity;
  } else if (!identity.user.empty()) {
    users_.emplace(identity.user, identity);
  } else if (!identity.issuer.empty()) {
    issuers_.emplace(identity.issuer, identity);
  }
}

bool Identities::empty() const noexcept {
  return certificates_.empty() && users_.empty() && issuers_.empty() && !token_;
}

const Identity* Identities::match(const SeenConnection& connection) const {
  if (token_ && connection.user.is_token(token_->user)) {
    return &*token_;
  }
  return match(connection.certificate, connection.user.unshown(), connection.issuer);
}

const Identity* Identities::match(const Identity& identity) const {
  if (identity.token) {
    return token_ && token_->user == identity.user ? &*token_ : nullptr;
  }
  return match(identity.certificate, identity.user, identity.issuer);
}

const Identity* Identities::match(std::string_view certificate, std::string_view user, std::string_view issuer) const {
  if (const auto found = certificates_.find(certificate); !certificate.empty() && found != certificates_.end()) {
    return &found->second;
  }
  const auto [first, last] = users_.equal_range(user);
  for (auto one = first; !user.empty() && one != last; ++one) {
    if (one->second.issuer.empty() || one->second.issuer == issuer) {
      return &one->second;
    }
  }
  const auto found = issuers_.find(issuer);
  return !issuer.empty() && found != issuers_.end() ? &found->second : nullptr;
}

}  // namespace hawser::rotation
