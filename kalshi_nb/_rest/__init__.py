"""The exchange over REST: one client, what it answers as frames, and what is found by words."""
