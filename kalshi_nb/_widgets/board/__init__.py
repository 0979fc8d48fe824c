"""The board of many markets: which of them, what of each, and how that is shown."""
