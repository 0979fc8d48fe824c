"""A recorder in the browser: a line a fact, and what is wrong below."""

import time

import pytest

FACTS = [
    ["messages", "98,412, 84/s"],
    ["on the disk", "98,361 messages, until 2026-11-22 15:14:59 UTC"],
    ["lost", "0 messages"],
    ["size", "2.6 MB of 33.3 MB that came, 12.8 times less"],
]


def recorder(seq=1, **given):
    now = time.time()
    picture = {"v": 1, "seq": seq, "sent": now, "clock": now, "kernel": "kernel-1", "model": "model-1"}
    picture |= {"kind": "recorder", "status": "live", "age": 0, "note": "", "title": "data/night", "facts": FACTS}
    return picture | given


def facts(host):
    return list(zip(host.texts(".recorder-facts dt"), host.texts(".recorder-facts dd"), strict=True))


def test_it_says_each_fact_in_a_line_of_its_own_and_follows_what_comes(host):
    host.open().show(recorder(), kind="recorder")
    assert facts(host) == [tuple(each) for each in FACTS]
    assert host.texts(".chip") == ["● live"]
    assert host.texts(".title")[0] == "data/night"
    host.send(recorder(2, facts=FACTS[:1], status="stale", note="the disk is full: make room"))
    assert facts(host) == [tuple(FACTS[0])]
    assert host.texts(".chip")[0].startswith("▲ stale")
    assert host.texts(".note") == ["the disk is full: make room"]


def test_a_hostile_folder_is_text(host):
    name = "<img src=x onerror=document.title='run'>\u202e"
    host.open().show(recorder(title=name, facts=[[name, name]]), kind="recorder")
    assert host.page.locator(".card img").count() == 0
    assert host.page.title() == "host"
    assert "\u202e" not in host.page.locator(".card").inner_text()


@pytest.mark.parametrize("width", [320, 640])
def test_nothing_scrolls_sideways(make_host, width):
    host = make_host(viewport={"width": width, "height": 500}).open()
    host.show(recorder(), kind="recorder")
    assert host.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
