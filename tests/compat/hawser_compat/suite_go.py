"""nats.go: the test files of Debian's golang-github-nats-io-go-nats-dev, unchanged, with go-shim in place of the server's packages.

Left out are the files for JetStream and websockets, examples, and those whose dependency Debian has in another version (protobuf).
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from . import certificates, outcome, runner

DEADLINE_SECONDS = 180
LIBRARIES = pathlib.Path("/usr/share/gocode")
PACKAGE = "github.com/nats-io/nats.go"
SERVER_PACKAGE = "github.com/nats-io/nats-server/v2"
SHIM = pathlib.Path(__file__).resolve().parent.parent / "go-shim"
LEFT_OUT = ["js_test.go", "kv_test.go", "object_test.go", "norace_test.go", "ws_test.go", "bench_test.go", "protobuf_test.go",
            "example*_test.go"]
PARTS = {"nats": ".", "test": "test", "micro": "micro"}  # the program's name: the package's directory

TLS_CONF = """\
host: localhost, port: 4443
tls {{ cert_file: "./configs/certs/server.pem", key_file: "./configs/certs/key.pem", timeout: 2, {more} }}
"""
AUTHORIZATION = "authorization { user: derek, password: porkchop, timeout: 1 }\n"
NO_IP_CONF = """\
listen: {host}:{port}
tls {{ cert_file: "./configs/certs/server_noip.pem", key_file: "./configs/certs/key_noip.pem", timeout: 2 }}
cluster {{ listen: 127.0.0.1:{own}, routes: ["nats-route://127.0.0.1:{other}"] }}
"""

_place = tempfile.TemporaryDirectory(prefix="compat-go-")  # removed when the runner ends
ROOT = pathlib.Path(_place.name)


def tests(_):
    """PROGRAM/TEST for each test; builds the programs."""
    sources = ROOT / "src" / PACKAGE
    shutil.copytree(LIBRARIES / "src" / PACKAGE, sources, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (sources / "enc_test.go").unlink(missing_ok=True)  # protobuf, unlike test/enc_test.go
    shutil.copytree(SHIM, ROOT / "src" / SERVER_PACKAGE)
    write_configuration(sources / "test/configs")
    found = []
    for name, directory in PARTS.items():
        go("test", "-c", "-o", str(ROOT / name), ".", cwd=sources / directory)
        listed = go_output([str(ROOT / name), "-test.list", "."], cwd=sources / directory)
        found += [f"{name}/{test}" for test in listed.split() if test.startswith("Test")]
    return found


def go(*arguments, cwd):
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": f"{ROOT}:{LIBRARIES}", "GOFLAGS": "", "CGO_ENABLED": "0",
                   "GOTOOLCHAIN": "local"}
    done = subprocess.run(["go", *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"go {' '.join(arguments)}:\n{done.stderr}")


def go_output(command, cwd):
    environment = {**os.environ, "NATS_SERVER_BIN": "/bin/true"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=True).stdout


def write_configuration(directory):
    """The certificates and files that tests name, made here: Debian's package has the Go files alone."""
    certificates.write_go(directory / "certs")
    verify = 'ca_file: "./configs/certs/ca.pem", verify: true'
    (directory / "tls.conf").write_text(TLS_CONF.format(more="") + AUTHORIZATION, encoding="utf-8")
    (directory / "tlsverify.conf").write_text(TLS_CONF.format(more=verify), encoding="utf-8")
    for name, host, port, own, other in [("a", "localhost", 5222, 5244, 5246), ("b", "127.0.0.1", 5224, 5246, 5244)]:
        text = NO_IP_CONF.format(host=host, port=port, own=own, other=other) + AUTHORIZATION
        (directory / f"tls_noip_{name}.conf").write_text(text, encoding="utf-8")


def run(_, names, environment, jobs):
    sources = ROOT / "src" / PACKAGE
    environment = {**environment, "NATS_SERVER_BIN": shutil.which("nats-server", path=environment["PATH"])}

    def one(name):
        program, _, test = name.partition("/")
        command = [ROOT / program, "-test.v", "-test.run", f"^{test}$"]
        return judge(name, test, runner.run(command, sources / PARTS[program], environment, DEADLINE_SECONDS))

    return runner.run_all(names, one, jobs)


def judge(name, test, done):
    if done.code is None:
        result = outcome.TIMEOUT
    elif f"--- SKIP: {test} " in done.output:
        result = outcome.SKIPPED
    else:
        result = outcome.PASSED if done.code == 0 and f"--- PASS: {test} " in done.output else outcome.FAILED
    return outcome.Outcome(name, result, round(done.seconds, 2), "" if result == outcome.PASSED else done.tail)
