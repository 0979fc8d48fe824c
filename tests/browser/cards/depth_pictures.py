"""Pictures of a book as its depth, as the kernel would send them."""

from tests.browser.cards import pictures

DEEP_BIDS = [[round(0.47 - at / 200, 4), 40 + (at * 131) % 900] for at in range(80)]
DEEP_ASKS = [[round(0.485 + at / 200, 4), 30 + (at * 197) % 1200] for at in range(80)]


def depth(seq=1, **given):
    return pictures.ladder(seq, **({"kind": "depth", "bids": DEEP_BIDS, "asks": DEEP_ASKS} | given))


def depth_states():
    """Every state by name, as a ladder has them."""
    shallow = {name: {**each, "kind": "depth"} for name, each in pictures.states().items() if name != "owned"}
    return {"deep": depth()} | shallow
