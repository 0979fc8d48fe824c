"""The tape: the newest trades of one market or of many, and the gaps among them."""
