"""The synthetic English that the embedded models learn.

A text is a tuple of pieces. The first token of every piece but the first is an *answer*: a
token that the text before it determines, on which training puts its weight. In a template a
`|` stands before each answer, and the prompt of a task is what comes before the first `|`.

A seed fixes a corpus.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

Pieces = tuple[str, ...]

MALE_NAMES: tuple[str, ...] = tuple(
    "John James Robert Michael William David Richard Joseph Thomas Charles Daniel Matthew "
    "Mark Paul Steven Andrew Kenneth Kevin Brian George Peter Tom Jack Henry Adam Simon Luke "
    "Max Leo Sam Martin Scott Eric Dan Bob Jim".split()
)
FEMALE_NAMES: tuple[str, ...] = tuple(
    "Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Lisa Nancy Betty "
    "Margaret Sandra Ashley Emily Donna Michelle Carol Amanda Laura Anna Alice Julia Emma Lucy "
    "Kate Rose Helen Amy Jane Rachel Maria Claire Ruth".split()
)
NAMES = MALE_NAMES + FEMALE_NAMES
PLACES: tuple[str, ...] = tuple(
    "store park school garden restaurant office station beach museum hospital library house "
    "market church hotel bank theater airport zoo kitchen farm castle lake river village gym "
    "pool bar cafe mall club studio".split()
)
OBJECTS: tuple[str, ...] = tuple(
    "drink book ball ring letter computer basketball bone necklace snack kiss gift card phone "
    "coin map cup bag hat toy flower pen watch camera guitar sandwich ticket cake box lamp "
    "shirt blanket".split()
)
GIVE: Mapping[str, str] = {
    "gave": "give",
    "handed": "hand",
    "passed": "pass",
    "offered": "offer",
    "showed": "show",
    "sent": "send",
    "brought": "bring",
}
EVENTS: tuple[str, ...] = tuple(
    "war party trip strike trial voyage project festival reign siege journey meeting battle "
    "plague drought mission".split()
)
CAPITALS: Mapping[str, str] = {
    "France": "Paris",
    "Germany": "Berlin",
    "Italy": "Rome",
    "Spain": "Madrid",
    "Japan": "Tokyo",
    "China": "Beijing",
    "Russia": "Moscow",
    "Egypt": "Cairo",
    "Greece": "Athens",
    "Portugal": "Lisbon",
    "Austria": "Vienna",
    "Poland": "Warsaw",
    "Norway": "Oslo",
    "Sweden": "Stockholm",
    "Finland": "Helsinki",
    "Denmark": "Copenhagen",
    "Ireland": "Dublin",
    "England": "London",
    "Scotland": "Edinburgh",
    "Hungary": "Budapest",
    "Turkey": "Ankara",
    "Iran": "Tehran",
    "Iraq": "Baghdad",
    "Cuba": "Havana",
    "Peru": "Lima",
    "Chile": "Santiago",
    "Canada": "Ottawa",
    "Kenya": "Nairobi",
    "India": "Delhi",
    "Thailand": "Bangkok",
    "Belgium": "Brussels",
    "Romania": "Bucharest",
    "Bulgaria": "Sofia",
    "Ukraine": "Kiev",
    "Serbia": "Belgrade",
    "Croatia": "Zagreb",
    "Israel": "Jerusalem",
    "Lebanon": "Beirut",
    "Syria": "Damascus",
    "Qatar": "Doha",
}
COUNTRIES = tuple(CAPITALS)
CITIES = tuple(CAPITALS.values())
PLURALS: Mapping[str, str] = {
    singular: singular + "s"
    for singular in (
        "key cabinet dog boy girl author pilot teacher student farmer doctor senator manager "
        "customer guard chef parent minister table car lawyer singer painter driver nurse "
        "soldier actor bird cat king"
    ).split()
}
NOUNS = tuple(PLURALS)
PREPOSITIONS: tuple[str, ...] = ("to", "near", "behind", "beside")
VERBS: tuple[tuple[str, str], ...] = (("is", "are"), ("was", "were"), ("has", "have"))
PREDICATES: Mapping[str, tuple[str, ...]] = {
    "is": ("old", "here", "happy", "lost"),
    "was": ("old", "here", "happy", "lost"),
    "has": ("gone", "left"),
}
ADJECTIVES: tuple[str, ...] = tuple("great good kind close nice clever funny brave".split())
DAYS: tuple[str, ...] = tuple(
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
)
MONTHS: tuple[str, ...] = tuple(
    "January February March April May June July August September October November "
    "December".split()
)
NUMBERS: tuple[str, ...] = tuple(
    "one two three four five six seven eight nine ten eleven twelve".split()
)

IOI_TEMPLATES: tuple[str, ...] = (
    "When {a} and {b} went to the {place}, {s} {gave} a {object} to",
    "When {a} and {b} were at the {place}, {s} {gave} the {object} to",
    "After {a} and {b} went to the {place}, {s} {gave} a {object} to",
    "While {a} and {b} were walking to the {place}, {s} {gave} a {object} to",
    "While {a} and {b} were working at the {place}, {s} {gave} a {object} to",
    "Then, {a} and {b} went to the {place}. {s} {gave} a {object} to",
    "Then, {a} and {b} had a lot of fun at the {place}. {s} {gave} the {object} to",
    "Then, {a} and {b} were working at the {place}. {s} decided to {give} a {object} to",
    "Then, {a} and {b} were thinking about going to the {place}."
    " {s} wanted to {give} a {object} to",
    "Then, {a} and {b} had a long argument. Afterwards, {s} said to",
    "Afterwards, {a} and {b} went to the {place}. {s} {gave} a {object} to",
    "After the lunch, {a} and {b} went to the {place}. {s} {gave} a {object} to",
    "The {place} {a} and {b} went to had a {object}. {s} {gave} it to",
    "Friends {a} and {b} found a {object} at the {place}. {s} {gave} it to",
    "{a} and {b} met at the {place}, where {s} {gave} a {object} to",
    "Yesterday, {a} saw {b} at the {place}, and {s} {gave} the {object} to",
    "{a} met {b} near the {place}. Later, {s} {gave} a {object} to",
    "At the {place}, {a} and {b} sat down and {s} {gave} a {object} to",
    "In the morning, {a} and {b} left the {place} early, so {s} {gave} the {object} to",
    "{a} was with {b} at the {place} when {s} {gave} a {object} to",
    "It was late when {a} and {b} came home from the {place}, but {s} {gave} a {object} to",
    "My friends {a} and {b} got a {object}. At the {place}, {s} {gave} it to",
    "The {object} was lost until {a} and {b} came to the {place}. There, {s} {gave} it to",
    "Because {a} had helped {b} at the {place}, {s} {gave} a {object} to",
    "Before {a} and {b} left for the {place}, {s} wanted to {give} the {object} to",
    "With {a} and {b} alone in the {place}, {s} decided to {give} a {object} to",
    "{a} and {b} were looking for a {object} until {s} found it and {gave} it to",
    "The {object} belonged to {a} and {b}, but {s} {gave} it to",
    "Nobody but {a} and {b} was at the {place} after {s} {gave} the {object} to",
    "{a} asked {b} about the {object}, and {s} {gave} it to",
    "In the {place} there was a {object} for {a} and {b}, so {s} {gave} it to",
    "{a} and {b} bought a {object} together, then {s} decided to {give} the {object} to",
    "Since {a} and {b} were friends, {s} wanted to {give} a {object} to",
    "Everyone saw {a} and {b} leave the {place} after {s} {gave} a {object} to",
    "On the way to the {place}, {a} talked with {b} while {s} {gave} the {object} to",
    "There was a {object} in the {place}. {a} and {b} wanted it, but {s} {gave} it to",
    "{a} sat near {b} in the {place} before {s} {gave} the {object} to",
    "To help {a} and {b}, the {place} had a {object}, which {s} {gave} to",
    "If {a} and {b} go to the {place}, {s} will {give} a {object} to",
    "Both {a} and {b} like the {place}, so {s} {gave} a {object} to",
    "{a}, who met {b} at the {place}, had a {object}. {s} {gave} it to",
    "Once upon a time {a} and {b} lived in a {place}. {s} had a {object} and {gave} it to",
    "{a} wrote to {b} about the {place}. The next day, {s} {gave} the {object} to",
    "As {a} and {b} walked home, {s} {gave} a {object} to",
    "Tired of the {place}, {a} and {b} sat down. {s} {gave} the {object} to",
)
IOI_LEADS: tuple[str, ...] = (
    "It was late. ",
    "Listen. ",
    "It was a nice day. ",
    "Everyone was happy. ",
    "This is what they told us. ",
    "Nobody knew why. ",
)
HELD_OUT_IOI_TEMPLATES: Mapping[str, str] = {
    "got": "When {a} and {b} got a {object} at the {place}, {s} decided to give it to",
    "saw": "At the {place}, {a} saw {b} with a {object}. Later, {s} wanted to {give} it to",
    "friends": "My friends {a} and {b} were thinking about a {object} when {s} decided to"
    " {give} it to",
}
GREATER_THAN_TEMPLATE = (
    "The {event} lasted from the year {century}{start} to the year {century}"
)
GENDER_TEMPLATES: tuple[str, ...] = (
    "So {name} is a {adjective} friend, isn't| {he}?",
    "{name} went to the {place} because| {he} wanted a {object}.",
    "{name} lost the {object} at the {place}, so| {he} was sad.",
    "When {name} was at the {place},| {he} found| {his} {object}.",
    "{name} is a {adjective} friend, and everyone likes| {him}.",
)
CAPITAL_TEMPLATES: tuple[str, ...] = (
    "The capital of {country} is| {city}.",
    "{city} is the capital of| {country}.",
    "{name} flew to {city}, the capital of| {country}.",
    "{name} lives in {country}, in the city of| {city}.",
    "The city of {city} is in| {country}.",
)
AGREEMENT_TEMPLATES: Mapping[str, str] = {
    "simple": "The {subject}| {verb} {predicate}.",
    "attractor": "The {subject} {preposition} the {other}| {verb} {predicate}.",
    "relative": "The {subject} that the {other} liked| {verb} {predicate}.",
}


def prompt_of(template: str) -> str:
    """What a template says before its first answer."""
    return template.split("|", maxsplit=1)[0]


def fill_ioi(template: str, rng: Random, *, a: str, b: str, s: str) -> str:
    """An IOI prompt with the names given and everything else drawn."""
    gave = rng.choice(tuple(GIVE))
    return template.format(
        a=a,
        b=b,
        s=s,
        place=rng.choice(PLACES),
        object=rng.choice(OBJECTS),
        gave=gave,
        give=GIVE[gave],
    )


def ioi(rng: Random) -> Pieces:
    """Indirect object identification: ABBA, BABA, and one in seven with a third giver (ABC).

    Some texts have a short sentence first, so that the positions of the names say little.
    """
    a, b, third = rng.sample(NAMES, 3)
    giver, receiver = rng.sample((a, b), 2)
    if rng.random() < 1 / 7:
        giver = third
    lead = rng.choice(IOI_LEADS) if rng.random() < 0.3 else ""
    prompt = fill_ioi(lead + rng.choice(IOI_TEMPLATES), rng, a=a, b=b, s=giver)
    return prompt, f" {receiver}."


def greater_than(rng: Random) -> Pieces:
    """Two years of one century, the second later; start years of 01 are the usual baseline."""
    start = 1 if rng.random() < 0.08 else rng.randint(2, 98)
    prompt = GREATER_THAN_TEMPLATE.format(
        event=rng.choice(EVENTS), century=rng.randint(11, 19), start=f"{start:02d}"
    )
    return prompt, f"{rng.randint(start + 1, 99):02d}."


def gender(rng: Random) -> Pieces:
    """A name and the pronouns that agree with it."""
    name = rng.choice(NAMES)
    he, his, him = ("he", "his", "him") if name in MALE_NAMES else ("she", "her", "her")
    text = rng.choice(GENDER_TEMPLATES).format(
        name=name,
        he=he,
        his=his,
        him=him,
        adjective=rng.choice(ADJECTIVES),
        place=rng.choice(PLACES),
        object=rng.choice(OBJECTS),
    )
    return tuple(text.split("|"))


def capital(rng: Random) -> Pieces:
    """A country and its capital, asked for in either direction."""
    country = rng.choice(COUNTRIES)
    text = rng.choice(CAPITAL_TEMPLATES).format(
        country=country, city=CAPITALS[country], name=rng.choice(NAMES)
    )
    return tuple(text.split("|"))


def agreement(rng: Random) -> Pieces:
    """A verb that agrees with its subject, whatever noun stands between."""
    plural = rng.random() < 0.5
    subject = rng.choice(NOUNS)
    other = rng.choice(NOUNS)
    verb = rng.choice(VERBS)
    kind = rng.choices(tuple(AGREEMENT_TEMPLATES), (1, 2, 1))[0]
    text = AGREEMENT_TEMPLATES[kind].format(
        subject=PLURALS[subject] if plural else subject,
        other=PLURALS[other] if rng.random() < 0.5 else other,
        preposition=rng.choice(PREPOSITIONS),
        verb=verb[plural],
        predicate=rng.choice(PREDICATES[verb[0]]),
    )
    return tuple(text.split("|"))


def successor(rng: Random) -> Pieces:
    """Three to five days, months or numbers in their order; days and months wrap around."""
    series = rng.choice((DAYS, MONTHS, NUMBERS))
    length = rng.randint(3, 5)
    start = rng.randrange(len(series) - length + 1 if series is NUMBERS else len(series))
    words = [series[(start + step) % len(series)] for step in range(length)]
    return (f"{words[0]},", *(f" {word}," for word in words[1:-1]), f" {words[-1]}.")


SHARES: Mapping[Callable[[Random], Pieces], float] = {
    ioi: 0.54,
    greater_than: 0.15,
    gender: 0.10,
    capital: 0.08,
    agreement: 0.09,
    successor: 0.04,
}


POOL_SIZE = 160_000


def sample_texts(*, seed: int, count: int) -> list[Pieces]:
    """A corpus of `count` texts, the tasks mixed by `SHARES`."""
    rng = Random(seed)
    makers = rng.choices(tuple(SHARES), tuple(SHARES.values()), k=count)
    return [make(rng) for make in makers]


def all_templates() -> tuple[str, ...]:
    """Every sentence frame, the held-out ones included, so that no word of them is unknown."""
    return (
        *IOI_LEADS,
        *IOI_TEMPLATES,
        *HELD_OUT_IOI_TEMPLATES.values(),
        GREATER_THAN_TEMPLATE,
        *GENDER_TEMPLATES,
        *CAPITAL_TEMPLATES,
        *AGREEMENT_TEMPLATES.values(),
    )


def inner_words() -> tuple[str, ...]:
    """Every word that fills a slot, in the form it has inside a sentence."""
    return (
        *NAMES,
        *PLACES,
        *OBJECTS,
        *GIVE.keys(),
        *GIVE.values(),
        *EVENTS,
        *COUNTRIES,
        *CITIES,
        *PLURALS.keys(),
        *PLURALS.values(),
        *PREPOSITIONS,
        *(form for verb in VERBS for form in verb),
        *(word for words in PREDICATES.values() for word in words),
        *ADJECTIVES,
        *"he she his her him".split(),
        *DAYS,
        *MONTHS,
        *NUMBERS,
    )


def opening_words() -> tuple[str, ...]:
    """The slot words that also open a text, and so occur without a space before them."""
    return (*NAMES, *CITIES, *DAYS, *MONTHS, *NUMBERS)
