// The accounts' JWTs at run time: takes, lists and tells them in the system account, as `nsc push` and `hawser id push`
// ask for it.
//
// What is pushed is verified before it is kept: an account that no trusted operator signed, or that would not be let
// in, is refused with the reason. One thread at a time (the system service's). Subjects, texts and shapes are
// nats-server's.
//
//   ClaimsService claims(owner);
//   for (const ClaimsAnswer& answer : claims.answer("$SYS.REQ.CLAIMS.LIST", "")) …
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/claims_directory.hpp"
#include "broker/hub.hpp"

namespace hawser::broker {

struct ClaimsAnswer {
  // raw: as it is; data and error: JSON, to stand beside "server".
  enum class Kind : std::uint8_t { raw, data, error } kind = Kind::raw;
  std::string text;
};

// Whose accounts they are; any thread.
class AccountsOwner {
 public:
  [[nodiscard]] virtual ConfigurationPtr configuration() const = 0;
  // Changes the accounts, and returns when every client was judged again; never two at a time, nor during a reload.
  // With an error of `change` nothing has changed.
  using Change = std::function<Result<void>(AccountJwts&)>;
  virtual Result<void> change_accounts(const Change& change) = 0;

 protected:
  ~AccountsOwner() = default;
};

class ClaimsService {
 public:
  static constexpr std::size_t kMostRequest = 1UL << 20U;  // bytes; as much as a JWT may have

  explicit ClaimsService(AccountsOwner& owner) : owner_(owner) {}

  // Makes the directory, and puts what the configuration brings along into it; at start, and during a reload. Errors:
  // broker_resolver_invalid, file_unwritable.
  [[nodiscard]] Result<void> settle_in();

  // What to subscribe to in the system account.
  [[nodiscard]] std::vector<std::string> subjects() const;
  // Whether a request on this subject is meant for it, and has its effect even when nobody waits for the answer.
  [[nodiscard]] static bool answers(std::string_view subject);

  // One message each, in this order; none: there is nothing to say.
  [[nodiscard]] std::vector<ClaimsAnswer> answer(std::string_view subject, std::string_view payload);

  // When an account or activation next begins or ends, and what is to be called then.
  [[nodiscard]] std::optional<WallTime> changes_at() const;
  void pass_time();

 private:
  [[nodiscard]] const OperatorSettings& mode(const ConfigurationPtr& of) const { return *of->settings->operator_mode; }
  ClaimsAnswer update(std::optional<std::string_view> named, std::string_view token);
  [[nodiscard]] Result<void> keep(const AccountJwtPtr& jwt, const ResolverSettings& resolver);
  ClaimsAnswer list() const;
  std::vector<ClaimsAnswer> pack(std::string_view hash) const;
  std::vector<ClaimsAnswer> look_up(std::string_view account) const;
  ClaimsAnswer remove(std::string_view token);

  AccountsOwner& owner_;
};

}  // namespace hawser::broker
