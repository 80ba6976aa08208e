"""A network and a process tree of one's own for each test: suites use fixed ports and leave servers behind.

    python3 -m hawser_compat.isolation COMMAND…      # what isolated(COMMAND) runs: process 1 of the new namespaces

Some tests talk to demo.nats.io. With HAWSER_COMPAT_DEMO there is one: the server under test, on another loopback address, at
4222 and, with certificates.write_demo()'s certificate from that directory, at 4443.
"""

import fcntl
import functools
import os
import socket
import struct
import subprocess
import sys
import tempfile

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
DEMO_ADDRESS = "127.0.0.2"


@functools.cache
def namespaces():
    """The command for new namespaces, or None where the system refuses them."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", *user, "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    try:
        allowed = subprocess.run([*command, "mount", "--bind", "/etc/hosts", "/etc/hosts"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    return command if allowed else None


def isolated(command):
    """`command`, to be run with only a loopback interface; its end, or its being killed, ends all that it started.

    Without namespaces it shares this machine's loopback: one at a time, and what it leaves behind ends with its process group.
    """
    if namespaces() is None:
        return [str(word) for word in command]
    return [*namespaces(), sys.executable, "-m", "hawser_compat.isolation", *map(str, command)]


def bring_up_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def name_hosts():
    """localhost with both its addresses, as suites expect it, and the demo server."""
    with tempfile.NamedTemporaryFile("w", suffix=".hosts") as hosts:  # the mount keeps the file
        hosts.write(f"127.0.0.1 localhost\n::1 localhost\n{DEMO_ADDRESS} demo.nats.io\n")
        hosts.flush()
        subprocess.run(["mount", "--bind", hosts.name, "/etc/hosts"], check=True)


def start_demo(*arguments):
    subprocess.Popen(["nats-server", "-a", DEMO_ADDRESS, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main():
    bring_up_loopback()
    name_hosts()
    if demo := os.environ.get("HAWSER_COMPAT_DEMO"):
        start_demo("-p", "4222")
        start_demo("-p", "4443", "--tls", "--tlscert", f"{demo}/demo.pem", "--tlskey", f"{demo}/demo-key.pem")
    child = subprocess.Popen(sys.argv[1:])
    # Orphans become children of process 1: all of them are reaped, the end of the command alone ends this.
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            sys.exit(child.returncode if child.returncode >= 0 else 128 - child.returncode)


if __name__ == "__main__":
    main()
