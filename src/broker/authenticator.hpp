// Who a client is, and what that allows: a CONNECT, the server's nonce and a certificate in, a verdict out.
//
// Immutable, shared between threads as a pointer to const; one configuration, one Authenticator. Pure but for the
// comparison of bcrypt hashes, which is slow and therefore handed back as a question (bcrypt_check.hpp). Order and
// outcomes are nats-server's.
//
//   const Verdict verdict = authenticator->authenticate({connect, nonce, peer ? &*peer : nullptr});
//   if (const auto* denial = std::get_if<Denial>(&verdict)) close(denial->reason);
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "broker/authority.hpp"
#include "broker/peer_identity.hpp"
#include "broker/settings.hpp"
#include "wire/connect.hpp"

namespace hawser::broker {

struct Presented {
  const wire::ConnectOptions& connect;
  std::string_view nonce;                     // what INFO said; empty: none
  const PeerIdentity* certificate = nullptr;  // verified in the handshake; null: none was shown
  std::string_view address = {};              // the IP address that it comes from
  WallTime at{};                              // now
};

// What let a client in; after a reload the same proof is looked at again.
enum class GrantedBy : std::uint8_t {
  open,              // nobody has to say who he is
  trusted_listener,  // this machine's plain listener
  no_auth_user,
  password,     // of a user
  single_user,  // `authorization { user, password }`
  token,
  nkey,
  certificate,  // verify_and_map
  jwt,          // operator mode
};

// Somebody whom a JWT let in, for as long as he is connected.
struct JwtUser {
  enum class Ending : std::uint8_t { user, account };  // whose time is over then

  identity::UserClaims claims{};
  AccountJwtPtr account{};  // as it was when he was last judged
  std::string address{};
  bool bearer = false;
  std::int64_t max_subscriptions = -1;  // of the connection; negative: no limit
  std::int64_t max_payload = -1;
  std::optional<WallTime> ends{};
  Ending ending = Ending::user;
};

struct Grant {
  GrantedBy by = GrantedBy::open;
  std::string user;     // as /connz shows it: name or NKey; "[REDACTED]" for a token; empty: nobody said
  std::string account;  // kGlobalAccount, or a name of Settings::accounts
  std::shared_ptr<const Permissions> permissions;  // with the defaults applied; null: everything
  // What was right (a password, a hash, a token), for still_valid(); null when nothing was compared.
  std::shared_ptr<const Secret> credential;
  std::shared_ptr<const JwtUser> jwt{};  // null: no JWT
};

// Whether account and permissions are the same, so that nothing has to change for a live connection.
[[nodiscard]] bool same_rights(const Grant& a, const Grant& b);

struct Denial {
  std::string reason;  // for the log: names the user and the rule; never a secret
  // What the client hears. A user that is gone or has moved to another account hears nothing, as from nats-server: it
  // is to come back and be judged anew.
  enum class Told : std::uint8_t {
    authorization_violation,
    nothing,
    revoked,  // these three after it was let in alone
    user_expired,
    account_expired,
  } told = Told::authorization_violation;
  std::string user{};  // who it is, where that is known: an NKey
};

// A bcrypt hash to be compared on another thread.
struct PasswordQuestion {
  Secret hash;
  Secret password;
  Grant granted_if_right;
  Denial denied_if_wrong;
};

using Verdict = std::variant<Grant, Denial, PasswordQuestion>;
using Revalidation = std::variant<Grant, Denial>;

class Authenticator {
 public:
  // Of validated settings (validate.hpp), which stay alive with it and with every Grant. Errors: broker_bad_user.
  // `authority`: in operator mode.
  [[nodiscard]] static Result<std::shared_ptr<const Authenticator>> make(std::shared_ptr<const Settings> settings,
                                                                         AuthorityPtr authority = nullptr);

  [[nodiscard]] Verdict authenticate(const Presented& presented) const;
  // A client of the plain listener of this machine (Settings::trusted), whatever its CONNECT says.
  [[nodiscard]] Revalidation trusted_client() const;

  // After a reload, asked of the new Authenticator: is what was granted under an older configuration still granted, to
  // the same proof? Not when the user is gone, its credential or account changed, or the certificate now maps to
  // somebody else. The new Grant replaces the old one, which keeps the old settings alive; see same_rights().
  [[nodiscard]] Revalidation still_valid(const Grant& old, const PeerIdentity* certificate,
                                         WallTime at = wall_now()) const;

  // INFO has a nonce.
  [[nodiscard]] bool needs_nonce() const noexcept;
  // INFO's auth_required: false with a no_auth_user, although what a client does present is checked.
  [[nodiscard]] bool auth_required() const noexcept;
  // Whether anything but CONNECT must wait until the client is known: PING before CONNECT is answered on an open
  // server.
  [[nodiscard]] bool open() const noexcept;
  // Users are named by certificates: authenticate() and still_valid() want the PeerIdentity.
  [[nodiscard]] bool maps_certificates() const noexcept;

  ~Authenticator();
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

 private:
  struct Tables;
  explicit Authenticator(std::unique_ptr<const Tables> tables);
  std::unique_ptr<const Tables> tables_;
};

}  // namespace hawser::broker
