"""nats-server's own tests from outside: those of Debian's golang-github-nats-io-nats-server-dev that speak to a server by its ports.

The checkout is nats-server's repository, for test/configs alone (configurations and certificates, which Debian does not install).
Files for clusters, gateways, leaf nodes, operators and OCSP are left out; so is what reaches into the server's memory.
"""

import shutil

from . import go_programs

DEBIAN = "github.com/nats-io/nats-server/test"
FILES = ["test", "test_test", "accounts_cycles_test", "auth_test", "client_auth_test", "fanout_test", "maxpayload_test", "monitor_test",
         "opts_test", "pedantic_test", "ping_test", "port_test", "proto_test", "tls_test", "user_authorization_test", "verbose_test"]


def place():
    return go_programs.sources(go_programs.SERVER_PACKAGE) / "test"


def tests(checkout):
    go_programs.place_shim("server")
    shutil.copytree(go_programs.SHIM / "helpers", place())
    for name in FILES:
        shutil.copy(go_programs.LIBRARIES / "src" / DEBIAN / f"{name}.go", place())
    shutil.copytree(checkout / "test/configs", place() / "configs")
    return go_programs.build("server", place())


def run(_, names, environment, jobs):
    return go_programs.run(names, {"server": place()}, environment, jobs)
