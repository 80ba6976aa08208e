"""`hawser id` as an operator's people run it: a store, creds, servers that trust it, revocation, rotation, policies."""

import base64
import fcntl
import json
import os
import pathlib
import pty
import stat
import subprocess
import time

import pytest
from hawser_scenario.broker import HawserBroker
from hawser_scenario.id_store import SEED, Store
from hawser_scenario.nats_server import NatsServer
from hawser_scenario.process import Program
from hawser_scenario.waiting import wait_until

HAWSER = os.environ["HAWSER_BIN"]
DONE, NOT_SO, MISUSE, NO_CONNECTION, REFUSED = 0, 1, 2, 3, 4


def refused(done):
    return "Authorization Violation" in done.stderr or "Authentication" in done.stderr or "SES-" in done.stderr


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path)
    made.run("operator add nexo-ops --signing-key --system-account")
    return made


@pytest.fixture
def prod(store):
    """An account with two agents."""
    store.run("account add nexo-prod")
    store.run("user", "add", "agent-kate", "--account", "nexo-prod", "--allow-pub", "agent.route.ops", "--deny-pub", "plugin.outbound.*",
              "--allow-sub", "agent.route.kate,_INBOX.>", "--expires", "30d")
    store.run("user", "add", "agent-ops", "--account", "nexo-prod")
    return store


SERVERS = {"nats-server": NatsServer, "broker": HawserBroker}


@pytest.fixture(params=SERVERS)
def server_kind(request):
    return SERVERS[request.param]


def serve(store, stack, resolver, kind=NatsServer, name="broker", *flags):
    """A server that trusts the store's operator."""
    config = store.run("server-config", "--resolver", resolver, "--dir", store.directory / f"{name}-jwt", *flags).stdout
    server = stack.enter_context(kind(store.directory / name, config, name=name))
    store.server = server.url("tls" if "--tls-cert" in flags else "nats")
    return server


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def claims(token):
    body = token.strip().split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


# ---- the store ----------------------------------------------------------------------------------------------------------


def test_the_tree_lies_as_nsc_lays_it_and_for_its_owner_only(prod):
    kate = prod.json("user show agent-kate --account nexo-prod")["sub"]
    for path in ["nexo-ops/.nsc", "nexo-ops/nexo-ops.jwt", "nexo-ops/accounts/SYS/SYS.jwt", "nexo-ops/accounts/nexo-prod/nexo-prod.jwt",
                 "nexo-ops/accounts/nexo-prod/users/agent-kate.jwt", f"keys/U/{kate[1:3]}/{kate}.nk", "creds/nexo-ops/nexo-prod/agent-kate.creds"]:
        assert (prod.root / path).is_file(), path
    for path in prod.root.rglob("*"):
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path
    assert json.loads((prod.root / "nexo-ops/.nsc").read_text())["name"] == "nexo-ops"


def test_without_a_named_store_it_is_nscs_own_place(tmp_path):
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run([HAWSER, "id", "operator", "add", "ops"], capture_output=True, text=True, env=env, check=False, timeout=60)
    assert done.returncode == DONE, done.stderr
    assert (tmp_path / ".local/share/nats/nsc/stores/ops/ops.jwt").is_file()
    assert list((tmp_path / ".local/share/nats/nsc/keys/keys/O").rglob("*.nk"))
    config = tmp_path / ".config/nats/nsc"
    config.mkdir(parents=True)
    (config / "nsc.json").write_text(json.dumps({"store_root": str(tmp_path / "elsewhere"), "operator": "two"}))
    for name in ("one", "two"):
        done = subprocess.run([HAWSER, "id", "operator", "add", name], capture_output=True, text=True, env=env, check=False, timeout=60)
        assert done.returncode == DONE and (tmp_path / f"elsewhere/{name}/{name}.jwt").is_file(), done.stderr
    done = subprocess.run([HAWSER, "id", "list"], capture_output=True, text=True, env=env, check=False, timeout=60)
    assert done.stdout.startswith("two ") and done.returncode == DONE, done.stderr


def test_what_is_there_is_listed(prod):
    tree = prod.json("list")
    assert tree["name"] == "nexo-ops" and [account["name"] for account in tree["accounts"]] == ["SYS", "nexo-prod"]
    users = {user["name"]: user for user in tree["accounts"][1]["users"]}
    assert set(users) == {"agent-kate", "agent-ops"} and users["agent-ops"]["expires"] is None and not users["agent-kate"]["revoked"]
    assert "agent-kate" in prod.run("list").stdout
    assert [row["operator"] for row in prod.json("operator list")] == ["nexo-ops"]
    assert [row["account"] for row in prod.json("account list")] == ["SYS", "nexo-prod"]
    assert [row["user"] for row in prod.json("user list --account nexo-prod")] == ["agent-kate", "agent-ops"]


def test_claims_are_those_asked_for(prod):
    said = prod.json("user show agent-kate --account nexo-prod")
    assert said["nats"]["pub"] == {"allow": ["agent.route.ops"], "deny": ["plugin.outbound.*"]}
    assert said["nats"]["sub"] == {"allow": ["agent.route.kate", "_INBOX.>"]}
    assert said["nats"]["subs"] == -1 and abs(said["exp"] - time.time() - 30 * 86400) < 120
    shown = prod.run("user show agent-kate --account nexo-prod").stdout
    assert "agent.route.ops" in shown and "may not publish" in shown


def test_edits_change_what_they_name_and_nothing_else(prod):
    before = prod.json("user show agent-kate --account nexo-prod")
    prod.run("user", "edit", "agent-kate", "--account", "nexo-prod", "--allow-sub", "news.>", "--rm", "plugin.outbound.*", "--payload", "64KB",
             "--allow-pub-response", "5", "--response-ttl", "2s", "--tag", "region:eu", "--source-network", "127.0.0.0/8")
    after = prod.json("user show agent-kate --account nexo-prod")
    assert after["sub"] == before["sub"] and after["exp"] == before["exp"]
    assert after["nats"]["pub"] == {"allow": ["agent.route.ops"]} and "news.>" in after["nats"]["sub"]["allow"]
    assert after["nats"]["payload"] == 65536 and after["nats"]["resp"] == {"max": 5, "ttl": 2_000_000_000}
    assert after["nats"]["tags"] == ["region:eu"] and after["nats"]["src"] in ("127.0.0.0/8", ["127.0.0.0/8"])
    prod.run("account edit nexo-prod --conns 7 --max-payload 1MB --disallow-bearer true --description production")
    limits = prod.json("account show nexo-prod")["nats"]["limits"]
    assert (limits["conn"], limits["payload"], limits["disallow_bearer"]) == (7, 1 << 20, True)


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "/tmp/x", "a\\b", " a"])
def test_names_that_could_leave_the_store_are_refused(store, name):
    before = store.user_files()
    for arguments in [("account", "add", f"--name={name}"), ("user", "add", f"--name={name}", "--account", "SYS"), ("operator", "add", f"--name={name}")]:
        store.fails(MISUSE, "id_bad_name", *arguments)
    assert store.user_files() == before


def test_mistakes_say_what_to_do(prod):
    prod.fails(MISUSE, "id_exists", "account add nexo-prod")
    prod.fails(MISUSE, "id_exists", "operator add nexo-ops")
    prod.fails(MISUSE, "id_exists", "user add agent-kate --account nexo-prod")
    prod.fails(MISUSE, "id_not_found", "user show nobody --account nexo-prod")
    prod.fails(MISUSE, "bad_quantity", "user add x --account nexo-prod --expires soon")
    prod.fails(MISUSE, "wire_bad_subject", "user", "add", "x", "--account", "nexo-prod", "--deny-pub", "a..b")
    prod.fails(MISUSE, "wire_bad_subject", "account", "edit", "nexo-prod", "--export", "stream:a..b")
    prod.run("account add nexo-test")
    assert "nexo-prod, nexo-test" in prod.fails(MISUSE, "id_ambiguous", "user list")
    other = Store(prod.directory, "empty")
    other.fails(MISUSE, "id_store_missing", "list")
    assert prod.json("user list --account nexo-prod")[0]["user"] == "agent-kate" and len(prod.json("user list --account nexo-prod")) == 2


def test_a_damaged_file_is_named(prod):
    path = prod.root / "nexo-ops/accounts/nexo-prod/nexo-prod.jwt"
    path.write_text(path.read_text()[:200])
    assert str(path) in prod.fails(NOT_SO, "id_store_unusable", "list")


def test_two_writers_take_turns(prod):
    with open(prod.root / ".hawser-lock", "r+", encoding="ascii") as lock:
        fcntl.fcntl(lock, 37, b"\x01\x00\x00\x00" + bytes(28))  # F_OFD_SETLK, F_WRLCK
        assert "is writing in it" in prod.fails(NOT_SO, "id_store_unusable", "account add late")
        prod.run("list")
    prod.run("account add late")


def test_an_operators_key_may_lie_elsewhere(prod):
    keys = prod.json("operator show")
    signing = keys["nats"]["signing_keys"][0]
    for key in (keys["sub"], signing):
        path = prod.root / f"keys/O/{key[1:3]}/{key}.nk"
        path.rename(prod.directory / f"{key}.nk")
    assert signing in prod.fails(MISUSE, "id_key_missing", "account edit nexo-prod --conns 1")
    prod.run("account", "edit", "nexo-prod", "--conns", "1", "--key-file", prod.directory / f"{signing}.nk")
    assert prod.json("account show nexo-prod")["iss"] == signing
    assert not (prod.root / f"keys/O/{signing[1:3]}/{signing}.nk").exists()


# ---- creds --------------------------------------------------------------------------------------------------------------


def test_creds_are_for_their_owner_only_and_not_for_a_terminal(prod):
    path = prod.creds("nexo-prod", "agent-kate")
    assert mode(path) == 0o600
    text = path.read_text()
    assert text.startswith("-----BEGIN NATS USER JWT-----\n") and "\n------END USER NKEY SEED------\n" in text and SEED.search(text)
    assert prod.run("creds --account nexo-prod --name agent-kate", secret=True).stdout == text
    ours, theirs = pty.openpty()
    done = subprocess.run([HAWSER, "id", "creds", "--account", "nexo-prod", "--name", "agent-kate"], stdout=theirs, stderr=subprocess.PIPE,
                          text=True, env=prod.environment(), timeout=60, check=False)
    os.close(theirs)
    os.close(ours)
    assert done.returncode == MISUSE and "--force" in done.stderr


# ---- servers that trust it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resolver", ["memory", "full"])
def test_two_agents_with_certificates_and_creds(prod, stack, ca, resolver, server_kind):
    pair, client = ca.server(), ca.issue("agent")
    server = serve(prod, stack, resolver, server_kind, "broker", "--tls-cert", pair.cert, "--tls-key", pair.key, "--tls-ca", ca.cert)
    prod.tls = ("--tlscert", client.cert, "--tlskey", client.key, "--tlsca", ca.cert)
    if resolver == "full":
        pushed = prod.run("push", "-s", prod.server, *prod.tls, "--json")
        answers = json.loads(pushed.stdout)
        assert "user-jwt-expiring" not in pushed.stderr, "its creds were made for this run"
        assert answers["ok"] and {row["account"] for row in answers["answers"]} == {"SYS", "nexo-prod"}
    kate, ops = prod.creds("nexo-prod", "agent-kate"), prod.creds("nexo-prod", "agent-ops")
    _, out = prod.start_sub(stack, ">", ops)
    prod.connect("pub", "agent.route.ops", "hello", creds=kate)
    wait_until(lambda: out.read_text() == "hello\n", 10, lambda: out.read_text())
    for subject in ("plugin.outbound.mail", "elsewhere"):
        assert "Permissions Violation" in prod.connect("pub", subject, "no", creds=kate, expect=NOT_SO).stderr
    assert "Permissions Violation" in prod.connect("sub", "other.>", "--count", 1, "--timeout", "5s", creds=kate, expect=NOT_SO).stderr
    assert out.read_text() == "hello\n"
    plain = prod.hawser("rtt", "-s", server.url("tls"), *prod.tls, expect=NO_CONNECTION)
    assert plain.stderr, "a client without creds is let in"


@pytest.mark.parametrize("resolver", ["memory", "full"])
def test_nats_server_takes_the_configuration(prod, resolver):
    path = prod.directory / "nats.conf"
    prod.run("server-config", "--resolver", resolver, "--dir", prod.directory / "jwt", "--listen", "127.0.0.1:0", "-o", path)
    done = subprocess.run([*NatsServer.command, "-c", path, "-t"], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert not SEED.search(path.read_text())


def test_a_full_resolver_needs_a_system_account(tmp_path):
    bare = Store(tmp_path)
    bare.run("operator add ops")
    bare.fails(MISUSE, "broker_system_account", "server-config --resolver full")
    bare.run("account add SYS")
    bare.run("operator edit --system-account SYS")
    assert "system_account: A" in bare.run("server-config --resolver full").stdout


def test_accounts_see_only_what_is_exported_to_them(prod, stack, server_kind):
    prod.run("account add nexo-test")
    prod.run("user add tester --account nexo-test")
    prod.run("account", "edit", "nexo-prod", "--export", "service:orders.get", "--private")
    prod.run("account", "edit", "nexo-prod", "--export", "stream:events.>")
    prod.run("account", "edit", "nexo-test", "--import", "nexo-prod:orders.get", "--local-subject", "prod.orders")
    prod.run("account", "edit", "nexo-test", "--import", "nexo-prod:events.>")
    prod.fails(MISUSE, "id_not_found", "account", "edit", "nexo-test", "--import", "nexo-prod:secrets")
    serve(prod, stack, "memory", server_kind)
    ops, tester = prod.creds("nexo-prod", "agent-ops"), prod.creds("nexo-test", "tester")
    stack.enter_context(replier(prod, "orders.get", ops))
    _, seen = prod.start_sub(stack, ">", tester)
    assert prod.connect("request", "prod.orders", "", "--raw", creds=tester).stdout == "42\n"
    prod.connect("request", "orders.get", "", creds=tester, expect=NOT_SO)
    prod.connect("pub", "events.one", "shared", creds=ops)
    prod.connect("pub", "secrets.one", "hidden", creds=ops)
    prod.connect("pub", "events.two", "shared too", creds=ops)
    wait_until(lambda: "shared too" in seen.read_text(), 10, lambda: seen.read_text())
    assert "hidden" not in seen.read_text()


def replier(store, subject, creds):
    log = store.directory / "reply.err"
    program = Program([HAWSER, "reply", subject, "42", "-s", store.server, *store.tls, "--creds", creds], log, env=store.environment(),
                      cwd=store.directory)
    wait_until(lambda: subject in log.read_text(), 20, "the responder")
    return program


# ---- revocation -----------------------------------------------------------------------------------------------------------


def test_revocation_and_push_end_a_live_connection(prod, stack, server_kind):
    server = serve(prod, stack, "full", server_kind)
    prod.run("push", "-s", prod.server)
    kate, ops = prod.creds("nexo-prod", "agent-kate"), prod.creds("nexo-prod", "agent-ops")
    prod.start_sub(stack, "agent.route.kate", kate, "--connection-name", "of-kate")
    prod.start_sub(stack, "x", ops, "--connection-name", "of-ops")
    assert server.connections("of-kate") and server.connections("of-ops")
    prod.run("user revoke agent-kate --account nexo-prod")
    assert prod.json("user list --account nexo-prod")[0]["revoked"]
    assert server.connections("of-kate"), "the store alone ends nothing"
    prod.run("push", "--account", "nexo-prod", "-s", prod.server)
    wait_until(lambda: not server.connections("of-kate"), 10, "kate's connection ends")
    assert server.connections("of-ops")
    prod.connect("rtt", creds=kate, expect=NO_CONNECTION)
    prod.run("user revoke agent-kate --account nexo-prod --undo")
    prod.run("push", "--account", "nexo-prod", "-s", prod.server)
    prod.connect("rtt", creds=kate)


def test_a_server_without_a_directory_takes_a_push_for_as_long_as_it_runs(prod, stack, server_kind):
    server = serve(prod, stack, "memory", server_kind)
    if server_kind is NatsServer:  # it forgets what nobody uses yet; then it must not look as if it had taken it
        assert "skipped" in prod.fails(NOT_SO, "resolver_refused", "push", "--account", "nexo-prod", "-s", prod.server)
    kate = prod.creds("nexo-prod", "agent-kate")
    prod.start_sub(stack, "agent.route.kate", kate, "--connection-name", "of-kate")
    prod.run("user revoke agent-kate --account nexo-prod")
    prod.run("push", "--account", "nexo-prod", "-s", prod.server)
    wait_until(lambda: not server.connections("of-kate"), 10, "kate's connection ends")
    prod.connect("rtt", creds=kate, expect=NO_CONNECTION)
    prod.fails(NOT_SO, "no_responders", "diff", "-s", prod.server)


def test_a_revoked_user_is_not_let_in_again_by_an_edit(prod):
    prod.run("user revoke agent-kate --account nexo-prod")
    prod.fails(NOT_SO, "jwt_revoked", "user edit agent-kate --account nexo-prod --expires 60d")


def test_what_was_issued_before_an_edit_can_be_made_void(prod, stack):
    serve(prod, stack, "full")
    before = prod.creds("nexo-prod", "agent-ops").rename(prod.directory / "before.creds")
    prod.run("user", "edit", "agent-ops", "--account", "nexo-prod", "--deny-pub", "x", "--revoke-old")
    prod.run("push", "-s", prod.server)
    prod.connect("rtt", creds=before, expect=NO_CONNECTION)
    prod.connect("rtt", creds=prod.creds("nexo-prod", "agent-ops"))


def test_a_deleted_user_is_revoked_unless_it_is_kept(prod, stack):
    serve(prod, stack, "full")
    kate, ops = prod.creds("nexo-prod", "agent-kate"), prod.creds("nexo-prod", "agent-ops")
    prod.run("user delete agent-kate --account nexo-prod")
    prod.run("user delete agent-ops --account nexo-prod --keep")
    prod.run("push", "-s", prod.server)
    prod.connect("rtt", creds=kate, expect=NO_CONNECTION)
    prod.connect("rtt", creds=ops)
    assert prod.json("user list --account nexo-prod") == []


# ---- roles ----------------------------------------------------------------------------------------------------------------


def test_a_role_gives_its_users_their_permissions(prod, stack, server_kind):
    prod.run("account", "edit", "nexo-prod", "--signing-key", "generate", "--role", "reader", "--allow-sub", "data.{{name()}},_INBOX.>", "--deny-pub", ">")
    prod.fails(MISUSE, "bad_usage", "user add joe --account nexo-prod --role reader --allow-pub x")
    assert "those of its role" in prod.run("user add joe --account nexo-prod --role reader").stdout
    serve(prod, stack, "full", server_kind)
    prod.run("push", "-s", prod.server)
    joe = prod.creds("nexo-prod", "joe")
    prod.start_sub(stack, "data.joe", joe)
    assert "Permissions Violation" in prod.connect("sub", "data.kate", "--count", 1, "--timeout", "5s", creds=joe, expect=NOT_SO).stderr
    prod.run("account", "edit", "nexo-prod", "--role", "reader", "--allow-sub", "data.kate")
    prod.run("push", "-s", prod.server)
    prod.start_sub(stack, "data.kate", joe)


# ---- rotation -------------------------------------------------------------------------------------------------------------


def test_a_user_rotates_with_overlap(prod, stack, server_kind):
    serve(prod, stack, "full", server_kind)
    prod.run("push", "-s", prod.server)
    old = prod.creds("nexo-prod", "agent-ops").rename(prod.directory / "old.creds")
    facts = prod.json("rotate", "user", "agent-ops", "--account", "nexo-prod", "--overlap", "1h", "-o", prod.directory / "new.creds")
    new = prod.directory / "new.creds"
    assert mode(new) == 0o600 and facts["old_key"] != facts["new_key"]
    prod.run("push", "-s", prod.server)
    prod.connect("rtt", creds=old)
    prod.connect("rtt", creds=new)
    assert prod.run("rotate due").stdout == "nothing is due\n"
    assert "revoked the old key of nexo-prod/agent-ops" in prod.run("rotate due --all").stdout
    prod.run("push", "-s", prod.server)
    prod.connect("rtt", creds=old, expect=NO_CONNECTION)
    prod.connect("rtt", creds=new)


def test_push_ends_the_old_key_once_its_time_is_over(prod, stack):
    serve(prod, stack, "full")
    old = prod.creds("nexo-prod", "agent-ops").rename(prod.directory / "old.creds")
    prod.run("rotate user agent-ops --account nexo-prod --overlap 1s")
    retiring = prod.root / "nexo-ops/.hawser-retiring.json"
    wait_until(lambda: json.loads(retiring.read_text())[0]["until"] <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), 10, "its time")
    assert "revoked the old key" in prod.run("push", "-s", prod.server).stderr
    assert json.loads(retiring.read_text()) == []
    prod.connect("rtt", creds=old, expect=NO_CONNECTION)
    prod.connect("rtt", creds=prod.creds("nexo-prod", "agent-ops"))


def test_revoking_a_user_ends_its_old_key_too(prod):
    facts = prod.json("rotate user agent-ops --account nexo-prod")
    prod.run("user revoke agent-ops --account nexo-prod")
    revoked = prod.json("account show nexo-prod")["nats"]["revocations"]
    assert {facts["old_key"], facts["new_key"]} <= set(revoked)


def test_an_account_rotates_its_signing_key(prod, stack):
    prod.run("account edit nexo-prod --signing-key generate")
    prod.run("user add signed --account nexo-prod")
    old_key = prod.json("account show nexo-prod")["nats"]["signing_keys"][0]
    assert prod.json("user show signed --account nexo-prod")["iss"] == old_key
    prod.fails(MISUSE, "bad_usage", "account", "edit", "nexo-prod", "--rm-signing-key", old_key)
    serve(prod, stack, "full")
    old = prod.creds("nexo-prod", "signed").rename(prod.directory / "old.creds")
    facts = prod.json("rotate account nexo-prod --overlap 1h")
    assert facts["old_key"] == old_key and facts["signed_anew"] == ["user nexo-prod/signed"]
    prod.run("push", "-s", prod.server)
    prod.connect("rtt", creds=old)
    prod.connect("rtt", creds=prod.creds("nexo-prod", "signed"))
    prod.run("rotate due --all")
    prod.run("push", "-s", prod.server)
    prod.connect("rtt", creds=old, expect=NO_CONNECTION)
    prod.connect("rtt", creds=prod.creds("nexo-prod", "signed"))


def test_a_rotation_lets_no_revoked_user_in_again(prod):
    prod.run("user revoke agent-kate --account nexo-prod")
    assert prod.json("rotate account nexo-prod")["signed_anew"] == ["user nexo-prod/agent-ops"]
    assert {row["user"]: row["revoked"] for row in prod.json("user list --account nexo-prod")} == {"agent-kate": True, "agent-ops": False}


def test_an_operator_rotates_its_signing_key(prod, stack):
    facts = prod.json("rotate operator --overlap 0")
    said = prod.json("operator show")["nats"]["signing_keys"]
    assert said == [facts["new_key"]] and set(facts["signed_anew"]) == {"account SYS", "account nexo-prod"}
    assert prod.json("account show nexo-prod")["iss"] == facts["new_key"]
    serve(prod, stack, "memory")
    prod.connect("rtt", creds=prod.creds("nexo-prod", "agent-ops"))


# ---- the resolver -----------------------------------------------------------------------------------------------------------


def test_push_pull_diff_and_prune(prod, stack, server_kind):
    serve(prod, stack, "full", server_kind)
    assert prod.json("diff", "-s", prod.server, expect=NOT_SO)["ok"] is False
    prod.run("push", "--all", "-s", prod.server)
    assert prod.json("diff", "-s", prod.server)["ok"] is True
    prod.run("account add nexo-test")
    prod.run("account edit nexo-prod --description changed")
    states = {row["account"]: row["state"] for row in prod.json("diff", "-s", prod.server, expect=NOT_SO)["accounts"]}
    assert states == {"SYS": "the same", "nexo-prod": "newer in the store", "nexo-test": "only in the store"}
    prod.run("push", "-s", prod.server)
    token = prod.run("account show nexo-prod --jwt").stdout
    prod.run("account delete nexo-test")
    prod.run("account delete nexo-prod --yes")
    results = {row["account"]: row["result"] for row in prod.json("pull", "--account", "nexo-prod", "-s", prod.server)["accounts"]}
    assert results == {"nexo-prod": "stored"}
    assert prod.run("account show nexo-prod --jwt").stdout == token
    prod.run("push", "--prune", "-s", prod.server)
    assert prod.json("diff", "-s", prod.server)["ok"] is True


def test_pull_keeps_what_is_newer(prod, stack):
    serve(prod, stack, "full")
    prod.run("push", "-s", prod.server)
    first = prod.json("account show nexo-prod")["iat"]
    wait_until(lambda: int(time.time()) > first, 5, "a second")
    prod.run("account edit nexo-prod --description newer")
    results = {row["account"]: row["result"] for row in prod.json("pull", "-s", prod.server)["accounts"]}
    assert results["nexo-prod"].startswith("kept") and results["SYS"] == "the same"
    prod.run("pull", "--overwrite", "-s", prod.server)
    assert prod.json("account show nexo-prod")["iat"] == first


def test_accounts_of_another_operator_are_neither_pushed_nor_pulled(prod, stack, tmp_path):
    stranger = Store(tmp_path, "stranger")
    stranger.run("operator add strangers --system-account")
    stranger.run("account add theirs")
    foreign = stranger.root / "strangers/accounts/theirs"
    place = prod.root / "nexo-ops/accounts/theirs"
    place.mkdir(mode=0o700)
    (place / "theirs.jwt").write_text((foreign / "theirs.jwt").read_text())
    serve(prod, stack, "full")
    assert "theirs" in prod.fails(NOT_SO, "jwt_not_trusted", "push", "-s", prod.server)
    (place / "theirs.jwt").unlink()
    # A server that is told so by somebody else stores it; then it is not taken from there.
    system = prod.root / "creds/nexo-ops/SYS/sys.creds"
    body = (foreign / "theirs.jwt").read_text()
    answer = prod.connect("request", "$SYS.REQ.CLAIMS.UPDATE", body, "--raw", "--no-templates", creds=system).stdout
    if '"code":200' in answer:
        rows = {row["account"]: row["result"] for row in prod.json("pull", "-s", prod.server)["accounts"]}
        assert rows["theirs"] == "on the server, and not trusted"
    assert not (place / "theirs.jwt").exists()


def test_push_without_the_system_accounts_key_takes_its_creds(prod, stack):
    serve(prod, stack, "full")
    system = (prod.root / "creds/nexo-ops/SYS/sys.creds").rename(prod.directory / "sys.creds")
    for key in (prod.root / "keys/A").rglob("*.nk"):
        key.unlink()
    prod.run("push", "-s", prod.server, "--creds", system)
    assert prod.run("push", "-s", prod.server, expect=NO_CONNECTION)


def test_a_user_of_another_account_may_not_push(prod, stack):
    serve(prod, stack, "full")
    prod.run("push", "-s", prod.server)
    prod.fails(NOT_SO, "no_responders", "push", "-s", prod.server, "--creds", prod.creds("nexo-prod", "agent-ops"))


# ---- policies ---------------------------------------------------------------------------------------------------------------

POLICY = """\
operator: nexo-ops
accounts:
  nexo-prod:
    limits: { connections: 50, payload: 1MB }
    exports:
      - service: orders.get
        private: true
      - stream: events.>
    agents:
      agent-kate:
        publish: { allow: [agent.route.ops], deny: [plugin.outbound.*] }
        subscribe: [agent.route.kate, _INBOX.>]
        expires: 30d
      agent-ops: {}
  nexo-test:
    imports:
      - { account: nexo-prod, service: orders.get, as: prod.orders }
      - { account: nexo-prod, stream: events.> }
    agents:
      tester: {}
"""


def policy(store, text=POLICY):
    path = store.directory / "policy.yaml"
    path.write_text(text)
    return path


def test_a_policy_is_applied_once(store, stack):
    path = policy(store)
    before = store.user_files()
    planned = store.run("apply", path, "--dry-run", "--creds-dir", "creds").stdout
    assert "+ create account nexo-prod" in planned and "+ create user nexo-test/tester" in planned and "nothing was written" in planned
    assert store.user_files() == before and not (store.directory / "creds").exists()
    first = store.json("apply", path, "--creds-dir", "creds")
    assert first["applied"] and len(first["steps"]) == 5 and len(first["creds"]) == 3
    after = store.user_files()
    for again in (store.run("apply", path, "--creds-dir", "creds"), store.run("apply", path, "--creds-dir", "creds", "--dry-run")):
        assert again.stdout.endswith("nothing to do\n"), again.stdout
    assert store.user_files() == after
    kate = store.directory / "creds/nexo-prod/agent-kate.creds"
    assert mode(kate) == 0o600
    serve(store, stack, "memory")
    ops, tester = store.directory / "creds/nexo-prod/agent-ops.creds", store.directory / "creds/nexo-test/tester.creds"
    stack.enter_context(replier(store, "orders.get", ops))
    assert store.connect("request", "prod.orders", "", "--raw", creds=tester).stdout == "42\n"
    store.connect("pub", "agent.route.ops", "x", creds=kate)
    store.connect("pub", "plugin.outbound.x", "x", creds=kate, expect=NOT_SO)


def test_a_changed_policy_changes_what_it_names(store):
    store.run("apply", policy(store))
    ops = store.json("user show agent-ops --account nexo-prod")
    changed = policy(store, POLICY.replace("connections: 50", "connections: 60").replace("[agent.route.ops]", "[agent.route.ops, news]"))
    shown = store.run("apply", changed, "--dry-run").stdout
    assert "~ change account nexo-prod\n    limits.conn: 50 -> 60\n" in shown
    assert "~ change user nexo-prod/agent-kate\n    pub.allow: [agent.route.ops] -> [agent.route.ops, news]\n" in shown
    assert [step["action"] for step in store.json("apply", changed)["steps"]] == ["change", "change"]
    assert store.json("user show agent-ops --account nexo-prod") == ops


def test_what_a_policy_does_not_name_is_removed_on_demand(store):
    store.run("apply", policy(store))
    key = store.json("user show agent-ops --account nexo-prod")["sub"]
    smaller = policy(store, POLICY[:POLICY.index("  nexo-test:")].replace("      agent-ops: {}\n", ""))
    kept = store.run("apply", smaller).stdout
    assert "agent-ops is not in the policy" in kept and kept.endswith("nothing to do\n")
    gone = store.run("apply", smaller, "--prune").stdout
    assert "- remove user nexo-prod/agent-ops" in gone and "- remove account nexo-test" in gone
    tree = store.json("list")
    assert [account["name"] for account in tree["accounts"]] == ["SYS", "nexo-prod"]
    assert key in store.json("account show nexo-prod")["nats"]["revocations"]


def test_all_mistakes_of_a_policy_come_together_with_their_places(store):
    before = store.user_files()
    path = policy(store, POLICY.replace("connections: 50", "connections: some").replace("private: true", "privat: true")
                  .replace("expires: 30d", "expires: soon").replace("[agent.route.kate,", "[agent..kate,"))
    shown = store.fails(MISUSE, "policy_invalid", "apply", path)
    for place in ("policy.yaml:4:28: ", "policy.yaml:7:9: unknown key \"privat\"", "policy.yaml:12:21: ", "policy.yaml:13:18: "):
        assert place in shown, shown
    nobody = policy(store, POLICY.replace("account: nexo-prod, service", "account: nobody, service"))
    assert "policy.yaml:17:" in store.fails(MISUSE, "policy_invalid", "apply", nobody)
    assert store.user_files() == before


# ---- expirations, sign, verify ------------------------------------------------------------------------------------------------


def test_expirations_tell_what_ends_soon(prod):
    assert prod.json("expirations --within 7d")["ok"] is True
    rows = prod.json("expirations --within 31d", expect=NOT_SO)["expirations"]
    assert [(row["name"], row["soon"], row["expired"]) for row in rows] == [("nexo-prod/agent-kate", True, False)]
    assert "nexo-prod/agent-kate" in prod.run("expirations --within 31d", expect=NOT_SO).stdout
    prod.run("rotate user agent-ops --account nexo-prod --overlap 12h")
    assert "the old key of nexo-prod/agent-ops" in prod.run("expirations --within 1d", expect=NOT_SO).stdout


def test_verify_gives_verdicts(prod, tmp_path):
    kate = prod.creds("nexo-prod", "agent-kate")
    good = prod.json("verify", kate)
    assert good["ok"] and good["type"] == "user" and good["seed_matches"] and [step["ok"] for step in good["chain"]] == [True, True]
    account = prod.root / "nexo-ops/accounts/nexo-prod/nexo-prod.jwt"
    operator = prod.root / "nexo-ops/nexo-ops.jwt"
    assert prod.json("verify", account)["ok"] and prod.json("verify", operator)["ok"]
    elsewhere = Store(tmp_path, "elsewhere")
    alone = elsewhere.json("verify", kate)
    assert alone["ok"] and alone["chain"][0]["checked"] is False
    assert elsewhere.json("verify", kate, "--account-jwt", account, "--operator-jwt", operator)["chain"][1]["ok"]

    swapped = tmp_path / "swapped.creds"
    seed = SEED.search(prod.creds("nexo-prod", "agent-ops").read_text()).group()
    swapped.write_text(SEED.sub(seed, kate.read_text()))
    prod.fails(NOT_SO, "creds_seed_mismatch", "verify", swapped)

    token = prod.run("user show agent-kate --account nexo-prod --jwt").stdout.strip()
    head, body, signature = token.split(".")
    changed = claims(token)
    changed["nats"]["pub"] = {}
    forged = tmp_path / "forged.jwt"
    forged.write_text(f"{head}.{base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip('=')}.{signature}")
    prod.fails(NOT_SO, "jwt_signature_invalid", "verify", forged)
    (tmp_path / "short.jwt").write_text(token[:100])
    prod.run("verify", tmp_path / "short.jwt", expect=MISUSE)

    stranger = Store(tmp_path, "stranger")
    stranger.run("operator add strangers")
    stranger.run("account add theirs")
    prod.fails(NOT_SO, "jwt_not_trusted", "verify", stranger.root / "strangers/accounts/theirs/theirs.jwt")
    stranger.run("user add joe --account theirs")
    prod.fails(NOT_SO, "jwt_not_trusted", "verify", stranger.root / "creds/strangers/theirs/joe.creds", "--account-jwt", account)

    prod.run("user add brief --account nexo-prod --expires 1s")
    brief = prod.creds("nexo-prod", "brief")
    wait_until(lambda: claims(brief.read_text().splitlines()[1])["exp"] <= time.time(), 10, "its end")
    prod.fails(NOT_SO, "jwt_expired", "verify", brief)
    prod.run("user revoke agent-kate --account nexo-prod")
    prod.fails(NOT_SO, "jwt_revoked", "verify", kate)


def test_claims_given_as_json_are_signed(prod):
    said = prod.json("account show nexo-prod")
    said["nats"]["limits"]["conn"] = 3
    token = prod.run("sign", "-", input=json.dumps(said)).stdout.strip()
    assert claims(token)["nats"]["limits"]["conn"] == 3
    assert claims(token)["iss"] == prod.json("operator show")["nats"]["signing_keys"][0]
    said["nats"]["exports"] = [{"name": "x", "subject": "a b", "type": "stream"}]
    prod.fails(NOT_SO, "jwt_invalid", "sign", "-", input=json.dumps(said))
    prod.fails(MISUSE, "jwt_malformed", "sign", "-", input="[]")
