"""Packages of npm that are kept or used as they are: fetched, checked by hash, compared, updated.

``python -m tests.npm check``            compare the vendored files with what npm has, and warn of a newer version
``python -m tests.npm update [VERSION]`` vendor a version (the newest unless told), and write its manifest anew
``python -m tests.npm axe``              put what the accessibility tests need into the environment
"""

import base64
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent
UPLOT = ROOT / "kalshi_nb" / "_widgets" / "vendor" / "uplot" / "vendored.json"
AXE = ROOT / "tests" / "browser" / "axe_core.json"
AXE_PLACE = Path(sys.prefix) / "share" / "axe-core"
REGISTRY = "https://registry.npmjs.org"


def read(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


def fetch(package, version):
    """Return the bytes of a package: by npm where it is installed, else over HTTPS."""
    if shutil.which("npm"):
        with tempfile.TemporaryDirectory() as folder:
            command = ["npm", "pack", "--silent", f"{package}@{version}"]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            (tarball,) = Path(folder).glob("*.tgz")
            return tarball.read_bytes()
    return read(f"{REGISTRY}/{package}/-/{package}-{version}.tgz")


def newest(package):
    """Return the version that npm gives to who asks for none."""
    if shutil.which("npm"):
        command = ["npm", "view", package, "version"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return json.loads(read(f"{REGISTRY}/{package}/latest"))["version"]


def integrity(tarball):
    return "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()


def members(tarball, manifest):
    """Return the wanted files of a package by the names that they have here."""
    with tarfile.open(fileobj=io.BytesIO(tarball)) as archive:
        return {name: archive.extractfile(each["member"]).read() for name, each in manifest["files"].items()}


def checked(path):
    """Return a manifest and its files, fetched, if the package is the one that the manifest means."""
    manifest = json.loads(path.read_text())
    tarball = fetch(manifest["package"], manifest["version"])
    if integrity(tarball) != manifest["integrity"]:
        sys.exit(
            f"{manifest['package']} {manifest['version']} from npm is not what {path.name} says: {integrity(tarball)}"
        )
    return manifest, members(tarball, manifest)


def check():
    manifest, files = checked(UPLOT)
    differ = [name for name, data in files.items() if UPLOT.with_name(name).read_bytes() != data]
    if differ:
        back = f"python -m tests.npm update {manifest['version']}"
        sys.exit(f"not as npm has them: {', '.join(differ)}; `{back}` puts them back")
    print(f"{manifest['package']} {manifest['version']}: {len(files)} files, byte for byte as npm has them")
    if (latest := newest(manifest["package"])) != manifest["version"]:
        print(f"warning: {manifest['package']} {latest} is out; `make vendor VERSION={latest}` takes it")


def update(version=None):
    manifest = json.loads(UPLOT.read_text())
    manifest["version"] = version or newest(manifest["package"])
    tarball = fetch(manifest["package"], manifest["version"])
    manifest["integrity"] = integrity(tarball)
    for name, data in members(tarball, manifest).items():
        UPLOT.with_name(name).write_bytes(data)
        manifest["files"][name]["sha256"] = hashlib.sha256(data).hexdigest()
    UPLOT.write_text(json.dumps(manifest, indent=2) + "\n")
    print(f"{manifest['package']} is {manifest['version']} now; look at the pictures before you commit it")


def axe():
    _, files = checked(AXE)
    AXE_PLACE.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (AXE_PLACE / name).write_bytes(data)


if __name__ == "__main__":
    {"check": check, "update": update, "axe": axe}[sys.argv[1]](*[each for each in sys.argv[2:] if each])
