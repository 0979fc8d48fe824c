"""The parts of the package that are compiled; all else about it stands in pyproject.toml."""

from setuptools import Extension, setup

COMPILED = ("_session/_compiled", "_session/_row_columns", "_session/_straight_rows", "_recording/_cutting")

# Where there is no C compiler, the package is installed without them, and does the same in Python.
setup(
    ext_modules=[
        Extension(f"kalshi_nb.{each.replace('/', '.')}", [f"kalshi_nb/{each}.pyx"], optional=True) for each in COMPILED
    ]
)
