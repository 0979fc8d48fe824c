"""``python -m kalshi_nb`` is ``kalshi-nb``."""

from __future__ import annotations

from kalshi_nb._cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    raise SystemExit(main())
