"""AtP, AtP* and exact patching against the Hugging Face model and against TransformerLens.

The first benchmark of this package, kept so that older numbers can be compared: its floor is
that of the Hugging Face model. `benchmarks.atp` and `benchmarks.exact` are the ones to use.

    python -m benchmarks.atp_floor [--layers 12] [--pairs 8] [--tokens 16] [--rounds 5]
"""

from __future__ import annotations

from benchmarks.experiments import QUESTIONS, Question, present, work
from benchmarks.floor import hugging_face_floor
from benchmarks.measuring import Work, contest
from benchmarks.models import hugging_face, loaded
from benchmarks.options import read
from benchmarks.tables import Report

FLOOR = "Hugging Face floor"
ASKED = {
    "atp, heads q/k/v/z + MLPs": QUESTIONS["AtP, heads q/k/v/z + MLPs"],
    "atp, the same and all neurons": QUESTIONS["AtP, heads + MLPs + neurons"],
    "QK fix, heads + MLPs": Question(methods=("atp qk_fix",)),
    "AtP* (QK fix and GradDrop), heads + MLPs": QUESTIONS["AtP*, heads + MLPs"],
    "QK fix and first readers, heads + MLPs": Question(methods=("atp qk_fix first_reader",)),
}


def main() -> None:
    """Measure and print."""
    options = read(__doc__, rounds=5)
    pairs = options.random_pairs()
    plain = hugging_face(options.sizes, attention="eager")
    model = loaded(options.sizes)
    contestants: dict[str, Work] = {FLOOR: lambda: hugging_face_floor(plain, pairs)}
    executors = present(options.executors)
    for executor in executors:
        for name, asked in ASKED.items():
            contestants[f"{name}|{executor}"] = work(asked, pairs, model, executor)
    times = contest(contestants, options.rounds)
    report = Report("atp_floor", "AtP", options)
    for key, one in times.items():
        name, _, executor = key.partition("|")
        report.line(name, executor or "Hugging Face", one, (FLOOR, times[FLOOR]))
    report.finish()


if __name__ == "__main__":
    main()
