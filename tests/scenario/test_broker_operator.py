"""Operator mode: the same on nats-server and on the broker where they are to be the same, and where the broker goes further, there."""

import json
import os
import subprocess
import time

import pytest

from hawser_scenario.accounts import UNLIMITED, Admin, World
from hawser_scenario.broker import HawserBroker
from hawser_scenario.nats_server import NatsServer
from hawser_scenario.waiting import stays_false, wait_until

REVOKED = b"-ERR 'User Authentication Revoked'"
EXPIRED = b"-ERR 'User Authentication Expired'"
ACCOUNT_EXPIRED = b"-ERR 'Account Authentication Expired'"
TOO_MANY = b"-ERR 'maximum account active connections exceeded'"
NO_MORE_SUBSCRIPTIONS = b"-ERR 'maximum subscriptions exceeded'"


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "keys")


class TwoThreads(HawserBroker):
    def write_config(self, config):
        super().write_config(config + "threads: 2\n")


@pytest.fixture(params=[NatsServer, HawserBroker, TwoThreads], ids=["nats-server", "broker", "broker-2"])
def kind(request):
    return request.param


@pytest.fixture
def start(tmp_path, stack):
    """start(kind, config): a running server; the second of a name is the same one started again."""
    return lambda kind, config, name="broker": stack.enter_context(kind(tmp_path / name, config))


def hears(client, subject, payload):
    assert client.message() == (subject, payload)


def ended(client, text):
    client.expect(text)
    assert client.closed() == b""


def passes(publisher, subscriber, subject, heard_as=None):
    publisher.publish(subject, b"x")
    hears(subscriber, heard_as or subject, b"x")


def test_a_user_whom_its_account_signed_is_let_in_and_others_are_not(kind, start, world):
    app, other = world.account("APP"), world.account("OTHER")
    key = world.account("key").key
    app.nats["signing_keys"] = [key.public]
    server = start(kind, world.config(app))
    kate = app.user("kate")
    with kate.joined(server) as one, app.user("by.key", signed_by=key).joined(server) as two:
        assert one.info["auth_required"] and one.info["nonce"]
        one.subscribe("orders.*")
        one.flush()
        passes(two, one, "orders.new")
    other.user("mallory").refused(server)
    app.user("late", expires=time.time() - 5).refused(server)
    kate.refused(server, sig="")
    kate.refused(server, sig="x" * 86)
    app.user("no issuer account", signed_by=world.account("unknown").key).refused(server)
    nobody = app.user("nobody")
    nobody.jwt = ""
    nobody.refused(server)
    kate.jwt = kate.jwt[:-4] + "AAAA"
    kate.refused(server)


def test_pub_sub_and_request_of_hawser_come_in_with_a_creds_file(start, world, tmp_path):
    app = world.account("APP")
    server = start(HawserBroker, world.config(app))
    creds = app.user("kate").creds(tmp_path / "kate.creds")
    hawser = [os.environ["HAWSER_BIN"]]
    where = ["-s", server.url(), "--creds", str(creds)]
    subscriber = subprocess.Popen([*hawser, "sub", "a", *where, "--count", "1", "--raw"], stdout=subprocess.PIPE, text=True)
    wait_until(lambda: any("a" in row.get("subscriptions_list", []) for row in server.connections()), 15, "the subscription")
    subprocess.run([*hawser, "pub", "a", "hello", *where], check=True, timeout=30, capture_output=True)
    assert "hello" in subscriber.communicate(timeout=30)[0]
    mallory = world.account("OTHER").user("mallory").creds(tmp_path / "mallory.creds")
    refused = subprocess.run([*hawser, "pub", "a", "x", "-s", server.url(), "--creds", str(mallory)], timeout=30,
                             capture_output=True, check=False)
    assert refused.returncode != 0


def test_what_hawser_id_makes_is_let_in_once_it_is_pushed_and_let_go_once_it_is_revoked(kind, start, tmp_path):
    def hawser(*arguments, code=0):
        done = subprocess.run([os.environ["HAWSER_BIN"], *arguments], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "HAWSER_ID_STORE": str(tmp_path / "store")})
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    hawser("id", "operator", "add", "ops", "--signing-key", "--system-account")
    hawser("id", "account", "add", "prod")
    hawser("id", "user", "add", "kate", "--account", "prod", "--allow-pub", "orders.*")
    for account, user in (("prod", "kate"), ("SYS", "sys")):
        hawser("id", "creds", "--account", account, "--name", user, "-o", str(tmp_path / f"{user}.creds"))
    server = start(kind, hawser("id", "server-config", "--resolver", "full", "--dir", str(tmp_path / "jwt")))
    as_kate = ["-s", server.url(), "--creds", str(tmp_path / "kate.creds")]
    push = ["id", "push", "--account", "prod", "-s", server.url(), "--creds", str(tmp_path / "sys.creds")]
    hawser("pub", "orders.new", "x", *as_kate, code=3)
    hawser(*push)
    hawser("pub", "orders.new", "x", *as_kate)
    hawser("id", "diff", "-s", server.url(), "--creds", str(tmp_path / "sys.creds"))
    hawser("id", "user", "revoke", "kate", "--account", "prod")
    hawser(*push)
    hawser("pub", "orders.new", "x", *as_kate, code=3)


def test_an_account_that_is_pushed_is_in_use_at_once_listed_told_and_kept(kind, start, world, tmp_path):
    directory = tmp_path / "jwt"
    config = world.full(directory)
    server = start(kind, config)
    app = world.account("APP")
    kate = app.user("kate")
    kate.refused(server)
    admin = Admin(world, server)
    assert admin.accounts() == {world.system.public}
    answer = admin.pushed(app)
    assert answer["account"] == app.public and answer["message"] == "jwt updated"
    assert admin.accounts() == {world.system.public, app.public}
    token = admin.ask(f"$SYS.REQ.ACCOUNT.{app.public}.CLAIMS.LOOKUP").decode()
    assert (directory / f"{app.public}.jwt").read_text() == token
    kate.joined(server).socket.close()
    server.stop()
    server.start()
    kate.joined(server).socket.close()


def test_an_account_is_updated_under_its_own_subjects_too(kind, start, world, tmp_path):
    app = world.account("APP")
    server = start(kind, world.full(tmp_path / "jwt", app))
    admin = Admin(world, server)
    kate = app.user("kate")
    kate.joined(server)
    for prefix in ("$SYS.REQ.ACCOUNT", "$SYS.ACCOUNT"):
        app.name += "!"
        answer = json.loads(admin.ask(f"{prefix}.{app.public}.CLAIMS.UPDATE", app.jwt()))
        assert answer["data"]["message"] == "jwt updated", answer
    wrong = json.loads(admin.ask(f"$SYS.REQ.ACCOUNT.{world.system.public}.CLAIMS.UPDATE", app.jwt()))
    assert wrong["error"]["code"] == 500
    assert wrong["error"]["description"] == "jwt update resulted in error - subject does not match jwt content"


def test_with_a_memory_resolver_accounts_are_updated_one_by_one(kind, start, world):
    app = world.account("APP")
    server = start(kind, world.config(app))
    kate, eve = app.user("kate"), app.user("eve")
    with kate.joined(server) as staying, eve.joined(server) as going:
        admin = Admin(world, server)
        unknown = world.account("OTHER")
        skipped = json.loads(admin.ask(f"$SYS.REQ.ACCOUNT.{unknown.public}.CLAIMS.UPDATE", unknown.jwt()))
        assert skipped["data"]["message"] == "jwt update skipped"
        empty = json.loads(admin.ask(f"$SYS.REQ.ACCOUNT.{app.public}.CLAIMS.UPDATE"))
        assert empty["error"]["description"] == "jwt update error - request body is empty"
        app.revoke(eve)
        done = json.loads(admin.ask(f"$SYS.REQ.ACCOUNT.{app.public}.CLAIMS.UPDATE", app.jwt()))
        assert done["data"]["message"] == "jwt updated"
        ended(going, REVOKED)
        staying.flush()
        # The whole resolver is for those that keep what they are told.
        assert b"503" in admin.ask("$SYS.REQ.CLAIMS.LIST")


def test_a_revoked_user_is_disconnected_at_once_and_no_other(kind, start, world, tmp_path):
    app, other = world.account("APP"), world.account("OTHER")
    server = start(kind, world.full(tmp_path / "jwt", app, other))
    eve = app.user("eve")
    with app.user("kate").joined(server) as kate, eve.joined(server) as going, other.user("otto").joined(server) as otto:
        admin = Admin(world, server)
        app.revoke(eve)
        admin.pushed(app)
        ended(going, REVOKED)
        kate.flush()
        otto.flush()
        eve.refused(server)
        time.sleep(max(0, app.nats["revocations"][eve.public] + 1.1 - time.time()))  # iat is in whole seconds
        again = app.user("eve")
        again.joined(server).socket.close()
        app.revoke("*")
        admin.pushed(app)
        ended(kate, REVOKED)
        otto.flush()
        again.refused(server)


def test_what_no_trusted_operator_signed_is_not_taken(start, world, tmp_path):
    app = world.account("APP")
    server = start(HawserBroker, world.full(tmp_path / "jwt", app))
    stored = (tmp_path / "jwt" / f"{app.public}.jwt").read_text()
    with app.user("kate").joined(server) as kate:
        admin = Admin(world, server)
        for token in (app.jwt(signed_by=World(tmp_path / "other").key), app.jwt(signed_by=world.signing_key),
                      app.jwt(expires=time.time() - 5), "no JWT", ""):
            answer = admin.push(token)
            assert answer["error"]["code"] == 500, answer
        bad = world.account("BAD", exports=[{"name": "a", "subject": "a b", "type": "stream"}])
        assert "jwt validation failed" in admin.push(bad.jwt())["error"]["description"]
        assert admin.accounts() == {world.system.public, app.public}
        assert (tmp_path / "jwt" / f"{app.public}.jwt").read_text() == stored
        kate.flush()
    app.user("otto").joined(server).socket.close()
    assert server.program.log_lines("jwt validation failed", app.public)


def scope(key, **template):
    return {"kind": "user_scope", "key": key.public, "role": "agents", "template": {**UNLIMITED, **template}}


def test_a_scoped_signing_key_gives_what_its_template_says(kind, start, world):
    app = world.account("APP", tags=["env:prod"])
    key, other = world.account("key").key, world.account("key").key
    app.nats["signing_keys"] = [scope(key, pub={"allow": ["agent.{{name()}}.>", "{{account-tag(env)}}.{{tag(team)}}"]},
                                      sub={"allow": ["to.{{subject()}}", "to.{{account-subject()}}"]}),
                                scope(other, pub={"deny": ["{{tag(team)}}"]})]
    server = start(kind, world.config(app))
    kate = app.user("kate", signed_by=key, limits={}, tags=["team:red", "team:blue"])
    with app.user("all").joined(server) as everything, kate.joined(server) as client:
        everything.subscribe(">")
        everything.flush()
        for subject in ("agent.kate.a", "prod.red", "prod.blue"):
            passes(client, everything, subject)
        for subject in ("agent.otto.a", "prod.green", "agent"):
            client.publish(subject, b"x")
            client.expect(f'-ERR \'Permissions Violation for Publish to "{subject}"\''.encode())
        client.subscribe(f"to.{kate.public}", 1)
        client.subscribe(f"to.{app.public}", 2)
        client.flush()
        client.subscribe("to.me", 3)
        client.expect(b"-ERR 'Permissions Violation for Subscription to \"to.me\"'")
    app.user("limits of its own", signed_by=key).refused(server)
    app.user("no team", signed_by=other, limits={}).refused(server)
    app.user("a team", signed_by=other, limits={}, tags=["team:red"]).joined(server).socket.close()


def test_a_changed_scope_binds_those_who_are_connected(start, world, tmp_path):
    app = world.account("APP")
    key, other = world.account("key").key, world.account("key").key
    app.nats["signing_keys"] = [scope(key, sub={"allow": ["a", "b"]}), scope(other, sub={"allow": ["a", "b"]})]
    server = start(HawserBroker, world.full(tmp_path / "jwt", app))
    with app.user("kate", signed_by=key, limits={}).joined(server) as kate, \
            app.user("otto", signed_by=other, limits={}).joined(server) as otto:
        for client in (kate, otto):
            client.subscribe("a", 1)
            client.subscribe("b", 2)
            client.flush()
        app.nats["signing_keys"][0] = scope(key, sub={"allow": ["a"]})
        admin = Admin(world, server)
        admin.pushed(app)
        kate.expect(b"-ERR 'Permissions Violation for Subscription to \"b\" (sid \"2\")'")
        with app.user("all").joined(server) as publisher:
            publisher.publish("b", b"x")
            passes(publisher, kate, "a")
            hears(otto, "b", b"x")
        del app.nats["signing_keys"][0]
        admin.pushed(app)
        ended(kate, b"-ERR 'Authorization Violation'")
        hears(otto, "a", b"x")
        otto.flush()


def test_default_permissions_hold_for_users_without_their_own(start, world, tmp_path):
    app = world.account("APP", default_permissions={"pub": {"allow": ["a"]}, "sub": {}})
    server = start(HawserBroker, world.full(tmp_path / "jwt", app))
    with app.user("kate").joined(server) as kate, app.user("own", pub={"allow": ["b"]}).joined(server) as own:
        kate.publish("b", b"x")
        kate.expect(b"-ERR 'Permissions Violation for Publish to \"b\"'")
        app.nats["default_permissions"] = {"pub": {"allow": ["b"]}, "sub": {}}
        Admin(world, server).pushed(app)
        kate.publish("b", b"x")
        kate.flush()
        kate.publish("a", b"x")
        kate.expect(b"-ERR 'Permissions Violation for Publish to \"a\"'")
        own.publish("b", b"x")
        own.flush()


def stream_import(exporter, subject, **more):
    return {"name": subject, "subject": subject, "account": exporter.public, "type": "stream", **more}


def test_streams_and_services_of_other_accounts_are_heard_and_asked(kind, start, world):
    giver = world.account("GIVER", exports=[{"name": "ev", "subject": "ev.>", "type": "stream"},
                                            {"name": "help", "subject": "help.*", "type": "service"}])
    taker = world.account("TAKER", imports=[
        stream_import(giver, "ev.*", local_subject="from.giver.$1"), stream_import(giver, "secret"),
        {"name": "help", "subject": "help.*", "account": giver.public, "type": "service", "local_subject": "ask.$1"}])
    server = start(kind, world.config(giver, taker))
    with giver.user("g").joined(server) as g, taker.user("t").joined(server) as t:
        for subject, sid in (("from.>", 1), ("secret", 2), ("answers", 3)):
            t.subscribe(subject, sid)
        t.flush()
        g.subscribe("help.me", 1)
        g.flush()
        g.publish("secret", b"x")
        passes(g, t, "ev.1", heard_as="from.giver.1")
        t.send("PUB ask.me answers 1\r\n?\r\n")
        line = g.next_line().split()
        assert line[:3] == [b"MSG", b"help.me", b"1"] or line[0] == b"HMSG"
        reply = line[3].decode()
        g.publish(reply, b"!")
        hears(t, "answers", b"!")


def test_a_private_export_is_had_with_an_activation_alone(kind, start, world, tmp_path):
    giver = world.account("GIVER", exports=[{"name": "p", "subject": "p.*", "type": "stream", "token_req": True}])
    let, left_out, forger = world.account("LET"), world.account("OUT"), world.account("FORGER")
    let.nats["imports"] = [stream_import(giver, "p.a", token=giver.activation(let, "p.a", "stream"))]
    left_out.nats["imports"] = [stream_import(giver, "p.a")]
    forger.nats["imports"] = [stream_import(giver, "p.a", token=forger.activation(forger, "p.a", "stream"))]
    accounts = [giver, let] if kind is NatsServer else [giver, let, left_out]
    server = start(kind, world.full(tmp_path / "jwt", *accounts, forger))
    forger.user("f").refused(server)
    clients = {}
    for account in accounts[1:]:
        clients[account.name] = account.user("u").joined(server)
        clients[account.name].subscribe("p.>")
        clients[account.name].flush()
    with giver.user("g").joined(server) as g:
        passes(g, clients["LET"], "p.a")
        g.flush()
        for name in clients.keys() - {"LET"}:
            clients[name].send("PING\r\n")
            clients[name].expect(b"PONG")
        # The exporter takes it back.
        giver.nats["exports"][0]["revocations"] = {let.public: int(time.time()) + 1}
        Admin(world, server).pushed(giver)
        g.publish("p.a", b"x")
        g.flush()
        clients["LET"].send("PING\r\n")
        clients["LET"].expect(b"PONG")


def test_an_activation_ends_when_it_says_so(start, world):
    giver = world.account("GIVER", exports=[{"name": "p", "subject": "p", "type": "stream", "token_req": True}])
    taker = world.account("TAKER")
    ends = int(time.time()) + 4
    taker.nats["imports"] = [stream_import(giver, "p", token=giver.activation(taker, "p", "stream", expires=ends))]
    server = start(HawserBroker, world.config(giver, taker))
    with giver.user("g").joined(server) as g, taker.user("t").joined(server) as t:
        t.subscribe("p")
        t.flush()
        passes(g, t, "p")
        wait_until(lambda: server.program.log_lines("the activation of the import"), 15, "the end of the activation")
        assert time.time() >= ends
        g.publish("p", b"x")
        g.flush()
        t.send("PING\r\n")
        t.expect(b"PONG")


def test_an_account_is_deleted_by_the_operator_alone(kind, start, world, tmp_path):
    app = world.account("APP")
    server = start(kind, world.full(tmp_path / "jwt", app))
    kate = app.user("kate")
    with kate.joined(server) as client:
        admin = Admin(world, server)
        request = {"type": "generic", "accounts": [app.public]}
        for key, why in ((world.signing_key, "not trusted"), (app.key, "")):
            answer = json.loads(admin.ask("$SYS.REQ.CLAIMS.DELETE", key.jwt(key.public, "delete", request)))
            assert answer["error"]["code"] == 500 and why in answer["error"]["description"], answer
        system = json.loads(admin.ask("$SYS.REQ.CLAIMS.DELETE", world.key.jwt(
            world.key.public, "delete", {"type": "generic", "accounts": [world.system.public]})))
        assert "not allowed to delete system account" in system["error"]["description"]
        client.flush()
        done = json.loads(admin.ask("$SYS.REQ.CLAIMS.DELETE", world.key.jwt(world.key.public, "delete", request)))
        assert done["data"] == {"code": 200, "message": "deleted 1 accounts"}
        ended(client, ACCOUNT_EXPIRED)
        assert admin.accounts() == {world.system.public}
        assert (tmp_path / "jwt" / f"{app.public}.jwt.deleted").exists()
    kate.refused(server)


def test_a_pack_has_every_account_and_an_empty_message_at_its_end(kind, start, world, tmp_path):
    app = world.account("APP")
    server = start(kind, world.full(tmp_path / "jwt", app))
    admin = Admin(world, server)
    lines = {admin.ask("$SYS.REQ.CLAIMS.PACK", b"x" * 32).decode(), admin.answer().decode()}
    assert admin.answer() == b""
    assert {line.partition("|")[0] for line in lines} == {app.public, world.system.public}


def test_limits_of_accounts_and_users_are_kept_to_the_letter(kind, start, world):
    app = world.account("APP")
    server = start(kind, world.config(app))
    with app.user("small", limits={"subs": 2, "data": -1, "payload": 4}).joined(server) as client:
        client.subscribe("a", 1)
        client.subscribe("b", 2)
        client.subscribe("c", 3)
        client.expect(NO_MORE_SUBSCRIPTIONS)
        client.publish("a", b"1234")
        hears(client, "a", b"1234")
        client.publish("a", b"12345")
        client.expect(b"-ERR 'Maximum Payload Violation'")
    with app.user("none", limits={}).connect(server) as client:  # absent is zero
        said = client.closed()
        assert NO_MORE_SUBSCRIPTIONS in said and b'"max_payload":0' in said.replace(b" ", b"").replace(b",\"", b',"') or \
            NO_MORE_SUBSCRIPTIONS in said


def test_an_account_has_as_many_connections_as_its_limit(kind, start, world, tmp_path):
    app = world.account("APP")
    app.limits["conn"] = 3
    server = start(kind, world.full(tmp_path / "jwt", app))
    clients = [app.user(f"u{i}").joined(server) for i in range(3)]
    app.user("too.many").refused(server, TOO_MANY)
    admin = Admin(world, server)
    app.limits["conn"] = 2
    admin.pushed(app)
    ended(clients[0], TOO_MANY)
    clients[1].flush()
    clients[2].flush()


def test_a_user_is_disconnected_when_its_jwt_ends(kind, start, world):
    app = world.account("APP")
    server = start(kind, world.config(app))
    ends = int(time.time()) + 3
    with app.user("kate", expires=ends).joined(server) as kate, app.user("otto").joined(server) as otto:
        kate.socket.settimeout(15)
        ended(kate, EXPIRED)
        assert time.time() >= ends - 1
        otto.flush()


def test_an_account_ends_with_all_of_its_users(kind, start, world):
    app = world.account("APP")
    jwt, ends = app.jwt, int(time.time()) + 4
    app.jwt = lambda: jwt(expires=ends)
    server = start(kind, world.config(app))
    user = app.user("kate")
    with user.joined(server) as kate:
        kate.socket.settimeout(15)
        ended(kate, ACCOUNT_EXPIRED)
        assert time.time() >= ends - 1
    user.refused(server)


def test_a_bearer_needs_no_key_where_the_account_allows_it(kind, start, world, tmp_path):
    app = world.account("APP")
    server = start(kind, world.full(tmp_path / "jwt", app))
    bearer = app.user("bearer", bearer_token=True)
    with bearer.joined(server, sig="") as client:
        if kind is not NatsServer:
            row = next(row for row in server.connections() if row.get("name") == "bearer")
            assert row["authorized_user"] == bearer.public and row["account"] == app.public
            assert row["issuer_key"] == app.public and row["name_tag"] == "bearer"
            assert bearer.jwt not in json.dumps(server.monitor("connz?auth=1&subs=1"))
            assert bearer.jwt not in server.program.log()
        app.limits["disallow_bearer"] = True
        Admin(world, server).pushed(app)
        ended(client, b"-ERR 'Authorization Violation'")
    bearer.refused(server, sig="")


def test_a_user_comes_from_its_addresses_and_at_its_times(kind, start, world):
    app = world.account("APP")
    server = start(kind, world.config(app))
    app.user("here", src=["10.0.0.0/8", "127.0.0.0/8"]).joined(server).socket.close()
    app.user("elsewhere", src=["10.0.0.0/8", "::1/128"]).refused(server)
    now = time.gmtime()
    seconds = now.tm_hour * 3600 + now.tm_min * 60 + now.tm_sec

    def at(offset):
        return time.strftime("%H:%M:%S", time.gmtime((seconds + offset) % 86400))

    if 7200 < seconds < 86400 - 7200:  # nats-server does not look at windows that began yesterday
        app.user("now", times=[{"start": at(-3600), "end": at(3600)}], times_location="UTC").joined(server).socket.close()
        app.user("later", times=[{"start": at(3600), "end": at(7000)}], times_location="UTC").refused(server)
        with app.user("soon over", times=[{"start": at(-3600), "end": at(3)}], times_location="UTC").joined(server) as client:
            client.socket.settimeout(15)
            ended(client, EXPIRED)
    app.user("websocket", allowed_connection_types=["WEBSOCKET"]).refused(server)
    app.user("standard", allowed_connection_types=["WEBSOCKET", "STANDARD"]).joined(server).socket.close()


def test_a_reload_takes_up_another_operator_and_ends_whom_nobody_vouches_for(start, world):
    by_operator, by_key = world.account("APP"), world.account("KEY")
    jwt = by_key.jwt
    by_key.jwt = lambda: jwt(signed_by=world.signing_key)
    server = start(HawserBroker, world.config(by_operator, by_key, signing_keys=[world.signing_key]))
    with by_operator.user("kate").joined(server) as kate, by_key.user("otto").joined(server) as otto:
        server.reload(world.config(by_operator, by_key, signing_keys=[world.signing_key]))
        kate.flush()
        otto.flush()
        server.reload(world.config(by_operator, by_key))
        ended(otto, b"-ERR 'Authorization Violation'")
        kate.flush()
        wait_until(lambda: server.program.log_lines("Reloaded: operator"), 10, "the log of the reload")
        by_key.user("again").refused(server)
        server.reload(world.config(by_operator, by_key, signing_keys=[world.signing_key]))
        by_key.user("again").joined(server).socket.close()
        server.reload(world.config(by_operator))
        kate.flush()
        by_key.user("again").refused(server)


def test_who_am_i_is_answered_to_users_with_a_jwt(start, world):
    app = world.account("APP")
    server = start(HawserBroker, world.config(app))
    kate = app.user("kate", pub={"allow": ["$SYS.REQ.USER.INFO"]}, expires=time.time() + 3600)
    with kate.joined(server) as client:
        client.subscribe("me")
        client.send("PUB $SYS.REQ.USER.INFO me 0\r\n\r\n")
        data = json.loads(client.message()[1])["data"]
        assert data["user"] == kate.public and data["account"] == app.public
        assert data["permissions"]["publish"] == {"allow": ["$SYS.REQ.USER.INFO"]}
        assert 0 < data["expires"] <= 3600 * 10**9


def test_the_log_says_who_was_refused_and_why(start, world):
    app = world.account("APP")
    server = start(HawserBroker, world.config(app))
    late = app.user("late", expires=time.time() - 5)
    late.refused(server)
    assert server.program.log_lines("authentication error", late.public, app.public, "IDN-815")


def test_a_broken_file_in_the_directory_stops_its_own_account_alone(start, world, tmp_path):
    app, broken = world.account("APP"), world.account("BROKEN")
    directory = tmp_path / "jwt"
    directory.mkdir()
    (directory / f"{broken.public}.jwt").write_text("nonsense")
    server = start(HawserBroker, world.full(directory, app))
    app.user("kate").joined(server).socket.close()
    broken.user("otto").refused(server)
    assert server.program.log_lines("cannot be used", broken.public)


def test_what_is_pushed_while_the_full_resolver_is_full_is_refused(start, world, tmp_path):
    server = start(HawserBroker, world.full(tmp_path / "jwt", more=", limit: 2"))
    admin = Admin(world, server)
    first = world.account("ONE")
    admin.pushed(first)
    assert "jwt store is full" in admin.push(world.account("TWO").jwt())["error"]["description"]
    admin.pushed(first)


def check(tmp_path, config):
    path = tmp_path / "b.conf"
    path.write_text(config)
    done = subprocess.run([os.environ["HAWSER_BIN"], "broker", "-c", str(path), "-t"], capture_output=True, text=True, timeout=30,
                          check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_check_of_a_configuration_speaks_of_operators(world, tmp_path):
    app = world.account("APP")
    good = world.config(app)
    assert check(tmp_path, good)[0] == 0
    other = World(tmp_path / "other")
    for config, words in (
        (good + "accounts { A { users: [] } }\n", "BRK-1124"),
        (good + "authorization { users: [ { user: a, password: b } ] }\n", "BRK-1124"),
        (good.replace("resolver: MEMORY", "resolver: URL(http://127.0.0.1:1/)"), "BRK-1122"),
        (good.replace("resolver: MEMORY", 'resolver { type: full, dir: "" }'), "BRK-1122"),
        (good.replace("operator: ", "operator: /no/such/file #"), "BRK-1121"),
        (good + f"system_account: {app.public}\n", "BRK-1125"),
        (world.config(app).replace(world.system.public + ": ", app.public + "X: "), "BRK-1123"),
    ):
        code, text = check(tmp_path, config)
        assert code != 0 and words in text, (words, text)
    code, text = check(tmp_path, good + f'resolver_preload {{ {other.system.public}: {other.system.jwt()} }}\n')
    assert code != 0 and "BRK-1125" in text, text  # the last of two blocks counts, and the system account is not in it
    misspelt = "authorization {\n operator = " + world.jwt() + "\n resolver = MEMORY\n accounts = [ { name: SYS, jwt: \"" + \
        world.system.jwt() + "\" } ]\n}\n"
    code, text = check(tmp_path, misspelt)
    assert code == 0 and "BRK-1116" in text or "nats-server does not read it" in text, text
