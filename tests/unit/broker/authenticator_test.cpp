#include "broker/authenticator.hpp"

#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/bcrypt_check.hpp"
#include "identity/nkey.hpp"

namespace hawser::broker {
namespace {

constexpr const char* kNonce = "abcdefghijklmno";
// Of "s3cret", with the cost of 4.
constexpr const char* kHash = "$2a$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG";

identity::KeyPair key_pair(char of) {
  const std::string seed(32, of);
  return std::move(*identity::KeyPair::from_raw(identity::KeyKind::user,
                                                {reinterpret_cast<const std::uint8_t*>(seed.data()), seed.size()}));
}
const identity::KeyPair& kate_key() {
  static const identity::KeyPair key = key_pair('k');
  return key;
}
std::string kate_nkey() { return kate_key().public_key().text(); }

User user(std::string name, std::string password = {}, std::string account = {}) {
  User made;
  made.name = std::move(name);
  made.password = Secret(password);
  made.account = std::move(account);
  return made;
}
User nkey_user(std::string key, std::string account = {}) {
  User made;
  made.nkey = std::move(key);
  made.account = std::move(account);
  return made;
}

Settings with_users(std::vector<User> users) {
  Settings settings;
  settings.accounts.emplace_back().name = "A";
  settings.accounts.emplace_back().name = "B";
  settings.authorization.users = std::move(users);
  return settings;
}
template <class... Users>
Settings users(Users... of) {
  std::vector<User> list;
  (list.push_back(std::move(of)), ...);
  return with_users(std::move(list));
}
Settings mapping(Settings settings) {
  settings.tls.emplace().verify_and_map = true;
  return settings;
}

std::shared_ptr<const Authenticator> made(Settings settings) {
  auto authenticator = Authenticator::make(std::make_shared<const Settings>(std::move(settings)));
  EXPECT_TRUE(authenticator);
  return *authenticator;
}

wire::ConnectOptions connect(std::string_view json) { return *wire::parse_connect(json); }

PeerIdentity certificate(const char* subject, std::vector<std::string> emails = {}, std::vector<std::string> dns = {},
                         std::vector<std::string> uris = {}) {
  return {.subject = subject,
          .name = *tls::parse_distinguished_name(subject),
          .emails = std::move(emails),
          .dns_names = std::move(dns),
          .uris = std::move(uris)};
}

// "user@account", "denied", or what bcrypt said of the question that came back.
std::string outcome(const Verdict& verdict) {
  if (const auto* grant = std::get_if<Grant>(&verdict)) {
    return grant->user + "@" + grant->account;
  }
  if (const auto* question = std::get_if<PasswordQuestion>(&verdict)) {
    return bcrypt_matches(question->hash, question->password)
               ? question->granted_if_right.user + "@" + question->granted_if_right.account + " by bcrypt"
               : "denied by bcrypt";
  }
  return "denied";
}
std::string outcome(const Revalidation& verdict) {
  if (const auto* grant = std::get_if<Grant>(&verdict)) {
    return grant->user + "@" + grant->account;
  }
  return std::get<Denial>(verdict).told == Denial::Told::nothing ? "closed silently" : "denied";
}
std::string reason(const Verdict& verdict) {
  const auto* denial = std::get_if<Denial>(&verdict);
  return denial == nullptr ? "granted" : denial->reason;
}

Verdict login(const std::shared_ptr<const Authenticator>& authenticator, std::string_view json,
              const PeerIdentity* peer = nullptr, std::string_view nonce = kNonce) {
  const wire::ConnectOptions options = connect(json);
  return authenticator->authenticate({.connect = options, .nonce = nonce, .certificate = peer});
}

struct Row {
  const char* connect;
  const char* expected;
};
void expect_rows(const std::shared_ptr<const Authenticator>& authenticator, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    EXPECT_EQ(outcome(login(authenticator, row.connect)), row.expected) << row.connect;
  }
}

TEST(Authenticating, lets_everybody_in_where_nobody_is_known_whatever_they_say) {
  const auto open = made({});
  EXPECT_TRUE(open->open());
  EXPECT_FALSE(open->auth_required());
  EXPECT_FALSE(open->needs_nonce());
  expect_rows(open, {{"{}", "@$G"},
                     {R"({"user":"bob","pass":"x"})", "@$G"},
                     {R"({"auth_token":"x"})", "@$G"},
                     {R"({"nkey":"UBAD","sig":"x"})", "@$G"},
                     {R"({"account":"A"})", "denied"},
                     {R"({"new_account":true})", "denied"}});
}

TEST(Authenticating, compares_users_and_passwords) {
  const auto some = made(users(user("kate", "one"), user("ivo", kHash, "A"), user("empty", "", "B")));
  EXPECT_TRUE(some->auth_required());
  expect_rows(some, {{R"({"user":"kate","pass":"one"})", "kate@$G"},
                     {R"({"user":"kate","pass":"One"})", "denied"},
                     {R"({"user":"kate","pass":""})", "denied"},
                     {R"({"user":"kate"})", "denied"},
                     {R"({"user":"Kate","pass":"one"})", "denied"},
                     {R"({"pass":"one"})", "denied"},
                     {R"({"auth_token":"one"})", "denied"},
                     {R"({"user":"kate","pass":"one","auth_token":"x","jwt":"x"})", "kate@$G"},
                     {R"({"user":"kate","pass":"one","nkey":"UX"})", "kate@$G"},  // no NKeys are configured
                     {R"({"user":"ivo","pass":"s3cret"})", "ivo@A by bcrypt"},
                     {R"({"user":"ivo","pass":"S3cret"})", "denied by bcrypt"},
                     {R"({"user":"ivo","pass":"s3cret\u0000x"})", "denied by bcrypt"},
                     {R"({"user":"empty"})", "empty@B"},
                     {R"({"user":"empty","pass":"x"})", "denied"},
                     {R"({"user":"nobody"})", "denied"},
                     {"{}", "denied"},
                     {R"({"user":"kate","pass":"one","account":"A"})", "denied"}});
  // The hash itself is no password.
  const std::string hash_as_password = std::string(R"({"user":"ivo","pass":")") + kHash + "\"}";
  EXPECT_EQ(outcome(login(some, hash_as_password)), "denied by bcrypt");
}

TEST(Authenticating, looks_at_a_single_user_alone) {
  Settings settings;
  settings.authorization.user = "kate";
  settings.authorization.password = Secret("one");
  expect_rows(made(std::move(settings)), {{R"({"user":"kate","pass":"one"})", "kate@$G"},
                                          {R"({"user":"kate","pass":"two"})", "denied"},
                                          {R"({"user":"ivo","pass":"one"})", "denied"},
                                          {R"({"auth_token":"one"})", "denied"},
                                          {"{}", "denied"}});
}

TEST(Authenticating, looks_at_a_token_alone_and_never_shows_it) {
  Settings plain;
  plain.authorization.token = Secret("t0ken");
  const auto authenticator = made(std::move(plain));
  expect_rows(authenticator, {{R"({"auth_token":"t0ken"})", "[REDACTED]@$G"},
                              {R"({"auth_token":"t0ken","user":"x","pass":"y"})", "[REDACTED]@$G"},
                              {R"({"auth_token":"t0keN"})", "denied"},
                              {R"({"user":"t0ken"})", "denied"},
                              {R"({"pass":"t0ken"})", "denied"},
                              {"{}", "denied"}});
  EXPECT_EQ(reason(login(authenticator, R"({"auth_token":"wr0ng"})")), "the token is wrong");
  Settings hashed;
  hashed.authorization.token = Secret(kHash);
  expect_rows(made(std::move(hashed)), {{R"({"auth_token":"s3cret"})", "[REDACTED]@$G by bcrypt"}});
}

TEST(Authenticating, verifies_the_signature_of_an_nkey_over_the_nonce) {
  const auto some = made(users(nkey_user(kate_nkey(), "A"), user("kate", "one")));
  EXPECT_TRUE(some->needs_nonce());
  const std::string good = *kate_key().sign_nonce(kNonce);
  const std::string other = *kate_key().sign_nonce("another nonce..");
  const std::string forged = *key_pair('m').sign_nonce(kNonce);
  std::string standard = good;
  for (char& c : standard) {
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  const std::string granted = kate_nkey() + "@A";
  const std::string stranger = key_pair('s').public_key().text();
  const std::vector<std::tuple<std::string, std::string, std::string>> rows = {
      {kate_nkey(), good, granted},
      {kate_nkey(), standard + "==", granted},
      {kate_nkey(), other, "denied"},
      {kate_nkey(), forged, "denied"},
      {kate_nkey(), "", "denied"},
      {kate_nkey(), "!!!", "denied"},
      {kate_nkey(), standard + "=", "denied"},
      {kate_nkey(), good.substr(1), "denied"},
      {stranger, *key_pair('s').sign_nonce(kNonce), "denied"},
  };
  for (const auto& [key, signature, expected] : rows) {
    const std::string json = R"({"nkey":")" + key + R"(","sig":")" + signature + "\"}";
    EXPECT_EQ(outcome(login(some, json)), expected) << json;
    // An NKey comes first: a good password beside it changes nothing.
    const std::string both = json.substr(0, json.size() - 1) + R"(,"user":"kate","pass":"one"})";
    EXPECT_EQ(outcome(login(some, both)), expected) << both;
  }
  EXPECT_EQ(outcome(login(some, R"({"nkey":")" + kate_nkey() + R"(","sig":")" + good + "\"}", nullptr, "")), "denied")
      << "without a nonce there is nothing to sign";
  EXPECT_EQ(outcome(login(some, R"({"user":"kate","pass":"one"})")), "kate@$G");
}

TEST(Authenticating, takes_the_no_auth_user_only_for_those_who_say_nothing) {
  Settings settings = users(user("anon", "hidden", "A"), user("kate", "one"));
  settings.authorization.no_auth_user = "anon";
  const auto some = made(std::move(settings));
  EXPECT_FALSE(some->auth_required());
  EXPECT_FALSE(some->open());
  expect_rows(some, {{"{}", "anon@A"},
                     {R"({"user":"kate","pass":"one"})", "kate@$G"},
                     {R"({"user":"kate","pass":"two"})", "denied"},
                     {R"({"user":"bob"})", "denied"},
                     {R"({"pass":"x"})", "denied"},
                     {R"({"auth_token":"x"})", "denied"},
                     {R"({"user":"anon"})", "denied"}});
  Settings with_key = users(nkey_user(kate_nkey(), "B"), user("kate", "one"));
  with_key.authorization.no_auth_user = kate_nkey();
  const auto keyed = made(std::move(with_key));
  EXPECT_EQ(outcome(login(keyed, "{}")), kate_nkey() + "@B");
  EXPECT_EQ(outcome(login(keyed, R"({"nkey":")" + kate_nkey() + "\"}")), "denied") << "a key wants its signature";
}

TEST(Authenticating, keeps_users_to_their_connection_types) {
  User websocket = user("web", "one");
  websocket.connection_types = {ConnectionType::websocket};
  User both = user("both", "one");
  both.connection_types = {ConnectionType::websocket, ConnectionType::standard};
  expect_rows(made(users(std::move(websocket), std::move(both))),
              {{R"({"user":"web","pass":"one"})", "denied"}, {R"({"user":"both","pass":"one"})", "both@$G"}});
}

struct MapRow {
  PeerIdentity peer;
  const char* expected;
};

TEST(Authenticating, maps_certificates_to_users_in_nats_servers_order) {
  const auto some = made(mapping(
      users(user("mail@example.com", "", "A"), user("dns.example.com", "", "B"), user("spiffe://example.com/x"),
            user("CN=dn,OU=unit,O=Example"), user("CN=go,OU=one+OU=two,O=Example"), user("CN=dc,DC=com,DC=example"),
            user("cn-user"), user("CN=spaced, O=Example Corp"), user("with-password", "one"))));
  EXPECT_TRUE(some->maps_certificates());
  const std::vector<MapRow> rows = {
      {certificate("CN=x", {"mail@example.com"}, {"dns.example.com"}), "mail@example.com@A"},
      {certificate("CN=x", {"other@example.com", "mail@example.com"}), "mail@example.com@A"},
      {certificate("CN=x", {"other@example.com"}, {"dns.example.com"}), "dns.example.com@B"},
      {certificate("CN=x", {}, {"other.example.com", "dns.example.com"}), "dns.example.com@B"},
      {certificate("CN=x", {}, {"DNS.example.com"}), "denied"},
      {certificate("CN=x", {}, {}, {"spiffe://example.com/x"}), "spiffe://example.com/x@$G"},
      {certificate("CN=dn,OU=unit,O=Example"), "CN=dn,OU=unit,O=Example@$G"},
      {certificate("O=Example,OU=unit,CN=dn"), "CN=dn,OU=unit,O=Example@$G"},
      {certificate("CN=dn,OU=unit,O=Example,C=DE"), "denied"},
      {certificate("CN=dn,OU=unit"), "denied"},
      {certificate("CN=DN,OU=unit,O=Example"), "denied"},
      {certificate("CN=cn-user"), "denied"},
      {certificate("CN=spaced,O=Example Corp"), "CN=spaced, O=Example Corp@$G"},
      {certificate("OU=two,OU=one,CN=go,O=Example"), "CN=go,OU=one+OU=two,O=Example@$G"},
      {certificate("CN=dc,DC=example,DC=com"), "CN=dc,DC=com,DC=example@$G"},
      {certificate("CN=x"), "denied"},
  };
  for (const MapRow& row : rows) {
    EXPECT_EQ(outcome(login(some, "{}", &row.peer)), row.expected) << row.peer.subject;
    EXPECT_EQ(outcome(login(some, R"({"user":"cn-user"})", &row.peer)), row.expected) << "CONNECT's user is ignored";
  }
  EXPECT_EQ(outcome(login(some, R"({"user":"cn-user"})")), "denied") << "no certificate";
  const PeerIdentity with_password = certificate("CN=x", {}, {"with-password"});
  EXPECT_EQ(outcome(login(some, R"({"pass":"one"})", &with_password)), "with-password@$G");
  EXPECT_EQ(outcome(login(some, "{}", &with_password)), "denied");
}

TEST(Authenticating, maps_no_certificate_of_who_sent_a_known_kind_of_key_or_where_a_token_counts) {
  const auto some = made(mapping(users(user("CN=a"), nkey_user(kate_nkey()))));
  const PeerIdentity peer = certificate("CN=a");
  const std::string signature = *kate_key().sign_nonce(kNonce);
  EXPECT_EQ(outcome(login(some, R"({"nkey":")" + kate_nkey() + R"(","sig":")" + signature + "\"}", &peer)),
            kate_nkey() + "@$G");
  EXPECT_EQ(outcome(login(some, R"({"nkey":"UNKNOWN","sig":"x"})", &peer)), "denied");
  EXPECT_EQ(outcome(login(some, "{}", &peer)), "CN=a@$G");
  Settings token = mapping({});
  token.authorization.token = Secret("t0ken");
  const auto by_token = made(std::move(token));
  EXPECT_FALSE(by_token->maps_certificates());
  EXPECT_EQ(outcome(login(by_token, "{}", &peer)), "denied");
  EXPECT_EQ(outcome(login(by_token, R"({"auth_token":"t0ken"})", &peer)), "[REDACTED]@$G");
}

TEST(Authenticating, tells_the_log_who_and_why_and_never_a_secret) {
  const auto some = made(users(user("kate", "one"), nkey_user(kate_nkey())));
  const std::pair<std::string, std::string> rows[] = {
      {R"({"user":"kate","pass":"hunter2"})", "the password of user \"kate\" is wrong"},
      {R"({"user":"bob","pass":"hunter2"})", "user \"bob\" is not known"},
      {R"({"nkey":")" + kate_nkey() + "\"}", "no signature came with the NKey " + kate_nkey()},
      {R"({"nkey":"UB","sig":"hunter2"})", "the NKey \"UB\" is not known"},
      {R"({"auth_token":"hunter2"})", "no credentials of a kind that is asked for"},
  };
  for (const auto& [json, expected] : rows) {
    EXPECT_EQ(reason(login(some, json)), expected);
  }
  const std::string long_name(5000, 'x');
  EXPECT_LT(reason(login(some, R"({"user":")" + long_name + "\"}")).size(), 200U);
}

TEST(Granting, gives_a_user_its_own_permissions_or_the_defaults_of_where_it_stands) {
  Settings settings = users(user("own", "x"), user("listed", "x"), user("a", "x", "A"), user("b", "x", "B"));
  const auto allow = [](const char* subject) {
    Permissions permissions;
    permissions.publish.allow = {subject};
    return permissions;
  };
  settings.authorization.users[0].permissions = allow("own");
  settings.authorization.default_permissions = allow("listed");
  settings.accounts[0].default_permissions = allow("account");
  const auto some = made(std::move(settings));
  const auto subject = [&some](const char* json) -> std::string {
    const Verdict verdict = login(some, json);
    const auto& permissions = std::get<Grant>(verdict).permissions;
    return permissions == nullptr ? "everything" : permissions->publish.allow->front();
  };
  EXPECT_EQ(subject(R"({"user":"own","pass":"x"})"), "own");
  EXPECT_EQ(subject(R"({"user":"listed","pass":"x"})"), "listed");
  EXPECT_EQ(subject(R"({"user":"a","pass":"x"})"), "account");
  EXPECT_EQ(subject(R"({"user":"b","pass":"x"})"), "everything");
}

TEST(TrustedClients, get_everything_or_a_users_rights_whatever_they_say) {
  Settings settings = users(user("agent", "one", "A"));
  settings.trusted = TrustedListen{.address = "127.0.0.1:0", .user = ""};
  EXPECT_EQ(outcome(made(std::move(settings))->trusted_client()), "@$G");
  Settings named = users(user("agent", "one", "A"));
  named.trusted = TrustedListen{.address = "127.0.0.1:0", .user = "agent"};
  const auto authenticator = made(std::move(named));
  const Revalidation granted = authenticator->trusted_client();
  EXPECT_EQ(outcome(granted), "agent@A");
  EXPECT_EQ(outcome(authenticator->still_valid(std::get<Grant>(granted), nullptr)), "agent@A");
  Settings without = users(user("other", "one", "A"));
  without.trusted = TrustedListen{.address = "127.0.0.1:0", .user = "agent"};
  EXPECT_EQ(outcome(made(std::move(without))->still_valid(std::get<Grant>(granted), nullptr)), "closed silently");
}

// What becomes of a client that logged in under `before` with `connect` when `after` is loaded.
std::string after_reload(Settings before, const std::string& json, Settings after, const PeerIdentity* peer = nullptr) {
  Verdict then = login(made(std::move(before)), json, peer);
  if (auto* question = std::get_if<PasswordQuestion>(&then)) {
    Grant granted = std::move(question->granted_if_right);  // out of `then` first
    then = std::move(granted);
  }
  const auto* grant = std::get_if<Grant>(&then);
  return grant == nullptr ? "never logged in" : outcome(made(std::move(after))->still_valid(*grant, peer));
}

Settings token(const char* text) {
  Settings settings;
  settings.authorization.token = Secret(std::string_view(text));
  return settings;
}
Settings single(const char* name, const char* password) {
  Settings settings;
  settings.authorization.user = name;
  settings.authorization.password = Secret(std::string_view(password));
  return settings;
}
Settings with_no_auth(Settings settings, const char* name) {
  settings.authorization.no_auth_user = name;
  return settings;
}

TEST(Reloading, keeps_those_whose_proof_is_still_good_and_no_others) {
  const std::string kate = R"({"user":"kate","pass":"one"})";
  EXPECT_EQ(after_reload(users(user("kate", "one")), kate, users(user("kate", "one"), user("b", "x"))), "kate@$G");
  EXPECT_EQ(after_reload(users(user("kate", "one")), kate, users(user("kate", "two"))), "denied");
  EXPECT_EQ(after_reload(users(user("kate", "one")), kate, users(user("kate", kHash))), "denied");
  EXPECT_EQ(after_reload(users(user("kate", kHash)), kate, users(user("kate", kHash))), "kate@$G");
  EXPECT_EQ(after_reload(users(user("kate", "one")), kate, users(user("ivo", "one"))), "closed silently");
  EXPECT_EQ(after_reload(users(user("kate", "one", "A")), kate, users(user("kate", "one", "B"))), "closed silently");
  EXPECT_EQ(after_reload(users(user("kate", "one", "A")), kate, {}), "closed silently");
  EXPECT_EQ(after_reload(users(user("kate", "one")), kate, {}), "@$G");
  EXPECT_EQ(after_reload(users(user("kate", "one")), kate, token("one")), "closed silently");
  EXPECT_EQ(after_reload(users(user("kate", "one")), kate, single("kate", "one")), "kate@$G");
  EXPECT_EQ(after_reload(single("kate", "one"), kate, single("kate", "one")), "kate@$G");
  EXPECT_EQ(after_reload(single("kate", "one"), kate, single("kate", "two")), "denied");
  EXPECT_EQ(after_reload(single("kate", "one"), kate, single("ivo", "one")), "closed silently");
  EXPECT_EQ(after_reload(single("kate", "one"), kate, users(user("kate", "one"))), "kate@$G");
}

TEST(Reloading, ends_a_token_that_changed) {
  const std::string json = R"({"auth_token":"one"})";
  EXPECT_EQ(after_reload(token("one"), json, token("one")), "[REDACTED]@$G");
  EXPECT_EQ(after_reload(token("one"), json, token("two")), "denied");
  EXPECT_EQ(after_reload(token("one"), json, users(user("one", "one"))), "denied");
  EXPECT_EQ(after_reload(token("one"), json, {}), "@$G");
}

TEST(Reloading, ends_an_nkey_that_is_gone_or_has_moved) {
  const std::string json = R"({"nkey":")" + kate_nkey() + R"(","sig":")" + *kate_key().sign_nonce(kNonce) + "\"}";
  const std::string other = key_pair('o').public_key().text();
  EXPECT_EQ(after_reload(users(nkey_user(kate_nkey())), json, users(nkey_user(kate_nkey()))), kate_nkey() + "@$G");
  EXPECT_EQ(after_reload(users(nkey_user(kate_nkey())), json, users(nkey_user(other))), "closed silently");
  EXPECT_EQ(after_reload(users(nkey_user(kate_nkey())), json, users(user("kate"))), "closed silently");
  EXPECT_EQ(after_reload(users(nkey_user(kate_nkey(), "A")), json, users(nkey_user(kate_nkey(), "B"))),
            "closed silently");
}

TEST(Reloading, judges_who_never_said_who_he_is_as_a_new_client) {
  EXPECT_EQ(after_reload({}, "{}", {}), "@$G");
  EXPECT_EQ(after_reload({}, "{}", users(user("kate", "one"))), "denied");
  EXPECT_EQ(after_reload({}, "{}", with_no_auth(users(user("anon")), "anon")), "anon@$G");
  EXPECT_EQ(after_reload({}, "{}", with_no_auth(users(user("anon", "", "A")), "anon")), "closed silently");
  const auto anonymous = [] { return with_no_auth(users(user("anon", "x", "A"), user("kate", "one")), "anon"); };
  EXPECT_EQ(after_reload(anonymous(), "{}", anonymous()), "anon@A");
  EXPECT_EQ(after_reload(anonymous(), "{}", users(user("anon", "x", "A"))), "denied");
}

TEST(Reloading, maps_the_certificate_again) {
  const PeerIdentity peer = certificate("CN=a", {"a@example.com"});
  const auto again = [&peer](Settings after, const std::string& json = "{}") {
    return after_reload(mapping(users(user("CN=a"), user("other", "x"))), json, std::move(after), &peer);
  };
  EXPECT_EQ(again(mapping(users(user("CN=a")))), "CN=a@$G");
  EXPECT_EQ(again(mapping(users(user("CN=b")))), "closed silently");
  EXPECT_EQ(again(mapping(users(user("CN=a"), user("a@example.com")))), "denied") << "it names somebody else now";
  EXPECT_EQ(again(mapping(users(user("CN=a", "", "A")))), "closed silently");
  EXPECT_EQ(again(mapping(users(user("CN=a", "new")))), "denied");
  EXPECT_EQ(again(users(user("CN=a"))), "denied") << "without mapping it is not its certificate that proves it";
  EXPECT_EQ(
      after_reload(users(user("kate", "one")), R"({"user":"kate","pass":"one"})", mapping(users(user("kate", "one")))),
      "denied")
      << "mapping is on now, and no certificate was shown";
}

TEST(Reloading, gives_changed_permissions_with_the_new_grant) {
  Settings narrowed = users(user("kate", "one"));
  narrowed.authorization.users[0].permissions.emplace().publish.deny = {"secret"};
  const Verdict then = login(made(users(user("kate", "one"))), R"({"user":"kate","pass":"one"})");
  const Revalidation now = made(std::move(narrowed))->still_valid(std::get<Grant>(then), nullptr);
  EXPECT_FALSE(same_rights(std::get<Grant>(then), std::get<Grant>(now)));
  EXPECT_TRUE(same_rights(std::get<Grant>(now), std::get<Grant>(now)));
  const Revalidation unchanged = made(users(user("kate", "one")))->still_valid(std::get<Grant>(then), nullptr);
  EXPECT_TRUE(same_rights(std::get<Grant>(then), std::get<Grant>(unchanged)));
}

TEST(Reloading, lets_the_old_settings_go) {
  auto settings = std::make_shared<const Settings>(users(user("kate", "one")));
  const std::weak_ptr<const Settings> old = settings;
  auto authenticator = *Authenticator::make(std::move(settings));
  const Verdict then = login(authenticator, R"({"user":"kate","pass":"one"})");
  authenticator = made(users(user("kate", "one")));
  std::optional<Grant> grant = std::get<Grant>(then);
  const Revalidation now = authenticator->still_valid(*grant, nullptr);
  EXPECT_FALSE(old.expired());  // `then` and `grant` hold them
  const_cast<Verdict&>(then) = std::get<Grant>(now);
  grant = std::get<Grant>(now);
  EXPECT_TRUE(old.expired());
}

}  // namespace
}  // namespace hawser::broker
