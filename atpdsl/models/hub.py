"""Models of the Hugging Face hub: found in its cache, downloaded where the hub can be reached.

The cache is read by its layout, without `huggingface_hub`: a run on a cached model then needs
no network, no waiting and no second library.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from atpdsl.models.files import CONFIG, TOKENIZER
from atpdsl.models.weights import DamagedWeightsError, weight_files
from atpdsl.problems import Label, Problem

SHORT_NAMES = {
    "gpt2": "openai-community/gpt2",
    "gpt2-medium": "openai-community/gpt2-medium",
    "gpt2-large": "openai-community/gpt2-large",
    "gpt2-xl": "openai-community/gpt2-xl",
    "distilgpt2": "distilbert/distilgpt2",
}
"""Hub ids without an organisation, and what the hub calls them today."""

WANTED = ("*.json", "*.safetensors")
UNWANTED = ("*/*", "consolidated*", "optimizer*")
PATIENCE = 3.0
"""Seconds in which a hub that can be reached answers."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9][\w./-]{0,199}", re.ASCII)


def is_hub_name(name: str) -> bool:
    """Whether a name has the form of a hub id, or is a known short one."""
    return name in SHORT_NAMES or (_HUB_ID.fullmatch(name) is not None and ".." not in name)


def hub_cache() -> Path:
    """The folder in which Hugging Face libraries keep downloads."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if chosen := os.environ.get(variable):
            return Path(chosen).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "huggingface" / "hub"


def offline_by_environment() -> str | None:
    """The environment variable that forbids the network, if one does."""
    for variable in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if os.environ.get(variable, "").upper() in {"1", "ON", "YES", "TRUE"}:
            return variable
    return None


def cached_snapshot(name: str, revision: str | None) -> Path | None:
    """The folder, named by its commit, of a cached and complete model; None if there is none.

    Args:
        name: a hub id or a short name.
        revision: a branch, tag or commit; None is `main`.
    """
    for hub_id in dict.fromkeys((name, SHORT_NAMES.get(name, name))):
        folder = hub_cache() / ("models--" + hub_id.replace("/", "--"))
        wanted = revision or "main"
        commit = wanted
        reference = folder / "refs" / wanted
        if reference.is_file():
            commit = reference.read_text(encoding="utf-8").strip()
        for snapshot in _matching(folder / "snapshots", commit):
            if is_complete(snapshot):
                return snapshot
    return None


def _matching(snapshots: Path, commit: str) -> list[Path]:
    """The snapshot of a commit; a shortened commit finds the one that begins with it."""
    if not re.fullmatch(r"[0-9a-f]{7,64}", commit) or not snapshots.is_dir():
        return []
    found = [path for path in snapshots.iterdir() if path.name.startswith(commit)]
    return found if len(found) == 1 else []


def is_complete(snapshot: Path) -> bool:
    """Whether a folder has a configuration, a tokenizer and all weight files."""
    try:
        weights = weight_files(snapshot)
    except DamagedWeightsError:
        return False
    needed = (snapshot / CONFIG, snapshot / TOKENIZER, *weights)
    return bool(weights) and all(path.is_file() for path in needed)


def endpoint() -> str:
    """The address of the hub."""
    return os.environ.get("HF_ENDPOINT") or "https://huggingface.co"


def is_reachable(address: str, *, patience: float = PATIENCE) -> bool:
    """Whether anything answers at an http address within `patience` seconds, in one try."""
    if not address.startswith(("http://", "https://")):
        return False
    answers: list[bool] = []

    def ask() -> None:
        request = urllib.request.Request(address, method="HEAD")  # noqa: S310 - http only, above
        try:
            with urllib.request.urlopen(request, timeout=patience):  # noqa: S310
                answers.append(True)
        except urllib.error.HTTPError:
            answers.append(True)
        except (OSError, ValueError):
            answers.append(False)

    # Looking up a host name has no time limit of its own, hence the thread.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(patience + 0.5)
    return bool(answers and answers[0])


def download(name: str, revision: str | None, *, at: Label | None) -> Path | Problem:
    """Fetches a model into the Hugging Face cache; the folder, named by the commit.

    Only JSON and safetensors files are fetched; pickled weights and Python files never are.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import errors as hub
    from huggingface_hub import snapshot_download

    try:
        with _bars_on_terminals_only():
            folder = snapshot_download(
                SHORT_NAMES.get(name, name),
                revision=revision,
                cache_dir=hub_cache(),
                allow_patterns=list(WANTED),
                ignore_patterns=list(UNWANTED),
                endpoint=endpoint(),
                etag_timeout=PATIENCE,
            )
    except hub.GatedRepoError:
        return Problem(
            code="ATP313",
            message=f"the hub lends `{name}` only to those who accepted its terms",
            at=at,
            help=f"accept them at {endpoint()}/{name}, then set `HF_TOKEN` to a token of yours",
        )
    except hub.RevisionNotFoundError:
        return Problem(
            code="ATP313",
            message=f"the hub has no revision `{revision}` of `{name}`",
            at=at,
            help="`revision` is a branch, a tag or a whole commit hash",
        )
    except hub.RepositoryNotFoundError:
        return Problem(
            code="ATP313",
            message=f"the hub has no model `{name}`, or it is private",
            at=at,
            help="check the spelling; for a private model set `HF_TOKEN`",
        )
    except (hub.HfHubHTTPError, hub.LocalEntryNotFoundError, OSError, ValueError) as error:
        return Problem(
            code="ATP314",
            message=f"downloading `{name}` failed: {first_line(error)}",
            at=at,
            help="try again; what has arrived is kept",
        )
    return Path(folder)


@contextmanager
def _bars_on_terminals_only() -> Iterator[None]:
    """Keeps the library's progress bars out of log files."""
    from huggingface_hub import utils as hub_utils

    utils: Any = hub_utils
    if sys.stderr.isatty() or utils.are_progress_bars_disabled():
        yield
        return
    utils.disable_progress_bars()
    try:
        yield
    finally:
        utils.enable_progress_bars()


def first_line(error: BaseException) -> str:
    """The first line of an error's text, or its kind where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__


def is_revision(text: str) -> bool:
    """Whether a text can be a branch, tag or commit."""
    return _REVISION.fullmatch(text) is not None and ".." not in text
