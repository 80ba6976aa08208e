"""deploy/prometheus: the alerts that are handed out are valid, and speak of metrics that an agent really has."""

import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

from conftest import KNOWS_THE_QUEUE
from hawser_scenario.nats_server import NatsServer
from hawser_scenario.queue import with_queue
from hawser_scenario.raw_client import RawClient
from hawser_scenario.waiting import wait_until

DIRECTORY = pathlib.Path(__file__).parents[2] / "deploy" / "prometheus"
RULES = DIRECTORY / "hawser-alerts.yml"
OF_THE_QUEUE = re.compile(r"hawser_(queue_\w+|dead_letters|publishes_refused_total)$")


def alerts():
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_each_alert_says_what_is_wrong_and_how_bad_it_is():
    names = [rule["alert"] for rule in alerts()]
    assert len(names) == len(set(names)) >= 6
    for rule in alerts():
        assert rule["labels"]["severity"] in ("warning", "critical"), rule
        assert rule["annotations"]["summary"] and rule["annotations"]["description"], rule


def test_every_metric_of_an_alert_is_one_that_an_agent_has(mutual_tls, ca, tmp_path, start_agent):
    wanted = {name for rule in alerts() for name in re.findall(r"\b(?:hawser|circuit)_\w+", rule["expr"])}
    assert {"circuit_breaker_state", "hawser_queue_messages", "hawser_queue_oldest_seconds", "hawser_dead_letters",
            "hawser_tls_reload_total", "hawser_certificate_not_after_seconds", "hawser_break_glass_active"} <= wanted
    broker = mutual_tls.broker()
    agent = start_agent(with_queue(broker, tmp_path) if KNOWS_THE_QUEUE else broker).wait_ready()
    # A counter with a label is there with the first of its kind: a splice, a refused connection, and a refused publish.
    renewed = ca.issue("client")
    mutual_tls.client.key.write_bytes(renewed.key.read_bytes())
    mutual_tls.client.cert.write_bytes(renewed.cert.read_bytes())
    wait_until(lambda: agent.value("hawser_splices_total") > 0, 20, lambda: f"a splice\n{agent.program.tail()}")
    gone = NatsServer(tmp_path / "gone").start()
    gone.kill()
    alone = start_agent({"type": "nats", "url": gone.url(), "fallback": {"mode": "fail"}}, "alone")
    with RawClient(alone.listen, handshake=False) as client:
        client.send(b'CONNECT {"verbose":false}\r\nPUB a 1\r\nx\r\nPING\r\n')
        wait_until(lambda: alone.value("hawser_upstream_refused_total") > 0, 20, "a refused connection")
        if KNOWS_THE_QUEUE:
            wait_until(lambda: alone.value("hawser_publishes_refused_total") > 0, 20, "a refused publish")
        have = {name for one in (agent, alone) for name, _, _ in one.metrics().series}
    missing = {name for name in wanted - have if KNOWS_THE_QUEUE or not OF_THE_QUEUE.match(name)}
    assert not missing, f"no agent has {sorted(missing)}"


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed (Debian's package prometheus has it)")
@pytest.mark.parametrize("arguments", [("check", "rules", "hawser-alerts.yml"), ("test", "rules", "hawser-alerts-test.yml")], ids=" ".join)
def test_promtool_finds_nothing_wrong(arguments):
    done = subprocess.run(["promtool", *arguments], cwd=DIRECTORY, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
