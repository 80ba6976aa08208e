"""A cluster of three: moves to another server (lame duck) and swaps, under load."""

import pytest

from conftest import LONG
from hawser_scenario.layout import InPlace
from hawser_scenario.load import assert_nothing_wrong
from hawser_scenario.nats_server import Cluster
from hawser_scenario.rotation import Line
from hawser_scenario.waiting import wait_until

ROUNDS = 40 if LONG else 4


@pytest.fixture
def line(tmp_path, authorities, stack):
    line = Line(tmp_path, authorities, InPlace)
    line.cluster = stack.enter_context(Cluster(tmp_path / "cluster", line.server_tls))
    return line


def urls(servers):
    return ",".join(server.url("tls") for server in servers)


def test_swaps_on_a_cluster_lose_nothing(line, start_agent):
    servers = line.cluster.servers
    agent = start_agent(line.broker(url=urls(servers))).wait_ready()
    with line.load(agent, direct_url=servers[2].url("tls")) as load:
        for _ in range(ROUNDS * 2):
            line.swap()
        assert_nothing_wrong(load.stop())
    assert agent.value("hawser_disconnects_total") == 0


# Apart, since nats-server itself repeats messages where the two meet: when the last member of a group leaves a server, what is on
# its way there is passed on to a member elsewhere as a whole, and the plain subscribers of that server get it once more.
@pytest.mark.parametrize("shape", ["literal,wildcard,overlap,self", "queue"])
def test_lame_ducks_are_left_without_a_loss(line, start_agent, shape):
    """Two servers in turn announce their end while the agent's sessions are on them; the third has the direct clients."""
    ducks = line.cluster.servers[:2]
    agent = start_agent(line.broker(url=urls(ducks))).wait_ready()
    with line.load(agent, direct_url=line.cluster.servers[2].url("tls"), shape=shape,
                   churners=2 if shape != "queue" else 0) as load:
        for turn in range(ROUNDS // 2):
            duck = ducks[turn % 2]
            moved = agent.value("hawser_splices_total")
            had = len(line.agent_presents([duck]))
            duck.lame_duck()
            duck.program.wait(40)
            if had:
                assert agent.value("hawser_splices_total") >= moved + had
            line.cluster.restart(duck)
        report = load.stop()
    assert_nothing_wrong(report)
    assert agent.value("hawser_disconnects_total") == 0


def test_servers_learnt_from_the_cluster_are_used_over_tls(line, start_agent):
    """One URL is given; its server dies; the others were learnt from connect_urls, and TLS is kept on the way."""
    first, second, third = line.cluster.servers
    agent = start_agent(line.broker(url=first.url("tls"))).wait_ready()
    with line.load(agent, direct_url=third.url("tls"), rate=100, requesters=0, shape="wildcard") as load:
        assert line.agent_presents([first])
        first.kill()
        wait_until(lambda: line.agent_presents([second, third]) and agent.ready(), 20, "the agent moves")
        assert set(line.agent_presents([second, third])) == {line.pair.sha256}
        received = load.status()["received"]
        wait_until(lambda: load.status()["received"] > received + 100, 15, "messages flow")
        assert load.status()["client"]["disconnects"] == 0


def test_a_server_that_stays_frozen_is_left_for_another(line, start_agent):
    """No connection breaks; only answers are missing. Links that carry publishes notice first, silent ones by their pings."""
    servers = line.cluster.servers
    agent = start_agent(line.broker(url=urls(servers))).wait_ready()
    with line.load(agent, direct_url=agent.url, rate=20, requesters=0, shape="literal,wildcard") as load:
        frozen = next(server for server in servers if line.agent_presents([server]))
        others = [server for server in servers if server is not frozen]
        frozen.freeze()
        try:
            wait_until(lambda: len(line.agent_presents(others)) == line.links, 90, "all sessions are on the others")
            received = load.status()["received"]
            wait_until(lambda: load.status()["received"] > received + 50, 30, "messages flow")
            assert load.status()["client"]["disconnects"] == 0
        finally:
            frozen.thaw()
