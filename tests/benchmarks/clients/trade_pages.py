"""A server of trades over REST, pages of 1,000 that were written before: it says its port, and ends with its input."""

import datetime as dt
import json
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PAGE = 1_000
NEWEST = dt.datetime(2026, 11, 28, 18, tzinfo=dt.UTC)


def page_of(number, pages):
    """Return a page as the exchange writes it, newest first; a trade every 40 ms."""
    first = number * PAGE
    rows = []
    for place in range(first, first + PAGE):
        price = 1 + place * 7 % 99
        is_yes = place % 3 != 0
        rows.append(
            {
                "count_fp": f"{1 + place * 13 % 5_000}.{place % 100:02}",
                "created_time": (NEWEST - dt.timedelta(milliseconds=40 * place)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "is_block_trade": False,
                "no_price_dollars": f"{(100 - price) / 100:.4f}",
                "taker_book_side": "bid" if is_yes else "ask",
                "taker_outcome_side": "yes" if is_yes else "no",
                "taker_side": "yes" if is_yes else "no",
                "ticker": "KXHIGHNY-26NOV28-B52.5",
                "trade_id": str(uuid.UUID(int=place)),
                "yes_price_dollars": f"{price / 100:.4f}",
            }
        )
    cursor = "" if number + 1 == pages else str(number + 1)
    return json.dumps({"cursor": cursor, "trades": rows}, separators=(",", ":")).encode()


def main():
    pages = json.loads(sys.argv[1])["pages"]
    bodies = [page_of(number, pages) for number in range(pages)]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            at = urlsplit(self.path)
            if at.path.endswith("/markets/trades"):
                body = bodies[int(parse_qs(at.query).get("cursor", ["0"])[0])]
            else:
                body = b'{"trades_created_ts":"2020-01-01T00:00:00Z","cursor":"","trades":[]}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
