"""What the defaults are worth: the kit with one thing changed, against the kit as it is, in one run."""

from functools import partial

from tests.benchmarks.deflated import deflated
from tests.benchmarks.findings import Finding, cpu_ratios, ratios, wrongs
from tests.benchmarks.frames import Size, prepare
from tests.benchmarks.more.tables import markdown
from tests.benchmarks.report import number, spread
from tests.benchmarks.rounds import alternate
from tests.benchmarks.running import measure, sending
from tests.benchmarks.tls import encrypted

ROUNDS = 5
KIB, MIB = 2**10, 2**20
PLAIN, DEFLATED, TLS = "plain", "deflated", "TLS"
BUSY = {"busy": True}
PICOWS = {"transport": "picows"}

VARIANTS = (
    # The group's first is what the others are held against.
    ("`websockets`", (
        ("as it is: no compression, `max_queue` 1024, reads of 256 KiB", PLAIN, {}, {}),
        ("permessage-deflate", DEFLATED, {"compression": "deflate"}, {}),
        ("TLS", TLS, {}, {}),
        ("`max_queue` 16", PLAIN, {"max_queue": 16}, {}),
        ("`max_queue` None", PLAIN, {"max_queue": None}, {}),
        ("reads of 64 KiB", PLAIN, {"read": 64 * KIB}, {}),
        ("reads of 4 MiB", PLAIN, {"read": 4 * MIB}, {}),
    )),
    ("`picows`", (
        ("as it is: a read buffer of 1 MiB, `aiofastnet`", PLAIN, {}, PICOWS),
        ("TLS", TLS, {}, PICOWS),
        ("asyncio's own transport", PLAIN, {"aiofastnet": False}, PICOWS),
        ("a read buffer of 64 KiB", PLAIN, {"buffer": 64 * KIB}, PICOWS),
        ("a read buffer of 4 MiB", PLAIN, {"buffer": 4 * MIB}, PICOWS),
    )),
    ("`websockets`, a cell computes", (
        ("as it is: reads of 256 KiB", PLAIN, {}, BUSY),
        ("reads of 4 MiB", PLAIN, {"read": 4 * MIB}, BUSY),
    )),
    ("`picows`, a cell computes", (
        ("as it is: a read buffer of 1 MiB", PLAIN, {}, PICOWS | BUSY),
        ("a read buffer of 64 KiB", PLAIN, {"buffer": 64 * KIB}, PICOWS | BUSY),
        ("a read buffer of 4 MiB", PLAIN, {"buffer": 4 * MIB}, PICOWS | BUSY),
    )),
)  # fmt: skip


def measure_all(settings):
    """One finding for each variant: messages/s and CPU a message against the default of its group."""
    size = Size(settings.sized(100_000), settings.sized(20_000), markets=settings.sized(500, least=20))
    plain = prepare(size, settings.folder)
    folders = {PLAIN: plain, DEFLATED: deflated(plain), TLS: encrypted(plain)}
    findings = []
    for group, variants in VARIANTS:
        cases = {
            what: partial(_once, folders[line], changed=changed, **options)
            for what, line, changed, options in variants
        }
        runs = alternate(settings, group, cases)
        usual = runs[variants[0][0]]
        findings += [
            Finding(
                0,
                what,
                None,
                values=ratios(runs[what], usual),
                cpu_values=cpu_ratios(runs[what], usual),
                why_not=runs.missing.get(what, ""),
                wrong=wrongs(runs[what]),
                notes={"group": group},
            )
            for what, *_ in variants
        ]
    return findings


def _once(folder, **options):
    with sending(folder) as sender:
        return measure(sender, folder, "variant", pipelines=["trade"], **options)


def text(findings, _settings):
    """The table of the page."""
    lines = [
        (each.notes["group"], each.what, *_figures(each, usual=each.what.startswith("as it is"))) for each in findings
    ]
    return markdown(("transport", "variant", "messages/s", "rounds", "messages a CPU second"), lines, left=(0, 1))


def _figures(finding, *, usual):
    if usual and finding.values:
        return "1", "", "1"
    if not finding.values:
        return finding.why_not, "", ""
    return number(finding.value), spread(finding), number(finding.cpu)
