"""The price of one market over time: trades as a line or as candles, bid and ask as a band, gaps to scale."""
