"""Identities from one store, two agents with certificates and creds, a server that trusts the operator: the whole recipe."""

import pytest
from hawser_scenario.broker import HawserBroker
from hawser_scenario.id_store import Store
from hawser_scenario.nats_server import NatsServer
from hawser_scenario.queue import Queue, with_queue
from hawser_scenario.raw_client import RawClient
from hawser_scenario.waiting import wait_until


class Recipe:
    """Operator, accounts nexo-prod (agent-kate, agent-ops) and audit (reader), a server with mutual TLS, agents on demand."""

    def __init__(self, directory, stack, ca, kind):
        self.directory, self.stack, self.ca = directory, stack, ca
        self.id = Store(directory)
        self.id.run("operator add nexo-ops --signing-key --system-account")
        self.id.run("account add nexo-prod")
        self.id.run("user", "add", "agent-kate", "--account", "nexo-prod", "--allow-pub", "agent.route.ops", "--deny-pub", "plugin.outbound.*",
                    "--allow-sub", "agent.route.kate,_INBOX.>")
        self.id.run("user", "add", "agent-ops", "--account", "nexo-prod")
        self.id.run("account", "edit", "nexo-prod", "--export", "stream:agent.route.>")
        self.id.run("account add audit")
        self.id.run("account", "edit", "audit", "--import", "nexo-prod:agent.route.>")
        self.id.run("user add reader --account audit")
        pair, self.client = ca.server(), ca.issue("agent")
        config = self.id.run("server-config", "--resolver", "full", "--dir", directory / "jwt", "--tls-cert", pair.cert, "--tls-key", pair.key,
                             "--tls-ca", ca.cert).stdout
        self.server = stack.enter_context(kind(directory / "server", config))
        self.id.server = self.server.url("tls")
        self.id.tls = ("--tlscert", self.client.cert, "--tlskey", self.client.key, "--tlsca", ca.cert)
        self.push()

    def push(self, *accounts):
        self.id.run("push", *[word for account in accounts for word in ("--account", account)], "-s", self.id.server, *self.id.tls)

    def agent(self, start_agent, account, user):
        tls = {"cert_file": str(self.client.cert), "key_file": str(self.client.key), "ca_file": str(self.ca.cert)}
        broker = {"type": "nats", "url": self.server.url("tls"), "tls": tls, "auth": {"creds_file": str(self.id.creds(account, user))}}
        home = self.directory / user
        home.mkdir()
        return start_agent(with_queue(broker, home), name=f"agent of {user}").wait_ready()


@pytest.fixture(params=[NatsServer, HawserBroker], ids=["nats-server", "broker"])
def recipe(request, tmp_path, stack, ca):
    return Recipe(tmp_path, stack, ca, request.param)


def subscribed(client, subject):
    client.subscribe(subject)
    client.flush()
    return client


def test_each_agent_does_what_its_identity_may_and_no_more(recipe, stack, start_agent):
    kate, ops, audit = (recipe.agent(start_agent, *who) for who in
                        [("nexo-prod", "agent-kate"), ("nexo-prod", "agent-ops"), ("audit", "reader")])
    at_ops = subscribed(stack.enter_context(RawClient(ops.listen)), ">")
    at_audit = subscribed(stack.enter_context(RawClient(audit.listen)), ">")
    recipe.id.hawser("pub", "-s", kate.url, "agent.route.ops", "hello")
    assert at_ops.message() == ("agent.route.ops", b"hello")
    assert at_audit.message() == ("agent.route.ops", b"hello")
    denied = recipe.id.hawser("pub", "-s", kate.url, "plugin.outbound.mail", "no", expect=1)
    assert "Permissions Violation" in denied.stderr and "plugin.outbound.mail" in denied.stderr
    key = recipe.id.json("user show agent-kate --account nexo-prod")["sub"]
    wait_until(lambda: any("Publish Violation" in line and key in line and "plugin.outbound.mail" in line
                           for line in recipe.server.program.log().splitlines()), 10, lambda: recipe.server.program.tail())
    recipe.id.hawser("pub", "-s", ops.url, "only.ours", "private")
    recipe.id.hawser("pub", "-s", ops.url, "agent.route.kate", "exported")
    assert at_ops.message() == ("only.ours", b"private")
    assert at_ops.message() == ("agent.route.kate", b"exported")
    assert at_audit.message() == ("agent.route.kate", b"exported"), "and nothing that is not exported before it"


def test_a_revoked_agent_is_out_at_once_and_what_it_published_meanwhile_comes_once_it_is_back(recipe, stack, start_agent):
    kate, ops = (recipe.agent(start_agent, "nexo-prod", user) for user in ("agent-kate", "agent-ops"))
    at_ops = subscribed(stack.enter_context(RawClient(ops.listen)), "agent.route.ops")
    with RawClient(kate.listen) as client:
        client.send("PUB agent.route.ops 3\r\none\r\n")
        client.flush()
        assert at_ops.message() == ("agent.route.ops", b"one")
        recipe.id.run("user revoke agent-kate --account nexo-prod")
        recipe.push("nexo-prod")
        wait_until(lambda: kate.value("circuit_breaker_state", breaker="nats") == 1, 2, "the revoked agent is out")
        assert ops.ready() and ops.value("hawser_disconnects_total") == 0
        client.send("PUB agent.route.ops 3\r\ntwo\r\n")
        client.flush()
        assert Queue(recipe.directory / "agent-kate").status()["messages"] == 1
        refused = kate.value("hawser_upstream_refused_total", reason="auth-refused")
        wait_until(lambda: kate.value("hawser_upstream_refused_total", reason="auth-refused") > refused, 30, "it tries again, and is kept out")
        recipe.id.run("user revoke agent-kate --account nexo-prod --undo")
        recipe.push("nexo-prod")
        kate.wait_ready(90)
        assert at_ops.message() == ("agent.route.ops", b"two")
    wait_until(lambda: kate.value("hawser_queue_messages") == 0, 20, "the server has confirmed it")
