"""Configurations that are refused: the helper shared by the tests that expect a ConfigError."""

from typing import Any

import pytest

from epmpi.config import ConfigError, Configuration


def refusal(function: Any, *arguments: Any) -> str:
    """Return the message of the ConfigError that the call must raise."""
    with pytest.raises(ConfigError) as caught:
        function(*arguments)
    return message_of(caught.value)


def message_of(error: ConfigError) -> str:
    """Return the message of an error: one line, or a line for each fault below a head."""
    message, number = str(error), len(error.args)
    assert message
    assert len(message.splitlines()) == (1 if number == 1 else number + 1)
    return message


def override(*texts: str) -> Configuration:
    """Return the default configuration with overrides section.key=value."""
    return Configuration().with_overrides(texts)
