"""Label rules of a user's own: functions of installed packages, named or announced by them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from importlib import import_module
from importlib.metadata import entry_points, packages_distributions
from typing import cast

from overread.errors import InputError, MethodError, OverreadError
from overread.monitoring.rules import RULES, Hint, Rule, RuleContext

GROUP = "overread.label_rules"
"""Entry point group by which a package announces its rules."""


def rules_with(own: Iterable[str] = (), *, announced: bool = True) -> dict[str, Rule]:
    """The ready-made rules and a user's own.

    Args:
        own: each "module:function" of an installed package.
        announced: add the rules that installed packages announce in ``overread.label_rules``.
    Raises:
        InputError: no such function, or a module of no installed package.
    """
    rules = dict(RULES)
    if announced:
        for point in entry_points(group=GROUP):
            rules[point.name] = _guarded(point.name, point.load())
    for name in own:
        rules[name] = _guarded(name, _loaded(name))
    return rules


def _loaded(name: str) -> Callable[[RuleContext], tuple[Hint, ...]]:
    module, colon, function = name.partition(":")
    if not (module and colon and function):
        raise InputError("--rule", "be module:function", repr(name))
    if module.partition(".")[0] not in packages_distributions():
        remedy = "Install the package that it is in; files beside the data are not run."
        raise InputError("--rule", "name a module of an installed package", module, remedy=remedy)
    try:
        found = getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise InputError("--rule", "name a function that is there", repr(name)) from error
    if not callable(found):
        raise InputError("--rule", "name a function", type(found).__name__)
    return cast("Callable[[RuleContext], tuple[Hint, ...]]", found)


def _guarded(name: str, rule: Callable[[RuleContext], tuple[Hint, ...]]) -> Rule:
    """The rule, its own failures told by its name; they may hold identifiers, so no more."""

    @wraps(rule)
    def guarded(context: RuleContext) -> tuple[Hint, ...]:
        try:
            return rule(context)
        except OverreadError:
            raise
        except Exception as error:
            raise MethodError(f"The label rule {name!r} failed: {type(error).__name__}") from error

    return guarded
