"""The load tool against nats-server itself: a clean path is called clean, each planted fault is counted exactly."""

import pytest

from hawser_scenario.load import Load, assert_nothing_wrong
from hawser_scenario.nats_server import Cluster, NatsServer, tls_block
from hawser_scenario.proxy import CuttingProxy
from hawser_scenario.waiting import wait_until

EVERYTHING = {"shape": "literal,wildcard,overlap,queue,self", "heartbeat_rate": 50, "requesters": 2, "headers": True, "churners": 2}


def run(directory, url, count=600, **options):
    with Load(directory, url, url, count=count, rate=3000, drain_quiet_ms=500, **options) as load:
        return load.stop() if count == 0 else load._next(60)


@pytest.fixture
def server(tmp_path, stack):
    return stack.enter_context(NatsServer(tmp_path / "broker"))


def test_a_clean_path_is_called_clean(tmp_path, server):
    report = run(tmp_path, server.url(), **EVERYTHING)
    assert_nothing_wrong(report)
    assert report["sent"] == 1800
    assert report["expected"] == 1800 * (3 + 3)  # literal, overlap, wildcard; and three publishers that listen
    assert report["queue"]["distinct"] == 1800
    assert report["request_reply"]["replies"]["distinct"] > 0


@pytest.mark.parametrize("option, field, count", [
    ("fault_drop", "lost", 2),           # of 200 numbers in a stream: every 100th
    ("fault_duplicate", "duplicated", 2),
    ("fault_swap", "reordered", 1),      # the last one has no successor to come after
])
def test_each_planted_fault_is_counted_exactly(tmp_path, server, option, field, count):
    report = run(tmp_path, server.url(), shape="literal", **{option: 100})
    assert not report["ok"]
    expected = {"lost": 0, "duplicated": 0, "reordered": 0, field: count * 9}
    assert {k: report[k] for k in expected} == expected
    assert report["examples"]


def test_a_queue_group_that_loses_and_repeats_is_caught(tmp_path, server):
    report = run(tmp_path, server.url(), shape="queue", fault_drop=100, fault_duplicate=40)
    assert report["queue"]["lost"] == 2 * 9 and report["queue"]["duplicated"] == 4 * 9
    assert not report["ok"]


def test_without_echo_publishers_hear_all_but_themselves(tmp_path, server):
    report = run(tmp_path, server.url(), shape="self", no_echo=True)
    assert_nothing_wrong(report)
    assert report["expected"] == 3 * 1200


def test_subscriptions_that_come_and_go_are_judged_too(tmp_path, server):
    options = {"count": 6000, "shape": "literal", "churners": 2}
    report = run(tmp_path, server.url(), **options)
    assert_nothing_wrong(report)
    assert report["churn"]["subscriptions"] > 10 and report["churn"]["distinct"] > 1000
    for fault, field in (("fault_drop", "lost"), ("fault_duplicate", "duplicated"), ("fault_swap", "reordered")):
        assert run(tmp_path, server.url(), **options, **{fault: 40})["churn"][field] > 0


def test_changed_bytes_are_caught(tmp_path, server):
    report = run(tmp_path, server.url(), shape="wildcard", size=64, fault_corrupt=100)
    assert report["corrupted"] == 2 * 9 and not report["ok"]


@pytest.mark.parametrize("option, field", [("fault_heartbeat_drop", "too_few"), ("fault_heartbeat_duplicate", "too_many")])
def test_identical_heartbeats_are_counted(tmp_path, server, option, field):
    report = run(tmp_path, server.url(), count=3000, shape="wildcard", heartbeat_rate=100, **{option: 10})
    assert report["heartbeats"][field] > 0 and not report["ok"]


def test_a_cut_connection_is_noticed(tmp_path, server, stack):
    proxy = stack.enter_context(CuttingProxy(server.port))
    with Load(tmp_path, server.url(), f"nats://127.0.0.1:{proxy.port}", rate=3000, drain_quiet_ms=500,
              reconnect_wait_ms=200) as load:
        proxy.cut_all()
        wait_until(lambda: load.status()["client"]["reconnects"], 10, "the subscriber is back")
        report = load.stop()
    assert report["lost"] > 0 and not report["ok"]
    assert report["client"]["disconnects"] == 1


def test_marks_tell_how_long_a_pause_was(tmp_path, server):
    with Load(tmp_path, server.url(), server.url(), rate=1000) as load:
        wait_until(lambda: load.status()["received"] >= 100, 10, "messages flow")
        load.mark()
        server.freeze()
        try:
            before = load.status()["sent"]
            wait_until(lambda: load.status()["sent"] > before + 900, 10, "300 ms worth of publishing")
        finally:
            server.thaw()
        wait_until(lambda: load.status()["received"] > 7 * (before + 900) / 3, 10, "what was held up arrives")
        window = load.mark("frozen")
        assert window["longest_gap_ms"] > 250 and window["latency_us"]["max"] > 250_000
        assert load.mark("quiet")["longest_gap_ms"] < window["longest_gap_ms"]
        assert_nothing_wrong(load.stop())


def test_mutual_tls_and_a_cluster(tmp_path, ca):
    pair = ca.issue("client")
    options = {"tls_ca": ca.cert, "tls_cert": pair.cert, "tls_key": pair.key}
    with Cluster(tmp_path / "cluster", tls_block(ca.server(), ca.cert)) as cluster:
        urls = [server.url("tls") for server in cluster.servers]
        with Load(tmp_path, urls, urls[::-1], subscribers=3, count=500, rate=2000, shape="literal,wildcard,queue",
                  **options) as load:
            assert_nothing_wrong(load._next(60))
        assert cluster.servers[0].varz()["in_msgs"] > 0
