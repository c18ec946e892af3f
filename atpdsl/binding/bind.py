"""An experiment bound to a model: everything that can be settled without running it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from atpdsl.binding.amounts import check_circuit, check_pairs, check_stop, counted
from atpdsl.binding.findings import gathered, has_errors
from atpdsl.binding.named import check_positions
from atpdsl.binding.nodeset import NodeSet
from atpdsl.binding.pairs import TextPair, TokenPair, TokenPairs
from atpdsl.binding.select import select_nodes
from atpdsl.binding.targets import check_expectations
from atpdsl.binding.texts.expand import expand
from atpdsl.binding.tokens.counter import TokenCounter
from atpdsl.binding.tokens.positions import Finder, make_finder
from atpdsl.binding.tokens.tokenise import Tokenised, TokenRules, tokenise
from atpdsl.models.shape import ModelShape
from atpdsl.models.tokenizer import ModelTokenizer
from atpdsl.problems import Label, Problem, Severity, Span
from atpdsl.semantics.experiment import Experiment, Placement, TemplatePrompts

# Characters of prompts that cannot be used, after which no further pairs are read.
MOST_UNUSABLE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """An experiment with its token pairs and node sets, ready to be planned.

    Attributes:
        experiment: with shares of all nodes as numbers.
    """

    experiment: Experiment
    shape: ModelShape
    pairs: TokenPairs
    nodes: tuple[NodeSet, ...]

    @property
    def node_count(self) -> int:
        """Nodes in all sets together."""
        return sum(len(nodes) for nodes in self.nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The pairs of an experiment as they were read.

    Attributes:
        problems: those of making the texts; each pair has its own.
    """

    pairs: tuple[Tokenised, ...]
    rules: TokenRules
    problems: tuple[Problem, ...]


def bind(
    experiment: Experiment,
    shape: ModelShape,
    tokenizer: ModelTokenizer,
    base: Path,
    *,
    reading: Reading | None = None,
) -> tuple[Bound | None, tuple[Problem, ...]]:
    """Make the pairs and the node sets, and find all that is wrong with them.

    Args:
        experiment: the spec, resolved.
        shape: the model's sizes.
        tokenizer: the model's tokenizer.
        base: the folder of the spec, from which the paths of data files start.
        reading: what `read_pairs` gives, where that is known.

    Returns:
        What was bound, None if a problem is an error; and all problems, warnings too.
    """
    reading = reading or read_pairs(experiment, shape, tokenizer, base)
    rules = reading.rules
    pairs = tuple(one.pair for one in reading.pairs if one.pair is not None)
    nodes, node_problems = select_nodes(experiment.nodes, shape, pairs)
    total = sum(map(len, nodes))
    problems = (
        *reading.problems,
        *gathered(finding for one in reading.pairs for finding in one.findings),
        *check_positions(experiment, reading.pairs, rules.finder),
        *node_problems,
        *check_expectations(experiment.expectations, nodes, shape, pairs),
        *check_circuit(experiment, total),
        *check_stop(experiment, total),
        *check_pairs(experiment, len(reading.pairs)),
        *_mixed_words(experiment, pairs),
    )
    if has_errors(problems):
        return None, problems
    token_pairs = TokenPairs(pairs=pairs, pad_id=tokenizer.pad_id, bos_id=rules.bos_id)
    experiment = counted(experiment, total)
    bound = Bound(experiment=experiment, shape=shape, pairs=token_pairs, nodes=nodes)
    return bound, problems


def read_pairs(
    experiment: Experiment, shape: ModelShape, tokenizer: ModelTokenizer, base: Path
) -> Reading:
    """The pairs of an experiment as tokens, also those that cannot be used; as for `bind`."""
    prompts = experiment.prompts
    tokens = TokenCounter(tokenizer)
    texts, text_problems = expand(prompts, experiment.run.seed, base, tokens)
    finder, pattern_problems = make_finder(prompts.positions)
    rules = _rules(experiment, shape, tokenizer, finder)
    return Reading(
        pairs=tuple(_tokenised(texts, rules)),
        rules=rules,
        problems=(*text_problems, *pattern_problems),
    )


def _tokenised(texts: Iterable[TextPair], rules: TokenRules) -> Iterator[Tokenised]:
    """Pairs as tokens; after much text that cannot be used there is no need for more of it."""
    unusable = 0
    for number, pair in enumerate(texts, 1):
        one = tokenise(pair, number, rules)
        yield one
        if one.pair is None:
            unusable += len(pair.clean) + len(pair.corrupted)
        if unusable > MOST_UNUSABLE:
            return


def _rules(
    experiment: Experiment, shape: ModelShape, tokenizer: ModelTokenizer, finder: Finder
) -> TokenRules:
    formula = experiment.metric.formula
    return TokenRules(
        tokenizer=tokenizer,
        bos_id=tokenizer.bos_id if experiment.prompts.bos else None,
        n_context=shape.n_context,
        d_vocab=shape.d_vocab,
        finder=finder,
        metric_position=experiment.metric.position,
        sets=() if formula is None else formula.sets,
    )


def _mixed_words(experiment: Experiment, pairs: tuple[TokenPair, ...]) -> tuple[Problem, ...]:
    """A warning if `at every` puts different words of different prompts into one node."""
    every = (one for one in experiment.nodes if one.placement is Placement.EVERY)
    selection = next(every, None)
    reason = _why_mixed(experiment, pairs)
    if selection is None or reason is None:
        return ()
    problem = Problem(
        code="ATP266",
        message=f"`at every` counts tokens from the start, and {reason}: one number stands for"
        " different words",
        at=Label(selection.span),
        help="for words that move choose named positions, as in `at S2, last`",
        severity=Severity.WARNING,
    )
    return (problem,)


def _why_mixed(experiment: Experiment, pairs: tuple[TokenPair, ...]) -> str | None:
    lengths = {len(pair.clean) for pair in pairs}
    if len(lengths) > 1:
        return f"the clean prompts have {min(lengths)} to {max(lengths)} tokens"
    templates = _templates(experiment) & {pair.text.origin for pair in pairs}
    if len(templates) > 1:
        return f"the pairs come from {len(templates)} templates"
    names = {name for pair in pairs for name in pair.positions}
    for name in sorted(names):
        places = {pair.positions[name][0] for pair in pairs if name in pair.positions}
        if len(places) > 1:
            return f"`{name}` is at {min(places)} in one prompt and {max(places)} in another"
    return None


def _templates(experiment: Experiment) -> set[Span]:
    parts = (part for part in experiment.prompts.parts if isinstance(part, TemplatePrompts))
    return {template.span for part in parts for template in part.templates}
