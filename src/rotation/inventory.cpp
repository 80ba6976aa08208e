#include "rotation/inventory.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "rotation/credentials.hpp"
#include "rotation/files.hpp"
#include "tls/inspect.hpp"
#include "tls/material.hpp"
#include "tls/verify.hpp"

namespace hawser::rotation {
namespace {

struct Chain {
  std::string pem;
  tls::CertificateInfo leaf;
};

// Delivered are other files than its certificate: its CAs, for one.
bool keeps_its_certificate(const Target& target) {
  const auto* copies = std::get_if<std::vector<Copy>>(&target.deliver);
  return copies != nullptr && target.prove.replaces.empty() &&
         std::none_of(copies->begin(), copies->end(),
                      [&](const Copy& copy) { return copy.from == target.prove.certificate; });
}

Identity with_certificate(const tls::CertificateInfo& leaf) {
  Identity out;
  out.certificate = leaf.sha256;
  return out;
}

class Inspector {
 public:
  Inspector(const Plan& plan, std::string_view mark, WallTime now, Ahead ahead, Inspection& out)
      : plan_(plan), mark_(mark), now_(now), ahead_(ahead), out_(out), inventory_(out.inventory) {}

  void inspect();

 private:
  void authorities();
  void prober();
  void target(std::size_t number);
  void keys_of(const Target& target, const tls::CertificateInfo& leaf);
  void old_one(const Target& target, std::size_t number);

  std::optional<tls::PemContents> read(const Path& path);
  std::optional<Chain> chain(const Path& path);
  tls::MaterialPtr trust_in(const Path& path);
  tls::ContextPtr context(const tls::Source& source);
  void expect(const Chain& chain, const tls::MaterialPtr& trust, const std::string& whose, const Path& ca,
              tls::Usage usage = tls::Usage::client, const std::string& name = {});
  void expect_of_target(const Target& target, const Chain& chain, const std::string& whose);
  void lives(const std::string& what, const tls::CertificateInfo& info, NeededUntil until) {
    inventory_.lifetimes.push_back({what, info.not_before, info.not_after, until});
  }
  void refuse(Errc code, std::string why) { out_.errors.push_back({code, std::move(why)}); }
  void refuse(const Error& error) { refuse(Errc::rotation_preflight_failed, error.message()); }

  const Plan& plan_;
  std::string_view mark_;
  WallTime now_;
  Ahead ahead_;
  Inspection& out_;
  Inventory& inventory_;
  tls::MaterialPtr old_trust_;
  tls::MaterialPtr new_trust_;
};

std::optional<tls::PemContents> Inspector::read(const Path& path) {
  const Result<Secret> text = read_secret_file(path, limits::kPemFileBytes);
  Result<tls::PemContents> contents = text ? tls::inspect_pem(*text, path.string()) : std::unexpected(text.error());
  if (!contents) {
    refuse(contents.error());
    return std::nullopt;
  }
  return std::move(*contents);
}

std::optional<Chain> Inspector::chain(const Path& path) {
  const auto contents = read(path);
  if (!contents) {
    return std::nullopt;
  }
  if (contents->certificates.empty()) {
    refuse(Errc::rotation_preflight_failed, path.string() + " holds no certificate");
    return std::nullopt;
  }
  Chain out{.pem = {}, .leaf = contents->certificates.front().info};
  for (const tls::PemCertificate& one : contents->certificates) {
    out.pem += one.pem;
  }
  return out;
}

tls::MaterialPtr Inspector::trust_in(const Path& path) {
  tls::Source source;
  source.ca_file = path.string();
  Result<tls::MaterialPtr> trust = tls::load(source, now_);
  if (!trust) {
    refuse(trust.error());
    return nullptr;
  }
  return *trust;
}

tls::ContextPtr Inspector::context(const tls::Source& source) {
  const Result<tls::MaterialPtr> material = tls::load(source, now_);
  Result<tls::ContextPtr> made = material ? tls::Context::client(*material, {}) : std::unexpected(material.error());
  if (!made) {
    refuse(made.error());
    return nullptr;
  }
  return *made;
}

void Inspector::expect(const Chain& chain, const tls::MaterialPtr& trust, const std::string& whose, const Path& ca,
                       tls::Usage usage, const std::string& name) {
  if (trust == nullptr) {
    return;
  }
  const Result<void> verified = tls::verify_pem(chain.pem, *trust, {.usage = usage, .name = name, .at = now_});
  if (!verified) {
    refuse(Errc::rotation_preflight_failed,
           fmt::format("{} does not verify under {}: {}", whose, ca.string(), verified.error().message()));
  }
}

void Inspector::inspect() {
  authorities();
  prober();
  for (std::size_t i = 0; i < target_count(plan_); ++i) {
    target(i);
  }
  for (const Path& path : plan_.also_new) {
    if (const auto contents = read(path)) {
      for (const tls::PemCertificate& one : contents->certificates) {
        inventory_.fresh.add(with_certificate(one.info));
      }
    }
  }
}

void Inspector::authorities() {
  const auto old_ca = read(plan_.old_ca);
  const auto new_ca = read(plan_.new_ca);
  old_trust_ = old_ca ? trust_in(plan_.old_ca) : nullptr;
  new_trust_ = new_ca ? trust_in(plan_.new_ca) : nullptr;
  if (!old_ca || !new_ca) {
    return;
  }
  Fingerprints fresh;
  for (const tls::PemCertificate& one : new_ca->certificates) {
    if (fresh.insert(one.info.sha256).second) {
      inventory_.narrow += one.pem;
    }
    lives(fmt::format("the new CA {} ({})", one.info.subject, plan_.new_ca.string()), one.info, NeededUntil::end);
  }
  inventory_.both = inventory_.narrow;
  inventory_.authorities = fresh;
  std::size_t retired = 0;
  for (const tls::PemCertificate& one : old_ca->certificates) {
    retired += fresh.contains(one.info.sha256) ? 0U : 1U;
    if (inventory_.authorities.insert(one.info.sha256).second) {
      inventory_.both += one.pem;
      lives(fmt::format("the old CA {} ({})", one.info.subject, plan_.old_ca.string()), one.info, NeededUntil::moved);
    }
  }
  if (retired == 0) {
    refuse(Errc::rotation_preflight_failed, "every CA of old_ca stands in new_ca too: there is nothing to rotate");
  }
}

void Inspector::prober() {
  const auto source = [this](const Pair* pair) {
    tls::Source out;
    if (pair != nullptr) {
      out.cert_file = pair->cert.string();
      out.key_file = pair->key.string();
    }
    out.ca_file = plan_.prober.trust.string();
    return out;
  };
  inventory_.trust = context(source(nullptr));
  inventory_.old_probe = context(source(&plan_.prober.old_pair));
  inventory_.new_probe = context(source(&plan_.prober.new_pair));
  if (const auto old_chain = chain(plan_.prober.old_pair.cert)) {
    const std::string whose = "the prober's old certificate";
    if (ahead_ == Ahead::everything) {
      expect(*old_chain, old_trust_, whose, plan_.old_ca);
    }
    lives(whose, old_chain->leaf, NeededUntil::narrowed);
    if (new_trust_ &&
        tls::verify_pem(old_chain->pem, *new_trust_, {.usage = tls::Usage::client, .name = {}, .at = now_})) {
      refuse(Errc::rotation_preflight_failed, whose + " verifies under new_ca too, so that it can never be refused");
    }
  }
  if (const auto new_chain = chain(plan_.prober.new_pair.cert)) {
    expect(*new_chain, new_trust_, "the prober's new certificate", plan_.new_ca);
    lives("the prober's new certificate", new_chain->leaf, NeededUntil::end);
    inventory_.fresh.add(with_certificate(new_chain->leaf));
  }
}

void Inspector::target(std::size_t number) {
  const Target& it = target_at(plan_, number);
  inventory_.target_new.emplace_back();
  inventory_.target_old.emplace_back();
  if (const auto* copies = std::get_if<std::vector<Copy>>(&it.deliver)) {
    for (const Copy& copy : *copies) {
      if (const Result<Secret> text = read_secret_file(copy.from, limits::kCrlFileBytes); !text) {
        refuse(Errc::rotation_preflight_failed, fmt::format("{}: {}", it.name, text.error().doing));
      }
    }
  }
  old_one(it, number);
  const auto fresh = chain(it.prove.certificate);
  if (!fresh) {
    return;
  }
  const std::string whose = fmt::format("the new certificate of {} ({})", it.name, it.prove.certificate.string());
  expect_of_target(it, *fresh, whose);
  keys_of(it, fresh->leaf);
  lives(whose, fresh->leaf, NeededUntil::end);
  inventory_.target_new.back() = with_certificate(fresh->leaf);
  if (!it.prove.server) {
    inventory_.fresh.add(inventory_.target_new.back());
  }
  if (keeps_its_certificate(it)) {
    inventory_.target_old.back() = inventory_.target_new.back();
  }
}

// A client's is judged by brokers, a broker's own by whoever trusts what the prober trusts.
void Inspector::expect_of_target(const Target& target, const Chain& chain, const std::string& whose) {
  if (!target.prove.server) {
    return expect(chain, new_trust_, whose, plan_.new_ca);
  }
  const Broker& broker = plan_.brokers[*target.prove.server];
  expect(chain, inventory_.trust ? inventory_.trust->material() : nullptr, whose, plan_.prober.trust,
         tls::Usage::server, broker.server_name.empty() ? broker.clients.host : broker.server_name);
}

// Among the files that are delivered: the key, when there is one, is that of the certificate.
void Inspector::keys_of(const Target& target, const tls::CertificateInfo& leaf) {
  const auto* copies = std::get_if<std::vector<Copy>>(&target.deliver);
  for (std::size_t i = 0; copies != nullptr && i < copies->size(); ++i) {
    const Result<Secret> text = read_secret_file((*copies)[i].from, limits::kPemFileBytes);
    const Result<tls::PemContents> contents =
        text ? tls::inspect_pem(*text, (*copies)[i].from.string()) : std::unexpected(text.error());
    for (const tls::KeyInfo& key : contents ? contents->keys : std::vector<tls::KeyInfo>{}) {
      if (key.spki_sha256 != leaf.spki_sha256) {
        refuse(Errc::rotation_preflight_failed,
               fmt::format("{}: the key {} is not that of the certificate {}", target.name, (*copies)[i].from.string(),
                           target.prove.certificate.string()));
      }
    }
  }
}

// What the target presents before it is moved: named by the plan, or what stands where the new one goes.
void Inspector::old_one(const Target& target, std::size_t number) {
  Path path = target.prove.replaces;
  if (const auto* copies = std::get_if<std::vector<Copy>>(&target.deliver); copies != nullptr && path.empty()) {
    const auto copy =
        std::find_if(copies->begin(), copies->end(), [&](const Copy& c) { return c.from == target.prove.certificate; });
    if (copy == copies->end()) {
      return;
    }
    const std::string mark = mark_of(mark_, target);
    path = !mark_.empty() && is_kept(copy->to, mark) ? kept_path(copy->to, mark) : copy->to;
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
      return;
    }
  }
  if (path.empty()) {
    return;
  }
  if (const auto old_chain = chain(path)) {
    inventory_.target_old[number] = with_certificate(old_chain->leaf);
    lives(fmt::format("the old certificate of {} ({})", target.name, path.string()), old_chain->leaf,
          NeededUntil::moved);
  }
}

}  // namespace

Inspection inspect(const Plan& plan, std::string_view mark, WallTime now, Ahead ahead) {
  Inspection out;
  if (plan.kind == PlanKind::credentials) {
    inspect_credentials(plan, mark, now, out);
  } else {
    Inspector(plan, mark, now, ahead, out).inspect();
  }
  for (Error& error : outlived(out.inventory.lifetimes, time_needed(plan), plan.times.margin, now, ahead)) {
    out.errors.push_back(std::move(error));
  }
  return out;
}

Error as_one(Errc code, const std::vector<Error>& errors) {
  std::string text;
  for (const Error& error : errors) {
    text += (text.empty() ? "" : "\n  ") + error.doing;
  }
  return {errors.size() == 1 ? errors.front().code : code, std::move(text)};
}

}  // namespace hawser::rotation
