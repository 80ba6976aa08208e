#include "broker/claims_service.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <utility>

#include "base/log.hpp"
#include "broker/claims_account.hpp"
#include "broker/monitor_json.hpp"
#include "identity/nkey.hpp"
#include "identity/token.hpp"

namespace hawser::broker {
namespace {

namespace json = boost::json;
using Kind = ClaimsAnswer::Kind;

constexpr std::string_view kUpdate = "$SYS.REQ.CLAIMS.UPDATE";
constexpr std::string_view kList = "$SYS.REQ.CLAIMS.LIST";
constexpr std::string_view kPack = "$SYS.REQ.CLAIMS.PACK";
constexpr std::string_view kDelete = "$SYS.REQ.CLAIMS.DELETE";
constexpr std::string_view kOfAccount = "$SYS.REQ.ACCOUNT.";
constexpr std::string_view kOfAccountOld = "$SYS.ACCOUNT.";
constexpr std::string_view kClaimsUpdate = ".CLAIMS.UPDATE";
constexpr std::string_view kClaimsLookup = ".CLAIMS.LOOKUP";
constexpr int kDone = 200;
constexpr int kFailed = 500;

using Hash = std::array<unsigned char, 32>;

Hash sha256(std::string_view text) {
  Hash hash{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), hash.data(), &size, EVP_sha256(), nullptr);
  return hash;
}

ClaimsAnswer done(std::string_view account, std::string_view message) {
  json::object data;
  if (!account.empty()) {
    data["account"] = account;
  }
  data["code"] = kDone;
  data["message"] = message;
  return {Kind::data, json_text(data, Form::compact)};
}

ClaimsAnswer failed(std::string_view account, std::string_view message, std::string_view reason) {
  log::warn(message, {{"account", account}, {"reason", reason}});
  json::object error;
  if (!account.empty()) {
    error["account"] = account;
  }
  error["code"] = kFailed;
  error["description"] = fmt::format("{} - {}", message, reason);
  return {Kind::error, json_text(error, Form::compact)};
}

// The token between the two, if there is just one.
std::optional<std::string_view> between(std::string_view subject, std::string_view prefix, std::string_view suffix) {
  if (subject.size() <= prefix.size() + suffix.size() || !subject.starts_with(prefix) || !subject.ends_with(suffix)) {
    return std::nullopt;
  }
  const std::string_view token = subject.substr(prefix.size(), subject.size() - prefix.size() - suffix.size());
  return token.find('.') == std::string_view::npos ? std::optional(token) : std::nullopt;
}

std::optional<std::string_view> updated_account(std::string_view subject) {
  const auto account = between(subject, kOfAccount, kClaimsUpdate);
  return account ? account : between(subject, kOfAccountOld, kClaimsUpdate);
}

bool has_expired(const identity::CommonClaims& claims, WallTime at) { return claims.expires && *claims.expires <= at; }

// nats-server's words of what became of an update.
struct Words {
  std::string_view updated;
  std::string_view resulted_in_error;
  std::string_view validation_failed;
};
Words words_of(ResolverKind kind) {
  switch (kind) {
    case ResolverKind::cache:
      return {"jwt updated cache", "jwt update cache resulted in error", "jwt update cache validation failed"};
    case ResolverKind::full: return {"jwt updated", "jwt update resulted in error", "jwt validation failed"};
    case ResolverKind::memory: break;
  }
  return {"jwt updated", "jwt update resulted in error", "jwt update resulted in error"};
}

// `nats.accounts` of a request to delete; the error is nats-server's.
std::expected<std::vector<std::string>, std::string> accounts_of(const identity::GenericClaims& claims) {
  constexpr const char* kMalformed = "malformed request";
  boost::system::error_code wrong;
  const json::value members = json::parse(claims.unknown.empty() ? "{}" : claims.unknown, wrong);
  const json::value* list = !wrong && members.is_object() ? members.get_object().if_contains("accounts") : nullptr;
  if (list == nullptr || !list->is_array()) {
    return std::unexpected(kMalformed);
  }
  std::vector<std::string> keys;
  for (const json::value& item : list->get_array()) {
    const auto key = item.is_string() ? identity::PublicKey::parse(std::string_view(item.get_string()))
                                      : Result<identity::PublicKey>(fail(Errc::nkey_malformed, kMalformed));
    if (!key || key->kind() != identity::KeyKind::account) {
      return std::unexpected(kMalformed);
    }
    keys.push_back(key->text());
  }
  return keys;
}

}  // namespace

Result<void> ClaimsService::settle_in() {
  const ConfigurationPtr now = owner_.configuration();
  const ResolverSettings& resolver = mode(now).resolver;
  if (resolver.kind == ResolverKind::memory) {
    return {};
  }
  const ClaimsDirectory directory(resolver);
  if (auto made = directory.make(); !made) {
    return made;
  }
  std::vector<Error> told_already;
  const AccountJwts stored = directory.read(told_already);
  for (const PreloadedJwt& preloaded : mode(now).preload) {
    const auto jwt = read_account_jwt(preloaded.token);
    const std::string& key = jwt ? (*jwt)->claims.subject : preloaded.key;
    const auto in_use = now->authority->jwts().find(key);
    const auto on_disk = stored.find(key);
    const bool same = on_disk != stored.end() && in_use != now->authority->jwts().end() &&
                      on_disk->second->token == in_use->second->token;
    if (!jwt || in_use == now->authority->jwts().end() || same) {
      continue;
    }
    if (auto done = directory.store(key, in_use->second->token); !done) {
      return done;
    }
  }
  log::info(fmt::format("Managing {} jwt in exclusive directory {}",
                        resolver.kind == ResolverKind::full ? "all" : "some", resolver.directory.string()));
  return {};
}

std::vector<std::string> ClaimsService::subjects() const {
  std::vector<std::string> all{fmt::format("{}*{}", kOfAccount, kClaimsUpdate),
                               fmt::format("{}*{}", kOfAccountOld, kClaimsUpdate)};
  if (mode(owner_.configuration()).resolver.kind != ResolverKind::memory) {
    all.insert(all.end(), {std::string(kUpdate), std::string(kList), std::string(kPack), std::string(kDelete),
                           fmt::format("{}*{}", kOfAccount, kClaimsLookup)});
  }
  return all;
}

bool ClaimsService::answers(std::string_view subject) {
  return subject.ends_with(kClaimsUpdate) || subject.ends_with(kClaimsLookup) || subject == kList || subject == kPack ||
         subject == kDelete;
}

std::vector<ClaimsAnswer> ClaimsService::answer(std::string_view subject, std::string_view payload) {
  if (subject == kUpdate) {
    return {update(std::nullopt, payload)};
  }
  if (const auto account = updated_account(subject)) {
    return {update(account, payload)};
  }
  if (const auto account = between(subject, kOfAccount, kClaimsLookup)) {
    return look_up(*account);
  }
  if (subject == kList) {
    return {list()};
  }
  if (subject == kPack) {
    return pack(payload);
  }
  return subject == kDelete ? std::vector{remove(payload)} : std::vector<ClaimsAnswer>();
}

// `named`: the account in the subject.
ClaimsAnswer ClaimsService::update(std::optional<std::string_view> named, std::string_view token) {
  const ConfigurationPtr now = owner_.configuration();
  const ResolverKind kind = mode(now).resolver.kind;
  const Words words = words_of(kind);
  const std::string_view unknown = kind == ResolverKind::full || !named ? std::string_view("n/a") : *named;
  if (token.empty()) {
    return failed(unknown, "jwt update error", "request body is empty");
  }
  const Result<AccountJwtPtr> jwt = read_account_jwt(token);
  if (!jwt) {
    return failed(unknown, words.resulted_in_error, jwt.error().message());
  }
  const identity::AccountClaims& claims = (*jwt)->claims;
  if (named && claims.subject != *named) {
    return failed(*named, words.resulted_in_error, "subject does not match jwt content");
  }
  if (kind == ResolverKind::memory && !now->authority->jwts().contains(claims.subject)) {
    return done(claims.subject, "jwt update skipped");
  }
  if (auto admitted = now->authority->admits(claims, wall_now()); !admitted) {
    return failed(claims.subject, words.validation_failed, admitted.error().message());
  }
  if (auto kept = keep(*jwt, mode(now).resolver); !kept) {
    return failed(claims.subject, words.resulted_in_error, kept.error().message());
  }
  log::info(words.updated, {{"account", claims.subject}, {"name", claims.name}, {"issuer", claims.issuer}});
  return done(claims.subject, words.updated);
}

// First to where it lasts, then in effect.
Result<void> ClaimsService::keep(const AccountJwtPtr& jwt, const ResolverSettings& resolver) {
  const std::string& key = jwt->claims.subject;
  const ConfigurationPtr now = owner_.configuration();
  const AccountJwts& in_use = now->authority->jwts();
  if (const auto old = in_use.find(key); old != in_use.end() && old->second->token == jwt->token) {
    return {};
  }
  return owner_.change_accounts([&](AccountJwts& jwts) -> Result<void> {
    std::size_t bytes = jwt->token.size();
    for (const auto& [other, each] : jwts) {
      bytes += other == key ? 0 : each->token.size();
    }
    if (bytes > ClaimsDirectory::kMostBytes || (!jwts.contains(key) && jwts.size() >= resolver.limit)) {
      return fail(Errc::limit_exceeded, "jwt store is full");
    }
    if (resolver.kind != ResolverKind::memory) {
      if (auto stored = ClaimsDirectory(resolver).store(key, jwt->token); !stored) {
        return stored;
      }
    }
    jwts.insert_or_assign(key, jwt);
    return {};
  });
}

ClaimsAnswer ClaimsService::list() const {
  const ConfigurationPtr now = owner_.configuration();
  const WallTime at = wall_now();
  json::array keys;
  for (const auto& [key, jwt] : now->authority->jwts()) {
    if (!has_expired(jwt->claims, at)) {
      keys.emplace_back(key);
    }
  }
  ClaimsAnswer answer{Kind::data, {}};
  append_json(answer.text, json::value(std::move(keys)), Form::compact);
  return answer;
}

// One message an account, and an empty one at the end; that alone if the asker has the same already.
std::vector<ClaimsAnswer> ClaimsService::pack(std::string_view hash) const {
  const ConfigurationPtr now = owner_.configuration();
  const WallTime at = wall_now();
  std::vector<ClaimsAnswer> answers;
  Hash ours{};
  for (const auto& [key, jwt] : now->authority->jwts()) {
    const Hash one = sha256(jwt->token);
    for (std::size_t i = 0; i < ours.size(); ++i) {
      ours[i] ^= one[i];
    }
    if (!has_expired(jwt->claims, at)) {
      answers.push_back({Kind::raw, fmt::format("{}|{}", key, jwt->token)});
    }
  }
  if (std::ranges::equal(hash, ours, [](char a, unsigned char b) { return static_cast<unsigned char>(a) == b; })) {
    answers.clear();
  }
  answers.push_back({Kind::raw, {}});
  return answers;
}

std::vector<ClaimsAnswer> ClaimsService::look_up(std::string_view account) const {
  const ConfigurationPtr now = owner_.configuration();
  const auto found = now->authority->jwts().find(account);
  if (found == now->authority->jwts().end()) {
    return {};
  }
  return {{Kind::raw, found->second->token}};
}

// Of a JWT that a trusted operator's key has signed about itself.
ClaimsAnswer ClaimsService::remove(std::string_view token) {
  const ConfigurationPtr now = owner_.configuration();
  const ResolverSettings& resolver = mode(now).resolver;
  const Result<identity::GenericClaims> claims = identity::decode_generic(token);
  const std::string subject = claims ? claims->subject : std::string();
  const auto refuse = [&](std::string_view reason) {
    return failed({}, fmt::format("delete accounts request by {} failed", subject), reason);
  };
  if (!claims) {
    return refuse(claims.error().message());
  }
  if (!resolver.allow_delete) {
    return refuse("delete must be enabled in server config");
  }
  if (claims->subject != claims->issuer) {
    return refuse("not self signed");
  }
  if (!now->authority->trusted().contains(claims->issuer)) {
    return refuse("not trusted");
  }
  if (has_expired(*claims, wall_now())) {
    return refuse("the request has expired");
  }
  const auto keys = accounts_of(*claims);
  if (!keys) {
    return refuse(keys.error());
  }
  if (std::ranges::find(*keys, now->settings->system_account) != keys->end()) {
    return refuse("not allowed to delete system account");
  }
  std::string reasons;
  std::size_t gone = 0;
  std::ignore = owner_.change_accounts([&](AccountJwts& jwts) -> Result<void> {
    for (const std::string& key : *keys) {
      if (auto removed = ClaimsDirectory(resolver).remove(key); removed) {
        jwts.erase(key);
        ++gone;
      } else {
        reasons += (reasons.empty() ? "" : "\n") + removed.error().message();
      }
    }
    return {};
  });
  if (!reasons.empty()) {
    return failed({}, fmt::format("deleted {} accounts, failed for {}", gone, keys->size() - gone), reasons);
  }
  log::info("accounts deleted", {{"count", gone}, {"by", subject}});
  return done({}, fmt::format("deleted {} accounts", gone));
}

std::optional<WallTime> ClaimsService::changes_at() const { return owner_.configuration()->authority->changes_at(); }

void ClaimsService::pass_time() {
  std::ignore = owner_.change_accounts([](AccountJwts&) { return Result<void>(); });
}

}  // namespace hawser::broker
