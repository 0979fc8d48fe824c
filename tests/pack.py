"""Packs the views' scripts for their way into a page: ``python -m tests.pack``.

terser makes them short, and oxc what terser made: it names what is local by where it stands, so that functions that
are alike are written alike, which is what a compressed connection thrives on. Both come of npm, of the versions that
stand here. Each script by itself, since a view is joined of several and they know each other by their names; those of
nobody but the script are made short. What was packed, and of what, stands in ``packed/packed.json``: a script that was
changed since travels unpacked, and a test says so.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile

from kalshi_nb._widgets import assets

PACKERS = {"terser": "5.51.4", "oxc-minify": "0.157.0"}
# Names are left to oxc. No rewriting that is only nearly the same program ("unsafe" ones but for functions that never
# ask what `this` is).
TERSER = {"compress": {"passes": 3, "ecma": 2020, "unsafe_arrows": True}, "mangle": False, "ecma": 2020}
OXC = {"compress": {"target": "es2022"}, "mangle": {"toplevel": False}}
SCRIPT = """
const options = () => JSON.parse(process.argv[1]); // anew for each: terser writes into those that it is handed
const sources = JSON.parse(require("fs").readFileSync(0, "utf8"));
const { minify } = require("terser");
const { minifySync } = require("oxc-minify");
(async () => {
  const packed = {};
  for (const [name, source] of Object.entries(sources)) {
    const [terser, oxc] = options();
    const { code, errors } = minifySync(`${name}.js`, (await minify(source, terser)).code, oxc);
    if (errors.length) throw new Error(`${name}.js: ${errors[0].message}`);
    packed[name] = code;
  }
  process.stdout.write(JSON.stringify(packed));
})();
"""
SOURCES = assets._ROOM / "browser"
PACKED = assets._ROOM / "packed"


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def packed(sources):
    """Return scripts, packed, by their names."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = [f"{name}@{version}" for name, version in PACKERS.items()]
        quiet = ("--silent", "--no-audit", "--no-fund", "--ignore-scripts")
        subprocess.run(["npm", "install", *quiet, "--prefix", folder, *wanted], check=True)
        command = ["node", "-e", SCRIPT, json.dumps([TERSER, OXC])]
        done = subprocess.run(
            command, cwd=folder, input=json.dumps(sources), check=True, capture_output=True, text=True
        )
    return json.loads(done.stdout)


def main():
    if not shutil.which("npm"):
        sys.exit("packing takes npm, which comes with Node.js; without it a changed script travels unpacked")
    PACKED.mkdir(exist_ok=True)
    manifest = PACKED / "packed.json"
    was = json.loads(manifest.read_text()) if manifest.exists() else {}
    how = {"packers": PACKERS, "options": [TERSER, OXC]}
    known = was.get("files", {}) if {name: was.get(name) for name in how} == how else {}
    sources = {path.stem: path.read_text(encoding="utf-8") for path in sorted(SOURCES.glob("*.js"))}

    def is_packed(name):
        old, target = known.get(name, {}), PACKED / f"{name}.js"
        is_same = old.get("source") == digest(sources[name]) and target.exists()
        return is_same and digest(target.read_text(encoding="utf-8")) == old["packed"]

    changed = {name: source for name, source in sources.items() if not is_packed(name)}
    for name, text in (packed(changed) if changed else {}).items():
        (PACKED / f"{name}.js").write_text(f"{text.strip()}\n", encoding="utf-8")
        print(f"{name}.js: {len(sources[name]):,} characters, packed {len(text.encode()):,} bytes")
    for path in PACKED.glob("*.js"):
        if path.stem not in sources:
            path.unlink()
    files = {
        name: {"source": digest(source), "packed": digest((PACKED / f"{name}.js").read_text(encoding="utf-8"))}
        for name, source in sources.items()
    }
    manifest.write_text(json.dumps({**how, "files": files}, indent=1) + "\n")


if __name__ == "__main__":
    main()
