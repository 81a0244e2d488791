"""Changes to a protocol file that leave the rest of its text, comments too, as it is.

Each cuts or puts in whole lines and reads the outcome back. Where a file is written in a way that
this cannot follow (an atlas in one line, say), the whole is written anew in our spelling.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from overread.errors import InputError
from overread.protocol.errors import ProtocolError
from overread.protocol.learning import Learning
from overread.protocol.model import AtlasEntry, Protocol
from overread.protocol.pre_label import PreLabel
from overread.protocol.read import read_protocol
from overread.protocol.write import write_protocol


def with_guideline(text: str, guideline: str) -> str:
    """The file with another guideline.

    Raises:
        ProtocolError: the file has faults, or the guideline cannot be kept.
    """
    guideline = _plain(guideline)
    guideline += "\n" if guideline else ""
    wanted = replace(read_protocol(text), guideline=guideline)
    block = _part(replace(_bare(wanted), guideline=guideline), "guideline") if guideline else []
    return _checked(_swapped(text, "guideline", block), wanted)


def with_learning(text: str, learning: Learning | None) -> str:
    """The file with another ``learning:`` block, or without any.

    Raises:
        ProtocolError: the file has faults, or the block does not fit it.
    """
    wanted = replace(read_protocol(text), learning=learning)
    block = _part(replace(_bare(wanted), learning=learning), "learning") if learning else []
    made = _checked(_swapped(text, "learning", block), wanted)
    read_protocol(made)
    return made


def with_pre_label(text: str, wish: PreLabel) -> str:
    """The file with another ``pre_label:`` block; without any where it says what is usual.

    Raises:
        ProtocolError: the file has faults, or the block does not fit it.
    """
    wanted = replace(read_protocol(text), pre_label=wish)
    usual = wish == PreLabel()
    block = [] if usual else _part(replace(_bare(wanted), pre_label=wish), "pre_label")
    made = _checked(_swapped(text, "pre_label", block), wanted)
    read_protocol(made)
    return made


def with_atlas_entry(text: str, entry: AtlasEntry) -> str:
    """The file with one more atlas entry, behind the others.

    Raises:
        ProtocolError: the file has faults, or the entry does not fit it.
    """
    before = read_protocol(text)
    if any(one.id == entry.id for one in before.atlas):
        raise InputError("atlas entry", "have an id of its own", entry.id)
    entry = replace(entry, why=_plain(entry.why))
    wanted = replace(before, atlas=(*before.atlas, entry))
    item = _part(replace(_bare(wanted), atlas=(entry,)), "atlas")
    if not before.atlas:
        return _checked(_swapped(text, "atlas", item), wanted)
    return _checked(_appended(text, item[1:]), wanted)


def without_atlas_entry(text: str, name: str) -> str:
    """The file without an atlas entry.

    Raises:
        InputError: there is none of the id.
    """
    before = read_protocol(text)
    at = next((at for at, one in enumerate(before.atlas) if one.id == name), None)
    if at is None:
        raise InputError("atlas entry", "be one of the protocol", name)
    wanted = replace(before, atlas=before.atlas[:at] + before.atlas[at + 1 :])
    if not wanted.atlas:
        return _checked(_swapped(text, "atlas", []), wanted)
    nodes = _nodes(text)["atlas"][1].value
    lines = text.splitlines(keepends=True)
    first = nodes[at].start_mark.line
    last = nodes[at + 1].start_mark.line if at + 1 < len(nodes) else _end(nodes[at], lines)
    return _checked("".join(lines[:first] + lines[last:]), wanted)


def _bare(protocol: Protocol) -> Protocol:
    return replace(protocol, guideline="", atlas=())


def _plain(text: str) -> str:
    """Text as a YAML block can hold it: no blanks at the ends of lines."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def _part(protocol: Protocol, key: str) -> list[str]:
    """The lines of one key in our own spelling."""
    written = write_protocol(protocol)
    pair = _nodes(written)[key]
    lines = written.splitlines(keepends=True)
    return lines[pair[0].start_mark.line : _end(pair[1], lines)]


def _swapped(text: str, key: str, block: list[str]) -> str:
    """The file with other lines for a key; behind all others where it had none."""
    lines = (text if text.endswith("\n") else text + "\n").splitlines(keepends=True)
    pair = _nodes(text).get(key)
    if pair is None:
        return "".join(lines + block)
    first, last = pair[0].start_mark.line, _end(pair[1], lines)
    return "".join(lines[:first] + block + lines[last:])


def _appended(text: str, item: list[str]) -> str:
    """The file with an item behind those of its atlas, as deep as they are."""
    lines = (text if text.endswith("\n") else text + "\n").splitlines(keepends=True)
    nodes = _nodes(text)["atlas"][1].value
    start = lines[nodes[-1].start_mark.line]
    deep = len(start) - len(start.lstrip(" "))
    own = len(item[0]) - len(item[0].lstrip(" "))
    moved = [" " * deep + line[own:] if line.strip() else line for line in item]
    last = _end(nodes[-1], lines)
    return "".join(lines[:last] + moved + lines[last:])


def _end(node: Any, lines: list[str]) -> int:
    """The line behind a value; blank lines and comments behind it are not its own."""
    last = node.end_mark.line + (1 if node.end_mark.column else 0)
    while last > node.start_mark.line + 1 and (
        not lines[last - 1].strip() or lines[last - 1].startswith("#")
    ):
        last -= 1
    return int(last)


def _nodes(text: str) -> dict[str, Any]:
    """Key and value of each part of a file, as nodes with their places."""
    import yaml  # noqa: PLC0415 - an extra; the protocol was read by now

    root: Any = yaml.compose(text)
    return {key.value: (key, value) for key, value in root.value}


def _checked(text: str, wanted: Protocol) -> str:
    """The text where it says what is wanted; else the whole in our spelling."""
    try:
        if read_protocol(text) == wanted:
            return text
    except ProtocolError:
        pass
    written = write_protocol(wanted)
    read_protocol(written)
    return written
