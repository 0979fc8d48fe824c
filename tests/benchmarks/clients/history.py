"""Row 21: trades fetched over REST until they are a frame, by the kit and by the shortest code, round by round."""

import json
import sys
import time

import httpx
import polars as pl

from kalshi_nb._rest.client import Pacing, RestClient
from kalshi_nb._rest.trade_files import collected
from kalshi_nb._rest.trades import TradeHistory
from tests.benchmarks.clients.trade_pages import NEWEST, PAGE
from tests.benchmarks.running import spoken_to

LAST = round(NEWEST.timestamp() * 1e6)


def shortest(base):
    """Return the trades as anybody would write it who knows polars."""
    rows, cursor = [], ""
    with httpx.Client() as client:
        while True:
            body = client.get(f"{base}/markets/trades", params={"limit": PAGE, "cursor": cursor or "0"}).json()
            rows += body["trades"]
            cursor = body["cursor"]
            if not cursor:
                break
    return (
        pl.DataFrame(rows)
        .with_columns(
            pl.col("created_time").str.to_datetime("%+", time_unit="us", time_zone="UTC"),
            pl.col("yes_price_dollars", "no_price_dollars", "count_fp").cast(pl.Float64),
        )
        .sort("created_time")
    )


def kit(base):
    # The pace that the exchange takes is not what is measured.
    pacing = Pacing(now=lambda: time.monotonic() * 1e6, wait=lambda _: None)
    client = RestClient(base, pacing=pacing)
    try:
        return collected(TradeHistory(client, lambda: LAST), ["KXHIGHNY-26NOV28-B52.5"], 0, LAST, None)
    finally:
        client.close()


def main():
    options = json.loads(sys.argv[1])
    rows = options["pages"] * PAGE
    found = {"kit": [], "shortest": [], "kit_cpu": [], "shortest_cpu": [], "wrong": {}}
    with spoken_to("tests.benchmarks.clients.trade_pages", json.dumps({"pages": options["pages"]})) as server:
        base = f"http://127.0.0.1:{server.hear()['port']}/trade-api/v2"
        for number in range(options["rounds"] + 1):
            frames = {}
            for case in (kit, shortest)[:: 1 if number % 2 else -1]:
                began, cpu = time.perf_counter(), time.process_time()
                frames[case.__name__] = case(base)
                if number:  # the first round warms up
                    found[case.__name__].append((time.perf_counter() - began) / rows * 1e6)
                    found[f"{case.__name__}_cpu"].append((time.process_time() - cpu) / rows * 1e6)
            one, other = frames["kit"], frames["shortest"]
            same = (
                one.height == other.height == rows
                and one["yes_price"].to_list() == other["yes_price_dollars"].to_list()
                and one["count"].to_list() == other["count_fp"].to_list()
                and one["ts"].to_list() == other["created_time"].to_list()
            )
            if not same:
                found["wrong"] = {"frames": "they differ"}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
