"""The API by its own description: complete, true, and no generated request makes it fail."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from overread.web.access.roles import NOBODY
from overread.web.description import described, description
from overread.web.routes import ROUTES
from tests.web.conftest import House

_SCHEMA = description(described())
_API = [one for one in ROUTES if one.is_api]
_ROLES = ("nobody", "reader", "lead", "admin")


def _operation(one: Any) -> dict[str, Any]:
    return _SCHEMA["paths"][one.path][one.method.lower()]


def test_description_names_every_route_of_the_api(stormed_house: House) -> None:
    told = stormed_house.people["reader"].get("/api/openapi.json").json()
    assert told == _SCHEMA
    named = {(method.upper(), path) for path, one in told["paths"].items() for method in one}
    assert named == {(one.method, one.path) for one in _API}
    assert stormed_house.people["nobody"].get("/api/openapi.json").status_code == 401


def test_the_file_is_fresh() -> None:
    kept = Path(__file__).parents[2] / "docs" / "openapi.json"
    assert json.loads(kept.read_text(encoding="utf-8")) == _SCHEMA, (
        "write it anew: overread openapi --out docs/openapi.json, then npm run schema in frontend/"
    )


@pytest.mark.parametrize("one", _API, ids=lambda one: one.operation)
def test_every_route_is_described_in_full(one: Any) -> None:
    told = _operation(one)
    assert re.fullmatch(r"[a-z]+[A-Za-z]*", told["operationId"])
    assert told["summary"]
    assert told["description"]
    assert len(told["tags"]) == 1
    good = told["responses"][str(one.status)]["content"]
    if one.gives:
        assert one.gives in good
    elif one.operation != "describeApi":
        assert "$ref" in json.dumps(good["application/json"]["schema"])
    for status in ("400", "401", "403", "404", "422"):
        shape = told["responses"][status]["content"]["application/json"]["schema"]
        assert shape["$ref"].endswith("Out")
    wanted = [] if NOBODY in one.roles else [{"session": []}]
    if wanted and one.method != "GET":
        wanted = [{"session": [], "csrf": []}]
    assert told["security"] == wanted


def test_names_are_used_once_and_no_shape_is_open() -> None:
    names = [one.operation for one in _API]
    assert len(set(names)) == len(names)
    shapes = _SCHEMA["components"]["schemas"]
    for name, shape in shapes.items():
        for field, one in shape.get("properties", {}).items():
            said = set(one) - {"title", "description", "examples", "default"}
            assert said, f"{name}.{field} may be anything"


@cache  # an operation's are the same for every role
def _validator(operation: str, status: str) -> Any:
    one = next(each for each in _API if each.operation == operation)
    content = _operation(one)["responses"][status]["content"]
    schema = content["application/json"]["schema"]
    return jsonschema_rs.validator_for({**schema, "components": _SCHEMA["components"]})


@cache
def _requests(path: str, method: str) -> Any:
    return _generator()[path][method].as_strategy()


@cache
def _generator() -> Any:
    return schemathesis.openapi.from_dict(_SCHEMA)


def assert_as_described(one: Any, reply: Any) -> None:
    """The answer has a status and a shape that the description tells of."""
    assert reply.status_code < 500 or reply.status_code == 501, (reply.status_code, reply.text)
    if reply.status_code == 405:  # the strategy may change the method
        return
    told = _operation(one)["responses"]
    assert str(reply.status_code) in told, (reply.status_code, reply.text)
    kinds = told[str(reply.status_code)].get("content", {})
    if "application/json" in kinds:
        validator = _validator(one.operation, str(reply.status_code))
        wrong = list(validator.iter_errors(reply.json()))
        assert [f"{list(each.instance_path)}: {each.message[:300]}" for each in wrong] == []


_OUT = {"logOut"}


@pytest.mark.parametrize("role", _ROLES)
@pytest.mark.parametrize("one", [one for one in _API if one.operation not in _OUT], ids=lambda one: one.operation)  # fmt: skip # noqa: E501
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_generated_request_makes_the_server_fail(
    stormed_house: House, one: Any, role: str
) -> None:
    who = stormed_house.people[role]
    known = {"project": stormed_house.project} | _task_of(stormed_house, role)
    known |= {"sha256": "0" * 64}

    @settings(
        max_examples=1 if role == "nobody" else 3,  # who is not signed in is turned away before
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=_requests(one.path, one.method))
    def check(case: Any) -> None:
        for named in ({}, known):
            kept = dict(case.path_parameters or {})
            case.path_parameters = {name: named.get(name, value) for name, value in kept.items()}
            arguments = case.as_transport_kwargs(base_url="http://127.0.0.1")
            headers = {**(arguments.pop("headers", None) or {}), **who.headers}
            headers = {name: str(value) for name, value in headers.items() if str(value).isascii()}
            headers["host"] = "127.0.0.1"
            arguments.pop("cookies", None)
            reply = who.client.request(headers=headers, **arguments)
            assert_as_described(one, reply)
            case.path_parameters = kept

    check()


def _task_of(house: House, role: str) -> dict[str, str]:
    """A task that is theirs, so that the requests reach the work and not a 404."""
    readers = {"readers": [house.people[one].id for one in ("reader", "other")]}
    reply = house.people["lead"].put(f"/api/projects/{house.project}/members", readers)
    assert reply.status_code == 200
    if role != "reader":
        found = house.people["lead"].get(f"/api/projects/{house.project}/cases").json()
        return {"case": found["cases"][0]["id"]}
    tasks = house.tasks(role)
    return {"task": tasks[0]["id"], "case": tasks[0]["case"]["id"]} if tasks else {}
