#include "rotation/credentials.hpp"

#include <gtest/gtest.h>

#include "identity/creds_text.hpp"
#include "identity/token.hpp"
#include "rotation/directory.hpp"
#include "rotation/files.hpp"
#include "rotation/plans.hpp"

namespace hawser::rotation {
namespace {

using namespace std::chrono_literals;
using identity::KeyKind;
using identity::KeyPair;

const WallTime kNow{std::chrono::hours(24 * 365 * 56)};
const std::chrono::sys_seconds kToday = std::chrono::floor<std::chrono::seconds>(kNow);

KeyPair key_of(KeyKind kind) { return std::move(*KeyPair::create(kind)); }

struct Kept {
  Kept()
      : account(key_of(KeyKind::account)), old_signer(key_of(KeyKind::account)), new_signer(key_of(KeyKind::account)) {}

  std::string creds(const KeyPair& user, const KeyPair& signer,
                    std::optional<std::chrono::sys_seconds> ends = {}) const {
    identity::UserClaims claims;
    claims.subject = user.public_key().text();
    claims.name = "kate";
    claims.expires = ends;
    claims.issuer_account = &signer == &account ? "" : account.public_key().text();
    const auto token = identity::encode(claims, signer, kToday);
    EXPECT_TRUE(token.has_value()) << token.error().message();
    return std::string(identity::creds_text(*token, user).reveal());
  }
  std::string signer(const KeyPair& key) const { return key.public_key().text(); }

  Directory at;
  KeyPair account, old_signer, new_signer;
};

// One target of creds that are delivered as a file, a prober, and a broker that has nothing of its own.
struct World : Kept {
  World() : user(key_of(KeyKind::user)), fresh_user(key_of(KeyKind::user)), probe(key_of(KeyKind::user)) {
    plan = plan_of(1, {1});
    plan.kind = PlanKind::credentials;
    plan.prober.old_credential.file = at.put("probe.old", creds(probe, old_signer));
    plan.prober.new_credential.file = at.put("probe.new", creds(probe, new_signer));
    Target& target = plan.waves[0].targets[0];
    target.prove.credential = at.put("new.creds", creds(fresh_user, new_signer));
    target.deliver = std::vector<Copy>{{target.prove.credential, at.put("used.creds", creds(user, old_signer))}};
  }

  std::string problems() {
    Inspection found;
    inspect_credentials(plan, "", kNow, found);
    std::string out;
    for (const Error& error : found.errors) out += error.doing + "\n";
    for (Error& error : outlived(found.inventory.lifetimes, time_needed(plan), plan.times.margin, kNow)) {
      out += error.doing + "\n";
    }
    last = std::move(found.inventory);
    return out;
  }
  Target& target() { return plan.waves[0].targets[0]; }

  KeyPair user, fresh_user, probe;
  Plan plan;
  Inventory last;
};

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(RotationCredentials, whom_a_file_stands_for_is_what_brokers_show_of_it) {
  const Kept world;
  const KeyPair user = key_of(KeyKind::user);
  const auto creds = read_credential(world.at.put("a.creds", world.creds(user, world.new_signer)));
  ASSERT_TRUE(creds.has_value()) << creds.error().message();
  EXPECT_EQ(creds->who.user, user.public_key().text());
  EXPECT_EQ(creds->who.issuer, world.signer(world.new_signer));
  EXPECT_TRUE(creds->faults.empty());
  const auto seed = read_credential(world.at.put("a.nk", std::string(user.seed().reveal()) + "\n"));
  ASSERT_TRUE(seed.has_value());
  EXPECT_EQ(seed->who, (Identity{.certificate = {}, .user = user.public_key().text()}));
  const Path words = world.at.put("words", "  s3cr3t\n");
  const auto password = read_credential({.form = CredentialSource::Form::password, .file = words, .user = "kate"});
  EXPECT_EQ(to_text(password->who), "user kate");
  const auto token = read_credential({.form = CredentialSource::Form::token, .file = words});
  EXPECT_EQ(to_text(token->who), "a token");
  EXPECT_TRUE(token->who.token);
  const auto both = read_credential({.form = CredentialSource::Form::password,
                                     .file = words,
                                     .user = "kate",
                                     .token = world.at.put("token", "T0\n")});
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(both->token->reveal(), "T0");
  EXPECT_EQ(to_text(both->who), "user kate");
}

TEST(RotationCredentials, refuses_files_of_another_form_and_shows_nothing_of_them) {
  const Kept world;
  const KeyPair user = key_of(KeyKind::user);
  const std::string seed(user.seed().reveal());
  const Path nk = world.at.put("a.nk", seed);
  const Path creds = world.at.put("a.creds", world.creds(user, world.new_signer));
  using Form = CredentialSource::Form;
  for (const CredentialSource& source :
       {CredentialSource{.form = Form::creds, .file = nk}, CredentialSource{.form = Form::nkey, .file = creds},
        CredentialSource{.form = Form::creds, .file = world.at.put("torn", seed.substr(0, 50))},
        CredentialSource{.form = Form::password, .file = world.at.put("blank", " \n")},
        CredentialSource{.form = Form::creds, .file = world.at.path / "absent"}}) {
    const auto read = read_credential(source);
    ASSERT_FALSE(read.has_value()) << source.file;
    EXPECT_TRUE(holds(read.error().doing, source.file.string())) << read.error().doing;
    EXPECT_FALSE(holds(read.error().doing, seed.substr(0, 20)));
  }
}

TEST(RotationCredentials, takes_a_plan_whose_files_fit) {
  World world;
  world.plan.retires = {world.signer(world.old_signer), "kate-0"};
  EXPECT_EQ(world.problems(), "");
  const Inventory& inventory = world.last;
  const std::string old_issuer = world.signer(world.old_signer);
  EXPECT_EQ(inventory.target_old.at(0), (Identity{{}, world.user.public_key().text(), old_issuer}));
  EXPECT_EQ(inventory.target_new.at(0).user, world.fresh_user.public_key().text());
  EXPECT_NE(inventory.retired.match(inventory.target_old[0]), nullptr);
  EXPECT_NE(inventory.retired.match(Identity{{}, "U7", old_issuer}), nullptr);
  EXPECT_NE(inventory.retired.match(Identity{{}, "kate-0"}), nullptr);
  EXPECT_EQ(inventory.retired.match(inventory.prober_new), nullptr) << "its key stays, and another one signed it";
  EXPECT_NE(inventory.fresh.match(inventory.target_new[0]), nullptr);
}

TEST(RotationCredentials, what_stood_there_before_is_the_old_one_once_it_is_delivered) {
  World world;
  const Copy copy = std::get<std::vector<Copy>>(world.target().deliver).at(0);
  ASSERT_TRUE(replace_file(copy.to, world.at.text("new.creds"), mark_of("M", world.target()), copy.from).has_value());
  Inspection found;
  inspect_credentials(world.plan, "M", kNow, found);
  EXPECT_EQ(found.inventory.target_old.at(0).user, world.user.public_key().text());
}

TEST(RotationCredentials, one_that_keeps_its_credential_leaves_nothing_behind) {
  World world;
  world.target().prove.replaces = world.target().prove.credential;
  EXPECT_EQ(world.problems(), "");
  EXPECT_EQ(world.last.target_old.at(0), world.last.target_new.at(0));
  EXPECT_EQ(world.last.retired.match(world.last.target_new[0]), nullptr);
}

TEST(RotationCredentials, says_what_does_not_fit) {
  struct Row {
    std::string_view why;
    void (*change)(World&);
  };
  for (const Row& row : {
           Row{"the new credential of a1", [](World& w) { w.target().prove.credential = w.at.path / "absent.creds"; }},
           Row{"is to brokers the same as its old one",
               [](World& w) { w.at.put("used.creds", w.at.text("new.creds")); }},
           Row{"its seed is not that of its JWT's user",
               [](World& w) {
                 std::string mixed = w.creds(w.user, w.new_signer);
                 const std::string other(key_of(KeyKind::user).seed().reveal());
                 mixed.replace(mixed.find(w.user.seed().reveal()), other.size(), other);
                 w.at.put("new.creds", mixed);
               }},
           Row{"ended at", [](World& w) { w.at.put("new.creds", w.creds(w.fresh_user, w.new_signer, kToday - 1s)); }},
           Row{"and the plan may need it for",
               [](World& w) { w.at.put("new.creds", w.creds(w.fresh_user, w.new_signer, kToday + 10min)); }},
           Row{"the prober's new credential is user", [](World& w) { w.at.put("probe.new", w.at.text("probe.old")); }},
           Row{"is not signed by a key of `retires`", [](World& w) { w.plan.retires = {w.signer(w.account)}; }},
           Row{"and users that A", [](World& w) { w.plan.retires = {w.signer(w.new_signer), w.signer(w.old_signer)}; }},
           Row{"a1: reading",
               [](World& w) { w.target().deliver = std::vector<Copy>{{w.at.path / "nothing", w.at.path / "there"}}; }},
           Row{"n1: ",
               [](World& w) {
                 w.plan.brokers[0].narrow = std::vector<Copy>{{w.at.path / "nothing", w.at.path / "u"}};
               }},
           Row{"say which connections are its own (prove.name)",
               [](World& w) {
                 Target second = w.target();
                 second.name = "a2";
                 second.prove.replaces = w.at.put("other.creds", w.creds(key_of(KeyKind::user), w.old_signer));
                 w.plan.waves[0].targets.push_back(second);
               }},
       }) {
    World world;
    row.change(world);
    const std::string problems = world.problems();
    EXPECT_TRUE(holds(problems, row.why)) << row.why << "\nin\n" << problems;
    EXPECT_FALSE(holds(problems, world.user.seed().reveal().substr(0, 20)));
  }
}

}  // namespace
}  // namespace hawser::rotation
