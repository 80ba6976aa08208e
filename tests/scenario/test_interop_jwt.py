"""JWTs and creds files of NATS's own Go libraries and ours: each side reads what the other wrote, and says the same of it."""

import base64
import json
import os

import pytest
from hawser_scenario.others import build_go, checked

HAWSER = os.path.join(os.environ["HAWSER_BUILD"], "interop_jwt")


@pytest.fixture(scope="session")
def go(tmp_path_factory):
    return build_go("jwt", tmp_path_factory.mktemp("go") / "jwt")


@pytest.fixture
def from_go(go, tmp_path):
    """The directory that Go wrote, and the one with what our side read there and signed again."""
    theirs, again = tmp_path / "theirs", tmp_path / "again"
    theirs.mkdir()
    again.mkdir()
    checked([go, "write", str(theirs)])
    said = checked([HAWSER, "check", str(theirs), str(again)])
    assert said.splitlines() == ["account_v1: imports[0].to: it is deprecated: use `local_subject`"]
    return theirs, again


def payload(path):
    part = path.read_text().split(".")[1]
    return normal(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def normal(claims):
    """Go keeps an account's signing keys in a map, and writes them in any order."""
    if "signing_keys" in claims["nats"]:
        claims["nats"]["signing_keys"].sort(key=lambda key: key if isinstance(key, str) else key["key"])
    return claims


def without(claims, *names):
    return {name: value for name, value in claims.items() if name not in names}


def test_what_go_wrote_is_read_and_written_again_to_the_letter(from_go):
    theirs, again = from_go
    names = {path.stem for path in theirs.glob("*.jwt") if not path.stem.endswith("_v1")}
    assert names == {"operator", "operator_bare", "account", "account_bare", "account_tiers", "user", "user_bare", "user_scoped",
                     "activation", "generic"}
    for name in names:
        assert payload(again / f"{name}.jwt") == payload(theirs / f"{name}.jwt"), name  # iat, iss and jti, too


def test_tokens_of_the_first_version_mean_what_go_takes_them_for(from_go):
    theirs, again = from_go
    names = {path.stem for path in theirs.glob("*_v1.jwt")}
    assert names == {"operator_v1", "account_v1", "user_v1", "user_bare_v1", "activation_v1", "generic_v1"}
    for name in names:
        ours = payload(again / f"{name}.jwt")
        go_view = normal(json.loads((theirs / f"{name}.json").read_text()))
        assert ours["nats"].pop("version") == 2
        go_view["nats"].pop("version", None)
        assert without(ours, "jti") == without(go_view, "jti"), name


def test_go_finds_nothing_wrong_with_what_we_wrote_and_reads_every_member(go, tmp_path):
    checked([HAWSER, "write", str(tmp_path)])
    assert checked([go, "check", str(tmp_path)]) == ""
    names = {path.stem for path in tmp_path.glob("*.jwt")}
    assert names == {"operator", "account", "account_bare", "user", "user_bare", "user_scoped", "activation", "generic"}
    for name in names:
        assert normal(json.loads((tmp_path / f"{name}.json").read_text())) == payload(tmp_path / f"{name}.jwt"), name
    assert (tmp_path / "user_bare.creds").is_file()  # which Go checked, too
