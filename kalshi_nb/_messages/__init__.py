"""Messages as users get them, one module a room; the public face is :mod:`kalshi_nb.messages`."""
