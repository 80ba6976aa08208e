// What deserves attention in material that is otherwise usable (material.hpp: Material::findings).
#include <algorithm>
#include <fmt/format.h>

#include "tls/material_parts.hpp"
#include "tls/pem.hpp"
#include "tls/validate.hpp"
#include "tls/verify.hpp"

namespace hawser::tls {
namespace {

using std::chrono::days;
using std::chrono::seconds;

// The horizons of posture.md: a note a month before, a warning a week and a day before.
std::optional<Severity> urgency(Seconds end, Seconds now) {
  if (end - now > days(30)) {
    return std::nullopt;
  }
  return end - now > days(7) ? Severity::note : Severity::warning;
}

std::string left(Seconds end, Seconds now) {
  const seconds rest = end - now;
  if (rest < seconds(0)) {
    return "has expired";
  }
  return rest < days(2) ? fmt::format("expires in {} h", std::chrono::floor<std::chrono::hours>(rest).count())
                        : fmt::format("expires in {} days", std::chrono::floor<days>(rest).count());
}

class Findings {
 public:
  Findings(const Material::Parts& parts, Seconds now) : parts_(parts), now_(now) {}

  std::vector<Finding> all() {
    if (parts_.key_readable_by_others) {
      add(FindingCode::key_readable_by_others, Severity::warning,
          fmt::format("{} can be read by every user of this machine", name_of(parts_.source.key_file, "the key")),
          "chmod 600 the key, or set defaultMode: 0400 on the volume");
    }
    expiry();
    chain_order();
    own_chain();
    crl_coverage();
    crl_age();
    return std::move(found_);
  }

 private:
  void add(FindingCode code, Severity severity, std::string message, std::string hint) {
    found_.push_back({code, severity, std::move(message), std::move(hint)});
  }

  void expiry() {
    for (const CertificateInfo& info : parts_.chain_info) {
      if (const auto severity = urgency(info.not_after, now_)) {
        add(FindingCode::certificate_expires_soon, *severity,
            fmt::format("{}: {} {} ({})", name_of(parts_.source.cert_file, "the certificate"), info.subject,
                        left(info.not_after, now_), format_time(info.not_after)),
            "renew it, and see that the renewal runs by itself");
      }
    }
    for (const CertificateInfo& info : parts_.trust_info) {
      const std::string message = fmt::format("{}: {} {} ({})", name_of(parts_.source.ca_file, "the CA bundle"),
                                              info.subject, left(info.not_after, now_), format_time(info.not_after));
      if (info.not_after < now_) {
        add(FindingCode::authority_expired, Severity::warning, message, "take it out of the bundle, or replace it");
      } else if (const auto severity = urgency(info.not_after, now_)) {
        add(FindingCode::authority_expires_soon, *severity, message,
            "add its successor to the bundle first, then renew what it signed");
      }
    }
  }

  void chain_order() {
    for (std::size_t i = 0; i + 1 < parts_.chain.size(); ++i) {
      if (X509_check_issued(parts_.chain[i + 1].get(), parts_.chain[i].get()) != X509_V_OK) {
        add(FindingCode::chain_out_of_order, Severity::warning,
            fmt::format("{}: {} is followed by {}, which did not issue it",
                        name_of(parts_.source.cert_file, "the certificate"), parts_.chain_info[i].subject,
                        parts_.chain_info[i + 1].subject),
            "write the leaf first, then the CA that signed it, and so on");
        return;
      }
    }
  }

  // Does our own chain verify under our own bundle? Peers may trust another CA, hence only a note; but revoked is
  // revoked.
  void own_chain() {
    if (parts_.chain.empty() || parts_.trust.empty()) {
      return;
    }
    const Owned<STACK_OF(X509)> untrusted(sk_X509_new_null());
    for (const Owned<X509>& certificate : parts_.chain) {
      sk_X509_push(untrusted.get(), certificate.get());
    }
    const Owned<X509_STORE_CTX> context(X509_STORE_CTX_new());
    X509_STORE_CTX_init(context.get(), parts_.store.get(), parts_.chain.front().get(), untrusted.get());
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context.get()), now_.time_since_epoch().count());
    if (verify_by_rules(context.get(), parts_) == 1) {
      return;
    }
    const Error error = verification_error(context.get(), {});
    ERR_clear_error();
    if (error.code == Errc::tls_peer_revoked) {
      add(FindingCode::certificate_revoked, Severity::warning, error.doing,
          "get a new certificate: peers with this CRL refuse it");
    } else if (error.code == Errc::tls_unknown_authority || error.code == Errc::tls_self_signed) {
      add(FindingCode::chain_not_in_bundle, Severity::note, error.doing,
          "nothing to do if the other side trusts another CA than this side does");
    }
  }

  void crl_coverage() {
    if (parts_.crls.empty()) {
      return;
    }
    for (std::size_t i = 0; i < parts_.trust.size(); ++i) {
      const auto covers = [&](const Owned<X509_CRL>& crl) { return names_issuer(crl.get(), parts_.trust[i].get()); };
      if (parts_.trust_info[i].is_authority && std::none_of(parts_.crls.begin(), parts_.crls.end(), covers)) {
        add(FindingCode::crl_missing_for_authority, Severity::warning,
            fmt::format("{} holds no CRL of {}: certificates signed by it are refused",
                        name_of(parts_.source.crl_file, "the CRL"), parts_.trust_info[i].subject),
            "append its CRL, even if it is empty (`hawser pki crl`)");
      }
    }
    for (std::size_t i = 0; i < parts_.crls.size(); ++i) {
      const auto issued = [&](const Owned<X509>& ca) { return names_issuer(parts_.crls[i].get(), ca.get()); };
      if (std::none_of(parts_.trust.begin(), parts_.trust.end(), issued) &&
          std::none_of(parts_.chain.begin(), parts_.chain.end(), issued)) {
        add(FindingCode::crl_without_authority, Severity::note,
            fmt::format("{}: the CRL of {} fits no CA of the bundle", name_of(parts_.source.crl_file, "the CRL"),
                        parts_.crl_info[i].issuer),
            "it works only for an intermediate CA that peers send themselves; otherwise take it out");
      }
    }
  }

  // A CRL lives hours or months: soon is a fifth of its life, at most a week.
  void crl_age() {
    for (const CrlInfo& info : parts_.crl_info) {
      const seconds life = info.next_update - info.this_update;
      const seconds horizon = std::min<seconds>(life / 5, days(7));
      if (life > seconds(0) && info.next_update - now_ < horizon) {
        add(FindingCode::crl_expires_soon, Severity::warning,
            fmt::format("{}: that of {} {} ({})", name_of(parts_.source.crl_file, "the CRL"), info.issuer,
                        left(info.next_update, now_), format_time(info.next_update)),
            "publish the next one: with an expired CRL no peer can be verified");
      }
    }
  }

  const Material::Parts& parts_;
  Seconds now_;
  std::vector<Finding> found_;
};

}  // namespace

std::string_view to_string(FindingCode code) {
  switch (code) {
    case FindingCode::key_readable_by_others: return "key-readable-by-others";
    case FindingCode::certificate_expires_soon: return "certificate-expires-soon";
    case FindingCode::authority_expires_soon: return "authority-expires-soon";
    case FindingCode::authority_expired: return "authority-expired";
    case FindingCode::crl_expires_soon: return "crl-expires-soon";
    case FindingCode::crl_missing_for_authority: return "crl-missing-for-authority";
    case FindingCode::crl_without_authority: return "crl-without-authority";
    case FindingCode::certificate_revoked: return "certificate-revoked";
    case FindingCode::chain_out_of_order: return "chain-out-of-order";
    case FindingCode::chain_not_in_bundle: return "chain-not-in-bundle";
  }
  return "";
}

std::vector<Finding> Material::findings(WallTime now) const {
  return Findings(*parts_, std::chrono::floor<seconds>(now)).all();
}

}  // namespace hawser::tls
