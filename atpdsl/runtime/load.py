"""From a model's files to a `TransformerBridge` that is ready to run.

The Hugging Face model is loaded here and handed to TransformerLens, not loaded by it: only so
are safetensors and local files forced and remote code refused.
"""

from __future__ import annotations

import copy
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import torch

from atpdsl.models.convert import quiet
from atpdsl.models.files import ModelFiles
from atpdsl.models.shape import ModelShape
from atpdsl.problems import Label, Problem, RunError
from atpdsl.runtime.hooked import check_bridge, hooked
from atpdsl.runtime.memory import available_bytes, readable

__all__ = ["DTYPES", "LoadedModel", "bridge_from_hf", "hooked", "load_model", "pick_device"]

DTYPES: Mapping[str, torch.dtype] = {
    "float64": torch.float64,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
ALL, SPLIT = "all", "split"
"""A copy of the model on each CUDA device, or its layers spread over them."""

HEADROOM = 1.1
"""Memory that loading takes, over the weights themselves: the largest tensor is held twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A model ready to run: in evaluation mode, without gradients for its parameters.

    Attributes:
        bridge: the `TransformerBridge`.
        files: where it was loaded from.
        device: such as `cpu` or `cuda:0`: where prompts are, and most is computed.
        dtype: a name of `DTYPES`.
        n_parameters: as stored; tied ones count once.
        replicas: the same model on other devices.
        split: whether its layers are on several devices.
    """

    bridge: Any
    shape: ModelShape
    files: ModelFiles
    device: str
    dtype: str
    n_parameters: int
    replicas: tuple[LoadedModel, ...] = ()
    split: bool = False

    @property
    def everywhere(self) -> tuple[LoadedModel, ...]:
        """The model on each device that has a copy."""
        return (self, *self.replicas)

    @property
    def devices(self) -> str:
        """All of them in words, as a spec writes them."""
        names = ",".join(model.device for model in self.everywhere)
        return f"{SPLIT} from {names}" if self.split else names

    def provenance(self) -> dict[str, str | int | bool | None]:
        """What a result has to say of its model, digests included."""
        return {
            "model": self.files.name,
            "origin": self.files.kind.value,
            "revision": self.files.revision,
            "architecture": self.shape.architecture,
            "parameters": self.n_parameters,
            "weights_sha256": self.files.weights_digest(),
            "tokenizer_sha256": self.files.tokenizer_digest(),
            "config_sha256": self.files.config_digest(),
            "remote_code": self.files.remote_code,
            "dtype": self.dtype,
            "device": self.devices,
            "device_name": device_name(self.device),
            "attention": "eager",
            "tf32": self.device.startswith("cuda") and torch.backends.cuda.matmul.allow_tf32,
            "torch": torch.__version__,
            "transformers": version("transformers"),
            "transformer_lens": version("transformer-lens"),
        }


def load_model(
    files: ModelFiles,
    shape: ModelShape,
    *,
    dtype: str,
    device: str,
    with_tokenizer: bool = False,
    at: Label | None = None,
) -> LoadedModel:
    """Load a model and put it into a bridge.

    Args:
        dtype: a name of `DTYPES`.
        device: as a spec has it; see `pick_devices`.
        with_tokenizer: give the bridge its tokenizer too, so that it takes strings. Runs do
            without: they have token ids from `atpdsl.models.tokenizer`.
        at: the place in the spec that names the model.

    Raises:
        RunError: when it cannot be loaded here.
    """
    places = pick_devices(device)
    if isinstance(places, Problem):
        raise RunError([places])
    problems = [
        problem
        for place in dict.fromkeys(places)
        for problem in (*_check_dtype(dtype, place), *_check_memory(files, dtype, place, at))
    ]
    if problems:
        raise RunError(problems)
    with quiet():
        hf_model = _load_hf(files, shape, dtype, at, split=SPLIT in places)
        tokenizer = _load_tokenizer(files) if with_tokenizer else None
        # Before the first is put into a bridge, which changes it.
        copies = [hf_model, *(copy.deepcopy(hf_model) for _ in places[1:])]
        models = [
            LoadedModel(
                bridge=bridge_from_hf(placed, shape.architecture, tokenizer=tokenizer),
                shape=shape,
                files=files,
                device=str(placed.device) if place == SPLIT else place,
                dtype=dtype,
                n_parameters=files.n_parameters(),
                split=place == SPLIT,
            )
            for one, place in zip(copies, places, strict=True)
            for placed in [one if place == SPLIT else one.to(place)]
        ]
    return replace(models[0], replicas=tuple(models[1:]))


def bridge_from_hf(
    hf_model: Any, architecture: str | None = None, *, tokenizer: Any = None
) -> Any:
    """A `TransformerBridge` around a Hugging Face model, which is changed in place.

    Attention is eager, every part is in evaluation mode, and no parameter takes gradients.

    Args:
        hf_model: a `PreTrainedModel`.
        architecture: its class, where that is not the class of the object.
        tokenizer: needed only for giving the bridge strings.

    Raises:
        RunError: when a part stays in training mode.
    """
    from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module

    hf_model.set_attn_implementation("eager")
    hf_model.eval().requires_grad_(False)
    bridge = build_bridge_from_module(
        hf_model,
        architecture or type(hf_model).__name__,
        hf_config=hf_model.config,
        tokenizer=tokenizer,
    )
    # The bridge makes parts of its own, such as a query's share of a joint projection.
    bridge.eval().requires_grad_(False)
    if problems := check_bridge(bridge):
        raise RunError(problems)
    return bridge


def pick_devices(name: str) -> tuple[str, ...] | Problem:
    """The devices that a spec's word means: one for each copy of the model.

    `cuda:0,cuda:1` is a copy on each, `all` one on every CUDA device; `split` is a single copy
    on several, and stays as it is.
    """
    if name in {ALL, SPLIT}:
        count = torch.cuda.device_count()
        if not count:
            return Problem(
                code="ATP321",
                message=f"`device = {name}` is for CUDA devices, and there are none here",
                help="`device = auto` takes the best there is",
            )
        return (SPLIT,) if name == SPLIT else tuple(f"cuda:{i}" for i in range(count))
    found = []
    for one in name.split(","):
        place = pick_device(one.strip())
        if isinstance(place, Problem):
            return place
        found.append(place)
    return tuple(found)


def pick_device(name: str) -> str | Problem:
    """The device that a name means, `auto` being the fastest there is."""
    if name == "auto":
        if torch.cuda.is_available():
            return "cuda:0"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in {"cpu", "cuda", "mps"}:
        return Problem(
            code="ATP321",
            message=f"there is no device `{name}`",
            help="a device is `auto`, `cpu`, `cuda`, `cuda:1`, `mps`, `all` or `split`",
        )
    present = {"cpu": 1, "cuda": torch.cuda.device_count()}.get(
        device.type, int(torch.backends.mps.is_available())
    )
    if (device.index or 0) >= present:
        return Problem(
            code="ATP321",
            message=f"the device `{name}` is not available here",
            help=f"{present} of its kind can be used; `device = auto` takes the best there is",
        )
    return f"cuda:{device.index or 0}" if device.type == "cuda" else device.type


def device_name(device: str) -> str:
    """The hardware behind a device."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"


def _check_dtype(dtype: str, device: str) -> Iterator[Problem]:
    if dtype not in DTYPES:
        yield Problem(
            code="ATP322",
            message=f"there is no dtype `{dtype}`",
            help=f"a dtype is one of {', '.join(f'`{name}`' for name in DTYPES)}",
        )
    elif dtype == "float64" and device == "mps":
        yield Problem(
            code="ATP322",
            message="the device `mps` has no `float64`",
            help='use `dtype = "float32"` or `device = cpu`',
        )


def _check_memory(
    files: ModelFiles, dtype: str, device: str, at: Label | None
) -> Iterator[Problem]:
    """Whether the weights fit, before they are asked for."""
    if dtype not in DTYPES:
        return
    needed = files.n_parameters() * DTYPES[dtype].itemsize * HEADROOM
    free = _free_bytes(device)
    if free is not None and needed > free:
        smaller = "" if DTYPES[dtype].itemsize <= 2 else '`dtype = "bfloat16"`, '
        yield Problem(
            code="ATP320",
            message=f"not enough memory: `{files.name}` needs {readable(needed)} in {dtype} "
            f"on `{device}`, and {readable(free)} are free",
            at=at,
            help=f"use a smaller model, {smaller}or a machine with more memory",
        )


def _free_bytes(device: str) -> int | None:
    """Memory that is free on a device, or on all CUDA devices for a model that is split."""
    if device == SPLIT:
        every = range(torch.cuda.device_count())
        return sum(torch.cuda.mem_get_info(number)[0] for number in every)
    if device.startswith("cuda"):
        return torch.cuda.mem_get_info(device)[0]
    return available_bytes()


def split_map() -> dict[str, Any]:
    """How Hugging Face is told to spread a model: over CUDA devices, and nothing else.

    A layer that waits in main memory until it is run would be slower than no GPU at all.
    """
    every = range(torch.cuda.device_count())
    most = {number: torch.cuda.mem_get_info(number)[0] for number in every}
    return {"device_map": "auto", "max_memory": most}


def _load_hf(
    files: ModelFiles, shape: ModelShape, dtype: str, at: Label | None, *, split: bool
) -> Any:
    """The Hugging Face model of a folder, whole and of the class that its shape says.

    Raises:
        RunError: when its weights are not those of its configuration.
    """
    from transformers import AutoModelForCausalLM

    loader: Any = AutoModelForCausalLM
    try:
        hf_model, report = loader.from_pretrained(
            files.directory,
            dtype=DTYPES[dtype],
            attn_implementation="eager",
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=files.remote_code,
            output_loading_info=True,
            **(split_map() if split else {}),
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise RunError([_not_loadable(files, _reason(error), at)]) from error
    # Weights that the files lack are drawn at random, which no user wants to find out later.
    lacking = sorted(report["missing_keys"]) + sorted(map(str, report["mismatched_keys"]))
    if lacking:
        several = f"{len(lacking)} tensors are missing, `{lacking[0]}` first"
        detail = several if len(lacking) > 1 else f"the tensor `{lacking[0]}` is missing"
        raise RunError([_not_loadable(files, detail, at)])
    if type(hf_model).__name__ != shape.architecture:
        detail = f"it loads as a `{type(hf_model).__name__}`"
        raise RunError([_not_loadable(files, detail, at)])
    return hf_model


def _reason(error: Exception) -> str:
    """What transformers said, without advice that cannot be followed from here."""
    first = str(error).strip().split("\n")[0]
    if "ignore_mismatched_sizes" in first:
        return "some tensors have another shape"
    return first


def _not_loadable(files: ModelFiles, detail: str, at: Label | None) -> Problem:
    return Problem(
        code="ATP323",
        message=f"the weights of `{files.name}` do not fit its configuration: {detail}",
        at=at,
        help=f"copy or download the model again; its folder is `{files.directory}`",
    )


def _load_tokenizer(files: ModelFiles) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(
        files.directory, local_files_only=True, trust_remote_code=files.remote_code
    )
