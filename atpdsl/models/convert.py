"""From a GGUF file to an ordinary Hugging Face folder: configuration, tokenizer, safetensors.

Needs torch, `transformers` and `gguf`, and so imports them only when called. Reading GGUF
takes a minute, loading the folder a second; hence once and for all.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from atpdsl.models.check import check_folder
from atpdsl.models.config import read_shape
from atpdsl.models.hub import first_line
from atpdsl.problems import Problem


def check_installed() -> Problem | None:
    """What is missing for reading GGUF files, None if nothing."""
    if importlib.util.find_spec("gguf") is not None:
        return None
    return Problem(
        code="ATP332",
        message="reading GGUF files needs the package `gguf`, which is not installed",
        help="`pip install gguf`",
    )


def convert(gguf: Path, folder: Path, *, dtype: str) -> Problem | None:
    """Write the model of a GGUF file to a folder as numbers of a dtype.

    Args:
        gguf: the file; its weights are dequantised.
        folder: an existing folder to write to.
        dtype: `float32`, or another name that torch knows.

    Returns:
        Why the folder cannot be used, None if it can.
    """
    try:
        # One progress bar heeds no setting, hence the redirection; errors are exceptions.
        with quiet(), contextlib.redirect_stderr(io.StringIO()):
            _write(gguf, folder, dtype)
    except (OSError, ValueError, RuntimeError, KeyError, NotImplementedError) as error:
        return Problem(
            code="ATP337",
            message=f"`{gguf.name}` cannot be converted: {first_line(error)}",
            help="if it persists, report it with the versions of `transformers` and `gguf`",
        )
    problem = check_folder(folder, at=None)
    if problem is not None:
        return problem
    shape = read_shape(folder)
    return shape if isinstance(shape, Problem) else None


def _write(gguf: Path, folder: Path, dtype: str) -> None:
    """Load through `transformers`, and save as if it had never been quantised."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    loader: Any = AutoModelForCausalLM
    model = loader.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        dtype=getattr(torch, dtype),
        local_files_only=True,
    )
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    # The weights are plain numbers by now, but the model still calls itself quantised, and
    # refuses to be saved.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps `transformers` from writing warnings, reports and progress bars to the terminal."""
    from transformers.utils import logging as transformers_logging

    logging: Any = transformers_logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
