// The inventory of a plan of kind credentials.
#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "identity/nkey.hpp"
#include "rotation/credentials.hpp"
#include "rotation/files.hpp"
#include "tls/material.hpp"

namespace hawser::rotation {
namespace {

class CredentialInspector {
 public:
  CredentialInspector(const Plan& plan, std::string_view mark, WallTime now, Inspection& out)
      : plan_(plan), mark_(mark), now_(now), out_(out), inventory_(out.inventory) {}

  void inspect() {
    contexts();
    prober();
    brokers();
    for (std::size_t i = 0; i < target_count(plan_); ++i) {
      target(target_at(plan_, i));
    }
    for (const std::string& one : plan_.retires) {
      inventory_.retired.add(retired_by_name(one));
    }
    nobody_keeps_what_is_retired();
    targets_are_told_apart();
  }

 private:
  void contexts();
  void prober();
  void brokers();
  void target(const Target& target);
  void readable(const std::string& whose, const Delivery& delivery);
  [[nodiscard]] std::optional<Identity> fresh_of(const Target& target);
  [[nodiscard]] std::optional<Identity> old_of(const Target& target);
  [[nodiscard]] std::optional<Path> old_file_of(const Target& target) const;
  void nobody_keeps_what_is_retired();
  void targets_are_told_apart();

  [[nodiscard]] static Identity retired_by_name(const std::string& text);
  tls::ContextPtr context(const tls::Source& source);
  std::optional<ReadCredential> taken(const Result<ReadCredential>& read, const std::string& whose, NeededUntil until);
  void lives(const std::string& whose, const tls::CertificateInfo& info) {
    inventory_.lifetimes.push_back({whose, info.not_before, info.not_after, NeededUntil::end});
  }
  void refuse(std::string why) { out_.errors.push_back({Errc::rotation_preflight_failed, std::move(why)}); }

  const Plan& plan_;
  std::string_view mark_;
  WallTime now_;
  Inspection& out_;
  Inventory& inventory_;
};

// Delivered is something else: its CAs, for one.
bool keeps_its_credential(const Proof& proof) {
  return !proof.credential.empty() && proof.replaces == proof.credential;
}

tls::ContextPtr CredentialInspector::context(const tls::Source& source) {
  const Result<tls::MaterialPtr> material = tls::load(source, now_);
  Result<tls::ContextPtr> made = material ? tls::Context::client(*material, {}) : std::unexpected(material.error());
  if (!made) {
    refuse(made.error().message());
    return nullptr;
  }
  for (const tls::CertificateInfo& one : (*material)->chain()) {
    lives(fmt::format("the prober's certificate ({})", one.subject), one);
  }
  return *made;
}

// What mutual TLS needs besides is the same with either credential.
void CredentialInspector::contexts() {
  tls::Source source;
  source.ca_file = plan_.prober.trust.string();
  inventory_.trust = context(source);
  source.cert_file = plan_.prober.new_pair.cert.string();
  source.key_file = plan_.prober.new_pair.key.string();
  inventory_.new_probe = source.cert_file.empty() ? inventory_.trust : context(source);
  inventory_.old_probe = inventory_.new_probe;
}

std::optional<ReadCredential> CredentialInspector::taken(const Result<ReadCredential>& read, const std::string& whose,
                                                         NeededUntil until) {
  if (!read) {
    refuse(fmt::format("{}: {}", whose, read.error().message()));
    return std::nullopt;
  }
  for (const std::string& fault : read->faults) {
    refuse(fmt::format("{}: {}", whose, fault));
  }
  inventory_.lifetimes.push_back({whose, read->from, read->to, until});
  return *read;
}

void CredentialInspector::prober() {
  const CredentialSource& old_source = plan_.prober.old_credential;
  const CredentialSource& new_source = plan_.prober.new_credential;
  const auto old_one =
      taken(read_credential(old_source), fmt::format("the prober's old credential ({})", old_source.file.string()),
            NeededUntil::narrowed);
  const auto new_one =
      taken(read_credential(new_source), fmt::format("the prober's new credential ({})", new_source.file.string()),
            NeededUntil::end);
  if (old_one) {
    inventory_.old_credential = old_one->credential;
    inventory_.prober_old = old_one->who;
    inventory_.retired.add(old_one->who);
  }
  if (new_one) {
    inventory_.new_credential = new_one->credential;
    inventory_.new_token = new_one->token;
    inventory_.prober_new = new_one->who;
    inventory_.fresh.add(new_one->who);
  }
  if (!old_one) {
    return;
  }
  // What is said of a key that signs is shown by somebody whom it has signed.
  const auto signs = [](const std::string& one) { return !retired_by_name(one).issuer.empty(); };
  if (std::any_of(plan_.retires.begin(), plan_.retires.end(), signs) &&
      std::find(plan_.retires.begin(), plan_.retires.end(), old_one->who.issuer) == plan_.retires.end()) {
    refuse(fmt::format(
        "the prober's old credential ({}) is not signed by a key of `retires`, so that its refusal would show nothing",
        old_source.file.string()));
  }
}

void CredentialInspector::brokers() {
  for (const Broker& broker : plan_.brokers) {
    for (const auto* change : {&broker.broaden, &broker.narrow}) {
      if (*change) {
        readable(broker.name, **change);
      }
    }
  }
}

void CredentialInspector::readable(const std::string& whose, const Delivery& delivery) {
  const auto* copies = std::get_if<std::vector<Copy>>(&delivery);
  for (std::size_t i = 0; copies != nullptr && i < copies->size(); ++i) {
    if (const Result<Secret> text = read_secret_file((*copies)[i].from, limits::kCrlFileBytes); !text) {
      refuse(fmt::format("{}: {}", whose, text.error().doing));
    }
  }
}

void CredentialInspector::target(const Target& target) {
  readable(target.name, target.deliver);
  const std::optional<Identity> fresh = fresh_of(target);
  const bool keeps = keeps_its_credential(target.prove);
  const std::optional<Identity> old_one = keeps ? fresh : old_of(target);
  inventory_.target_new.push_back(fresh.value_or(Identity{}));
  inventory_.target_old.push_back(old_one.value_or(Identity{}));
  if (fresh) {
    inventory_.fresh.add(*fresh);
  }
  if (keeps || !old_one) {
    return;
  }
  if (fresh == old_one) {
    return refuse(fmt::format("{}: its new credential is to brokers the same as its old one: {}", target.name,
                              to_text(*old_one)));
  }
  inventory_.retired.add(*old_one);
}

std::optional<Identity> CredentialInspector::fresh_of(const Target& target) {
  if (target.prove.credential.empty()) {
    Identity user;
    user.user = target.prove.user;
    return user;
  }
  const std::string whose = fmt::format("the new credential of {} ({})", target.name, target.prove.credential.string());
  const auto read = taken(read_credential(target.prove.credential), whose, NeededUntil::end);
  return read ? std::optional(read->who) : std::nullopt;
}

// Named by the plan, or what stands where the new one goes; of somebody who had the token, that.
std::optional<Identity> CredentialInspector::old_of(const Target& target) {
  if (!target.prove.replaces_user.empty()) {
    Identity user;
    user.user = target.prove.replaces_user;
    return user;
  }
  if (const std::optional<Path> file = old_file_of(target)) {
    const std::string whose = fmt::format("the old credential of {} ({})", target.name, file->string());
    const auto read = taken(read_credential(*file), whose, NeededUntil::moved);
    return read ? std::optional(read->who) : std::nullopt;
  }
  return inventory_.prober_old.token ? std::optional(inventory_.prober_old) : std::nullopt;
}

std::optional<Path> CredentialInspector::old_file_of(const Target& target) const {
  if (!target.prove.replaces.empty()) {
    return target.prove.replaces;
  }
  const auto* copies = std::get_if<std::vector<Copy>>(&target.deliver);
  for (std::size_t i = 0; copies != nullptr && !target.prove.credential.empty() && i < copies->size(); ++i) {
    const Copy& copy = (*copies)[i];
    if (copy.from != target.prove.credential) {
      continue;
    }
    const std::string mark = mark_of(mark_, target);
    const Path path = !mark_.empty() && is_kept(copy.to, mark) ? kept_path(copy.to, mark) : copy.to;
    std::error_code ignored;
    return std::filesystem::exists(path, ignored) ? std::optional(path) : std::nullopt;
  }
  return std::nullopt;
}

Identity CredentialInspector::retired_by_name(const std::string& text) {
  const Result<identity::PublicKey> key = identity::PublicKey::parse(text);
  Identity out;
  (key && key->kind() == identity::KeyKind::account ? out.issuer : out.user) = text;
  return out;
}

void CredentialInspector::nobody_keeps_what_is_retired() {
  const auto look = [this](const Identity& fresh, const std::string& whose) {
    const Identity* retired = fresh.empty() ? nullptr : inventory_.retired.match(fresh);
    if (retired != nullptr) {
      refuse(fmt::format("{} is {}, and {} may not be presented at the end", whose, to_text(fresh), to_text(*retired)));
    }
  };
  look(inventory_.prober_new, "the prober's new credential");
  for (std::size_t i = 0; i < inventory_.target_new.size(); ++i) {
    look(inventory_.target_new[i], "the new credential of " + target_at(plan_, i).name);
  }
}

// One's connections would prove the other, too.
void CredentialInspector::targets_are_told_apart() {
  const std::vector<Identity>& all = inventory_.target_new;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Target& it = target_at(plan_, i);
    if (it.prove.name.empty() && !all[i].empty() && std::count(all.begin(), all.end(), all[i]) > 1 &&
        inventory_.target_old[i] != all[i]) {
      refuse(fmt::format("{} presents {}, as another target does: say which connections are its own (prove.name)",
                         it.name, to_text(all[i])));
    }
  }
}

}  // namespace

void inspect_credentials(const Plan& plan, std::string_view mark, WallTime now, Inspection& out) {
  CredentialInspector(plan, mark, now, out).inspect();
}

}  // namespace hawser::rotation
