"""Packs the views' scripts for their way into a page: ``python -m tests.pack``.

terser does it, of the version that stands here, run by npm. Each script by itself, since a view is joined of several
and they know each other by their names; those of nobody but the script are made short. What was packed, and of what,
stands in ``packed/packed.json``: a script that was changed since travels unpacked, and a test says so.
"""

import hashlib
import json
import shutil
import subprocess
import sys

from kalshi_nb._widgets import assets

TERSER = "5.51.4"
# No rewriting that is only nearly the same program ("unsafe" ones but for functions that never ask what `this` is).
OPTIONS = ("--compress", "passes=3,ecma=2020,unsafe_arrows=true", "--mangle", "--ecma", "2020")
SOURCES = assets._ROOM / "browser"
PACKED = assets._ROOM / "packed"


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def packed(source):
    """Return a script, packed."""
    npm = ["npm", "exec", "--yes", f"--package=terser@{TERSER}", "--", "terser", *OPTIONS]
    return subprocess.run(npm, input=source, check=True, capture_output=True, text=True).stdout.strip() + "\n"


def main():
    if not shutil.which("npm"):
        sys.exit("packing takes npm, which comes with Node.js; without it a changed script travels unpacked")
    PACKED.mkdir(exist_ok=True)
    manifest = PACKED / "packed.json"
    was = json.loads(manifest.read_text()) if manifest.exists() else {}
    how = {"packer": f"terser {TERSER}", "options": " ".join(OPTIONS)}
    known = was.get("files", {}) if {name: was.get(name) for name in how} == how else {}
    files = {}
    for path in sorted(SOURCES.glob("*.js")):
        source = path.read_text(encoding="utf-8")
        target = PACKED / path.name
        old = known.get(path.stem, {})
        if old.get("source") == digest(source) and target.exists() and digest(target.read_text()) == old["packed"]:
            files[path.stem] = old
            continue
        target.write_text(packed(source), encoding="utf-8")
        files[path.stem] = {"source": digest(source), "packed": digest(target.read_text(encoding="utf-8"))}
        print(f"{path.name}: {len(source):,} characters, packed {target.stat().st_size:,} bytes")
    for path in PACKED.glob("*.js"):
        if path.stem not in files:
            path.unlink()
    manifest.write_text(json.dumps({**how, "files": files}, indent=1) + "\n")


if __name__ == "__main__":
    main()
