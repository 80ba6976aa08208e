"""Fixtures: a PKI of two CAs a session, a directory a test, and the promise that no process is left behind."""

import contextlib
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from hawser_scenario import pki, process  # noqa: E402
from hawser_scenario.agent import Agent  # noqa: E402
from hawser_scenario.layout import InPlace  # noqa: E402
from hawser_scenario.nats_server import NatsServer, tls_block  # noqa: E402
from hawser_scenario.rotation import Line  # noqa: E402

LONG = os.environ.get("HAWSER_LONG") == "1"


def _knows_the_queue():
    binary = os.environ.get("HAWSER_BIN")
    return binary and subprocess.run([binary, "queue", "--help"], capture_output=True, timeout=30, check=False).returncode == 0


KNOWS_THE_QUEUE = _knows_the_queue()
needs_queue = pytest.mark.skipif(not KNOWS_THE_QUEUE, reason="this hawser has no disk queue")


def pytest_sessionfinish(session, exitstatus):
    left = process.end_all_left()
    if left:
        print("\nprocesses were left behind:\n" + "\n".join(left))
        session.exitstatus = 1


@pytest.fixture(scope="session")
def authorities(tmp_path_factory):
    """Two CAs between which certificates are rotated."""
    directory = tmp_path_factory.mktemp("pki")
    return pki.Ca(directory / "one", "CA one"), pki.Ca(directory / "two", "CA two")


@pytest.fixture(scope="session")
def ca(authorities):
    return authorities[0]


@pytest.fixture
def stack():
    """Things to end with the test: stack.enter_context(…)."""
    with contextlib.ExitStack() as stack:
        yield stack


class MutualTls:
    """A nats-server that requires client certificates of one CA, and a client's settings for it."""

    def __init__(self, directory, ca, config=""):
        self.ca = ca
        self.client = ca.issue("client")
        self.server_pair = ca.server()
        self.tls = tls_block(self.server_pair, ca.cert)
        self.server = NatsServer(directory / "broker", self.tls + config)

    def broker(self, **changes):
        """broker.yaml for an agent in front of it."""
        tls = {"cert_file": str(self.client.cert), "key_file": str(self.client.key), "ca_file": str(self.ca.cert)}
        return {"type": "nats", "url": self.server.url("tls"), "tls": tls, **changes}

    def load_tls(self):
        """hawser_load's options for clients that connect to the server directly."""
        return {"tls_ca": self.ca.cert, "tls_cert": self.client.cert, "tls_key": self.client.key}


@pytest.fixture
def mutual_tls(tmp_path, ca, stack):
    return mutual(tmp_path, ca, stack)


def mutual(directory, ca, stack, config=""):
    setup = MutualTls(directory, ca, config)
    stack.enter_context(setup.server)
    return setup


@pytest.fixture
def make_line(tmp_path, authorities, stack):
    """make_line(layout, …): a server that trusts both CAs, and the agent's material in front of it (rotation.py)."""

    def make(layout_class=InPlace, server_config=""):
        line = Line(tmp_path, authorities, layout_class, server_config)
        stack.enter_context(line.server)
        return line

    return make


@pytest.fixture
def start_agent(tmp_path, stack):
    """start_agent(broker, …): a running agent; wait_ready() it when it should reach its server."""

    def start(broker, name="agent", **kwargs):
        return stack.enter_context(Agent(tmp_path / name, broker, **kwargs))

    return start


@pytest.fixture
def rotated_fleet(tmp_path, ca, start_agent, stack):
    """rotated_fleet(kind of CredentialFleet, …): a fleet whose credentials are rotated (credential_fleet.py)."""
    return lambda fleet, **options: stack.enter_context(fleet(tmp_path, ca, start_agent, **options))
