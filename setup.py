"""The parts of the package that are compiled; all else about it stands in pyproject.toml.

They do what Python does there, with less of the processor. Where a C compiler works they are built, and the wheel
is for this platform; where none does they are left out, and it is for any. ``KALSHI_NB_BUILD_EXTENSIONS=no`` leaves
them out in any case, and ``=yes`` has the build fail where they cannot be made: no wheel for a platform lacks them.
"""

import os
import sys
import sysconfig
from pathlib import Path
from tempfile import TemporaryDirectory

from setuptools import Extension, setup

SWITCH = "KALSHI_NB_BUILD_EXTENSIONS"
COMPILED = (
    "_ringing",
    "_session/_compiled",
    "_session/_row_columns",
    "_session/_straight_frames",
    "_session/_straight_rows",
    "_recording/_cutting",
    "_recording/_joining",
)


def wanted() -> bool:
    """Return whether to build them: what the switch says, else whether a compiler works here."""
    said = os.environ.get(SWITCH, "")
    if said not in {"", "yes", "no"}:
        sys.exit(f"{SWITCH}={said}: yes has them built, no leaves them out, without it they are built if they can be.")
    return said == "yes" or (said == "" and compiler_works())


def compiler_works() -> bool:
    """Compile a file that needs no more than these do: a C compiler, and Python's own headers."""
    from distutils.ccompiler import new_compiler  # noqa: PLC0415  # setuptools' own, once it is imported
    from distutils.sysconfig import customize_compiler  # noqa: PLC0415

    with TemporaryDirectory() as folder:
        source = Path(folder) / "probe.c"
        source.write_text("#include <Python.h>\n")
        compiler = new_compiler()
        customize_compiler(compiler)
        try:
            compiler.compile([str(source)], output_dir=folder, include_dirs=[sysconfig.get_path("include")])
        except Exception as problem:  # noqa: BLE001  # whatever it is, nothing can be compiled
            sys.stderr.write(f"The compiled parts are left out, since no C compiler works here: {problem}\n")
            return False
    return True


EXTENSIONS = [Extension(f"kalshi_nb.{each.replace('/', '.')}", [f"kalshi_nb/{each}.pyx"]) for each in COMPILED]
setup(ext_modules=EXTENSIONS if wanted() else [])
