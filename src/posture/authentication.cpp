#include <algorithm>
#include <optional>

#include "posture/credential_fact.hpp"
#include "posture/rules.hpp"
#include "posture/setting_text.hpp"

namespace hawser::posture::rules {
namespace {

using Form = CredentialFact::Form;

constexpr auto kExpiresSoon = std::chrono::days(7);

// One credential that is set.
struct Candidate {
  AuthMode mode = AuthMode::none;
  std::string what{};  // "user and password", "the token in the URL"
  std::vector<std::string> sources{};
  std::optional<Error> malformed{};
  std::optional<CredentialFact> fact{};  // of creds
  CredentialPlan plan{};
};

struct Authentication {
  const Case& c;
  Decision& decision;
  AuthPolicy policy = AuthPolicy::precedence;
  bool refused = false;
  std::vector<Candidate> candidates{};  // in order of precedence

  [[nodiscard]] bool strict() const { return policy == AuthPolicy::strict; }
  [[nodiscard]] Severity error_if_strict() const { return strict() ? Severity::error : Severity::warning; }

  void find(Errc code, Severity severity, std::string message, std::vector<std::string> sources) {
    refused = refused || severity == Severity::error;
    add(decision, code, severity, std::move(message), std::move(sources));
  }
};

// The credential in its two forms. The value counts where both are set; a finding says so.
void plan_secret(Authentication& a, Candidate& candidate, const OptionalSetting<Secret>& value,
                 const OptionalSetting<std::string>& file, const std::optional<CredentialFact>& file_fact) {
  if (value && file) {
    a.find(Errc::credential_set_twice, a.error_if_strict(),
           value->origin + " and " + file->origin + " give the same secret" + (a.strict() ? "" : "; the first counts"),
           {value->origin, file->origin});
  }
  const std::string& origin = value ? value->origin : file->origin;
  candidate.sources.push_back(origin);
  candidate.plan.origin = origin;
  if (value) {
    candidate.plan.value = value->value.copy();
    return;
  }
  candidate.plan.file = file->value;
  if (file_fact) {
    candidate.malformed = file_fact->error;
    if (!file_fact->error) {
      candidate.fact = file_fact;
    }
    if (file_fact->readable_by_others) {
      a.find(Errc::credential_readable_by_others, Severity::warning,
             "the file of " + candidate.what + " can be read by other users", {origin});
    }
  }
}

void add_user(Authentication& a) {
  const Settings& s = a.c.settings;
  const bool has_password = s.password || s.password_file;
  if (!s.username && !has_password) {
    return;
  }
  if (!s.username || !has_password) {
    const std::string& origin = s.username   ? s.username->origin
                                : s.password ? s.password->origin
                                             : s.password_file->origin;
    a.find(Errc::auth_incomplete, a.error_if_strict(),
           std::string(s.username ? "a user is set without a password" : "a password is set without a user") +
               (a.strict() ? "" : "; it does not count"),
           {origin});
    return;
  }
  Candidate candidate{.mode = AuthMode::user, .what = "user and password", .sources = {s.username->origin}};
  plan_secret(a, candidate, s.password, s.password_file, a.c.facts.password_file);
  candidate.plan.user = s.username->value;
  a.candidates.push_back(std::move(candidate));
}

void add_token(Authentication& a) {
  const Settings& s = a.c.settings;
  if (s.token || s.token_file) {
    Candidate candidate{.mode = AuthMode::token, .what = "the token"};
    plan_secret(a, candidate, s.token, s.token_file, a.c.facts.token_file);
    a.candidates.push_back(std::move(candidate));
  }
}

void add_nkey(Authentication& a) {
  const Settings& s = a.c.settings;
  if (!s.nkey && !s.nkey_file) {
    return;
  }
  Candidate candidate{.mode = AuthMode::nkey, .what = "the NKey"};
  plan_secret(a, candidate, s.nkey, s.nkey_file, a.c.facts.nkey_file);
  if (s.nkey && s.nkey->known) {
    candidate.fact = inspect_credential(s.nkey->value.reveal(), Expected::seed_or_creds);
    candidate.malformed = candidate.fact->error;
  }
  if (candidate.fact && candidate.fact->form == Form::creds) {
    candidate.mode = AuthMode::creds;  // told apart by content
    candidate.what = "the creds";
  }
  a.candidates.push_back(std::move(candidate));
}

void add_creds(Authentication& a) {
  const Settings& s = a.c.settings;
  if (s.creds) {
    Candidate candidate{.mode = AuthMode::creds, .what = "the creds file"};
    plan_secret(a, candidate, std::nullopt, s.creds, a.c.facts.creds);
    a.candidates.push_back(std::move(candidate));
  }
}

bool same_userinfo(const ServerUrl& a, const ServerUrl& b) {
  return equal_in_constant_time(a.user, b.user) && equal_in_constant_time(a.password, b.password);
}

// Credentials in URLs come last. Several URLs with the same ones are one credential.
void add_from_urls(Authentication& a) {
  std::vector<const ServerUrl*> different;
  for (const ServerUrl& server : a.decision.servers) {
    if (server.has_userinfo &&
        std::ranges::none_of(different, [&](const ServerUrl* other) { return same_userinfo(*other, server); })) {
      different.push_back(&server);
    }
  }
  if (different.empty()) {
    return;
  }
  std::vector<std::string> sources;
  for (const Setting<Secret>& setting : a.c.settings.urls) {
    if (setting.value.reveal().find('@') != std::string_view::npos) {
      sources.push_back(setting.origin);
    }
  }
  a.find(Errc::credentials_in_url, Severity::warning,
         "credentials stand in the URL of " + different.front()->printable(), sources);
  for (const ServerUrl* server : different) {
    if (server->user.empty()) {
      a.find(Errc::auth_incomplete, a.error_if_strict(),
             "the URL of " + server->printable() + " has a password without a user", sources);
      continue;
    }
    const bool is_token = server->password.empty();
    Candidate candidate{
        .mode = is_token ? AuthMode::token : AuthMode::user,
        .what = std::string(is_token ? "the token" : "user and password") + " in the URL of " + server->printable(),
        .sources = sources};
    candidate.plan.user = is_token ? std::string() : std::string(server->user.reveal());
    candidate.plan.value = is_token ? server->user.copy() : server->password.copy();
    candidate.plan.origin = sources.empty() ? std::string() : sources.front();
    a.candidates.push_back(std::move(candidate));
  }
}

// What a user JWT says about itself. Of a shadowed one nothing is worse than a warning.
void check_jwt(Authentication& a, const Candidate& candidate, Severity worst) {
  if (!candidate.fact || !candidate.fact->claims) {
    return;
  }
  const identity::UserClaims& claims = *candidate.fact->claims;
  const std::string whose = "the JWT of user " + claims.subject;
  if (claims.expires && *claims.expires <= a.c.now) {
    a.find(Errc::user_jwt_expired, worst, whose + " has expired at " + to_rfc3339(*claims.expires), candidate.sources);
  } else if (claims.expires && *claims.expires - a.c.now < kExpiresSoon) {
    a.find(Errc::user_jwt_expiring, Severity::warning, whose + " expires at " + to_rfc3339(*claims.expires),
           candidate.sources);
  }
  if (claims.not_before && *claims.not_before > a.c.now) {
    a.find(Errc::user_jwt_not_yet_valid, worst, whose + " is valid from " + to_rfc3339(*claims.not_before),
           candidate.sources);
  }
  if (!candidate.fact->seed_matches) {
    a.find(Errc::user_jwt_seed_mismatch, worst, "the seed beside " + whose + " is of another user", candidate.sources);
  }
}

void report(Authentication& a, const Candidate& candidate, Severity worst) {
  if (candidate.malformed) {
    a.find(Errc::credential_malformed, worst, candidate.what + " cannot be used: " + candidate.malformed->message(),
           candidate.sources);
  }
  check_jwt(a, candidate, worst);
}

void choose_strictly(Authentication& a) {
  for (const Candidate& candidate : a.candidates) {
    report(a, candidate, Severity::error);
  }
  if (a.candidates.size() < 2) {
    return;
  }
  std::vector<std::string> whats;
  std::vector<std::string> sources;
  for (const Candidate& candidate : a.candidates) {
    whats.push_back(candidate.what);
    sources.insert(sources.end(), candidate.sources.begin(), candidate.sources.end());
  }
  const Candidate& first = a.candidates.front();
  std::vector<std::string> others;
  for (const std::string& source : sources) {
    if (std::ranges::find(first.sources, source) == first.sources.end()) {
      others.push_back(source);
    }
  }
  a.find(Errc::auth_collision, Severity::error, "more than one credential is set: " + list(whats), std::move(sources));
  a.decision.findings.back().hint = others.empty() ? "Keep one credential in the URLs, or better none."
                                                   : "Keep one; to keep " + first.what + " unset " + list(others) + ".";
}

void choose_by_precedence(Authentication& a) {
  for (std::size_t i = 0; i < a.candidates.size(); ++i) {
    const Candidate& candidate = a.candidates[i];
    if (i > 0) {
      a.find(Errc::auth_shadowed, Severity::warning,
             candidate.what + " is set and not used: " + a.candidates.front().what + " comes before",
             candidate.sources);
    }
    report(a, candidate, i == 0 ? Severity::error : Severity::warning);
  }
}

// No credential. A certificate is an identity; without one somebody has to have said that none is meant.
void decide_without_credential(Authentication& a) {
  const Settings& s = a.c.settings;
  if (s.tls_cert && s.tls_key) {
    a.decision.credential = {.mode = AuthMode::cert, .origin = s.tls_cert->origin};
    return;
  }
  a.decision.credential = {.mode = AuthMode::none};
  if (s.auth_mode && s.auth_mode->known && s.auth_mode->value == AuthMode::none) {
    return;
  }
  const Severity severity = !a.c.production() ? Severity::note : a.error_if_strict();
  a.find(Errc::auth_missing, severity, "no credential and no client certificate is set", {});
}

AuthPolicy policy_of(const Case& c) {
  const auto& setting = c.settings.auth_policy;
  if (setting) {
    return setting->known ? setting->value : AuthPolicy::strict;
  }
  return c.production() ? AuthPolicy::strict : AuthPolicy::precedence;
}

void compare_with_pin(Authentication& a) {
  const auto& pin = a.c.settings.auth_mode;
  if (a.refused || !pin || !pin->known || pin->value == a.decision.credential.mode) {
    return;
  }
  std::vector<std::string> sources = {pin->origin};
  if (!a.candidates.empty()) {
    sources.insert(sources.end(), a.candidates.front().sources.begin(), a.candidates.front().sources.end());
  }
  a.find(Errc::auth_mode_mismatch, Severity::error,
         "the mode is pinned to " + std::string(to_string(pin->value)) + ", and the effective one is " +
             std::string(to_string(a.decision.credential.mode)),
         std::move(sources));
}

}  // namespace

void decide_authentication(const Case& c, Decision& decision) {
  Authentication a{.c = c, .decision = decision, .policy = policy_of(c)};
  add_user(a);
  add_token(a);
  add_nkey(a);
  add_creds(a);
  add_from_urls(a);
  if (a.strict()) {
    choose_strictly(a);
  } else {
    choose_by_precedence(a);
  }
  if (a.candidates.empty()) {
    // In the strict policy half a credential is an error already, and not the same as none.
    if (!a.refused) {
      decide_without_credential(a);
    }
  } else {
    decision.credential = std::move(a.candidates.front().plan);
    decision.credential.mode = a.candidates.front().mode;
  }
  compare_with_pin(a);
  decision.auth_mode = a.refused ? AuthMode::refused : decision.credential.mode;
  if (a.refused) {
    decision.credential = {.mode = AuthMode::refused};
  }
}

}  // namespace hawser::posture::rules
