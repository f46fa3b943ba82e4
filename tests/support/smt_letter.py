"""The letter of SMT-LIB 2.6 and of its logic QF_LRA, as a type checker of whole scripts.

Stricter than solvers: a product is a decimal, perhaps negated, times a declared constant; relations are
binary; nothing is declared twice, overloaded or used before it is declared; there is one `check-sat`.
"""

import re
from typing import TypeAlias

Term: TypeAlias = "str | list[Term]"

TOKEN = re.compile(r'\s+|;[^\n]*|(\(|\)|\|[^|\\]*\||"(?:[^"]|"")*"|[^\s()";|]+)')
DECIMAL = re.compile(r"(?:0|[1-9][0-9]*)\.[0-9]+")
SYMBOL = re.compile(r"[A-Za-z~!@$%^&*_+=<>.?/-][0-9A-Za-z~!@$%^&*_+=<>.?/-]*")
HEADER = ["set-info", "set-logic", "set-info", "set-info", "set-info"]


def parse(script: str) -> list[Term]:
    """Return the commands."""
    stack: list[list[Term]] = [[]]
    position = 0
    while position < len(script):
        found = TOKEN.match(script, position)
        assert found, script[position : position + 50]
        position = found.end()
        match found[1]:
            case None:
                pass
            case "(":
                stack.append([])
            case ")":
                done = stack.pop()
                stack[-1].append(done)
            case word:
                stack[-1].append(word)
    (commands,) = stack
    return commands


def check(script: str) -> None:
    """Fail unless a script for an archive is what the library asks for."""
    commands = [c for c in parse(script) if isinstance(c, list)]
    heads = [c[0] for c in commands]
    infos = [c[1] for c in commands if c[0] == "set-info"]
    wanted = [":smt-lib-version", ":source", ":license", ":category", ":status"]
    assert infos == [info for info in wanted if info in infos]
    assert commands[0] == ["set-info", ":smt-lib-version", "2.6"]
    assert commands[1] == ["set-logic", "QF_LRA"]
    assert heads[-2:] == ["check-sat", "exit"]
    assert set(heads[2:-2]) <= {"set-info", "declare-fun", "assert"}
    sorts: dict[str, str] = {}
    for command in commands[2:-2]:
        if command[0] == "declare-fun":
            _, name, arguments, sort = command
            assert isinstance(name, str)
            assert isinstance(sort, str)
            assert SYMBOL.fullmatch(name)
            assert name not in sorts
            assert arguments == []
            sorts[name] = sort
        elif command[0] == "assert":
            assert len(command) == 2
            assert sort_of(command[1], sorts) == "Bool"


def sort_of(term: Term, sorts: dict[str, str]) -> str:
    """Return the sort of a term."""
    if isinstance(term, str):
        return "Real" if DECIMAL.fullmatch(term) else sorts[term]
    operator, *operands = term
    if operator == "*":
        factor, variable = operands
        assert is_coefficient(factor)
        assert isinstance(variable, str)
        assert sorts[variable] == "Real"
        return "Real"
    kinds = [sort_of(operand, sorts) for operand in operands]
    match operator:
        case "+":
            assert len(kinds) >= 2
            assert set(kinds) == {"Real"}
            return "Real"
        case "-":
            assert kinds == ["Real"]
            return "Real"
        case "and" | "or":
            assert len(kinds) >= 2
            assert set(kinds) == {"Bool"}
            return "Bool"
        case "not":
            assert kinds == ["Bool"]
            return "Bool"
        case "=>":
            assert kinds == ["Bool", "Bool"]
            return "Bool"
        case "ite":
            assert kinds == ["Bool", "Real", "Real"]
            return "Real"
        case "<=" | ">=" | "=":
            assert kinds == ["Real", "Real"]
            return "Bool"
    raise AssertionError(operator)


def is_coefficient(term: Term) -> bool:
    """Return whether a term is a decimal or the negation of one."""
    match term:
        case str():
            return bool(DECIMAL.fullmatch(term))
        case ["-", str(digits)]:
            return bool(DECIMAL.fullmatch(digits))
        case _:
            return False
