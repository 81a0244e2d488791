"""The page of effort: hours, the end, rates, and the table."""

from __future__ import annotations

from tests.web.conftest import House


def test_hours_rates_and_the_table(house: House) -> None:
    lead, path = house.people["lead"], f"/projects/{house.project}/effort"
    assert "Nothing was read yet" in lead.get(path).text
    for task in house.tasks("reader", 3):
        house.read("reader", task, {"fractures": [], "certainty": "Sure"}, seconds=120)
    page = lead.get(path).text
    assert "Rhea Reader" in page
    assert "3 of 8 reads are made" in page
    assert "6 min" in page  # three times two minutes
    assert "10 min" in page  # five are left
    terms = {"rate:reader": "60", "currency": "EUR", "hours": "0.2", "deadline": "2026-12-24"}
    assert lead.form(path, **terms).status_code == 303
    page = lead.get(path).text
    assert "6 EUR" in page
    assert "in time for 2026-12-24" in page
    assert "What it would have cost" in lead.get(path, params={"labelled": 50, "review": 5}).text
    table = lead.get(f"{path}.csv")
    assert table.text.splitlines()[0].startswith("reader,work,reads")
    assert "Rhea Reader,reading,3,1" in table.text
    assert "attachment" in table.headers["content-disposition"]
    refused = lead.form(path, hours="many")
    assert refused.status_code == 422
    assert "planned hours must be a number" in refused.text
    for who in ("reader", "other"):
        assert house.people[who].get(path).status_code == 403
        assert house.people[who].get(f"{path}.csv").status_code == 403
        assert house.people[who].form(path, hours="1").status_code == 403
