"""What happens to markets and events, one line each: opened, paused, decided, paid."""
