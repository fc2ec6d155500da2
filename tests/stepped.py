"""Runs that are interrupted between two given steps, for tests."""

from collections.abc import Callable

from epmpi.model.model import Model


def call_at_steps(
    model: Model,
    *,
    before: Callable[[], None] | None = None,
    after: Callable[[], None] | None = None,
) -> None:
    """Let a model advance by one step at a time, with something done before or after each."""
    advance = model.advance

    def one_step(until: int) -> None:
        if before is not None:
            before()
        advance(model.step_count + 1)
        if after is not None:
            after()

    model.advance = one_step  # type: ignore[method-assign]
