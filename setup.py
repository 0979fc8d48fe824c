"""The one part of the package that is compiled; all else about it stands in pyproject.toml."""

from setuptools import Extension, setup

# Where there is no C compiler, the package is installed without it, and does the same in Python.
setup(ext_modules=[Extension("kalshi_nb._session._compiled", ["kalshi_nb/_session/_compiled.pyx"], optional=True)])
