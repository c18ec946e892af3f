import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
)
from transformers.utils import logging

from atpdsl.models.config import ARCHITECTURES, read_shape
from atpdsl.models.files import ModelFiles, Origin
from atpdsl.models.locate import locate
from atpdsl.models.shape import ModelShape
from atpdsl.problems import Label, Problem, RunError, Span
from atpdsl.runtime import load
from atpdsl.runtime.load import (
    LoadedModel,
    bridge_from_hf,
    load_model,
    pick_device,
    pick_devices,
)
from atpdsl.runtime.native.agreement import checked_engine
from tests.models.folders import ref
from tests.small_models import (
    D_MLP,
    D_MODEL,
    FAMILIES,
    GROUPED,
    N_CONTEXT,
    N_HEADS,
    N_KV_HEADS,
    N_LAYERS,
    PARALLEL,
    VOCAB,
    bridge,
    llama_like,
    no_downcast,
    random_model,
    random_tokens,
    small_model,
)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder of each family, float32, complete but for a tokenizer that fits."""
    folders = {}
    for family in FAMILIES:
        folders[family] = tmp_path_factory.mktemp(family)
        small_model(family, torch.float32).save_pretrained(folders[family])
        (folders[family] / "tokenizer.json").write_text("{}")
    return folders


def files(folder: Path) -> ModelFiles:
    return ModelFiles(name="model", directory=folder, kind=Origin.LOCAL)


def loaded(folder: Path, *, dtype: str = "float32", device: str = "cpu") -> LoadedModel:
    shape = read_shape(folder)
    assert isinstance(shape, ModelShape)
    at = Label(Span(3, 5))
    return load_model(files(folder), shape, dtype=dtype, device=device, at=at)


def refused(folder: Path, *, dtype: str = "float32", device: str = "cpu") -> Problem:
    with pytest.raises(RunError) as caught:
        loaded(folder, dtype=dtype, device=device)
    return caught.value.problems[0]


def modules(model: LoadedModel) -> list[nn.Module]:
    return [*model.bridge.modules(), *model.bridge.original_model.modules()]


def test_loaded_model_computes_what_hugging_face_does(
    family: str, saved: dict[str, Path]
) -> None:
    model = loaded(saved[family])
    plain = AutoModelForCausalLM.from_pretrained(saved[family], attn_implementation="eager")
    tokens = random_tokens()

    with torch.no_grad():
        expected = plain.eval()(tokens).logits
        found = model.bridge(tokens)

    # float32; the bridge splits GPT-2's and NeoX' joint projections, which reorders sums.
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert model.shape.family in {"gpt2", "neox", "llama", "gemma3"}


def test_shape_is_read_from_what_hugging_face_saves(
    family: str, saved: dict[str, Path]
) -> None:
    shape = read_shape(saved[family])

    assert isinstance(shape, ModelShape)
    assert (shape.n_layers, shape.n_heads, shape.d_model) == (N_LAYERS, N_HEADS, D_MODEL)
    assert (shape.d_mlp, shape.d_vocab, shape.n_context) == (D_MLP, VOCAB, N_CONTEXT)
    assert shape.n_kv_heads == (N_KV_HEADS if family in GROUPED else N_HEADS)
    assert shape.d_head == (12 if family in {"qwen3", "gemma3"} else 8)
    assert shape.parallel is (family in PARALLEL)


VARIANTS = {
    "mistral": llama_like(MistralConfig, sliding_window=4),
    "sliding qwen2": llama_like(
        Qwen2Config, use_sliding_window=True, sliding_window=4, max_window_layers=1
    ),
    "biased llama": llama_like(LlamaConfig, attention_bias=True, mlp_bias=True),
    "tied llama": llama_like(LlamaConfig, tie_word_embeddings=True),
    "stretched llama": llama_like(
        LlamaConfig,
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": 10000.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8,
        },
    ),
    "scaled gpt2": GPT2Config(
        vocab_size=VOCAB,
        n_positions=N_CONTEXT,
        n_embd=D_MODEL,
        n_layer=N_LAYERS,
        n_head=N_HEADS,
        scale_attn_by_inverse_layer_idx=True,
        bos_token_id=0,
        eos_token_id=0,
    ),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_bridge_computes_what_hugging_face_does_with_other_settings(name: str) -> None:
    plain = random_model(VARIANTS[name])
    tokens = random_tokens(3, 12)

    with torch.no_grad(), no_downcast():
        expected = plain(tokens).logits
        found = bridge(plain)(tokens)

    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)  # logits up to 10


REFUSED = {
    "scale_attn_weights": GPT2Config(
        vocab_size=VOCAB,
        n_positions=N_CONTEXT,
        n_embd=D_MODEL,
        n_layer=N_LAYERS,
        n_head=N_HEADS,
        scale_attn_weights=False,
        bos_token_id=0,
        eos_token_id=0,
    ),
    "attn_logit_softcapping": llama_like(
        Gemma3TextConfig, head_dim=12, query_pre_attn_scalar=12, attn_logit_softcapping=2.0
    ),
}


@pytest.mark.parametrize("setting", REFUSED)
def test_bridge_computes_something_else_than_hugging_face_with_a_refused_setting(
    setting: str,
) -> None:
    plain, tokens = random_model(REFUSED[setting]), random_tokens()

    with torch.no_grad(), no_downcast():
        difference = (bridge(plain)(tokens) - plain(tokens).logits).abs().max()

    assert difference > 0.1
    assert any(setting in entry.refuse for entry in ARCHITECTURES)


def test_bridge_computes_what_hugging_face_does_in_double_precision(family: str) -> None:
    plain = small_model(family)
    tokens = random_tokens(3, 12)

    with torch.no_grad(), no_downcast():
        expected = plain(tokens).logits
        found = bridge(plain)(tokens)

    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)  # logits up to 10


def test_loaded_model_is_frozen_and_in_evaluation_mode(
    family: str, saved: dict[str, Path]
) -> None:
    model = loaded(saved[family])

    assert not any(module.training for module in modules(model))
    assert not any(p.requires_grad for module in modules(model) for p in module.parameters())


def test_attention_is_eager_whatever_the_model_was_loaded_with() -> None:
    plain = small_model("llama")
    plain.set_attn_implementation("sdpa")
    fast = bridge_from_hf(plain)
    seen: list[torch.Tensor] = []

    with fast.hooks(fwd_hooks=[("blocks.1.attn.hook_pattern", lambda t, hook: seen.append(t))]):
        fast(random_tokens())

    assert fast.original_model.config._attn_implementation == "eager"
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("float64", torch.float64), ("bfloat16", torch.bfloat16), ("float16", torch.float16)],
)
def test_dtype_is_the_one_asked_for(
    saved: dict[str, Path], dtype: str, expected: torch.dtype
) -> None:
    model = loaded(saved["qwen3"], dtype=dtype)

    assert {p.dtype for p in model.bridge.parameters()} == {expected}
    assert model.bridge(random_tokens()).dtype == expected


def test_unknown_dtype_is_a_problem(saved: dict[str, Path]) -> None:
    problem = refused(saved["gpt2"], dtype="fp32")

    assert problem.code == "ATP322"
    assert "`float32`" in problem.help


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "cpu:1", "meta", "", "mps:7"])
def test_device_that_is_not_here_is_a_problem(saved: dict[str, Path], name: str) -> None:
    assert refused(saved["gpt2"], device=name).code == "ATP321"


def test_automatic_device_is_one_that_exists() -> None:
    expected = "cuda:0" if torch.cuda.is_available() else "cpu"

    assert pick_device("auto") in {expected, "mps"}
    assert pick_device("cpu") == "cpu"


def test_several_devices_are_named_with_commas() -> None:
    assert pick_devices("cpu") == ("cpu",)
    assert pick_devices("cpu,cpu") == pick_devices("cpu, cpu") == ("cpu", "cpu")


@pytest.mark.parametrize("name", ["cpu,quantum", "cpu,", ",", "cpu,cuda:99"])
def test_every_one_of_several_devices_has_to_exist(name: str) -> None:
    problem = pick_devices(name)

    assert isinstance(problem, Problem)
    assert problem.code == "ATP321"


@pytest.mark.parametrize("name", ["all", "split"])
def test_there_are_no_gpus_to_share_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)

    problem = pick_devices(name)

    assert isinstance(problem, Problem)
    assert (problem.code, name in problem.message) == ("ATP321", True)


def test_all_gpus_have_a_copy_and_a_split_model_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)

    assert pick_devices("all") == ("cuda:0", "cuda:1", "cuda:2")
    assert pick_devices("split") == ("split",)


def test_each_device_has_a_copy_of_its_own(family: str, saved: dict[str, Path]) -> None:
    model = loaded(saved[family], device="cpu,cpu")
    first, second = model.everywhere
    tokens = random_tokens()

    assert model.devices == "cpu,cpu"
    assert model.provenance()["device"] == "cpu,cpu"
    assert second.everywhere == (second,)
    theirs = dict(second.bridge.original_model.named_parameters())
    for name, tensor in first.bridge.original_model.named_parameters():
        assert torch.equal(tensor, theirs[name])
        assert tensor.data_ptr() != theirs[name].data_ptr()
    with torch.no_grad():
        assert torch.equal(first.bridge(tokens), second.bridge(tokens))


def split_over(monkeypatch: pytest.MonkeyPatch, where: dict[str, Any]) -> None:
    """Splitting is tried as on a machine with GPUs, and the layers are put `where`."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (2**30, 2**30))
    monkeypatch.setattr(load, "split_map", lambda: {"device_map": where})


def test_a_split_model_computes_what_a_whole_one_does(
    family: str, saved: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, tokens = loaded(saved[family]), random_tokens()
    split_over(monkeypatch, {"": "cpu"})

    model = loaded(saved[family], device="split")

    assert model.split
    assert (model.device, model.devices, model.replicas) == ("cpu", "split from cpu", ())
    # All its weights are in one place here, so that the native engine may be used.
    assert checked_engine(model)[1] == ""
    with torch.no_grad():
        assert torch.equal(model.bridge(tokens), whole.bridge(tokens))


def test_a_split_model_has_to_fit_all_gpus_together(
    saved: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    split_over(monkeypatch, {"": "cpu"})
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (20_000, 40_000))

    problem = refused(saved["llama"], device="split")

    assert problem.code == "ATP320"
    assert "40 kB are free" in problem.message


def test_a_split_model_is_put_on_gpus_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda number: (10 + number, 99))

    assert load.split_map() == {"device_map": "auto", "max_memory": {0: 10, 1: 11}}


@pytest.mark.gpu
def test_model_on_a_gpu_computes_what_it_does_on_the_processor(
    family: str, saved: dict[str, Path]
) -> None:
    tokens = random_tokens()
    there = loaded(saved[family], device="auto")
    here = loaded(saved[family])

    with torch.no_grad():
        found, expected = there.bridge(tokens.to(there.device)).cpu(), here.bridge(tokens)

    assert there.device == "cuda:0"
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)  # float32, other kernels
    assert not there.provenance()["tf32"]


def test_model_that_does_not_fit_is_not_loaded(
    monkeypatch: pytest.MonkeyPatch, saved: dict[str, Path]
) -> None:
    monkeypatch.setattr(load, "available_bytes", lambda: 50_000)
    monkeypatch.setattr(load, "_load_hf", lambda *_: pytest.fail("loaded all the same"))
    needed = 4 * files(saved["llama"]).n_parameters() * 1.1

    problem = refused(saved["llama"])

    assert problem.code == "ATP320"
    assert f"needs {needed / 1000:.0f} kB" in problem.message
    assert "50 kB are free" in problem.message
    assert problem.at == Label(Span(3, 5))


def test_memory_that_nothing_tells_of_is_not_held_against_a_model(
    monkeypatch: pytest.MonkeyPatch, saved: dict[str, Path]
) -> None:
    monkeypatch.setattr(load, "available_bytes", lambda: None)

    assert loaded(saved["gpt2"]).n_parameters > 0


def test_weights_that_lack_a_tensor_are_not_filled_with_random_numbers(
    tmp_path: Path, saved: dict[str, Path]
) -> None:
    folder = _without(saved["llama"], tmp_path / "m", "model.layers.1.mlp.up_proj.weight")

    problem = refused(folder)

    assert problem.code == "ATP323"
    assert "`model.layers.1.mlp.up_proj.weight`" in problem.message


def _without(source: Path, folder: Path, tensor: str) -> Path:
    from safetensors.torch import load_file, save_file

    shutil.copytree(source, folder)
    tensors = load_file(folder / "model.safetensors")
    del tensors[tensor]
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    return folder


@pytest.mark.parametrize(
    "changed",
    [{"intermediate_size": 40}, {"model_type": "mistral"}, {"num_hidden_layers": 5}],
)
def test_configuration_of_another_model_is_a_problem(
    tmp_path: Path, saved: dict[str, Path], changed: dict[str, Any]
) -> None:
    folder = tmp_path / "m"
    shutil.copytree(saved["llama"], folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changed))

    assert refused(folder).code == "ATP323"


def test_loading_writes_nothing_and_leaves_the_loggers_as_found(
    saved: dict[str, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    loaded(saved["gemma3"])

    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
    assert capfd.readouterr() == ("", "")


def test_provenance_identifies_the_weights_and_the_libraries() -> None:
    found = locate(ref("tiny"), base=Path(), offline=True)
    assert isinstance(found, ModelFiles)
    shape = read_shape(found.directory)
    assert isinstance(shape, ModelShape)

    facts = load_model(found, shape, dtype="float32", device="cpu").provenance()

    assert facts["origin"] == "embedded"
    assert facts["weights_sha256"] == found.weights_digest()
    assert facts["attention"] == "eager"
    assert facts["torch"] == torch.__version__
    json.dumps(facts)


def test_tokenizer_is_handed_over_when_asked_for() -> None:
    found = locate(ref("tiny"), base=Path(), offline=True)
    assert isinstance(found, ModelFiles)
    shape = read_shape(found.directory)
    assert isinstance(shape, ModelShape)
    model = load_model(found, shape, dtype="float32", device="cpu", with_tokenizer=True)

    assert model.bridge.to_str_tokens(" Mary")[-1] == " Mary"
