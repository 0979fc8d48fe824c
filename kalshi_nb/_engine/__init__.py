"""The link: the io thread, the WebSocket, reconnecting, and the hand-off of rows."""
