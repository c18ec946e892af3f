"""The questions that a trained model has to answer, and the accuracy asked of each model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random

from training import corpus

INDUCTION = "induction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A prompt with the next words that are right and wrong.

    By `mass`, the right words must be more probable together than the wrong ones; otherwise
    every right word must be more probable than every wrong one.
    """

    prompt: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    by_mass: bool = False


Ask = Callable[[Random], Question]


def ask_ioi(rng: Random, *, order: str, templates: tuple[str, ...]) -> Question:
    """Who receives; in `ABC` a third person gives, and either of the first two may receive."""
    first, second, third = rng.sample(corpus.NAMES, 3)
    giver, receivers = {
        "ABBA": (second, (first,)),
        "BABA": (first, (second,)),
        "ABC": (third, (first, second)),
    }[order]
    prompt = corpus.fill_ioi(rng.choice(templates), rng, a=first, b=second, s=giver)
    return Question(
        prompt=prompt, right=tuple(f" {name}" for name in receivers), wrong=(f" {giver}",)
    )


def ask_held_out(rng: Random, *, template: str) -> Question:
    """IOI in a sentence frame that no training text has, in both orders."""
    return ask_ioi(rng, order=rng.choice(("ABBA", "BABA")), templates=(template,))


def ask_greater_than(rng: Random) -> Question:
    """A later year of the same century."""
    start = rng.randint(2, 98)
    prompt = corpus.GREATER_THAN_TEMPLATE.format(
        event=rng.choice(corpus.EVENTS), century=rng.randint(11, 19), start=f"{start:02d}"
    )
    return Question(
        prompt=prompt,
        right=tuple(f"{year:02d}" for year in range(start + 1, 100)),
        wrong=tuple(f"{year:02d}" for year in range(start + 1)),
        by_mass=True,
    )


def ask_gender(rng: Random) -> Question:
    """The subject pronoun of a name."""
    name = rng.choice(corpus.NAMES)
    subject_templates = tuple(t for t in corpus.GENDER_TEMPLATES if "| {he}" in t)
    prompt = corpus.prompt_of(rng.choice(subject_templates)).format(
        name=name,
        adjective=rng.choice(corpus.ADJECTIVES),
        place=rng.choice(corpus.PLACES),
        object=rng.choice(corpus.OBJECTS),
    )
    right, wrong = (" he", " she") if name in corpus.MALE_NAMES else (" she", " he")
    return Question(prompt=prompt, right=(right,), wrong=(wrong,))


def ask_capital(rng: Random) -> Question:
    """The capital of a country, or the country of a capital, against another one."""
    country, other = rng.sample(corpus.COUNTRIES, 2)
    template = rng.choice(corpus.CAPITAL_TEMPLATES)
    city, other_city = corpus.CAPITALS[country], corpus.CAPITALS[other]
    right, wrong = (city, other_city) if "| {city}" in template else (country, other)
    prompt = corpus.prompt_of(template).format(
        country=country, city=city, name=rng.choice(corpus.NAMES)
    )
    return Question(prompt=prompt, right=(f" {right}",), wrong=(f" {wrong}",))


def ask_agreement(rng: Random, *, kind: str) -> Question:
    """Singular or plural verb; the noun in between has the other number."""
    plural = rng.random() < 0.5
    subject, other = rng.sample(corpus.NOUNS, 2)
    singular_verb, plural_verb = rng.choice(corpus.VERBS)
    prompt = corpus.prompt_of(corpus.AGREEMENT_TEMPLATES[kind]).format(
        subject=corpus.PLURALS[subject] if plural else subject,
        other=other if plural else corpus.PLURALS[other],
        preposition=rng.choice(corpus.PREPOSITIONS),
    )
    right, wrong = (plural_verb, singular_verb) if plural else (singular_verb, plural_verb)
    return Question(prompt=prompt, right=(f" {right}",), wrong=(f" {wrong}",))


def ask_successor(rng: Random) -> Question:
    """What follows three days, months or numbers, against another word of the series."""
    series = rng.choice((corpus.DAYS, corpus.MONTHS, corpus.NUMBERS))
    start = rng.randrange(len(series) - 3 if series is corpus.NUMBERS else len(series))
    *shown, following = (series[(start + step) % len(series)] for step in range(4))
    wrong = rng.choice([word for word in series if word not in (*shown, following)])
    return Question(
        prompt=f"{', '.join(shown)},", right=(f" {following}",), wrong=(f" {wrong}",)
    )


TASKS: Mapping[str, Ask] = {
    "ioi-abba": partial(ask_ioi, order="ABBA", templates=corpus.IOI_TEMPLATES),
    "ioi-baba": partial(ask_ioi, order="BABA", templates=corpus.IOI_TEMPLATES),
    "ioi-abc": partial(ask_ioi, order="ABC", templates=corpus.IOI_TEMPLATES),
    **{
        f"ioi-held-out-{name}": partial(ask_held_out, template=template)
        for name, template in corpus.HELD_OUT_IOI_TEMPLATES.items()
    },
    "greater-than": ask_greater_than,
    "gender": ask_gender,
    "capital": ask_capital,
    "agreement-simple": partial(ask_agreement, kind="simple"),
    "agreement-attractor": partial(ask_agreement, kind="attractor"),
    "agreement-relative": partial(ask_agreement, kind="relative"),
    "successor": ask_successor,
}

SENTENCE_GATE: Mapping[str, float] = {
    name: 0.90 if name.startswith("ioi-held-out") else 0.95 for name in TASKS
}
GATES: Mapping[str, Mapping[str, float]] = {
    "tiny": SENTENCE_GATE,
    "induction": {INDUCTION: 0.95},
    "tiny-llama": SENTENCE_GATE,
}


def ask(task: str, *, count: int, seed: int) -> list[Question]:
    """`count` questions of one task; another seed gives fresh ones."""
    rng = Random(f"{task}/{seed}")
    return [TASKS[task](rng) for _ in range(count)]
