"""The commands of ``kalshi-nb``: one module each, collected by ``main``."""
