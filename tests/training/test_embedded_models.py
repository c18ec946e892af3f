"""The shipped directories, as they are in the package."""

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from training import corpus
from training.card import model_card
from training.evaluate import Score, failed_tasks, load, score_all, table
from training.tasks import GATES
from training.tokenizer import build_tokenizer

EMBEDDED = Path(__file__).parents[2] / "atpdsl" / "embedded"
DOCUMENTATION = Path(__file__).parents[2] / "docs" / "models" / "embedded.md"
FRESH_SEED = 20_011
MEGABYTE = 1_000_000

each_model = pytest.mark.parametrize("name", GATES)


@each_model
def test_it_does_its_tasks_on_fresh_pairs(name):
    model, tokenizer = load(EMBEDDED / name)

    scores = score_all(model, tokenizer, GATES[name], pairs=100, seed=FRESH_SEED)

    assert failed_tasks(scores, name) == []


@each_model
def test_it_loads_in_32_bits_from_16(name):
    model, _ = load(EMBEDDED / name)
    stored = load_file(EMBEDDED / name / "model.safetensors")

    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert {weight.dtype for weight in stored.values()} == {torch.float16}


@each_model
def test_raw_tokenizer_gives_the_same_ids(name):
    _, tokenizer = load(EMBEDDED / name)
    raw = Tokenizer.from_file(str(EMBEDDED / name / "tokenizer.json"))
    texts = ["".join(pieces) for pieces in corpus.sample_texts(seed=5, count=500)]
    texts += ["Zyx, 1732 to 17:\n naïve  東京 🙂", "", " ", "7", "  a\t"]

    assert [raw.encode(text).ids for text in texts] == tokenizer(texts)["input_ids"]


@each_model
def test_tokenizer_is_the_one_that_the_script_builds(name):
    shipped = Tokenizer.from_file(str(EMBEDDED / name / "tokenizer.json"))

    assert shipped.get_vocab() == build_tokenizer().get_vocab()


@each_model
def test_record_passes_the_gate(name):
    facts = json.loads((EMBEDDED / name / "eval.json").read_text(encoding="utf-8"))
    accuracies = {task: s["accuracy"] for task, s in facts["evaluation"]["tasks"].items()}

    assert facts["model"] == name
    assert accuracies.keys() == GATES[name].keys()
    assert [task for task, least in GATES[name].items() if accuracies[task] < least] == []


@each_model
def test_card_says_what_the_record_says(name):
    facts = json.loads((EMBEDDED / name / "eval.json").read_text(encoding="utf-8"))

    assert (EMBEDDED / name / "README.md").read_text(encoding="utf-8") == model_card(facts)


@each_model
def test_no_file_has_a_path_of_the_machine_it_was_made_on(name):
    for file in (EMBEDDED / name).glob("*.json"):
        assert not re.search(r'"(/|~|[A-Z]:\\\\)\w+/', file.read_text(encoding="utf-8"))


def test_all_models_together_fit_in_five_megabytes():
    sizes = [file.stat().st_size for file in EMBEDDED.rglob("*") if file.is_file()]

    assert sum(sizes) <= 5 * MEGABYTE


def test_mlps_of_the_induction_model_add_nothing():
    model, _ = load(EMBEDDED / "induction")
    mlps = [p for name, p in model.named_parameters() if ".mlp." in name]

    assert mlps
    assert not any(p.any() for p in mlps)


def test_llama_shares_its_keys_and_values():
    model, _ = load(EMBEDDED / "tiny-llama")

    assert model.config.model_type == "llama"
    assert model.config.num_key_value_heads < model.config.num_attention_heads


@pytest.mark.slow
@each_model
def test_bridge_computes_the_same_logits(name):
    from transformer_lens.model_bridge import TransformerBridge  # slow to import

    model, tokenizer = load(EMBEDDED / name)
    tokens = torch.tensor(
        [[0, *tokenizer("When John and Mary went to the store,")["input_ids"]]]
    )
    bridge = TransformerBridge.boot_transformers(str(EMBEDDED / name), device="cpu")

    with torch.no_grad():
        expected = model(tokens, attention_mask=torch.ones_like(tokens)).logits
        logits = bridge(tokens)

    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)  # eager against fused


@each_model
def test_documentation_has_the_measured_table(name):
    facts = json.loads((EMBEDDED / name / "eval.json").read_text(encoding="utf-8"))
    scores = {task: Score(**score) for task, score in facts["evaluation"]["tasks"].items()}

    assert table(scores, name) in DOCUMENTATION.read_text(encoding="utf-8")
