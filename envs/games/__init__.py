"""Games of several seats in text: negotiation with private values, and twenty questions.

`Game` runs the `Rules` of a game for any number of seats; `NegotiationEnv` and
`TwentyQuestionsEnv` are the registered views of one seat, `play` fills all seats, and `zoo` and
`arena` (imported when needed) hold the PettingZoo forms and the games of TextArena.
"""

from .askers import Halving, Honest, RandomAsker
from .bargainers import Greedy, RandomPlayer, TitForTat
from .game import Game
from .negotiation import Negotiation
from .questions import TwentyQuestions
from .rules import Moved, Refused, Rules, Verdict
from .sealed import SealedNegotiation
from .seats import NegotiationEnv, TwentyQuestionsEnv
from .table import SeatTurn, Table, play

__all__ = [
    "Game",
    "Greedy",
    "Halving",
    "Honest",
    "Moved",
    "Negotiation",
    "NegotiationEnv",
    "RandomAsker",
    "RandomPlayer",
    "Refused",
    "Rules",
    "SealedNegotiation",
    "SeatTurn",
    "Table",
    "TitForTat",
    "TwentyQuestions",
    "TwentyQuestionsEnv",
    "Verdict",
    "play",
]
