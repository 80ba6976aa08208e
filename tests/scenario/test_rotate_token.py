"""`hawser rotate` and tokens: users take the place of one, and no message, report or journal shows it."""

import json

from hawser_scenario.credential_fleet import Restarted
from hawser_scenario.errors import KnownError
from hawser_scenario.token_fleet import ConfiguredTokenFleet, PresentsBoth, TokenFleet

DONE, NOT_SO = 0, 1


def test_a_token_gives_way_to_users_and_is_shown_nowhere(rotated_fleet, stack):
    fleet = rotated_fleet(TokenFleet)
    clients = [Restarted(fleet, name, fleet.token) for name in ("kate", "late")]
    for client in clients:
        stack.callback(client.end)
    fleet.write(fleet.plan(*fleet.probes(), fleet.broker(), [clients[0].target("kate-2")]))
    code, out, err = fleet.rotate("run")
    assert code == NOT_SO and KnownError("rotation_not_converged").id in err, out + err
    assert "(late)" in err and "may be a token" in err
    assert fleet.token not in out + err
    assert fleet.may_come_in("--token-file", fleet.password_file("token")) and fleet.may_come_in(*fleet.flags_of("kate-2"))
    clients[1].restart("kate-2")
    code, out, err = fleet.rotate("resume")
    assert code == DONE, out + err
    assert not fleet.may_come_in("--token-file", fleet.password_file("token")) and fleet.may_come_in(*fleet.flags_of("kate-2"))
    assert fleet.token not in out + err + fleet.shown()


def test_a_token_of_the_configuration_gives_way_to_users_while_clients_present_both(rotated_fleet, stack):
    fleet = rotated_fleet(ConfiguredTokenFleet)
    clients = [PresentsBoth(fleet, name, fleet.token) for name in ("kate", "late")]
    for client in clients:
        stack.callback(client.end)
    fleet.write(fleet.plan(*fleet.probes(), fleet.broker(), [clients[0].target("kate-2")]))
    code, out, err = fleet.rotate("run")
    assert code == NOT_SO and KnownError("rotation_not_converged").id in err and "(late)" in err, out + err
    clients[1].restart("kate-2")
    before = [client.cids() for client in clients]
    code, out, err = fleet.rotate("resume")
    assert code == DONE, out + err
    assert [client.cids() for client in clients] == before, "narrowing ended a connection"
    assert not fleet.may_come_in("--token-file", fleet.password_file("token")) and fleet.may_come_in(*fleet.flags_of("kate-2"))
    assert fleet.token not in out + err + fleet.shown()


def test_a_token_in_a_ca_rotation_is_shown_nowhere_either(rotated_fleet, stack, authorities):
    """nats-server 2.9 has it as the user of the connection, which is what names a straggler."""
    fleet = rotated_fleet(TokenFleet)
    stack.callback(Restarted(fleet, "late", fleet.token).end)
    assert fleet.token in json.dumps(fleet.server.connections())
    old, new = authorities
    target = {"name": "kate", "deliver": {"command": ["true"]}, "apply": {"command": ["true"]}, "prove": {"certificate": str(new.issue("kate").cert), "name": "late"}}
    pair = lambda ca: {"cert_file": str((one := ca.issue("probe")).cert), "key_file": str(one.key)}  # noqa: E731
    plan = {"name": "ca", "journal": "journal", "old_ca": str(old.cert), "new_ca": str(new.cert),
            "prober": {"old": pair(old), "new": pair(new), "ca_file": str(old.cert)}, "times": {"prove": "1s", "probe": "2s"},
            "brokers": [{"name": "n1", "url": fleet.server.url("tls"), "monitor": f"http://127.0.0.1:{fleet.server.monitor_port}",
                         "bundle": str(fleet.bundle), "reload": {"pid_file": str(fleet.pid_file(0))}}], "waves": [{"name": "w", "targets": [target]}]}
    fleet.write(plan)
    code, out, err = fleet.rotate("run")
    assert code == NOT_SO and KnownError("rotation_not_proven").id in err and "(late, user hidden, as it may be a token)" in err, out + err
    assert fleet.token not in out + err + fleet.shown()
