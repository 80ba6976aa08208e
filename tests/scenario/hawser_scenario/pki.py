"""A throw-away PKI by the openssl command: CAs, certificates with any validity, CRLs, and their fingerprints."""

import base64
import hashlib
import itertools
import pathlib
import re
import subprocess
from datetime import datetime, timedelta, timezone

_serials = itertools.count(0x1000)

_CONFIG = """\
[ca]
default_ca = it
[it]
database = {directory}/index.txt
new_certs_dir = {directory}
serial = {directory}/serial
crlnumber = {directory}/crlnumber
certificate = {directory}/ca.crt
private_key = {directory}/ca.key
default_md = sha256
policy = any
unique_subject = no
copy_extensions = none
[any]
commonName = supplied
[req]
distinguished_name = any_name
prompt = no
[any_name]
CN = unused
"""


def openssl(*arguments, **kwargs):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=False, **kwargs)
    assert done.returncode == 0, f"openssl {arguments}: {done.stderr.decode()}"
    return done.stdout


def first_certificate_der(pem_text):
    body = re.search(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", pem_text, re.S)
    assert body, "no certificate in the text"
    return base64.b64decode(body.group(1))


class Pair:
    """A certificate and its key, in files of their own."""

    def __init__(self, cert, key):
        self.cert = pathlib.Path(cert)
        self.key = pathlib.Path(key)

    @property
    def sha256(self):
        """Of the certificate's DER, lower-case hex: nats-server's `cert_sha256`."""
        return hashlib.sha256(first_certificate_der(self.cert.read_text())).hexdigest()


class Ca:
    """A certificate authority in a directory. `cert` is its own certificate."""

    def __init__(self, directory, name):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self.name = name
        self.cert = self.directory / "ca.crt"
        key = self.directory / "ca.key"
        (self.directory / "index.txt").touch()
        (self.directory / "serial").write_text("01\n")
        (self.directory / "crlnumber").write_text("01\n")
        self._config = self.directory / "openssl.cnf"
        self._config.write_text(_CONFIG.format(directory=self.directory))
        self._new_key(key)
        openssl("req", "-x509", "-new", "-config", self._config, "-key", key, "-days", 30, "-subj", f"/CN={name}",
                "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-addext", "subjectKeyIdentifier=hash", "-out", self.cert)

    @staticmethod
    def _new_key(path):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
        path.chmod(0o600)

    def issue(self, name, usage="clientAuth", san="DNS:localhost,IP:127.0.0.1", starts=timedelta(minutes=-5),
              ends=timedelta(days=7), names_itself=True):
        """A new pair; `starts` and `ends` are relative to now."""
        stem = f"{name}-{next(_serials):x}"
        key = self.directory / f"{stem}.key"
        request = self.directory / f"{stem}.csr"
        cert = self.directory / f"{stem}.crt"
        self._new_key(key)
        openssl("req", "-new", "-config", self._config, "-key", key, "-subj", f"/CN={name}", "-out", request)
        extensions = self.directory / f"{stem}.ext"
        lines = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature", f"extendedKeyUsage={usage}",
                 "authorityKeyIdentifier=keyid", "subjectKeyIdentifier=hash"]
        if names_itself:
            lines.append(f"subjectAltName={san}")
        extensions.write_text("\n".join(lines) + "\n")
        now = datetime.now(timezone.utc)
        stamp = lambda delta: (now + delta).strftime("%Y%m%d%H%M%SZ")  # noqa: E731
        openssl("ca", "-batch", "-notext", "-config", self._config, "-in", request, "-out", cert, "-startdate", stamp(starts),
                "-enddate", stamp(ends), "-extfile", extensions)
        return Pair(cert, key)

    def server(self, **kwargs):
        return self.issue("server", usage="serverAuth,clientAuth", **kwargs)

    def crl(self, *revoked, name="ca.crl", valid=timedelta(days=7)):
        """A CRL with these pairs (and those of earlier calls) in it."""
        for pair in revoked:
            openssl("ca", "-config", self._config, "-revoke", pair.cert)
        path = self.directory / name
        openssl("ca", "-config", self._config, "-gencrl", "-crlhours", int(valid.total_seconds() // 3600), "-out", path)
        return path


def bundle(path, *authorities):
    """A CA file that trusts all of these."""
    path = pathlib.Path(path)
    path.write_text("".join(ca.cert.read_text() for ca in authorities))
    return path
