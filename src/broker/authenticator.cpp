#include "broker/authenticator.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "broker/bcrypt_check.hpp"
#include "broker/nonce.hpp"
#include "broker/user_admission.hpp"
#include "identity/encoding.hpp"
#include "identity/nkey.hpp"

namespace hawser::broker {
namespace {

constexpr const char* kRedacted = "[REDACTED]";

// Texts of clients, for the log: bounded.
std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 128;
  return fmt::format("\"{}\"{}", text.substr(0, kMost), text.size() > kMost ? "…" : "");
}

Denial denied(std::string reason) { return {.reason = std::move(reason)}; }
Denial gone(std::string reason) { return {.reason = std::move(reason), .told = Denial::Told::nothing}; }

bool allows_connection(const User& user) {
  return user.connection_types.empty() || user.connection_types.contains(ConnectionType::standard);
}

const std::string& name_of(const User& user) { return user.nkey.empty() ? user.name : user.nkey; }

Denial wrong_connection_type(const User& user) {
  return denied(fmt::format("user {} may not use connections of the type STANDARD", shown(name_of(user))));
}

bool same_credential(const Grant& old, const Secret& now) {
  return old.credential != nullptr && equal_in_constant_time(*old.credential, now);
}

struct MappedName {
  tls::DistinguishedName name;
  const User* user;
};

}  // namespace

// What a configuration says, laid out for looking up. Views and pointers are into `settings`.
struct Authenticator::Tables {
  std::shared_ptr<const Settings> settings;
  AuthorityPtr authority;  // operator mode: users come with JWTs, and nothing below matters
  std::unordered_map<std::string_view, const User*> by_name;
  std::unordered_map<std::string_view, std::pair<const User*, identity::PublicKey>> by_nkey;
  std::vector<MappedName> by_distinguished_name;  // with verify_and_map
  bool maps = false;
  const User* no_auth_user = nullptr;

  [[nodiscard]] const Authorization& authorization() const { return settings->authorization; }

  [[nodiscard]] const User* find(std::string_view name_or_nkey) const {
    if (const auto named = by_name.find(name_or_nkey); named != by_name.end()) {
      return named->second;
    }
    const auto keyed = by_nkey.find(name_or_nkey);
    return keyed == by_nkey.end() ? nullptr : keyed->second.first;
  }

  // A part of the settings, kept alive with them.
  template <class T>
  [[nodiscard]] std::shared_ptr<const T> part(const T& of) const {
    return {settings, &of};
  }

  [[nodiscard]] std::shared_ptr<const Permissions> permissions_of(const User& user) const {
    if (user.permissions) {
      return part(*user.permissions);
    }
    const std::optional<Permissions>* defaults = &authorization().default_permissions;
    if (!user.account.empty()) {
      const auto account = std::ranges::find(settings->accounts, user.account, &Account::name);
      defaults = account == settings->accounts.end() ? nullptr : &account->default_permissions;
    }
    return defaults != nullptr && *defaults ? part(**defaults) : nullptr;
  }

  [[nodiscard]] Grant grant(GrantedBy by, const User& user, const Secret* credential) const {
    return {.by = by,
            .user = name_of(user),
            .account = user.account.empty() ? kGlobalAccount : user.account,
            .permissions = permissions_of(user),
            .credential = credential == nullptr ? nullptr : part(*credential)};
  }
  [[nodiscard]] Grant grant(GrantedBy by, std::string user, const Secret* credential) const {
    return {.by = by,
            .user = std::move(user),
            .account = kGlobalAccount,
            .permissions = nullptr,
            .credential = credential == nullptr ? nullptr : part(*credential)};
  }
  [[nodiscard]] Grant open_grant() const { return grant(GrantedBy::open, std::string(), nullptr); }

  [[nodiscard]] const User* mapped_user(const PeerIdentity& peer) const;
  [[nodiscard]] Verdict by_certificate(const Presented& presented) const;
  [[nodiscard]] Verdict by_key(const Presented& presented) const;
  [[nodiscard]] Verdict by_user(const Presented& presented) const;
  [[nodiscard]] Verdict by_single_secret(const Presented& presented) const;
  [[nodiscard]] Revalidation again(const Grant& old, const PeerIdentity* peer) const;
  [[nodiscard]] Revalidation again_by_key(const Grant& old) const;
  [[nodiscard]] Revalidation again_by_certificate(const Grant& old, const PeerIdentity* peer) const;
  [[nodiscard]] Revalidation again_by_password(const Grant& old) const;
};

namespace {

Verdict compare(const Secret& configured, const Secret& presented, Grant grant, Denial denial) {
  if (looks_like_bcrypt(configured.reveal())) {
    return PasswordQuestion{configured.copy(), presented.copy(), std::move(grant), std::move(denial)};
  }
  return equal_in_constant_time(configured, presented) ? Verdict(std::move(grant)) : Verdict(std::move(denial));
}

}  // namespace

// nats-server's order: e-mail addresses, DNS names, URIs, the subject as a distinguished name in its own order, then in
// any, then Go's text of it, with the domain components and without.
const User* Authenticator::Tables::mapped_user(const PeerIdentity& peer) const {
  const auto named = [this](const std::string& name) -> const User* {
    const auto found = name.empty() ? by_name.end() : by_name.find(name);
    return found != by_name.end() && allows_connection(*found->second) ? found->second : nullptr;
  };
  for (const std::vector<std::string>* names : {&peer.emails, &peer.dns_names, &peer.uris}) {
    for (const std::string& name : *names) {
      if (const User* user = named(name); user != nullptr) {
        return user;
      }
    }
  }
  for (const auto same : {tls::equal, tls::equal_in_any_order}) {
    for (const MappedName& one : by_distinguished_name) {
      if (allows_connection(*one.user) && same(one.name, peer.name)) {
        return one.user;
      }
    }
  }
  const std::string subject = tls::go_subject_text(peer.name);
  if (const std::string components = tls::domain_components(peer.name); !components.empty()) {
    if (const User* user = named(subject + "," + components); user != nullptr) {
      return user;
    }
  }
  return named(subject);
}

Verdict Authenticator::Tables::by_certificate(const Presented& presented) const {
  if (presented.certificate == nullptr) {
    return denied("users are named by certificates, and none was shown");
  }
  const User* user = mapped_user(*presented.certificate);
  if (user == nullptr) {
    return denied(fmt::format("no user for the certificate {}", shown(presented.certificate->subject)));
  }
  if (!presented.connect.user.empty() && presented.connect.user != user->name) {
    log::warn("the user of a CONNECT is ignored, since the certificate names one",
              {{"sent", presented.connect.user}, {"user", user->name}});
  }
  return compare(
      user->password, presented.connect.pass, grant(GrantedBy::certificate, *user, &user->password),
      denied(fmt::format("the password of user {}, whom the certificate names, is wrong", shown(user->name))));
}

Verdict Authenticator::Tables::by_key(const Presented& presented) const {
  const std::string& key = presented.connect.nkey;
  const auto found = by_nkey.find(key);
  if (found == by_nkey.end()) {
    return denied(fmt::format("the NKey {} is not known", shown(key)));
  }
  const auto& [user, public_key] = found->second;
  if (!allows_connection(*user)) {
    return wrong_connection_type(*user);
  }
  if (presented.connect.sig.empty()) {
    return denied(fmt::format("no signature came with the NKey {}", key));
  }
  const std::optional<std::string> signature = decode_signature(presented.connect.sig.reveal());
  if (!signature) {
    return denied(fmt::format("the signature by the NKey {} is not base64", key));
  }
  if (presented.nonce.empty() || !public_key.verify(presented.nonce, identity::as_bytes(*signature))) {
    return denied(fmt::format("the signature by the NKey {} does not fit the nonce", key));
  }
  return grant(GrantedBy::nkey, *user, nullptr);
}

Verdict Authenticator::Tables::by_user(const Presented& presented) const {
  const auto found = by_name.find(presented.connect.user);
  if (found == by_name.end()) {
    return denied(fmt::format("user {} is not known", shown(presented.connect.user)));
  }
  const User& user = *found->second;
  if (!allows_connection(user)) {
    return wrong_connection_type(user);
  }
  return compare(user.password, presented.connect.pass, grant(GrantedBy::password, user, &user.password),
                 denied(fmt::format("the password of user {} is wrong", shown(user.name))));
}

// A token, or a single user: each looks at its own field of CONNECT alone.
Verdict Authenticator::Tables::by_single_secret(const Presented& presented) const {
  const Authorization& wanted = authorization();
  if (!wanted.token.empty()) {
    return compare(wanted.token, presented.connect.auth_token, grant(GrantedBy::token, kRedacted, &wanted.token),
                   denied(presented.connect.auth_token.empty() ? "no token was sent" : "the token is wrong"));
  }
  if (wanted.user.empty()) {
    return denied("no credentials of a kind that is asked for");
  }
  if (!equal_in_constant_time(Secret(wanted.user), Secret(presented.connect.user))) {
    return denied(presented.connect.user.empty() ? std::string("no user was sent")
                                                 : fmt::format("user {} is not known", shown(presented.connect.user)));
  }
  return compare(wanted.password, presented.connect.pass, grant(GrantedBy::single_user, wanted.user, &wanted.password),
                 denied(fmt::format("the password of user {} is wrong", shown(wanted.user))));
}

Authenticator::Authenticator(std::unique_ptr<const Tables> tables) : tables_(std::move(tables)) {}
Authenticator::~Authenticator() = default;

Result<std::shared_ptr<const Authenticator>> Authenticator::make(std::shared_ptr<const Settings> settings,
                                                                 AuthorityPtr authority) {
  auto tables = std::make_unique<Tables>();
  tables->authority = std::move(authority);
  const Authorization& authorization = settings->authorization;
  tables->maps = settings->tls && settings->tls->verify_and_map;
  for (const User& user : authorization.users) {
    if (user.nkey.empty()) {
      tables->by_name.emplace(user.name, &user);
      std::optional<tls::DistinguishedName> name =
          tables->maps ? tls::parse_distinguished_name(user.name) : std::nullopt;
      if (name) {
        tables->by_distinguished_name.push_back({std::move(*name), &user});
      }
      continue;
    }
    const Result<identity::PublicKey> key = identity::PublicKey::parse(user.nkey);
    if (!key) {
      return fail(Errc::broker_bad_user, fmt::format("{}: {}", user.place, key.error().doing));
    }
    tables->by_nkey.emplace(user.nkey, std::pair(&user, *key));
  }
  tables->settings = std::move(settings);
  tables->no_auth_user = authorization.no_auth_user.empty() ? nullptr : tables->find(authorization.no_auth_user);
  return std::shared_ptr<const Authenticator>(new Authenticator(std::move(tables)));
}

Verdict Authenticator::authenticate(const Presented& presented) const {
  const wire::ConnectOptions& connect = presented.connect;
  if (!connect.account.empty() || connect.new_account) {
    return denied("CONNECT asks for an account, which clients cannot choose");
  }
  if (tables_->authority != nullptr) {
    Revalidation admitted = admit_jwt(*tables_->authority, presented);
    return std::visit([](auto&& verdict) { return Verdict(std::forward<decltype(verdict)>(verdict)); },
                      std::move(admitted));
  }
  if (open()) {
    return tables_->open_grant();
  }
  const bool nothing_sent = connect.user.empty() && connect.pass.empty() && connect.auth_token.empty();
  const User* no_auth_user = nothing_sent ? tables_->no_auth_user : nullptr;
  if (!tables_->by_nkey.empty()) {
    if (no_auth_user != nullptr && !no_auth_user->nkey.empty() && connect.nkey.empty()) {
      return tables_->grant(GrantedBy::no_auth_user, *no_auth_user, nullptr);
    }
    if (!connect.nkey.empty()) {
      return tables_->by_key(presented);
    }
  }
  if (!tables_->by_name.empty()) {
    if (tables_->maps) {
      return tables_->by_certificate(presented);
    }
    if (no_auth_user != nullptr && no_auth_user->nkey.empty()) {
      return allows_connection(*no_auth_user) ? Verdict(tables_->grant(GrantedBy::no_auth_user, *no_auth_user, nullptr))
                                              : wrong_connection_type(*no_auth_user);
    }
    if (!connect.user.empty()) {
      return tables_->by_user(presented);
    }
  }
  return tables_->by_single_secret(presented);
}

Revalidation Authenticator::trusted_client() const {
  const std::string name = tables_->settings->trusted ? tables_->settings->trusted->user : std::string();
  if (name.empty()) {
    return tables_->grant(GrantedBy::trusted_listener, std::string(), nullptr);
  }
  const User* user = tables_->find(name);
  return user == nullptr ? Revalidation(gone(fmt::format("user {} of the trusted listener is not known", shown(name))))
                         : tables_->grant(GrantedBy::trusted_listener, *user, nullptr);
}

Revalidation Authenticator::Tables::again_by_key(const Grant& old) const {
  const auto found = by_nkey.find(old.user);
  if (found == by_nkey.end()) {
    return gone(fmt::format("the NKey {} is not known any more", shown(old.user)));
  }
  const User& user = *found->second.first;
  return allows_connection(user) ? Revalidation(grant(GrantedBy::nkey, user, nullptr)) : wrong_connection_type(user);
}

Revalidation Authenticator::Tables::again_by_certificate(const Grant& old, const PeerIdentity* peer) const {
  if (!old.user.empty() && find(old.user) == nullptr) {
    return gone(fmt::format("user {} is not known any more", shown(old.user)));
  }
  const User* user = peer == nullptr ? nullptr : mapped_user(*peer);
  if (user == nullptr) {
    return denied(peer == nullptr ? std::string("users are named by certificates now, and none was shown")
                                  : fmt::format("no user for the certificate {} any more", shown(peer->subject)));
  }
  if (user->name != old.user) {
    return denied(fmt::format("the certificate {} names user {} now", shown(peer->subject), shown(user->name)));
  }
  return user->password.empty() || same_credential(old, user->password)
             ? Revalidation(grant(GrantedBy::certificate, *user, &user->password))
             : denied(fmt::format("the password of user {} has changed", shown(user->name)));
}

Revalidation Authenticator::Tables::again_by_password(const Grant& old) const {
  const bool single = by_name.empty() && !authorization().user.empty() && authorization().user == old.user;
  const auto found = by_name.find(old.user);
  if (!single && found == by_name.end()) {
    return gone(fmt::format("user {} is not known any more", shown(old.user)));
  }
  const Secret& password = single ? authorization().password : found->second->password;
  if (!same_credential(old, password)) {
    return denied(fmt::format("the password of user {} has changed", shown(old.user)));
  }
  if (single) {
    return grant(GrantedBy::single_user, old.user, &password);
  }
  return allows_connection(*found->second) ? Revalidation(grant(GrantedBy::password, *found->second, &password))
                                           : wrong_connection_type(*found->second);
}

// What the proof of then is worth now.
Revalidation Authenticator::Tables::again(const Grant& old, const PeerIdentity* peer) const {
  if (settings->open()) {
    return open_grant();
  }
  if (old.by == GrantedBy::nkey) {
    return again_by_key(old);
  }
  if (maps && !by_name.empty()) {
    return again_by_certificate(old, peer);
  }
  switch (old.by) {
    case GrantedBy::password:
    case GrantedBy::single_user: return again_by_password(old);
    case GrantedBy::certificate: return denied("users are not named by certificates any more");
    case GrantedBy::token:
      return !authorization().token.empty() && same_credential(old, authorization().token)
                 ? Revalidation(grant(GrantedBy::token, kRedacted, &authorization().token))
                 : denied("the token has changed");
    default: break;
  }
  if (no_auth_user == nullptr) {
    return denied("authentication is required now");
  }
  return allows_connection(*no_auth_user) ? Revalidation(grant(GrantedBy::no_auth_user, *no_auth_user, nullptr))
                                          : wrong_connection_type(*no_auth_user);
}

Revalidation Authenticator::still_valid(const Grant& old, const PeerIdentity* certificate, WallTime at) const {
  Revalidation now = old.by == GrantedBy::trusted_listener ? trusted_client()
                     : tables_->authority != nullptr       ? admit_again(*tables_->authority, old, at)
                                                           : tables_->again(old, certificate);
  if (const Grant* granted = std::get_if<Grant>(&now); granted != nullptr && granted->account != old.account) {
    return gone(fmt::format("user {} has moved from account {} to {}", shown(granted->user), shown(old.account),
                            shown(granted->account)));
  }
  return now;
}

bool Authenticator::needs_nonce() const noexcept {
  return tables_->authority != nullptr || !tables_->by_nkey.empty() || tables_->settings->always_enable_nonce;
}
bool Authenticator::auth_required() const noexcept { return !open() && tables_->no_auth_user == nullptr; }
bool Authenticator::open() const noexcept { return tables_->settings->open(); }
bool Authenticator::maps_certificates() const noexcept { return tables_->maps && !tables_->by_name.empty(); }

bool same_rights(const Grant& a, const Grant& b) {
  return a.account == b.account && (a.permissions == nullptr) == (b.permissions == nullptr) &&
         (a.permissions == nullptr || *a.permissions == *b.permissions);
}

}  // namespace hawser::broker
