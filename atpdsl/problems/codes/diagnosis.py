"""Codes of problems with `diagnose`, and with a `verify` that goes on (180 to 189)."""

from __future__ import annotations

from atpdsl.problems.codes.code import Code

CODES_DIAGNOSIS = (
    Code(
        code="ATP180",
        title="this is no flag",
        explanation="""\
A flag says which nodes a diagnostic warns of. It is a comparison, or several with `and`, `or`
and `not`; each asks for something that nodes have, as `index` or `change`, and may compute with
`+ - * /`. `atpdsl docs diagnose` names what there is.""",
        bad="diagnose { cancellation { flag = index } }",
        good="diagnose { cancellation { flag = index > 3 } }",
    ),
    Code(
        code="ATP181",
        title="a quantity that this diagnostic does not know",
        explanation="""\
Each diagnostic has quantities of its own: `cancellation` the parts of an estimate, `saturation`
the weights of attention, `uncertainty` what differs between the pairs. `atpdsl docs diagnose`
names them.""",
        bad="diagnose { cancellation { flag = indx > 3 } }",
        good="diagnose { cancellation { flag = index > 3 } }",
    ),
    Code(
        code="ATP182",
        title="a diagnostic that has nothing to look at",
        explanation="""\
`cancellation` and `saturation` are about estimates from gradients, `saturation` only about
queries and keys. Direct effects are measured for the nodes that `verify` chooses. And where an
exact method measures every node, nothing is left to bound.""",
        bad="nodes { mlp at every }\ndiagnose { saturation }",
        good="nodes { heads.q, heads.k at every }\ndiagnose { saturation }",
    ),
    Code(
        code="ATP183",
        title="this does not say when to stop",
        explanation="""\
`stop_when = misses(top = 50) < 5%` goes on until each of the 50 truly best nodes would be
missed with a probability of at most 5%. Instead of a share there may be a number of nodes:
`< 2` is 4% of 50. None can be ruled out for sure, and more than half says nothing.""",
        bad="verify { top = 50; stop_when = recall(top = 50) > 95% }",
        good="verify { top = 50; stop_when = misses(top = 50) < 5% }",
    ),
    Code(
        code="ATP184",
        title="a verification that could not go on as asked",
        explanation="""\
Before it asks whether it may stop, a verification measures the `top` nodes of each estimate, so
`top` is at least as large as the `top` in `misses(top = ...)`. Then it goes on, by `most` more
nodes at most; without `stop_when` it does not go on at all.""",
        bad="verify { top = 20; stop_when = misses(top = 50) < 5% }",
        good="verify { top = 50; stop_when = misses(top = 50) < 5%; most = 200 }",
    ),
    Code(
        code="ATP185",
        title="a question about what is not diagnosed",
        explanation="""\
`upper_bound` asks for a bound that subset sampling gives, and `flagged` for the nodes that a
diagnostic warns of. So `diagnose` has to ask for it; a `verify` with `stop_when` also samples
subsets.""",
        bad="expect { upper_bound(missed_effect) < 0.1 }",
        good="diagnose { subset_sampling }\nexpect { upper_bound(missed_effect) < 0.1 }",
    ),
)
