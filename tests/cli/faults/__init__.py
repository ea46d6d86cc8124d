# SPDX-License-Identifier: Apache-2.0
"""Tables of faults, one module per kind of input. Each row is one way in which a run can be spoiled."""
from dataclasses import dataclass, field
from typing import Callable, List


def nothing(*_):
    pass


@dataclass
class Fault:
    name: str
    spoil: Callable  #: breaks the world
    says: List[str]  #: what stderr must hold: what, where, remedy; {dir} is the world's folder
    code: int = 3
    command: str = "run run.yaml"
    problem: str = ""  #: code that run.json must list, for exit code 3
    after: Callable = nothing  #: further assertions, with the world and the result
    finished_first: bool = False  #: an undisturbed run comes before
    nobody: bool = False  #: run without root's rights
    damaged: List[str] = field(default_factory=list)  #: patterns of files that the row itself leaves damaged
    env: dict = field(default_factory=dict)
