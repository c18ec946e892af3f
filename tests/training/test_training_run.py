"""Training, and the gate before a directory is written."""

from dataclasses import replace

import pytest
import torch

from training import corpus
from training.batches import BACKGROUND_WEIGHT, repeated_batches, weighted_rows
from training.evaluate import judge
from training.recipes import RECIPES
from training.tasks import Question
from training.tokenizer import FIRST_WORD_ID, build_tokenizer
from training.train import learning_rate_scale, ship, train


@pytest.fixture(scope="module")
def tokenizer():
    return build_tokenizer()


def test_weight_is_on_the_answers(tokenizer):
    (tokens, weights), *_ = weighted_rows([("The capital of France is", " Paris.")], tokenizer)
    answer = tokens.index(tokenizer(" Paris")["input_ids"][0])

    assert weights[answer] == 1.0
    assert {w for position, w in enumerate(weights) if position != answer} == {
        BACKGROUND_WEIGHT
    }
    assert tokens[0] == tokens[-1] == tokenizer.eos_token_id


def test_every_text_fits_the_context(tokenizer):
    rows = weighted_rows(corpus.sample_texts(seed=0, count=5_000), tokenizer)

    assert max(len(tokens) for tokens, _ in rows) <= tokenizer.model_max_length


def test_second_half_repeats_the_first(tokenizer):
    batch = next(repeated_batches(tokenizer, 8, 0))
    half = batch.tokens.shape[1] // 2

    assert batch.tokens[:, 1 : half + 1].equal(batch.tokens[:, half + 1 :])
    assert batch.tokens[:, 1:].min() >= FIRST_WORD_ID
    assert (batch.weights == 1.0).sum() == 8 * (half - 1)


@pytest.mark.parametrize("name", ["tiny", "induction", "tiny-llama"])
def test_same_seed_builds_the_same_weights(name):
    torch.manual_seed(1)
    first = RECIPES[name].build(300)
    torch.manual_seed(1)
    second = RECIPES[name].build(300)

    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert one.equal(other)


def test_same_seed_trains_the_same_weights(tokenizer):
    recipe = replace(RECIPES["induction"], batch_size=4)
    first = train(recipe, tokenizer, seed=1, steps=3)
    second = train(recipe, tokenizer, seed=1, steps=3)

    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert one.equal(other)


def test_frozen_mlps_stay_at_zero(tokenizer):
    model = train(replace(RECIPES["induction"], batch_size=4), tokenizer, seed=1, steps=3)

    assert not any(p.any() for name, p in model.named_parameters() if ".mlp." in name)


def test_learning_rate_warms_up_and_decays():
    scales = [learning_rate_scale(step, 1000) for step in (0, 99, 500, 999)]

    assert scales == pytest.approx([0.01, 0.9764, 0.51, 0.02], abs=2e-4)


def test_untrained_model_is_not_shipped(tmp_path, capsys):
    out = tmp_path / "induction"

    assert not ship("induction", out, seeds=[5, 6], steps=1)
    assert not out.exists()
    assert "seed 5 is not shipped; it fails induction" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("logits", "is_right"),
    [([2.0, 1.0, 0.0], True), ([2.0, 0.0, 1.0], False), ([0.0, 1.0, 2.0], False)],
)
def test_every_right_word_has_to_beat_every_wrong_one(logits, is_right):
    question = Question(prompt="", right=("a", "b"), wrong=("c",))

    assert judge(question, torch.tensor(logits), [0, 1], [2]).accuracy == is_right


def test_by_mass_the_right_words_count_together():
    question = Question(prompt="", right=("a", "b"), wrong=("c",), by_mass=True)
    logits = torch.tensor([0.3, 0.3, 0.4]).log()
    score = judge(question, logits, [0, 1], [2])

    assert score.accuracy == 1.0
    assert score.margin == pytest.approx(0.2)
