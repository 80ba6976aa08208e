"""Certificates that suites need and do not bring, by the openssl command, for a month."""

import subprocess

NAMES = "DNS:localhost,IP:127.0.0.1,IP:::1"
EVERY_USE = "serverAuth,clientAuth"
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 30)


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def authority(directory):
    directory.mkdir(parents=True, exist_ok=True)
    openssl("req", "-x509", *NEW_KEY, "-subj", "/CN=CA of the tests", "-keyout", directory / "ca-key.pem", "-out", directory / "ca.pem")


def issue(directory, cert, key, names, usage):
    openssl("req", "-x509", *NEW_KEY, "-subj", "/CN=localhost", "-CA", directory / "ca.pem", "-CAkey", directory / "ca-key.pem",
            "-addext", f"subjectAltName={names}", "-addext", f"extendedKeyUsage={usage}", "-addext", "basicConstraints=CA:FALSE",
            "-keyout", directory / key, "-out", directory / cert)


def write_go(directory):
    """As nats.go's tests name them."""
    authority(directory)
    issue(directory, "server.pem", "key.pem", NAMES, EVERY_USE)
    issue(directory, "server_noip.pem", "key_noip.pem", "DNS:localhost", EVERY_USE)
    issue(directory, "client-cert.pem", "client-key.pem", NAMES, "clientAuth")


def write_demo(directory):
    """demo.nats.io's; its authority is trusted through the environment that this returns."""
    authority(directory)
    issue(directory, "demo.pem", "demo-key.pem", "DNS:demo.nats.io", "serverAuth")
    trust = str(directory / "ca.pem")
    return {"HAWSER_COMPAT_DEMO": str(directory), "NODE_EXTRA_CA_CERTS": trust, "DENO_CERT": trust}
