"""nats.go, nats.c and nats.js, unmodified: the same checks with nats-server (the control), with our broker, and through the agent."""

import os
import subprocess

import pytest

from hawser_scenario.broker import HawserBroker
from hawser_scenario.nats_server import NatsServer
from hawser_scenario.others import build_go, install_js

CHECKS = ["publish and subscribe", "between connections", "queue group", "headers", "request and reply", "no responders",
          "large payload", "unsubscribe after a maximum", "no echo", "drain"]


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """Each language's program, ready to run."""
    directory = tmp_path_factory.mktemp("interop")
    go = build_go("", directory / "interop_go")
    js = install_js(directory / "js")
    return {"go": [go], "c": [os.path.join(os.environ["HAWSER_BUILD"], "interop_c")], "js": ["node", str(js / "interop.mjs")]}


def run_checks(program, url):
    done = subprocess.run([*program, url], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.splitlines() == [f"ok {name}" for name in CHECKS], done.stdout + done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize("server", [NatsServer, HawserBroker])
@pytest.mark.parametrize("language", ["go", "c", "js"])
def test_the_checks_hold_without_the_agent(programs, language, server, tmp_path, stack):
    run_checks(programs[language], stack.enter_context(server(tmp_path / "broker")).url())


@pytest.mark.parametrize("language", ["go", "c", "js"])
def test_the_checks_hold_through_the_agent(programs, language, mutual_tls, start_agent):
    agent = start_agent(mutual_tls.broker()).wait_ready()
    run_checks(programs[language], agent.url)
