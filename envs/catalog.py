"""The cards of the environments that ship with gigym; one `register` line each."""

from .registry import register
from .types import EnvCard

ALFWORLD = EnvCard(
    id="ALFWorld-v0",
    version="1.0.0",
    summary="household tasks in text: find, clean, heat, cool and place objects",
    success_reward=10.0,
    reward_range=(0.0, 10.0),
    max_steps=50,
    caps=("state_key", "admissible_actions", "snapshot", "fork", "expert"),
    splits=("train", "test"),
    host_options=("games",),
)

WEBSHOP = EnvCard(
    id="WebShop-v0",
    version="1.0.0",
    summary="a shop in text: search, read pages, choose options, buy what was asked for",
    success_reward=10.0,
    reward_range=(0.0, 10.0),
    max_steps=15,
    needs=("webshop",),
    caps=("state_key", "admissible_actions", "snapshot", "fork", "expert"),
    splits=("train", "dev", "test"),
    host_options=("products", "instructions", "human_instructions"),
)

MATH_TOOLS = EnvCard(
    id="MathTools-v0",
    version="1.0.0",
    summary="mathematics in text: compute with a calculator or sandboxed Python, then answer",
    success_reward=1.0,
    reward_range=(0.0, 10.0),
    max_steps=10,
    caps=("state_key", "snapshot", "fork", "expert"),
    splits=("train", "test"),
    host_options=("dataset", "sandbox_level", "sandbox_url"),
)

NEGOTIATION = EnvCard(
    id="Negotiation-v0",
    version="1.0.0",
    summary="divide a pool of items with a partner whose values are private",
    reward_range=(0.0, 2.0),
    max_steps=40,
    agents=2,
    caps=("state_key", "admissible_actions", "snapshot", "fork", "expert"),
    splits=("train", "dev", "test"),
)

TWENTY_QUESTIONS = EnvCard(
    id="TwentyQuestions-v0",
    version="1.0.0",
    summary="find a hidden object by yes/no questions; in the other seat, answer them",
    state_is_markov=False,
    success_reward=1.0,
    reward_range=(0.0, 1.0),
    max_steps=60,
    agents=2,
    caps=("state_key", "admissible_actions", "snapshot", "fork", "expert"),
    splits=("train", "dev", "test"),
)

TEXT_ARENA = EnvCard(
    id="TextArena-v0",
    version="1.0.0",
    summary="a game of TextArena by the option game, such as KuhnPoker-v0",
    max_steps=100,
    agents=2,
    needs=("textarena",),
    caps=("state_key", "snapshot", "fork"),
    splits=("train", "dev", "test"),
    isolated=True,
)

register(ALFWORLD, "gigym.envs.alfworld:ALFWorldEnv")
register(WEBSHOP, "gigym.envs.webshop:WebShopEnv")
register(MATH_TOOLS, "gigym.envs.math_tools:MathToolsEnv")
register(NEGOTIATION, "gigym.envs.games:NegotiationEnv")
register(TWENTY_QUESTIONS, "gigym.envs.games:TwentyQuestionsEnv")
register(TEXT_ARENA, "gigym.envs.games.arena_env:TextArenaEnv")
