"""Who and where, without names: bands, codes and keyed hashes."""

from __future__ import annotations

import hashlib
import hmac
import re

from overread.images.case_image import CaseMeta, GroupSource
from overread.images.dicom_values import Dataset, code, printable, text

_AGE = re.compile(r"(\d{1,3})([DWMY])")
_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_DAYS = {"D": 1.0, "W": 7.0, "M": 30.4375, "Y": 365.25}
_PARTS = frozenset(
    """
    ABDOMEN ABDOMENPELVIS ADRENAL ANKLE ANUS AORTA ARM ARTERY AXILLA BACK BILEDUCT BLADDER BODY BONE
    BRACHIALPLEXUS BRAIN BREAST BRONCHUS BUTTOCK CALCANEUS CAROTID CAROTIDARTERY CEREBRUM CERVIX
    CHEEK CHEST CHESTABDOMEN CHESTABDPELVIS CIRCLEOFWILLIS CLAVICLE COCCYX COLON CORNEA
    CORONARYARTERY CSPINE CTSPINE DUODENUM EAR ELBOW ESOPHAGUS EXTREMITY EYE EYELID FACE FEMUR
    FEMORALARTERY FETUS FIBULA FINGER FOOT FOREARM GALLBLADDER HAND HEAD HEADNECK HEART HIP HUMERUS
    IAC ILEUM ILIUM INTESTINE JAW JEJUNUM KIDNEY KNEE LARYNX LEG LIVER LOWERLEG LOWERLIMB LSPINE
    LSSPINE LUNG MANDIBLE MAXILLA MEDIASTINUM MOUTH NECK NECKCHEST NECKCHESTABDOMEN NOSE ORBIT OVARY
    PANCREAS PAROTID PATELLA PELVIS PENIS PHARYNX PITUITARY PROSTATE RADIUS RECTUM RETINA RIB SACRUM
    SCALP SCAPULA SCLERA SCROTUM SHOULDER SIJOINT SINUS SKIN SKULL SPINE SPLEEN SSPINE STERNUM
    STOMACH TEMPORALBONE TESTIS THIGH THORAX THROAT THUMB THYMUS THYROID TIBIA TLSPINE TMJ TOE
    TONGUE TRACHEA TSPINE UPPERARM UPPERLIMB URETER URETHRA UTERUS VAGINA VEIN WHOLEBODY WRIST
    ZYGOMA
    """.split()  # noqa: SIM905 - one word a line would be longer than this file
)
"""Parts of DICOM PS3.16 annex L; other texts can be anybody's name and are left out."""
_OLDEST = 90  # HIPAA's safe harbour takes the ages above 89 together


def keyed(secret: bytes, kind: str, *parts: str) -> str:
    """Keyed hash of an identifier; without the secret nobody can try identifiers on it.

    Args:
        secret: the project's own, at least 16 bytes.
        kind: keeps hashes of different things apart.
        parts: the identifier; texts may hold anything.
    Source:
        RFC 2104 (HMAC), with SHA-256.
    """
    told = b"".join(len(raw := part.encode()).to_bytes(4, "big") + raw for part in (kind, *parts))
    return hmac.new(secret, told, hashlib.sha256).hexdigest()


def patient_key(secret: bytes, patient: str, issuer: str = "") -> str:
    """Keyed hash of a patient: of DICOM, or as a lead states it of other images."""
    return keyed(secret, "patient", issuer, patient)


def group_of(dataset: Dataset, secret: bytes) -> str | None:
    """Keyed hash of the patient; of the study where the file names none; None without both."""
    patient = text(dataset, "PatientID")
    if patient:
        return patient_key(secret, patient, text(dataset, "IssuerOfPatientID"))
    study = text(dataset, "StudyInstanceUID")
    return keyed(secret, "study", study) if study else None


def group_source(dataset: Dataset) -> GroupSource:
    """Of whom :func:`group_of` is the hash."""
    if text(dataset, "PatientID"):
        return "patient"
    return "study" if text(dataset, "StudyInstanceUID") else ""


def meta_of(dataset: Dataset, secret: bytes) -> CaseMeta:
    """What is known for diversity."""
    site = " ".join(text(dataset, "InstitutionName").casefold().split())
    parts = [printable(dataset, name) for name in ("Manufacturer", "ManufacturerModelName")]
    sex = code(dataset, "PatientSex")
    return CaseMeta(
        age_band=age_band(dataset),
        sex=sex if sex in {"F", "M", "O"} else None,
        site=keyed(secret, "site", site)[:16] if site else None,
        device=" ".join(part for part in parts if part) or None,
        body_part=_known_part(code(dataset, "BodyPartExamined")),
    )


def _known_part(told: str) -> str | None:
    part = told.replace(" ", "").replace("_", "")
    return part if part in _PARTS else None


def age_band(dataset: Dataset) -> str | None:
    """Band of ten years, from the age or else from the dates of birth and study."""
    years = _stated_age(text(dataset, "PatientAge"))
    if years is None:
        years = _age_between(text(dataset, "PatientBirthDate"), text(dataset, "StudyDate"))
    if years is None or not 0 <= years < 130:
        return None
    if years >= _OLDEST:
        return f"{_OLDEST}+"
    low = int(years) // 10 * 10
    return f"{low}-{low + 9}"


def _stated_age(told: str) -> float | None:
    match = _AGE.fullmatch(told.strip())
    return int(match[1]) * _DAYS[match[2]] / _DAYS["Y"] if match else None


def _age_between(birth: str, study: str) -> float | None:
    born, seen = _DATE.fullmatch(birth), _DATE.fullmatch(study)
    if not born or not seen:
        return None
    birthday_to_come = (seen[2], seen[3]) < (born[2], born[3])
    return int(seen[1]) - int(born[1]) - birthday_to_come
