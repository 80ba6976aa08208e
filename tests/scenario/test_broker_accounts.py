"""What flows between accounts: the same script for nats-server and for the broker, and the same is heard."""

import json
import subprocess

import pytest

from hawser_scenario.broker import HawserBroker
from hawser_scenario.nats_server import NatsServer
from hawser_scenario.transcript import TranscriptClient


def account(name, users, body=""):
    entries = ", ".join(f"{{ user: {user}, password: x }}" for user in users.split())
    return f"{name} {{ users: [ {entries} ]\n {body} }}\n"


class Stage:
    """One server, and the clients that a script has used on it."""

    def __init__(self, server):
        self.server = server
        self._clients = {}
        self.transcript = []

    def __getattr__(self, user):
        if user not in self._clients:
            self._clients[user] = TranscriptClient(self.server, user)
        return self._clients[user]

    def settle(self):
        """Everything that was said has arrived; threads may pass it on once more, hence three times."""
        for _ in range(3):
            for user in sorted(self._clients):
                self.transcript += [f"{user} <- {line}" for line in self._clients[user].heard()]

    def note(self, what):
        """Settles, and what came is under this heading."""
        self.settle()
        heard, self.transcript = sorted(self.transcript), []
        return [f"-- {what}", *heard]

    def close(self):
        for client in self._clients.values():
            client.socket.close()


@pytest.fixture
def same(tmp_path, stack):
    """same(config, script): what script(stage) yields is the same on nats-server, and on the broker with one thread and two."""

    def run(config, script):
        told = []
        for name, kind, more in (("nats", NatsServer, ""), ("one", HawserBroker, ""), ("two", HawserBroker, "threads: 2\n")):
            stage = Stage(stack.enter_context(kind(tmp_path / name, config + more)))
            told.append([line for lines in script(stage) for line in lines])
            stage.close()
        assert told[1] == told[0]
        assert told[2] == told[0]
        return told[0]

    return run


STREAMS = "accounts {\n" + account("X", "pub", """
    exports: [ { stream: "ev.>" }, { stream: "one" }, { stream: "secret", accounts: [ M ] }, { stream: "acc.*.ev", account_token_position: 2 } ]
    """) + account("M", "sub other", """
    imports: [ { stream: { account: X, subject: "ev.*.x" }, to: "my.*.y" }
               { stream: { account: X, subject: "ev.a.*" } }
               { stream: { account: X, subject: "ev.*.*.z" }, to: "turned.$2.$1" }
               { stream: { account: X, subject: "one" }, prefix: "from.x" }
               { stream: { account: X, subject: "secret" }, to: "known" }
               { stream: { account: X, subject: "acc.M.ev" } } ]""") + "}\n"


def test_streams_are_heard_as_imported_whatever_is_subscribed_to(same):
    subjects = ["my.1.y", "my.*.y", "my.>", "*.1.*", ">", "my.2.y", "my.y", "ev.a.*", "ev.>", "ev.*.x", "ev.a.b", "turned.>",
                "turned.b.*", "turned.*.a", "*.*.*", "from.x.one", "from.*.one", "from.>", "one", "known", "secret", "acc.M.ev",
                "acc.*.ev"]

    def script(stage):
        stage.pub.heard()
        for sid, subject in enumerate(subjects):
            stage.sub.subscribe(subject, f"s{sid}")
        yield stage.note("subscribed")
        for subject in ("ev.1.x", "ev.2.x", "ev.a.b", "ev.a.x", "ev.a.b.z", "ev.b.a.z", "one", "secret", "acc.M.ev", "acc.B.ev",
                        "my.1.y", "ev", "ev.1.x.y"):
            stage.pub.publish(subject, b"hello")
            yield stage.note(subject)
        stage.pub.ask("ev.1.x", "back.here")
        yield stage.note("with a reply")
        stage.pub.publish_with_headers("ev.1.x", "", ["A: b"], b"body")
        yield stage.note("with headers")
        stage.sub.publish("my.1.y", b"own")
        yield stage.note("published by the importer")

    told = same(STREAMS, script)
    assert "sub <- my.1.y | s0 | hello" in told
    assert "sub <- turned.b.a | s11 | hello" in told


def test_streams_end_with_their_subscriptions(same):
    def script(stage):
        stage.sub.send("SUB my.*.y 1\r\nSUB my.1.y 2\r\nSUB my.1.y 3\r\n")
        stage.pub.heard()
        yield stage.note("subscribed")
        for i in range(4):
            if i == 1:
                stage.sub.send("UNSUB 3\r\n")
                stage.sub.heard()
            stage.pub.publish("ev.1.x", b"%d" % i)
            yield stage.note(str(i))
        stage.sub.socket.close()
        del stage._clients["sub"]
        stage.pub.ask("ev.1.x", "reply")
        yield stage.note("nobody listens any more")

    assert same(STREAMS, script)


def test_a_stream_counts_towards_the_end_of_a_subscription(tmp_path, stack):
    """Not compared: nats-server counts each import by itself, and goes on."""
    stage = Stage(stack.enter_context(HawserBroker(tmp_path, STREAMS)))
    stage.sub.send("SUB my.*.y 1\r\nUNSUB 1 3\r\n")
    stage.sub.heard()
    for user, subject in (("pub", "ev.1.x"), ("sub", "my.2.y"), ("pub", "ev.3.x"), ("pub", "ev.4.x"), ("sub", "my.5.y")):
        getattr(stage, user).publish(subject, b"hello")
        stage.settle()
    assert stage.transcript == ["sub <- my.1.y | 1 | hello", "sub <- my.2.y | 1 | hello", "sub <- my.3.y | 1 | hello"]


def test_one_of_a_queue_group_hears_a_stream(same):
    def script(stage):
        stage.sub.subscribe("my.*.y", 1, "q")
        stage.sub.subscribe("my.1.y", 2, "q")
        stage.other.subscribe("my.>", 3, "q")
        stage.other.subscribe("my.1.y", 4, "r")
        stage.pub.heard()
        stage.note("subscribed")
        heard = []
        for _ in range(60):
            stage.pub.publish("ev.1.x", b"hello")
            heard.append([line for line in stage.note("")[1:]])
        assert all(len(lines) == 2 for lines in heard), "each group once"
        yield sorted({line for lines in heard for line in lines})

    assert len(same(STREAMS, script)) == 4, "each member now and then"


SERVICES = "accounts {\n" + account("X", "svc svc2", """
    exports: [ { service: "req.*" }, { service: "st.*", response: stream }, { service: "ch", response: chunked }
               { service: "priv", accounts: [ M ] }, { service: "tok.*", account_token_position: 2 }, { stream: "req.>" } ]
    mappings: { "req.mapped": "req.elsewhere" }""") + account("M", "cli cli2", """
    imports: [ { service: { account: X, subject: "req.*" }, to: "ask.*", share: true }
               { service: { account: X, subject: "st.one" } }
               { service: { account: X, subject: "ch" }, to: "chunk" }
               { service: { account: X, subject: "priv" }, to: "let.me" }
               { service: { account: X, subject: "tok.M" }, to: "token" } ]
    exports: [ { service: "ask.*" } ]""") + account("N", "far", """
    imports: [ { service: { account: M, subject: "ask.*" }, to: "deep.*" }, { stream: { account: X, subject: "req.>" } } ]""") + "}\n"


def test_services_are_asked_and_answer(same):
    def script(stage):
        stage.svc.send("SUB req.> 1\r\nSUB st.* 2\r\nSUB ch 3\r\nSUB priv 4\r\nSUB tok.* 5\r\n")
        stage.cli.send("SUB in.* 9\r\nSUB * 8\r\n")
        yield stage.note("subscribed")
        for subject in ("ask.me", "st.one", "chunk", "let.me", "token", "ask.mapped"):
            stage.cli.ask(subject, "in.1")
            yield stage.note(subject)
            for answer in (b"first", b"second", b"", b"late"):
                stage.svc.publish(stage.svc.reply, answer)
                yield stage.note(answer.decode())
        for subject in ("req.me", "st.two", "priv", "ask.me.too", "tok.M"):
            stage.cli.ask(subject, "in.1")
            yield stage.note(f"{subject} is nobody's")
        stage.cli.publish("ask.me", b"no answer is wanted")
        yield stage.note("without a reply")
        stage.cli.ask("x", "_R_.forged.1")
        yield stage.note("a forged reply")

    told = same(SERVICES, script)
    assert any("req.me | 1 | _R_ | NATS/1.0 | Nats-Request-Info: start, host, id, acc=M, user=cli, name=cli, server" in line
               for line in told), told


def test_services_are_told_who_asks_whatever_the_client_says(same):
    def script(stage):
        stage.svc.send("SUB req.> 1\r\nSUB st.* 2\r\n")
        stage.svc2.heard()
        yield stage.note("subscribed")
        stage.cli.publish_with_headers("ask.me", "in.1", ["A: b", "C: d"], b"body")
        yield stage.note("headers")
        stage.cli.publish_with_headers("st.one", "in.1", ['Nats-Request-Info: {"acc":"FORGED"}', "A: b"], b"body")
        yield stage.note("a forged header")
        stage.cli.publish_with_headers("st.one", "", ["A: b"])
        yield stage.note("headers alone")

    assert not any("FORGED" in line for line in same(SERVICES, script))


def test_requests_go_through_a_chain_and_answers_may_be_answered(same):
    def script(stage):
        stage.svc.send("SUB req.> 1\r\nSUB back.* 2\r\n")
        stage.far.send("SUB in.* 9\r\nSUB req.> 7\r\n")
        stage.cli.send("SUB ask.> 5\r\n")
        yield stage.note("subscribed")
        stage.far.ask("deep.well", "in.1")
        yield stage.note("request")
        stage.svc.ask(stage.svc.reply, "back.1", b"answer")
        yield stage.note("answer")
        stage.far.publish(stage.far.reply, b"thanks")
        yield stage.note("answer to the answer")
        stage.svc.publish("req.own", b"a stream too")
        yield stage.note("stream")

    told = same(SERVICES, script)
    assert any("acc=N, svc=M" in line for line in told), told
    assert "svc <- back.1 | 2 | thanks" in told


@pytest.mark.parametrize("threads", [1, 2])
def test_who_asks_a_service_that_nobody_serves_is_told_at_once(threads, tmp_path, stack):
    """Not compared: nats-server does so from 2.10 on."""
    stage = Stage(stack.enter_context(HawserBroker(tmp_path, SERVICES + f"threads: {threads}\n")))
    stage.cli.subscribe("in.*", 9)
    stage.far.subscribe("in.*", 9)
    stage.svc.subscribe("req.here", 1)
    stage.settle()
    nobody = "in.1 | 9 | NATS/1.0 503 | "
    for user, subject, told in (("cli", "ask.gone", True), ("far", "deep.gone", True), ("cli", "ask.here", False), ("far", "deep.here", False)):
        getattr(stage, user).ask(subject, "in.1")
        assert (f"{user} <- {nobody}" in stage.note(subject)) == told, subject
    stage.svc.send("UNSUB 1\r\n")
    stage.svc.heard()
    stage.far.ask("deep.here", "in.1")
    assert f"far <- {nobody}" in stage.note("now it is gone")


def test_one_of_a_queue_group_serves(same):
    def script(stage):
        stage.svc.subscribe("req.*", 1, "workers")
        stage.svc2.subscribe("req.>", 2, "workers")
        stage.cli.subscribe("in.*", 9)
        stage.note("subscribed")
        served = []
        for _ in range(40):
            stage.cli.ask("ask.me", "in.1")
            served.append([line.split(" | ")[0] for line in stage.note("")[1:]])
        assert all(len(lines) == 1 for lines in served), served
        yield sorted({line for lines in served for line in lines})

    assert len(same(SERVICES, script)) == 2


MAPPINGS = """
mappings: { "foo": "bar", "a.*.*": "b.$2.$1", "part.*.*": "p.{{partition(7,1,2)}}.$1.$2", "half": [ { destination: "half", weight: 50% } ]
            "cut.*": "cut.{{SplitFromLeft(1,2)}}", "slice.*": "s.{{SliceFromRight(1,2)}}", "dash.*": "d.{{split(1,-)}}"
            "many": [ { destination: "m.1", weight: 100% } ], "rest.>": "over.>", "lost": [ { destination: "lost", weight: 0% } ] }
authorization { users: [ { user: kate, password: x }
                         { user: ivo, password: x, permissions: { publish: [ "foo", "b.>" ], subscribe: ">" } } ] }
"""


def test_subjects_are_mapped_when_published(same):
    def script(stage):
        stage.kate.send("SUB > 1\r\nSUB foo 2\r\nSUB bar 3\r\n")
        stage.ivo.heard()
        yield stage.note("subscribed")
        for subject in ("foo", "bar", "a.1.2", "a.1", "part.a.b", "part.foo.bar", "part.xyz.1", "cut.abcdef", "cut.a", "slice.12345",
                        "dash.a-b--c", "many", "rest.1.2", "lost", "foo.bar"):
            stage.kate.publish(subject, b"x")
            yield stage.note(subject)
        stage.kate.ask("lost", "in.1")
        yield stage.note("lost, with a reply")
        for subject in ("foo", "bar", "a.1.2", "b.1"):
            stage.ivo.publish(subject, b"x")
            yield stage.note(f"{subject} of one who may not everything")

    told = same(MAPPINGS, script)
    assert "kate <- b.2.1 | 1 | x" in told
    assert any(line.startswith('ivo <- -ERR \'Permissions Violation for Publish to "bar"') for line in told), told


def test_what_weights_leave_over_is_lost_by_chance(same):
    def script(stage):
        stage.kate.subscribe("half", 1)
        for _ in range(400):
            stage.kate.publish("half", b"x")
        share = len(stage.note("")) - 1
        assert 120 < share < 280, share
        yield ["about half"]

    assert same(MAPPINGS, script)


def test_a_reload_changes_what_flows_for_clients_that_are_there(tmp_path, stack):
    before = SERVICES.replace('{ stream: "req.>" }', '{ stream: "req.>" }, { stream: "news.*" }')
    after = before.replace('subject: "req.>" } }', 'subject: "news.*" }, to: "heard.*" }').replace(
        '{ service: { account: X, subject: "st.one" } }', "").replace('"req.mapped": "req.elsewhere"', '"req.mapped": "req.now"')
    told = []
    for name, kind in (("nats", NatsServer), ("hawser", HawserBroker)):
        stage = Stage(stack.enter_context(kind(tmp_path / name, before)))
        stage.svc.send("SUB req.> 1\r\nSUB st.* 2\r\n")
        stage.far.send("SUB req.> 3\r\nSUB heard.> 4\r\nSUB in.* 9\r\n")
        stage.cli.send("SUB in.* 9\r\n")
        lines = stage.note("subscribed")
        for config in (before, after, before):
            stage.server.reload(config)
            lines += stage.note("reloaded")
            for subject in ("req.x", "news.y"):
                stage.svc.publish(subject, b"stream")
                lines += stage.note(subject)
            for client, subject in ((stage.cli, "st.one"), (stage.cli, "ask.mapped"), (stage.far, "deep.x")):
                client.ask(subject, "in.1")
                lines += stage.note(subject)
                stage.svc.publish(stage.svc.reply, b"answer")
                lines += stage.note("answer")
        told.append(lines)
        stage.close()
    assert told[1] == told[0]
    assert "far <- heard.y | 4 | stream" in told[0]


REFUSED = {
    "not exported": (account("X", "a") + account("M", "b", 'imports: [ { stream: { account: X, subject: "ev" } } ]'),
                     'Error adding stream import "ev": stream import not authorized'),
    "not exported to it": (account("X", "a", 'exports: [ { service: "r", accounts: [ X ] } ]')
                           + account("M", "b", 'imports: [ { service: { account: X, subject: "r" } } ]'),
                           'Error adding service import "r": service import not authorized'),
    "another's token": (account("X", "a", 'exports: [ { service: "r.*", account_token_position: 2 } ]')
                        + account("M", "b", 'imports: [ { service: { account: X, subject: "r.X" } } ]'),
                        'Error adding service import "r.X": service import not authorized'),
    "no such account": (account("M", "b", 'imports: [ { stream: { account: NOBODY, subject: "ev" } } ]'),
                        '"NOBODY" account not defined for stream import'),
    "no such account to export to": (account("X", "a", 'exports: [ { stream: "ev", accounts: [ NOBODY ] } ]'),
                                     '"NOBODY" account not defined for stream export'),
    "services in a circle": (account("X", "a", 'exports: [ { service: "r" } ], imports: [ { service: { account: M, subject: "r" } } ]')
                             + account("M", "b", 'exports: [ { service: "r" } ], imports: [ { service: { account: X, subject: "r" } } ]'),
                             "import forms a cycle"),
    "streams in a circle": (account("X", "a", 'exports: [ { stream: "r" } ], imports: [ { stream: { account: M, subject: "r" } } ]')
                            + account("M", "b", 'exports: [ { stream: "r" } ], imports: [ { stream: { account: X, subject: "r" } } ]'),
                            "import forms a cycle"),
    "twice the same": (account("X", "a", 'exports: [ { stream: "ev" } ]')
                       + account("M", "b", 'imports: [ { stream: { account: X, subject: "ev" } }, { stream: { account: X, subject: "ev" }, to: "f" } ]'),
                       'Error adding stream import "ev": stream import already exists'),
    "a mapping out of range": (account("X", "a", 'mappings: { "foo.*": "bar.$2" }'), "wildcard index out of range"),
    "an unknown function": (account("X", "a", 'mappings: { "foo.*": "bar.{{turn(1)}}" }'), "unknown function"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refuses_what_does_not_fit_in_the_same_words(what, tmp_path):
    accounts, reason = REFUSED[what]
    path = tmp_path / "broker.conf"
    path.write_text("accounts {\n" + accounts + "}\n")
    for command in (NatsServer.command, HawserBroker.command):
        ended = subprocess.run([*command, "-c", path, "-t"], capture_output=True, text=True, timeout=30)
        assert ended.returncode != 0, command
        assert reason in ended.stderr + ended.stdout, f"{command}: {ended.stderr}{ended.stdout}"


def test_everybody_may_ask_who_he_is(tmp_path, stack):
    config = account("A", "kate") + """B { users: [ { user: ivo, password: x, permissions: {
        publish: { allow: [ "$SYS.REQ.USER.INFO", "foo" ], deny: "bar" }, subscribe: { allow: [ "in.*", "foo.>" ] }, allow_responses: { max: 3, expires: "1m" } } } ] }"""
    stage = Stage(stack.enter_context(HawserBroker(tmp_path, "accounts {\n" + config + "}\n")))
    for client in (stage.kate, stage.ivo):
        client.subscribe("in.*", 1)
        client.ask("$SYS.REQ.USER.INFO", "in.1", b"")
    kate, ivo = (json.loads(client.message()[1]) for client in (stage.kate, stage.ivo))
    assert kate["data"] == {"user": "kate", "account": "A"}
    assert ivo["data"] == {"user": "ivo", "account": "B", "permissions": {
        "publish": {"allow": ["$SYS.REQ.USER.INFO", "foo"], "deny": ["bar"]}, "subscribe": {"allow": ["in.*", "foo.>"]},
        "responses": {"max": 3, "ttl": 60_000_000_000}}}
    assert kate["server"]["name"] == "broker"
    assert kate["server"]["ver"].startswith("2.10.")
