"""YAML text to plain values, with the line of each; what can harm is refused before it is built.

No tags, anchors or aliases (so nothing is constructed, and nothing can grow), one document, a
bound on size and depth, no key twice. Plain words stay text: a class called ``no`` is not False.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from overread.errors import MissingExtraError
from overread.protocol.errors import Problem, ProtocolError, short

MOST_CHARACTERS = 200_000
_MOST_DEPTH = 20
_NULL = ("", "~", "null", "Null", "NULL")

Path: TypeAlias = tuple[str | int, ...]
Lines: TypeAlias = Mapping[Path, int]


def parse(text: str, name: str) -> tuple[Any, Lines]:
    """Read YAML into dicts, lists, texts and None.

    Args:
        text: the whole file.
        name: of the file, for errors.
    Returns:
        The value, and the line (from 1) of every path in it.
    Raises:
        ProtocolError: not YAML, or YAML that is refused.
    """
    try:
        import yaml  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError("Reading protocols", "server") from error
    if len(text) > MOST_CHARACTERS:
        raise _refused(name, 1, f"have at most {MOST_CHARACTERS} characters", len(text))
    try:
        node = _composed(yaml, text, name)
    except ProtocolError:
        raise
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        got = f"character U+{ord(text[error.position]):04X}"
        raise _refused(name, line, "hold printable characters only", got) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise _refused(name, line, "be YAML", error.problem or "other text") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise _refused(name, 1, "be YAML", "other text") from error
    if node is None:
        raise _refused(name, 1, "hold a protocol", "an empty file")
    lines: dict[Path, int] = {}
    problems: list[Problem] = []
    value = _value(node, (), lines, problems)
    if problems:
        raise ProtocolError(name, problems)
    return value, lines


def _refused(name: str, line: int, rule: str, got: object) -> ProtocolError:
    return ProtocolError(name, [Problem(line, "the file", rule, str(got))])


def _composed(yaml: Any, text: str, name: str) -> Any:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refused(name, line, "do without anchors and aliases", "one of them")
        if getattr(event, "tag", None) is not None:
            raise _refused(name, line, "do without tags", short(event.tag))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MOST_DEPTH:
                raise _refused(name, line, f"nest at most {_MOST_DEPTH} deep", "more")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _value(node: Any, path: Path, lines: dict[Path, int], problems: list[Problem]) -> Any:
    lines[path] = node.start_mark.line + 1
    if node.id == "scalar":
        plain = node.style is None
        return None if plain and node.value in _NULL else node.value
    if node.id == "sequence":
        return [_value(one, (*path, at), lines, problems) for at, one in enumerate(node.value)]
    made: dict[str, Any] = {}
    for key, one in node.value:
        line = key.start_mark.line + 1
        if key.id != "scalar":
            problems.append(Problem(line, where(path), "have texts for keys", f"a {key.id}"))
        elif key.value in made:
            here = where((*path, key.value))
            problems.append(Problem(line, here, "be given once", "it twice"))
        else:
            made[key.value] = _value(one, (*path, key.value), lines, problems)
            lines[*path, key.value] = line
    return made


def where(path: Path) -> str:
    """A path in words: ``questions 1, classes 3, colour`` (counted from 1)."""
    words: list[str] = []
    for step in path:
        if isinstance(step, int) and words:
            words[-1] += f" {step + 1}"
        else:
            words.append(str(step))
    return ", ".join(words) or "the file"


def line_of(path: Path, lines: Lines) -> int:
    """Line of a path, or of the nearest thing round it."""
    for end in range(len(path), -1, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return 1
