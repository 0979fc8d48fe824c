"""How a feed is doing: the strip that says so in a line, and what stands behind it."""
