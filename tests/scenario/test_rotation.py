"""Material changes under load, in every layout: nothing lost, repeated or reordered; every new certificate seen by the broker."""

import random
import time
from datetime import timedelta

import pytest

from conftest import LONG
from hawser_scenario.errors import KnownError
from hawser_scenario.identity import NKey, Operator
from hawser_scenario.layout import LAYOUTS, Rename
from hawser_scenario.load import assert_nothing_wrong, summary
from hawser_scenario.nats_server import tls_block
from hawser_scenario.proxy import CuttingProxy
from hawser_scenario.waiting import stays_false, wait_until

SWAPS = 200 if LONG else 14
APART = 2.0 if LONG else 0.6  # between a key and its certificate; longer than the watcher waits for quiet


def rejected(agent):
    return agent.value("hawser_tls_reload_total", result="rejected")


def broken_material(line):
    """What arrives on disk by mistake: name of the error, files."""
    expired = line.authorities[0].issue("agent", starts=timedelta(days=-2), ends=timedelta(days=-1))
    good = line.authorities[1].issue("agent")
    return {
        "garbage": ("tls_certificate_missing", {"cert": b"not a certificate\n"}),
        "torn": ("tls_not_pem", {"cert": good.cert.read_bytes()[:300]}),
        "expired": ("tls_certificate_expired", {"cert": expired.cert.read_bytes(), "key": expired.key.read_bytes()}),
        "no_ca": ("tls_ca_without_certificate", {"ca": b""}),
    }


def restore(line):
    line.layout.put(ca=line.both.read_bytes())
    line.layout.put_pair(line.pair)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_swaps_under_load_lose_nothing(layout, make_line, start_agent):
    """Both directions, between two CAs, key and certificate apart, and broken material in between."""
    line = make_line(LAYOUTS[layout])
    agent = start_agent(line.broker()).wait_ready()

    def apart(first, second):
        def deliver(pair):
            files = {"cert": pair.cert.read_bytes(), "key": pair.key.read_bytes()}
            line.layout.put(**{first: files[first]})
            time.sleep(APART)  # the interval between two actions is what is tried here, not a wait for anything
            line.layout.put(**{second: files[second]})

        return deliver

    broken = list(broken_material(line).values())
    with line.load(agent) as load:
        for swap in range(SWAPS):
            if swap % 5 == 3:
                refused = rejected(agent)
                line.layout.put(**broken[swap // 5 % len(broken)][1])
                wait_until(lambda: rejected(agent) > refused, 15, "broken material is refused")
                assert set(line.agent_presents()) == {line.pair.sha256}, "the old certificate stays in use"
                line.layout.put(ca=line.both.read_bytes())
            line.swap([line.layout.put_pair, apart("key", "cert"), apart("cert", "key")][swap % 3])
        report = load.stop()
    assert_nothing_wrong(report)
    assert agent.value("hawser_tls_reload_total", result="ok") >= SWAPS
    assert agent.value("hawser_disconnects_total") == 0
    assert agent.stop() == 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_identical_heartbeats_are_never_lost(layout, make_line, start_agent):
    """Byte-identical messages inside a splice may be repeated (documented), never dropped."""
    line = make_line(LAYOUTS[layout])
    agent = start_agent(line.broker()).wait_ready()
    with line.load(agent, shape="wildcard", heartbeat_rate=200, rate=200, requesters=0) as load:
        for _ in range(5):
            line.swap()
        report = load.stop()
    assert_nothing_wrong(report, heartbeats_may_repeat=True)
    assert report["heartbeats"]["received"] >= report["heartbeats"]["expected"] > 0


def test_clients_without_echo_hear_all_but_themselves(make_line, start_agent):
    """Their sessions have two connections for a while, and the new one would hear what the old one sends."""
    line = make_line()
    agent = start_agent(line.broker()).wait_ready()
    with line.load(agent, shape="self,literal", no_echo=True) as load:
        for _ in range(SWAPS // 2):
            line.swap()
        assert_nothing_wrong(load.stop())


@pytest.mark.parametrize("kind", ["garbage", "torn", "expired", "no_ca"])
def test_broken_material_is_refused_and_the_old_kept(kind, make_line, start_agent):
    line = make_line(Rename)
    agent = start_agent(line.broker()).wait_ready()
    name, files = broken_material(line)[kind]
    with line.load(agent, rate=200) as load:
        connections = sorted(line.server.presented())
        line.layout.put(**files)
        wait_until(lambda: rejected(agent) >= 1, 15, "a refusal is counted")
        agent.wait_log(KnownError(name).id)
        assert sorted(line.server.presented()) == connections, "nobody was moved"
        assert agent.http("/readyz")[0] == 200
        line.layout.put(ca=line.both.read_bytes())
        line.swap()
        assert_nothing_wrong(load.stop())


def test_a_certificate_that_is_not_complete_yet_is_waited_for(make_line, start_agent):
    line = make_line()
    agent = start_agent(line.broker()).wait_ready()
    with line.load(agent, rate=100):
        new = line.authorities[1].issue("agent")
        before = sorted(line.server.presented())
        line.layout.put(key=new.key.read_bytes())
        stays_false(lambda: sorted(line.server.presented()) != before, 1.0)
        line.layout.put(cert=new.cert.read_bytes())
        line.pair = new
        line.wait_presented()


def test_material_is_taken_up_by_hand_too(make_line, start_agent):
    """SIGHUP and POST /reload, with watching switched off."""
    line = make_line()
    broker = line.broker()
    broker["tls"]["reload"] = "signal"
    agent = start_agent(broker).wait_ready()
    with line.load(agent, rate=200) as load:
        for by_hand in (agent.hang_up, lambda: agent.http("/reload", "POST")):
            old = line.pair.sha256
            new = line.authorities[1].issue("agent")
            line.layout.put_pair(new)
            stays_false(lambda: set(line.agent_presents()) != {old}, 0.8)
            line.pair = new
            by_hand()
            line.wait_presented()
        assert agent.http("/reload", "POST")[0] == 200
        line.layout.put(cert=b"broken")
        status, body = agent.http("/reload", "POST")
        assert status == 422 and KnownError("tls_certificate_missing").id in body
        assert_nothing_wrong(load.stop())


def test_a_whole_ca_rotation_loses_nothing(make_line, authorities, start_agent):
    """Broaden, move both ends, narrow: the trust of either side changes three times under load."""
    old, new = authorities
    line = make_line()
    line.layout.put(ca=old.cert.read_bytes())
    agent = start_agent(line.broker()).wait_ready()
    with line.load(agent) as load:
        for trust, server_ca in (((old, new), old), (None, new), ((new,), new), ((new, old), new), (None, old), ((old,), old)):
            line.server.reload(tls_block(server_ca.server(), line.both))
            if trust:
                splices = agent.value("hawser_splices_total")
                line.layout.put(ca=b"".join(ca.cert.read_bytes() for ca in trust))
                wait_until(lambda before=splices: agent.value("hawser_splices_total") >= before + line.links, 20, "sessions move")
            line.swap()
        assert_nothing_wrong(load.stop())
    assert agent.value("hawser_disconnects_total") == 0


def test_a_peer_that_is_no_longer_trusted_is_left_within_a_second(make_line, authorities, start_agent):
    """The new CA bundle does not know the server's CA: refusing to go on is the point. Trust restored, it comes back."""
    line = make_line()
    agent = start_agent(line.broker()).wait_ready()
    with line.load(agent, rate=50, requesters=0, shape="wildcard") as load:
        line.layout.put(ca=authorities[1].cert.read_bytes())
        wait_until(lambda: not line.agent_presents(), 3, "the agent leaves a server that it does not trust")
        agent.wait_log(KnownError("tls_unknown_authority").id)
        assert load.status()["client"]["disconnects"] == 0, "local clients stay connected"
        line.layout.put(ca=line.both.read_bytes())
        wait_until(lambda: line.agent_presents(), 15, "it comes back by itself")
        received = load.status()["received"]
        wait_until(lambda: load.status()["received"] > received + 100, 15, "messages flow again")
        assert load.status()["client"]["disconnects"] == 0


def users_seen(line):
    return {row.get("authorized_user") for row in line.server.connections() if row.get("authorized_user") != "direct"}


def test_a_password_change_is_survived(make_line, tmp_path, start_agent):
    """A user has one password at a time: the new one is on disk first, refused, and used when the server has it."""
    users = "authorization { users = [ {user: direct, password: d}, {user: one, password: p1}, {user: two, password: p2} ] }\n"
    line = make_line(server_config=users)
    password = tmp_path / "password"
    password.write_text("p1\n")
    password.chmod(0o600)
    agent = start_agent(line.broker(auth={"user": "one", "password_file": str(password)})).wait_ready()
    with line.load(agent, user="direct:d@", rate=200) as load:
        assert users_seen(line) == {"one"}
        config = users.replace("password: p1", "password: p3")
        password.write_text("p3\n")
        line.server.reload(line.server_tls + config)
        wait_until(lambda: users_seen(line) == {"one"} and agent.ready(), 20, "the new password is used")
        received = load.status()["received"]
        wait_until(lambda: load.status()["received"] > received + 100, 15, "messages flow")
        assert load.status()["client"]["disconnects"] == 0
    assert "p3" not in agent.log() and "p1" not in agent.log()


def test_a_seed_change_loses_nothing(make_line, tmp_path, start_agent):
    keys = [NKey(tmp_path), NKey(tmp_path)]
    users = ", ".join(f"{{nkey: {key.public}}}" for key in keys)
    line = make_line(server_config=f"authorization {{ users = [ {{user: direct, password: d}}, {users} ] }}\n")
    seed = keys[0].seed_file(tmp_path / "agent.nkey")
    agent = start_agent(line.broker(auth={"nkey_file": str(seed)})).wait_ready()
    with line.load(agent, user="direct:d@") as load:
        for turn in range(SWAPS // 2):
            assert users_seen(line) == {keys[turn % 2].public}
            keys[(turn + 1) % 2].seed_file(seed)
            wait_until(lambda t=turn: users_seen(line) == {keys[(t + 1) % 2].public}, 20, "the other key is used")
        assert_nothing_wrong(load.stop())
    for key in keys:
        assert key.seed not in agent.log()


def test_a_creds_change_loses_nothing(make_line, tmp_path, start_agent):
    operator = Operator(tmp_path / "operator")
    line = make_line(server_config=operator.server_config())
    creds = tmp_path / "agent.creds"
    text, public = operator.user("first")
    creds.write_text(text)
    creds.chmod(0o600)
    agent = start_agent(line.broker(auth={"creds_file": str(creds)})).wait_ready()
    # Everybody behind the agent: libnats would need creds of its own for the direct half.
    with line.load(agent, direct_url=agent.url) as load:
        for turn in range(SWAPS // 2):
            assert users_seen(line) == {public}
            text, public = operator.user(f"user {turn}")
            creds.write_text(text)
            wait_until(lambda: users_seen(line) == {public}, 20, "the new user is used")
        assert_nothing_wrong(load.stop())


def test_broken_credentials_are_refused_and_the_old_kept(make_line, tmp_path, start_agent):
    key = NKey(tmp_path)
    line = make_line(server_config=f"authorization {{ users = [ {{user: direct, password: d}}, {{nkey: {key.public}}} ] }}\n")
    seed = key.seed_file(tmp_path / "agent.nkey")
    agent = start_agent(line.broker(auth={"nkey_file": str(seed)})).wait_ready()
    with line.load(agent, user="direct:d@", rate=200) as load:
        seed.write_text(key.seed[:-1] + ("A" if key.seed[-1] != "A" else "B"))
        agent.wait_log(KnownError("credential_malformed").id)
        assert agent.ready()
        key.seed_file(seed)
        line.swap()
        assert_nothing_wrong(load.stop())


@pytest.mark.parametrize("victim", ["new", "old", "either"])
def test_random_kills_during_a_splice_end_well(victim, make_line, stack, start_agent):
    """Links are reset at random points of their splices: clients never notice, and order holds. An abrupt end of a link
    that carried traffic may lose what was on its way, and may repeat what was not confirmed (both counted), as in any
    disconnect of core NATS; killing only links that carry nothing yet loses nothing."""
    line = make_line()
    proxy = stack.enter_context(CuttingProxy(line.server.port))
    agent = start_agent(line.broker(url=f"tls://127.0.0.1:{proxy.port}")).wait_ready()
    chance = random.Random(20260101)
    with line.load(agent) as load:
        for _ in range(SWAPS // 2):
            newest = proxy.last_number()
            where = {"new": {"from_number": newest + 1}, "old": {"below": newest + 1}, "either": {}}[victim]
            line.issued += 1
            line.pair = line.authorities[line.issued % 2].issue("agent")
            line.layout.put_pair(line.pair)
            wait_until(lambda n=newest: proxy.last_number() > n, 15, "a new link is dialled")
            if victim != "new":
                time.sleep(chance.uniform(0, 0.4))  # a random point of the splice
            proxy.cut_one(chance.choice, **where)
            line.wait_presented(deadline=40)
        received = load.status()["received"]
        wait_until(lambda: load.status()["received"] > received + 1000, 20, "messages flow")
        report = load.stop()
    assert report["client"]["disconnects"] == 0, summary(report)
    assert report["reordered"] == 0 and report["corrupted"] == 0, summary(report)
    if victim == "new":
        assert_nothing_wrong(report)
    with line.load(agent, count=1000) as load:
        assert_nothing_wrong(load.stop())
