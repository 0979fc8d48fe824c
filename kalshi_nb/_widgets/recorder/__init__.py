"""How a recorder is doing: what it has heard, what is on the disk, and what is wrong."""
