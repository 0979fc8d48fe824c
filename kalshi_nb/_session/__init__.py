"""The session: subscriptions, sequence numbers, gaps and their repair, without I/O."""
