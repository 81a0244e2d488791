"""Schemas refuse what cannot be a set of answers."""

from __future__ import annotations

import pytest

from overread.errors import InputError
from overread.labels import Kind, LabelClass, LabelSchema, schema_of


def test_codes_follow_the_order_given():
    schema = LabelSchema(Kind.ORDINAL, (LabelClass("low"), LabelClass("high", "SCT:75540009")))
    assert (schema.names, schema.code("high")) == (("low", "high"), 1)
    with pytest.raises(InputError, match=r"class must be one of low, high; got 'hi'"):
        schema.code("hi")


@pytest.mark.parametrize("name", ["", " a", "a "])
def test_class_names_are_plain(name):
    with pytest.raises(InputError, match="class name must"):
        LabelClass(name)


def test_ontology_codes_name_their_scheme():
    with pytest.raises(InputError, match="SCHEME:CODE"):
        LabelClass("a", "1234")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((Kind.NOMINAL, (LabelClass("a"), LabelClass("a"))), "'a' twice"),
        ((Kind.NOMINAL, ()), "at least one class"),
        ((Kind.SCORE, (LabelClass("a"),)), "no classes"),
        ((Kind.SCORE, (), 2.0, 1.0), "low < high"),
        ((Kind.SCORE, (), 1.0, 1.0), "low < high"),
    ],
)
def test_impossible_schemas_are_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        LabelSchema(*arguments)


def test_classes_are_put_in_natural_order():
    assert schema_of(Kind.ORDINAL, {"10", "9", "grade 2"}).names == ("9", "10", "grade 2")
