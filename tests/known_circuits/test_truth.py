"""The ground truth, without the engine: programs, weights and effects belong together."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.known_circuits.hand_built import HAND_BUILT
from tests.known_circuits.models import COMPILED, MODELS, KnownModel, compiled
from tests.known_circuits.plain import exact_effects, logits, nodes_of
from tests.known_circuits.programs import PROGRAMS

# Float32 softmaxes of tracr's leave about 1e-6 of attention where there should be none.
LEAK = 1e-5
LAST = {"shuffle_dyck": 1, "detect_pattern": 3, "reverse": 3}
"""Models with so many nodes that patching them one by one is done on the last pairs only."""


def effects_agree(model: KnownModel, last: int, tolerance: float) -> None:
    for pair in model.pairs[-last:]:
        measured = {str(node): e for node, e in exact_effects(model, pair).items()}
        assert set(pair.effects) <= set(measured)
        assert measured == pytest.approx(
            {node: pair.effects.get(node, 0.0) for node in measured}, abs=tolerance
        )


@pytest.mark.parametrize("name", COMPILED)
def test_effects_of_the_program_are_effects_in_the_model(name):
    """Of every node: those that the program says have one, and all others, which have none."""
    effects_agree(compiled(name), LAST.get(name, 8), LEAK)


@pytest.mark.parametrize("name", HAND_BUILT)
def test_effects_worked_out_by_hand_are_effects_in_the_model(name):
    effects_agree(HAND_BUILT[name](), 8, 1e-12)


@pytest.mark.parametrize("name", COMPILED)
def test_the_model_computes_what_its_program_says(name):
    model = compiled(name)
    known = json.loads((MODELS / f"{name}.json").read_text())
    for pair in model.pairs:
        for prompt, right in ((pair.clean, pair.answer), (pair.corrupted, pair.foil)):
            tokens = [known["tokens"][token] for token in prompt[1:]]
            expected = PROGRAMS[name](tokens, pair.read - 1)
            given = logits(model, prompt, lambda _, values: values)[pair.read]

            assert known["outputs"][right] == expected
            assert known["outputs"][int(given.argmax())] == expected
            assert pytest.approx(1.0, abs=LEAK) == float(given.max())


@pytest.mark.parametrize("name", COMPILED)
def test_the_parts_of_the_circuit_and_no_others_have_effects(name):
    model = compiled(name)
    part = {str(node): node.part for node in nodes_of(model)}
    used = Counter(part[node] for pair in model.pairs for node in pair.effects)

    assert set(used) == set(model.circuit)


def test_the_models_are_small():
    assert sum(file.stat().st_size for file in MODELS.iterdir()) < 1_000_000
