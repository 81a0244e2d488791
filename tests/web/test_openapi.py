"""The API by its own description: no generated request makes the server fail."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error

from overread.web.application import described
from overread.web.routes import ROUTES
from tests.web.conftest import House

_SCHEMA = described().openapi()


def test_description_names_every_route_of_the_api(shared_house: House) -> None:
    told = shared_house.people["reader"].get("/api/openapi.json").json()
    assert told == _SCHEMA
    described_routes = {
        (method.upper(), path) for path, one in told["paths"].items() for method in one
    }
    assert described_routes == {(one.method, one.path) for one in ROUTES if one.is_api}


_OPERATIONS = [
    (path, method)
    for path, one in _SCHEMA["paths"].items()
    for method in one
    if path not in {"/api/logout", "/api/login"}
]


@pytest.mark.parametrize(("path", "method"), _OPERATIONS, ids=str)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_generated_request_makes_the_server_fail(
    shared_house: House, path: str, method: str
) -> None:
    schema = schemathesis.openapi.from_dict(_SCHEMA)
    lead = shared_house.people["lead"]
    (task,) = shared_house.tasks("reader")
    known = {"project": shared_house.project, "task": task["id"], "case": task["case"]["id"]}

    @settings(
        max_examples=4,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @_given(schema[path][method.upper()])
    def check(case: Any) -> None:
        for who in (lead, shared_house.people["reader"]):
            for named in ({}, known):
                kept = dict(case.path_parameters or {})
                case.path_parameters = {name: named.get(name, one) for name, one in kept.items()}
                arguments = case.as_transport_kwargs(base_url="http://127.0.0.1")
                headers = {**(arguments.pop("headers", None) or {}), **who.headers}
                headers = {name: str(one) for name, one in headers.items() if str(one).isascii()}
                headers["host"] = "127.0.0.1"
                arguments.pop("cookies", None)
                reply = who.client.request(headers=headers, **arguments)
                assert reply.status_code < 500, (reply.status_code, reply.text)
                case.path_parameters = kept

    check()
    assert not_a_server_error is not None


def _given(operation: Any) -> Any:
    from hypothesis import given

    return given(case=operation.as_strategy())
