"""A model that was found: where its files are, and what identifies them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from atpdsl.models.weights import parameter_count, weight_files

CACHE_VARIABLE = "ATPDSL_CACHE"
CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
SOURCE = "source.json"
"""In the folder of an added model: what it was made from; the last file to be written."""


class Origin(StrEnum):
    """Where a model comes from."""

    EMBEDDED = "embedded"
    ADDED = "added"
    LOCAL = "local"
    HUB = "hub"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFiles:
    """A model's folder: `config.json`, `tokenizer.json` and safetensors, all there.

    Attributes:
        name: as the spec names it.
        revision: the commit for a hub model, the package and its version for an added one.
        remote_code: whether Python files of the folder may run; only by an explicit flag.
    """

    name: str
    directory: Path
    kind: Origin
    revision: str | None = None
    remote_code: bool = False

    def weights_digest(self) -> str:
        """SHA-256 of the weights: of the file, or of the list of digests of several files."""
        return digest(weight_files(self.directory))

    def tokenizer_digest(self) -> str:
        """SHA-256 of `tokenizer.json`."""
        return digest((self.directory / TOKENIZER,))

    def config_digest(self) -> str:
        """SHA-256 of `config.json`."""
        return digest((self.directory / CONFIG,))

    def n_parameters(self) -> int:
        """How many numbers the stored weights are; tied ones count once."""
        return parameter_count(self.directory)


def cache_folder() -> Path:
    """The user's cache: `ATPDSL_CACHE` where it is set, else the platform's. May not exist."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("atpdsl", appauthor=False))


def added_folder(name: str) -> Path:
    """The folder of a model made by `atpdsl model add`; may not exist."""
    return cache_folder() / "models" / name


def digest(paths: Sequence[Path]) -> str:
    """SHA-256 of one file; of several, of the lines `DIGEST  NAME` of all of them.

    Digests are remembered in the user's cache by path, size and time of change, because
    reading gigabytes takes longer than a small run.
    """
    remembered = _remembered()
    found = {path: _file_digest(path, remembered) for path in paths}
    _remember(remembered)
    if len(found) == 1:
        return next(iter(found.values()))
    lines = "".join(f"{value}  {path.name}\n" for path, value in found.items())
    return hashlib.sha256(lines.encode()).hexdigest()


def _file_digest(path: Path, remembered: dict[str, list[str]]) -> str:
    """The digest of one file, from memory if the file has not changed; updates the memory."""
    real = path.resolve()
    state = real.stat()
    stamp = f"{state.st_size}.{state.st_mtime_ns}"
    known = remembered.get(str(real))
    if known is not None and known[0] == stamp:
        return known[1]
    with real.open("rb") as file:
        value = hashlib.file_digest(file, "sha256").hexdigest()
    remembered[str(real)] = [stamp, value]
    return value


def _remembered() -> dict[str, list[str]]:
    """Remembered digests, path -> [stamp, digest]; a file that makes no sense is forgotten."""
    try:
        data = json.loads((cache_folder() / "digests.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(data, dict):
        return {}
    return {
        path: entry
        for path, entry in data.items()
        if isinstance(entry, list)
        and len(entry) == 2
        and all(isinstance(x, str) for x in entry)
    }


def _remember(digests: dict[str, list[str]]) -> None:
    """Writes the digests whole or not at all; a cache that cannot be written is no error."""
    folder = cache_folder()
    with contextlib.suppress(OSError):
        if digests == _remembered():
            return
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=folder, prefix="digests.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(digests, file, indent=1, sort_keys=True)
        os.replace(name, folder / "digests.json")
