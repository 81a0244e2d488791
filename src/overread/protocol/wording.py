"""Questions of a protocol as the beginning of a sentence."""

from __future__ import annotations


def headed(prompt: str) -> str:
    """A question before what is said of it; a colon, unless it ends in a mark of its own.

    Example:
        >>> headed("Which grade"), headed("How good is the image?")
        ('Which grade:', 'How good is the image?')
    """
    return prompt if prompt.endswith(("?", "!", ".", ":", ";")) else f"{prompt}:"
