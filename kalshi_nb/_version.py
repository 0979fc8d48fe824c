"""The version of the package; pyproject.toml has the same, and a test compares the two."""

from typing import Final

__all__ = ["__version__"]

__version__: Final = "0.1.0"
