"""Configurations that are refused: the helper shared by the tests that expect a ConfigError."""

from typing import Any

import pytest

from epmpi.config import ConfigError, Configuration


def refusal(function: Any, *arguments: Any) -> str:
    """Return the message of the ConfigError that the call must raise, which must be one line."""
    with pytest.raises(ConfigError) as caught:
        function(*arguments)
    message = str(caught.value)
    assert message
    assert len(message.splitlines()) == 1
    return message


def override(*texts: str) -> Configuration:
    """Return the default configuration with overrides section.key=value."""
    return Configuration().with_overrides(texts)
