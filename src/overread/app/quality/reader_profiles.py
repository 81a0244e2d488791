"""Who a reader is, in their own words, and whether that is what a protocol demands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from overread.errors import InputError
from overread.protocol import Qualification
from overread.store import Store, get_profiles, list_members, set_profile
from overread.store.errors import NotFoundError

_LONGEST = 200
_MOST = 30


@dataclass(frozen=True, slots=True)
class Profile:
    """A reader's profile; "" and () where nothing was said.

    Args:
        board: certified by a board.
        years: of experience with such images.
        modalities: as images name them ("CR", "MR").
        conflicts: of interest, in words.
    """

    profession: str = ""
    specialty: str = ""
    board: bool = False
    years: float = 0.0
    modalities: tuple[str, ...] = ()
    conflicts: str = ""

    @property
    def told(self) -> bool:
        """Something was said at all."""
        return self != Profile()


def profile_of(store: Store, reader: str) -> Profile:
    """The profile of somebody; an empty one where they said nothing."""
    return profiles_of(store, [reader])[reader]


def profiles_of(store: Store, readers: Sequence[str]) -> dict[str, Profile]:
    """Profiles by reader, empty ones too."""
    found = get_profiles(store, list(readers))
    return {one: _profile(found.get(one, {})) for one in readers}


def _profile(kept: Mapping[str, Any]) -> Profile:
    return Profile(**{**kept, "modalities": tuple(kept.get("modalities", ()))})


def save_profile(store: Store, reader: str, fields: Mapping[str, str], *, by: str) -> None:
    """Keep a profile as a form gives it.

    Args:
        fields: profession, specialty, board, years, modalities (with commas), conflicts.
    Raises:
        InputError: a field that cannot be.
    """
    text = {key: fields.get(key, "").strip() for key in ("profession", "specialty", "conflicts")}
    for key, value in text.items():
        longest = 4_000 if key == "conflicts" else _LONGEST
        if len(value) > longest:
            raise InputError(key, f"have at most {longest} characters", len(value))
    modalities = [one.strip() for one in fields.get("modalities", "").split(",") if one.strip()]
    if len(modalities) > _MOST or any(len(one) > _LONGEST for one in modalities):
        raise InputError("modalities", f"be at most {_MOST} short words", len(modalities))
    made = Profile(
        board=bool(fields.get("board")),
        years=_years(fields.get("years", "")),
        modalities=tuple(dict.fromkeys(modalities)),
        **text,
    )
    set_profile(store, reader, {**asdict(made), "modalities": list(made.modalities)}, by)


def save_profile_in(
    store: Store, project: str, reader: str, fields: Mapping[str, str], *, by: str
) -> None:
    """Keep the profile of a reader of one's project.

    Raises:
        NotFoundError: nobody of the project.
    """
    if reader not in {one.reader for one in list_members(store, project)}:
        raise NotFoundError("member", reader)
    save_profile(store, reader, fields, by=by)


def _years(text: str) -> float:
    text = text.strip().replace(",", ".") or "0"
    try:
        years = float(text)
    except ValueError as error:
        raise InputError("years", "be a number of 0 to 80", text[:20]) from error
    if not 0 <= years <= 80:
        raise InputError("years", "be a number of 0 to 80", text[:20])
    return years


def misfits(profile: Profile, asked: Qualification) -> list[str]:
    """What a profile lacks, in words; [] where it fits."""
    made: list[str] = []
    for name, said, wanted in (
        ("profession", profile.profession, asked.professions),
        ("specialty", profile.specialty, asked.specialties),
    ):
        if wanted and said.casefold() not in {one.casefold() for one in wanted}:
            made.append(f"{name} is {said or 'not told'}; wanted: {' or '.join(wanted)}")
    if asked.board and not profile.board:
        made.append("board certification is wanted")
    if profile.years < asked.least_years:
        told = f"{profile.years:g} years of experience" if profile.years else "years are not told"
        made.append(f"{told}; wanted: {asked.least_years:g} or more")
    known = {one.casefold() for one in profile.modalities}
    lacking = [one for one in asked.modalities if one.casefold() not in known]
    if lacking:
        made.append(f"no experience told with {', '.join(lacking)}")
    return made


def demands_words(asked: Qualification) -> list[str]:
    """What a protocol demands of a profile, in words; [] where it demands nothing."""
    made: list[str] = []
    if asked.professions:
        made.append(f"profession: {' or '.join(asked.professions)}")
    if asked.specialties:
        made.append(f"specialty: {' or '.join(asked.specialties)}")
    if asked.board:
        made.append("board certified")
    if asked.least_years:
        made.append(f"{asked.least_years:g} years or more")
    if asked.modalities:
        made.append(f"experience with {', '.join(asked.modalities)}")
    return made
