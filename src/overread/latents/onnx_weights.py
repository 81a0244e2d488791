"""Whether all weights of an ONNX file are in it.

onnxruntime takes a name of another file as one beside the process, wherever that runs: a file
could bring any other into its weights, and its hash would not cover them.
"""

from __future__ import annotations

from typing import Any

from overread.errors import InputError, MissingExtraError


def refuse_weights_elsewhere(data: bytes) -> None:
    """Refuse a file whose weights are not all in it.

    Args:
        data: the whole ONNX file.
    Raises:
        InputError: it is no ONNX file, or some of its weights lie in another.
        MissingExtraError: onnx is not installed.
    """
    try:
        import onnx  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError("Running an encoder", "encoders") from error
    try:
        model = onnx.ModelProto.FromString(data)
    except Exception as error:  # protobuf's own kinds
        raise InputError("ONNX file", "be a sound ONNX graph", type(error).__name__) from error
    if _elsewhere(model, onnx.TensorProto):
        remedy = "Weights must be inside the file: save it as one file."
        raise InputError("ONNX file", "hold its weights", "names of other files", remedy=remedy)


def _elsewhere(message: Any, tensor: type[Any]) -> bool:
    """Some tensor in it, however deep (graphs hold graphs), is kept in another file."""
    if isinstance(message, tensor):
        return bool(message.external_data) or message.data_location == tensor.EXTERNAL
    for field, held in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            several = [held] if hasattr(held, "DESCRIPTOR") else held
            if any(_elsewhere(one, tensor) for one in several):
                return True
    return False
