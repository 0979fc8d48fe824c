"""A model of markets that is only as clever as a benchmark needs: books that are never negative and never crossed.

Prices are in 1/10000 dollar and quantities in 1/100 contract. Nothing here is shared with the client.
"""

import math
import random
import uuid
from typing import NamedTuple

WHOLE = 10_000
SLOTS = 30
"""Prices a side that orders rest at; two in three are taken, so that a book has about 40 levels."""

BEGIN_US = 1_795_000_000_000_000
"""2026-11-18, in microseconds."""


class Change(NamedTuple):
    side: str
    price: int
    quantity: int


class Market:
    """One market: its two ladders of bids and its totals."""

    def __init__(self, number, chance):
        cents = chance.randrange(4, 97)
        # One market in ten is quoted in tenths of a cent.
        self.step = 10 if number % 10 == 9 else 100
        self.ticker = f"KXBENCH{number % 23:02d}-26NOV{1 + number % 28:02d}{number % 24:02d}-T{60_000 + number}.99"
        self.market_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        self.chance = chance
        middle = cents * 100
        self.tops = {"yes": middle - self.step, "no": WHOLE - middle - self.step}
        self.sides = {side: {} for side in self.tops}
        self.volume = 0
        self.open_interest = 0
        self.last_price = 0
        self.last_size = 0
        for side in self.sides:
            for slot in range(SLOTS):
                price = self.tops[side] - slot * self.step
                if price > 0 and chance.random() < 2 / 3:
                    self.sides[side][price] = quantity(chance)

    def change(self):
        """Change one level, the likelier the nearer it is to the top; levels come as often as they go."""
        chance = self.chance
        side = "yes" if chance.random() < 0.5 else "no"
        levels = self.sides[side]
        step = self.step
        slots = min(SLOTS, self.tops[side] // step)
        price = self.tops[side] - int(chance.random() ** 2 * slots) * step
        if price <= 0:
            price = step
        resting = levels.get(price, 0)
        if not resting:
            change = levels[price] = quantity(chance)
        elif chance.random() < 0.5:
            del levels[price]
            change = -resting
        else:
            change = quantity(chance)
            if chance.random() < 0.5:
                change = -(change % resting)
            change = change or 1
            levels[price] = resting + change
        return Change(side, price, change)

    def trade(self):
        """Return price, quantity and the taker's side of an execution, and count it."""
        chance = self.chance
        taker = "yes" if chance.random() < 0.6 else "no"
        best = max(self.sides["no" if taker == "yes" else "yes"], default=WHOLE // 2)
        price = WHOLE - best if taker == "yes" else best
        size = quantity(chance)
        self.volume += size
        self.open_interest += size // 2
        self.last_price, self.last_size = price, size
        return price, size, taker

    def top(self):
        """Return best YES bid with its size and best YES ask with its size, as the exchange writes none of them."""
        yes, no = self.sides["yes"], self.sides["no"]
        bid, ask = max(yes, default=0), WHOLE - max(no, default=0)
        return bid, yes.get(bid, 0), ask, no.get(WHOLE - ask, 0)


def quantity(chance):
    """A size as they are seen: half below 25 contracts, a few in the thousands, one in seven fractional."""
    whole = max(1, int(math.exp(chance.gauss(3.2, 1.6))))
    return whole * 100 + (chance.randrange(1, 100) if chance.random() < 0.15 else 0)


def markets(number, seed):
    """Return so many markets and the weights by which messages are about them."""
    chance = random.Random(seed)
    made = [Market(each, chance) for each in range(number)]
    weights, total = [], 0.0
    for rank in range(number):
        total += 1 / (rank + 3) ** 0.8
        weights.append(total)
    return made, weights, chance


def sums(made):
    """Four sums that a wrong book can hardly keep: levels, quantities, price times quantity, best prices."""
    found = {"levels": 0, "quantity": 0, "value": 0, "best": 0}
    for market in made:
        for levels in market.sides.values():
            found["levels"] += len(levels)
            found["quantity"] += sum(levels.values())
            found["value"] += sum(price * size for price, size in levels.items())
            found["best"] += max(levels, default=0)
    return found
