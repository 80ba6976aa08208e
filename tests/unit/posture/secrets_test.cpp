// Every combination of settings with canary secrets: no decision, finding or error may show one.
#include "posture/runtime.hpp"
#include "posture/world.hpp"

namespace hawser::posture::test {
namespace {

using Choice = std::vector<Variables>;  // one of these is taken

// All secret-bearing settings, good, malformed and misplaced, times everything that changes what is said about them.
std::vector<Choice> choices() {
  const std::string password(kPassword);
  const std::string token(kToken);
  const std::string in_url = "kate:" + std::string(kUrlPassword) + "@";
  return {
      {{}, {{"HAWSER_ENV", "production"}}},
      {{}, {{"HAWSER_AUTH_POLICY", "strict"}}, {{"HAWSER_AUTH_POLICY", "precedence"}, {"HAWSER_AUTH_MODE", "cert"}}},
      {{{"NATS_URL", "tls://" + in_url + "a"}},
       {{"NATS_URL", "nats://" + in_url + "a,tls://" + std::string(kUrlToken) + "@b"}},
       {{"NATS_URL", "tls://kate:canary@@a, canary://x, tls://canary:1:2:3"}},
       {{"NATS_URL", "tls://:" + std::string(kUrlPassword) + "@a"}}},
      {{}, {{"NATS_USERNAME", "kate"}, {"NATS_PASSWORD", password}}, {{"NATS_PASSWORD", password}}},
      {{}, {{"NATS_TOKEN", token}}, {{"NATS_TOKEN", token}, {"NATS_TOKEN_FILE", "canary-as-path"}}},
      {{}, {{"NATS_NKEY", std::string(kSeed)}}, {{"NATS_NKEY", "canary"}}, {{"NATS_NKEY_FILE", std::string(kSeed)}}},
      {{}, {{"NATS_CREDS", "-----BEGIN NATS USER JWT-----\ncanary"}}, {{"NATS_CREDS", "canary-as-path"}}},
      {{},
       {{"NATS_TLS_KEY", "pkcs11:token=t;object=o?pin-value=" + std::string(kPin)}},
       {{"NATS_TLS_KEY", "pkcs11:object=o?pin-value=" + std::string(kPin)}, {"NATS_TLS_CERT", "/c"}}},
      {{}, {{"HAWSER_ALLOW_PLAINTEXT", "true"}}},
  };
}

TEST(Secrets, appear_in_no_finding_and_no_decision_whatever_is_set) {
  const std::vector<Choice> all = choices();
  std::vector<std::size_t> taken(all.size(), 0);
  std::size_t worlds = 0;
  bool more = true;
  while (more) {
    World world;
    for (std::size_t i = 0; i < all.size(); ++i) {
      world.environment.insert(all[i][taken[i]].begin(), all[i][taken[i]].end());
    }
    for (const Purpose purpose : {Purpose::start_up, Purpose::check}) {
      world.purpose = purpose;
      const Decision decision = decide(world);  // searches for canaries
      for (const ServerUrl& server : decision.servers) {
        for (const OfferedTls offered : {OfferedTls{}, OfferedTls{.available = true, .required = true}}) {
          const auto link = decide_on_info(decision, server, offered, History::once_on_tls, kNow);
          expect_no_canary(link ? (link->warning ? link->warning->message : "") : link.error().message());
        }
      }
    }
    ++worlds;
    std::size_t i = 0;
    while (i < all.size() && ++taken[i] == all[i].size()) {
      taken[i++] = 0;
    }
    more = i < all.size();
  }
  EXPECT_EQ(worlds, 15'552U);
}

TEST(Secrets, appear_in_no_finding_of_clashing_layers) {
  Settings file;
  set(file, Key::url, "nats://kate:canary@a", "f:1");
  set(file, Key::token, "canary-other-token", "f:2");
  set(file, Key::password, "canary-other", "f:3");
  set(file, Key::nkey, kBadSeed, "f:4");
  const Variables environment = {{"NATS_URL", "tls://kate:" + std::string(kUrlPassword) + "@a"},
                                 {"NATS_TOKEN", std::string(kToken)},
                                 {"NATS_PASSWORD", std::string(kPassword)},
                                 {"NATS_NKEY", std::string(kSeed)}};
  const Settings merged = merge(from_environment(lookup_in(environment)), std::move(file));
  const Decision decision = evaluate(merged, {}, kNow, Purpose::start_up);
  EXPECT_GE(decision.findings.size(), 4U);
  expect_no_canary(decision);
}

}  // namespace
}  // namespace hawser::posture::test
