"""Networks trained on the project's own images: the only room that imports torch."""

from overread.errors import MissingExtraError

try:
    import torch as _torch  # noqa: F401 - asked for here, so that every module may import it
except ImportError as error:
    raise MissingExtraError("Training encoders", "learn") from error
