"""``python -m tests.lowest FOLDER``: an environment with the lowest versions that pyproject.toml allows."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def lowest(requirements):
    """Return constraints: each package of ours at the lowest version that it may have."""
    found = {}
    for each in requirements:
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?>=([0-9.]+)", each)
        if match:
            found[match[1].lower()] = f"{match[1]}=={match[2]}"
    return sorted(found.values())


def main():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(each for name in extras if name != "dev-s3" for each in extras[name])]
    folder = Path(sys.argv[1])
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    (folder / "constraints.txt").write_text("\n".join(lowest(wanted)) + "\n")
    install = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "-c", folder / "constraints.txt", "--editable", ".[dev]"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
