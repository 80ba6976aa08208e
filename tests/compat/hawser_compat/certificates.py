"""The certificates that nats.go's tests name, by the openssl command, for a month."""

import subprocess

NAMES = "DNS:localhost,IP:127.0.0.1,IP:::1"
EVERY_USE = "serverAuth,clientAuth"


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def write(directory):
    """ca.pem, server.pem with key.pem, server_noip.pem with key_noip.pem, client-cert.pem with client-key.pem."""
    directory.mkdir(parents=True)
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 30)
    openssl("req", "-x509", *new_key, "-subj", "/CN=CA of the tests", "-keyout", directory / "ca-key.pem", "-out", directory / "ca.pem")

    def issue(cert, key, names, usage):
        openssl("req", "-x509", *new_key, "-subj", "/CN=localhost", "-CA", directory / "ca.pem", "-CAkey", directory / "ca-key.pem",
                "-addext", f"subjectAltName={names}", "-addext", f"extendedKeyUsage={usage}", "-addext", "basicConstraints=CA:FALSE",
                "-keyout", directory / key, "-out", directory / cert)

    issue("server.pem", "key.pem", NAMES, EVERY_USE)
    issue("server_noip.pem", "key_noip.pem", "DNS:localhost", EVERY_USE)
    issue("client-cert.pem", "client-key.pem", NAMES, "clientAuth")
