"""nats.go: the test files of Debian's golang-github-nats-io-go-nats-dev, unchanged.

Left out are the files for JetStream and websockets, examples, and those whose dependency Debian has in another version (protobuf).
"""

import shutil

from . import certificates, go_programs

PACKAGE = "github.com/nats-io/nats.go"
LEFT_OUT = ["js_test.go", "kv_test.go", "object_test.go", "norace_test.go", "ws_test.go", "bench_test.go", "protobuf_test.go",
            "example*_test.go"]
PARTS = {"nats": ".", "test": "test", "micro": "micro"}  # the program's name: the package's directory

TLS_CONF = """\
host: localhost
port: 4443
tls {{ cert_file: "./configs/certs/server.pem", key_file: "./configs/certs/key.pem", timeout: 2, {more} }}
"""
AUTHORIZATION = "authorization { user: derek, password: porkchop, timeout: 1 }\n"
NO_IP_CONF = """\
listen: {host}:{port}
tls {{ cert_file: "./configs/certs/server_noip.pem", key_file: "./configs/certs/key_noip.pem", timeout: 2 }}
cluster {{ listen: 127.0.0.1:{own}, routes: ["nats-route://127.0.0.1:{other}"] }}
"""


def tests(_):
    """Builds the programs."""
    place = go_programs.sources(PACKAGE)
    shutil.copytree(go_programs.LIBRARIES / "src" / PACKAGE, place, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (place / "enc_test.go").unlink(missing_ok=True)  # protobuf, unlike test/enc_test.go
    go_programs.place_shim("server", "test")
    write_configuration(place / "test/configs")
    return [test for name, directory in PARTS.items() for test in go_programs.build(name, place / directory)]


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
    directories = {name: go_programs.sources(PACKAGE) / directory for name, directory in PARTS.items()}
    return go_programs.run(names, directories, environment, jobs)
