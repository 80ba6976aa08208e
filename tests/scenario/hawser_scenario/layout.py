"""How certificate files are replaced in real life. Each layout presents stable paths: `cert`, `key`, `ca`, and `crl` when given."""

import os
import pathlib
import shutil
import tempfile


class Layout:
    """Files in a directory; `put` replaces some of them (name -> content) in the layout's way."""

    names = {"cert": "tls.crt", "key": "tls.key", "ca": "ca.crt", "crl": "ca.crl"}

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)

    def path(self, what):
        return self.directory / self.names[what]

    @staticmethod
    def write(path, content):
        path.write_bytes(content)
        path.chmod(0o600)

    def put(self, **content):
        raise NotImplementedError

    def put_pair(self, pair):
        self.put(cert=pair.cert.read_bytes(), key=pair.key.read_bytes())


class InPlace(Layout):
    """Truncated and written again, one after the other: what `cp` does."""

    def put(self, **content):
        for what, data in content.items():
            self.write(self.path(what), data)


class Rename(Layout):
    """Written beside it, then renamed over it: what careful tools do."""

    def put(self, **content):
        for what, data in content.items():
            beside = self.path(what).with_suffix(".new")
            self.write(beside, data)
            os.replace(beside, self.path(what))


class Kubernetes(Layout):
    """A secret volume: files are links into `..data`, a link to a directory of one generation, swapped by a rename."""

    def put(self, **content):
        data = self.directory / "..data"
        old = data.resolve() if data.is_symlink() else None
        new = pathlib.Path(tempfile.mkdtemp(prefix="..2026_", dir=self.directory))
        new.chmod(0o755)
        if old is not None:
            for file in old.iterdir():
                shutil.copy2(file, new / file.name)
        for what, text in content.items():
            self.write(new / self.names[what], text)
        staged = self.directory / "..data_tmp"
        staged.symlink_to(new.name)
        os.replace(staged, data)
        for what in content:
            link = self.path(what)
            if not link.is_symlink():
                link.symlink_to(pathlib.Path("..data") / self.names[what])
        if old is not None:
            shutil.rmtree(old)


LAYOUTS = {"in_place": InPlace, "rename": Rename, "kubernetes": Kubernetes}
