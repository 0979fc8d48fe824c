"""The session: subscriptions, sequence numbers, holes and their repair, without I/O."""
