"""The one typed tree behind a run: a section per room, validated strictly, then never changed.

`Config` is what the trainer reads. `recipe.py` builds it from a TOML file and `key=value`
overrides; `config.toml` in a run directory is its dump and repeats the run. Every key is described
under its field; a key that no field names is an error.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Decay = Annotated[float, Field(ge=0, lt=1)]


class Section(BaseModel):
    """Base of all sections: strict, frozen, closed."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


class EnvSection(Section):
    """Where the agent acts. Keys not named here are options of the environment itself."""

    id: str = "ALFWorld-v0"
    """Registered name, see `gigym list`."""
    urls: tuple[str, ...] = ()
    """Env servers to play on; empty starts one on this machine for the run."""
    kind: Literal[
        "auto",
        "native",
        "openenv",
        "agentgym:alfworld",
        "agentgym:babyai",
        "agentgym:sciworld",
        "agentgym:textcraft",
        "agentgym:webshop",
    ] = "auto"
    """What those servers speak; `auto` asks them."""
    token_file: str = ""
    """File with the bearer token that the servers of `urls` ask for."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Options of the environment; written as `env.<option>`."""


class ModelSection(Section):
    """The policy: a checkpoint, or a small Qwen3 made from these numbers."""

    path: str = ""
    """HF directory or hub id; empty builds the small model and its tokenizer."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where model and engine run; `auto` takes a GPU when there is one."""
    hidden: Positive = 128
    """Width of the small model."""
    layers: Positive = 2
    """Decoder layers of the small model."""
    heads: Positive = 4
    """Attention heads, each with its own keys and values."""
    head_dim: Positive = 32
    """Width of one head."""
    mlp: Positive = 256
    """Width of the feed-forward block."""
    init_std: Annotated[float, Field(gt=0)] = 0.04
    """Standard deviation of the initial weights."""


class DemoStage(Section):
    """One stage of behaviour cloning."""

    episodes: Positive
    """Expert episodes, each of its own procedural game or task."""
    noise: Share
    """Share of steps in which a random admissible action replaces the expert's."""
    epochs: Positive = 1
    """Passes over the episodes."""
    lr: Annotated[float, Field(gt=0)] = 2e-3
    """Peak learning rate, decayed linearly to a tenth."""


class WarmstartSection(Section):
    """Behaviour cloning on scripted expert episodes before the first iteration."""

    stages: tuple[DemoStage, ...] = ()
    """Run in order; none means no warm start."""
    expert: Literal["state", "observation"] = "state"
    """Which scripted expert demonstrates."""
    observation_weight: Share = 0.3
    """Weight of predicting the environment's tokens beside 1 for the expert's; teaches copying."""
    batch_episodes: Positive = 8
    """Episodes per optimiser step."""
    first_seed: Positive = 100_000
    """Seed of the first demonstration; training tasks start at 0."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Initial weights, noise and order; apart from `seed`, so that runs share a warm start."""
    cache: bool = True
    """Keep the result under the user's cache directory, named by the hash of its recipe."""


class EngineSection(Section):
    """What generates."""

    name: Literal["hf", "openai"] = "hf"
    """`hf` runs in process on the learner's own weights; `openai` is a server of vLLM's kind that
    takes the learner's weights over HTTP."""
    url: str | tuple[str, ...] = ""
    """Server, or list of servers, of `openai`."""
    token_file: str = ""
    """File with the key that the servers of `url` ask for."""
    verify_push: Literal["first", "always", "never"] = "first"
    """After which pushes sampled logprobs are compared with the learner's; `hf` copies nothing and
    is not checked."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision the engine computes in, for the limits of that check; `auto` is the learner's."""
    slots: Positive = 64
    """Contexts held at once."""
    max_model_len: Positive = 1024
    """Longest context in tokens, sampled ones included."""

    @property
    def urls(self) -> tuple[str, ...]:
        """The servers, however many."""
        return (self.url,) if isinstance(self.url, str) and self.url else tuple(self.url)


class RolloutSection(Section):
    """How episodes are collected."""

    tasks: Positive = 8
    """Groups per iteration."""
    siblings: Annotated[int, Field(ge=2)] = 8
    """Episodes per group."""
    pool: Annotated[int, Field(ge=0)] = 0
    """Distinct training tasks, seeds 0..pool-1; 0 draws fresh seeds for ever."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """Sampling temperature in training."""
    max_action_tokens: Positive = 16
    """Longest reply of one turn."""
    context: Literal["append", "window"] = "append"
    """One growing context per episode, or the last `history` turns rendered again."""
    history: Annotated[int, Field(ge=0)] = 2
    """Turns kept in `window` contexts."""
    show_choices: bool = False
    """List the admissible actions in the prompt."""
    anchor: Literal["state", "observation", "observation+admissible_actions"] = "observation"
    """What names a state for step-level groups."""
    deterministic: bool | None = None
    """Start a forward only when every live episode has asked; unset: on when on CPU."""
    max_failure_share: Share = 0.2
    """Failed episodes in one iteration beyond which the run stops."""
    env_deadline_s: Annotated[float, Field(gt=0)] = 60.0
    """Longest wait for one environment step."""
    generate_deadline_s: Annotated[float, Field(gt=0)] = 120.0
    """Longest wait for one reply of the engine."""


class CreditSection(Section):
    """How returns become advantages (GiGPO, arXiv 2505.10978, eq. 3-8)."""

    gamma: Share = 0.95
    """Discount of the step returns."""
    omega: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the step advantage; estimators without one ignore it."""
    norm: Literal["mean", "mean_std"] = "mean_std"
    """Divide by the group's standard deviation, or not."""
    invalid_penalty: Annotated[float, Field(ge=0)] = 0.1
    """Taken off for each reply that is no action."""
    penalty_scope: Literal["local", "propagated"] = "local"
    """Whether earlier turns share the penalty."""


class ObjectiveSection(Section):
    """Clipped surrogate with optional KL (PPO; dual clip of arXiv 1912.09729)."""

    clip_low: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Ratios below 1 - clip_low stop pulling down."""
    clip_high: Annotated[float, Field(ge=0)] = 0.2
    """Ratios above 1 + clip_high stop pushing up."""
    dual_clip: Annotated[float, Field(gt=1)] = 3.0
    """Bound on the loss of a disadvantage."""
    kl_coef: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the k3 penalty against the weights the run started from."""
    entropy_coef: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the entropy bonus."""


class OptimSection(Section):
    """AdamW and how an iteration is cut into updates."""

    lr: Annotated[float, Field(gt=0)] = 1e-6
    """Learning rate, constant."""
    betas: tuple[Decay, Decay] = (0.9, 0.999)
    """Decay of the moments."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Decoupled decay."""
    grad_clip: Annotated[float, Field(gt=0)] = 1.0
    """Largest global gradient norm."""
    updates_per_iteration: Positive = 1
    """Mini-batches, cut by episode with a seeded permutation."""
    bin_tokens: Positive = 4096
    """Padded tokens of one forward and backward pass."""
    head_chunk: Positive = 1024
    """Trained positions per pass through the LM head."""


class CheckpointSection(Section):
    """When state is saved."""

    every: Annotated[int, Field(ge=0)] = 10
    """Iterations between checkpoints; 0 saves only at the end."""
    keep: Positive = 3
    """Newest checkpoints kept."""


class EvalSection(Section):
    """Scoring before and after training."""

    episodes: Annotated[int, Field(ge=0)] = 128
    """Episodes on unseen tasks, and about as many on the training tasks; 0 skips."""
    temperature: Annotated[float, Field(gt=0)] = 0.4
    """Sampling temperature of evaluation."""


class RunSection(Section):
    """Where things are written."""

    dir: str = ""
    """Run directory; empty is `runs/<recipe>-<time>`."""


class Config(Section):
    """A whole run."""

    recipe: str = "custom"
    """Name shown in the run directory."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Everything random derives from it."""
    iterations: Annotated[int, Field(ge=0)] = 30
    """Rollout and update rounds."""
    estimator: str = "gigpo"
    """Credit estimator, see `gigym.grouping.estimator_names`."""
    env: EnvSection = EnvSection()
    model: ModelSection = ModelSection()
    warmstart: WarmstartSection = WarmstartSection()
    engine: EngineSection = EngineSection()
    rollout: RolloutSection = RolloutSection()
    credit: CreditSection = CreditSection()
    objective: ObjectiveSection = ObjectiveSection()
    optim: OptimSection = OptimSection()
    checkpoint: CheckpointSection = CheckpointSection()
    eval: EvalSection = EvalSection()
    run: RunSection = RunSection()
