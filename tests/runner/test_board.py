"""What is asked next: what the upper bound leans on, at points where asking has not failed yet."""

from fractions import Fraction

import numpy as np
from tiny import dense, make_problem

from ensc.compiler.types.problem import EnsembleProblem, MaximizeValue
from ensc.runner.split.answer import Answer, Question, at_rest
from ensc.runner.split.board import Board, leaning, learned, loosened, standing


def problem_of(points: int) -> EnsembleProblem:
    """Return a query in which everything is open but that nobody is fooled at rest."""
    networks = [dense((np.array([[1.0], [0.0]]), np.array([1.0, 0.0])), inputs=1) for _ in range(2)]
    return make_problem(
        networks, [[0]] * points, [0] * points, radius=Fraction(2), goal=MaximizeValue(), count=2
    )


def asked_next(problem: EnsembleProblem, board: Board) -> list[int]:
    return [point for point, _ in leaning(board, standing(problem, board))]


def test_points_where_questions_ended_without_an_answer_wait() -> None:
    problem = problem_of(3)
    board = Board(tuple(at_rest(problem, j) for j in range(3)))
    assert asked_next(problem, board)[0] == 0
    board = learned(board, Answer(Question(0, 0b01, 1.0), why="no answer", timely=True))
    assert asked_next(problem, board) == [1, 2, 0]
    board = learned(board, Answer(Question(1, 0b01, 1.0), why="no answer", timely=True))
    board = learned(board, Answer(Question(1, 0b10, 1.0), why="no answer", timely=True))
    assert asked_next(problem, board) == [2, 0, 1]
    assert asked_next(problem, loosened(board)) == [0, 1, 2]
