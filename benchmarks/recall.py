"""Which share of the nodes that matter does each method find, and at which cost?

On every case all heads' queries, keys, values and outputs at every position are patched
exactly, one at a time, and all methods are compared with that. It takes an hour of one core,
nearly all of it for the exact truth on SmolLM2-135M (`atpdsl model add smollm2`). What is done
is kept in a folder, and is not done again.

    python -m benchmarks.recall FOLDER [--only tiny] [--list]

Writes the tables of docs/recall.md to standard output.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np

import atpdsl
from atpdsl.numerics.verified_recall import costs, irwrgm
from atpdsl.results.comparison import Compared, Comparison

TOPS = (10, 20, 50, 100)
ORDER = (
    "atp",
    "atp_qk",
    "star",
    "subsampling",
    "blocks",
    "hierarchical",
    "iterative",
    "random",
)
CALLED = {"atp": "AtP", "atp_qk": "AtP + QK fix", "star": "AtP*"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A model with one pair, or with a distribution of pairs.

    Attributes:
        prompts: the `prompts` statement of its spec.
        task: a file of the task library that it takes prompts from.
    """

    name: str
    model: str
    prompts: str
    task: str | None = None
    metric: str = "logit_diff"

    @property
    def spec(self) -> str:
        """The spec, for `atpdsl compare`."""
        include = "" if self.task is None else f'include "lib:{self.task}"\n'
        return (
            f'atp 1\n{include}\nmodel "{self.model}"\n\n{self.prompts}\n\n'
            f"metric {self.metric} at last\n"
            "nodes { heads.q, heads.k, heads.v, heads.z at every }\n"
            "method atp\n"
        )


def pair(clean: str, corrupted: str, answer: str) -> str:
    """The statement for a single pair."""
    return f'prompts {{\n  pair "{clean}" -> "{corrupted}" {{ answer {answer} }}\n}}'


IOI = pair(
    "When Mary and John went to the store, John gave a drink to",
    "When Mary and John went to the store, Mary gave a drink to",
    '" Mary" vs " John"',
)
AGREEMENT = pair(
    "The keys near the cabinet",
    "The key near the cabinet",
    '[" are", " were"] vs [" is", " was"]',
)
TINY = (
    Case(name="ioi", model="tiny", prompts=IOI),
    Case(name="agreement", model="tiny", prompts=AGREEMENT),
    Case(
        name="gender",
        model="tiny",
        prompts=pair(
            "So Mary is a good friend, isn't",
            "So John is a good friend, isn't",
            '" she" vs " he"',
        ),
    ),
    Case(
        name="greater_than",
        model="tiny",
        task="greater_than",
        prompts="prompts from greater_than { count = 1 }",
        metric="prob_diff",
    ),
    Case(
        name="successor",
        model="tiny",
        prompts=pair(
            "Monday, Tuesday, Wednesday,",
            "Monday, Tuesday, Friday,",
            '" Thursday" vs " Saturday"',
        ),
    ),
    Case(
        name="ioi, 64 pairs",
        model="tiny",
        task="ioi",
        prompts="prompts from abba { count = 64 }",
    ),
    Case(
        name="gender, 64 pairs",
        model="tiny",
        task="gender",
        prompts="prompts from gender { count = 64 }",
    ),
)
SMOLLM2 = (
    Case(name="ioi", model="smollm2", prompts=IOI),
    Case(name="agreement", model="smollm2", prompts=AGREEMENT),
    Case(
        name="gender",
        model="smollm2",
        prompts=pair(
            "So Mary is a good friend, isn't",
            "So John is a good friend, isn't",
            '" she" vs " he"',
        ),
    ),
    Case(
        name="capital",
        model="smollm2",
        prompts=pair(
            "The capital of France is", "The capital of Italy is", '" Paris" vs " Rome"'
        ),
    ),
    Case(
        name="greater_than",
        model="smollm2",
        prompts=pair(
            "The war lasted from the year 1752 to the year 17",
            "The war lasted from the year 1702 to the year 17",
            '["6", "7", "8", "9"] vs ["0", "1", "2", "3", "4"]',
        ),
        metric="prob_diff",
    ),
    Case(
        name="capitals, 16 pairs",
        model="smollm2",
        task="capitals",
        prompts="prompts from capitals { count = 16 }",
    ),
    Case(
        name="ioi, 8 pairs",
        model="smollm2",
        task="ioi",
        prompts="prompts from abba { count = 8 }",
    ),
)


def main() -> None:
    """Run what has not been run, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, help="where comparisons are kept")
    parser.add_argument("--only", help="only cases whose model and name contain this")
    parser.add_argument("--list", action="store_true", help="only name the cases")
    chosen = parser.parse_args()
    cases = [c for c in (*TINY, *SMOLLM2) if not chosen.only or chosen.only in key(c)]
    if chosen.list:
        sys.stdout.write("".join(f"{key(case)}\n" for case in cases))
        return
    found = [(case, compared(case, chosen.folder)) for case in cases]
    sys.stdout.write("\n".join(page(found)) + "\n")


def key(case: Case) -> str:
    """The name of a case's folder."""
    return f"{case.model}-{case.name.replace(', ', '-').replace(' ', '-')}"


def compared(case: Case, folder: Path) -> Comparison:
    """The comparison of a case, from its folder if it has been made."""
    out = folder / key(case)
    if out.is_dir():
        return atpdsl.load_comparison(out)
    folder.mkdir(parents=True, exist_ok=True)
    spec = folder / f"{key(case)}.atp"
    spec.write_text(case.spec, encoding="utf-8")
    began = time.perf_counter()
    found = atpdsl.compare(spec, out=out)
    sys.stderr.write(f"{key(case)}: {time.perf_counter() - began:.0f} s\n")
    return found


def page(found: Sequence[tuple[Case, Comparison]]) -> Iterator[str]:
    """All tables, in Markdown."""
    yield f"{explained()}\n"
    for model in dict.fromkeys(case.model for case, _ in found):
        mine = [one for one in found if one[0].model == model]
        for single, words in ((True, "single pairs"), (False, "distributions")):
            some = [one for one in mine if (one[1].record.pairs == 1) is single]
            if some:
                yield f"### {model}, means over {len(some)} {words}\n"
                yield from means(some)
                yield ""
        for case, comparison in mine:
            exact = comparison.record.exact[0]
            metric = comparison.result.record.metric
            yield (
                f"### {model}, {case.name}: {exact.candidates:,} nodes"
                f" (metric {metric.clean:.2f} clean, {metric.corrupted:.2f} corrupted)\n"
            )
            yield from table(comparison)
            yield ""


def table(comparison: Comparison) -> Iterator[str]:
    """One case: a row per method."""
    tops = [one.top for one in comparison.record.methods[0].recall]
    yield from heading("method", "cost", *(f"@{top}" for top in tops), *LAST)
    for one in ordered(comparison):
        yield row(
            CALLED.get(one.label, one.label),
            f"{one.estimation:.0f}",
            *(f"{100 * recall.hits / recall.of:.0f}%" for recall in one.recall),
            *last(one, comparison),
        )


LAST = ("all 100", "IRWRGM", "perfect", "order only")


def last(one: Compared, comparison: Comparison) -> Iterator[str]:
    """What stands at the end of a row."""
    spent = dict(zip(one.curve.k, one.curve.cost, strict=True)).get(100)
    yield "" if spent is None else f"{spent - one.estimation:,.0f}"
    yield f"{one.irwrgm:.2f}"
    nodes = comparison.record.exact[0].candidates
    yield f"{irwrgm(one.estimation + np.arange(1.0, nodes + 1)):.2f}"
    order = order_only(one, comparison)
    yield "" if order is None else f"{order:.2f}"


def order_only(one: Compared, comparison: Comparison) -> float | None:
    """IRWRGM as if estimates cost nothing: how good the order is by itself.

    None for searches, whose order is not that of their estimates.
    """
    if one.method in {"hierarchical", "iterative", "random", "blocks"}:
        return None
    scores = comparison.result.scores
    mine = scores[scores["method"] == one.label]
    effects = mine["effect"].abs().to_numpy()
    real = effects > 0
    order = np.argsort(-mine["estimate"].to_numpy()[real], kind="stable")
    return irwrgm(costs(order, effects[real], np.arange(1.0, real.sum() + 1)))


def explained() -> str:
    """What the columns are."""
    return (
        "cost: forward passes per pair before the first node is verified (a backward pass"
        " counts 2, the QK fix 2). @K: share of the K largest |mean effects| among the first K."
        " All 100: forward passes after the estimates until the 100 largest are verified."
        " IRWRGM: with the cost; perfect: that of a perfect order at the same cost; order only:"
        " as if estimates cost nothing, over nodes with an effect."
    )


def means(found: Sequence[tuple[Case, Comparison]]) -> Iterator[str]:
    """Recalls averaged over the cases, and geometric means of IRWRGM."""
    yield from heading("method", *(f"@{top}" for top in TOPS), "IRWRGM", "order only")
    for label in ORDER:
        both = [(m, c) for _, c in found for m in c.record.methods if m.label == label]
        methods = [method for method, _ in both]
        orders = [order for m, c in both if (order := order_only(m, c)) is not None]
        recalls = [
            fmean(r.hits / r.of for m in methods for r in m.recall if r.top == top)
            for top in TOPS
        ]
        yield row(
            CALLED.get(label, label),
            *(f"{100 * recall:.0f}%" for recall in recalls),
            geometric_mean(m.irwrgm for m in methods),
            geometric_mean(orders) if orders else "",
        )


def geometric_mean(numbers: Iterable[float]) -> str:
    """Of ratios, as they are printed."""
    return f"{np.exp(fmean(np.log(list(numbers)))):.2f}"


def ordered(comparison: Comparison) -> list[Compared]:
    """The methods in the order in which they are always listed."""
    return sorted(comparison.record.methods, key=lambda one: ORDER.index(one.label))


def heading(*cells: str) -> Iterator[str]:
    """A row of headings and the line under it; numbers stand on the right."""
    yield row(*cells)
    yield row("---", *("--:" for _ in cells[1:]))


def row(*cells: str) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
