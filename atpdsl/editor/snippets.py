"""What an editor writes for the word of a statement; `${1:...}` are places to fill in."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

STATEMENT_SNIPPETS: Mapping[str, str] = MappingProxyType(
    {
        "atp": "atp 1",
        "include": 'include "${1:lib:names}"',
        "let": "let ${1:name} = ${2:value}",
        "param": 'param ${1:name} = ${2:value} { help = "${3:what it is for}" }',
        "sweep": "sweep ${1:name} in [${2:values}]",
        "model": 'model "${1:tiny}"',
        "prompts": 'prompts ${1:name} {\n  template "$2"\n  $0\n}',
        "metric": "metric ${1:logit_diff} at ${2:last}",
        "nodes": "nodes {\n  ${1:heads.z} at ${2:every}$0\n}",
        "edges": "edges {\n  $0\n}",
        "method": "method ${1:atp}",
        "verify": "verify { top = ${1:20}; random = ${2:20} }",
        "diagnose": "diagnose {\n  $0\n}",
        "circuit": "circuit { keep = ${1:top(40)} }",
        "expect": "expect {\n  ${1:recall(top = 20) >= 0.9}$0\n}",
        "export": 'export "${1:result.graphml}"',
        "run": "run { $1 }",
    }
)
LINE_SNIPPETS: Mapping[str, str] = MappingProxyType(
    {
        "template": 'template "$0"',
        "slot": "slot ${1:NAME} in [${2:words}]",
        "corrupt": "corrupt ${1:PLACE} -> ${2:NAME}",
        "answer": 'answer "${1: right}" vs "${2: wrong}"',
        "pair": 'pair "${1:clean}" -> "${2:corrupted}" { answer "$3" vs "$4" }',
        "pos": "pos ${1:name} = ${2:last}",
        "let": "let ${1:name} = ${2:value}",
    }
)
