"""Headers of every response: what a browser may load, frame, guess and remember."""

from __future__ import annotations

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'"
)
READING_POLICY = POLICY.replace("form-action 'self'", "form-action 'none'; worker-src 'self' blob:")
"""The reading page has no forms; its decoders may run in workers."""

_ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # not "no-referrer": with it browsers send "Origin: null" on our own forms
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "x-robots-tag": "noindex",
}
_YEAR = 31_536_000


def with_headers(
    headers: list[tuple[bytes, bytes]], *, path: str, secure: bool
) -> list[tuple[bytes, bytes]]:
    """Add what a response does not say itself; a page is never kept by a browser or proxy."""
    given = {name.lower() for name, _ in headers}
    policy = READING_POLICY if path.startswith("/read/") else POLICY
    wanted = {**_ALWAYS, "content-security-policy": policy, "cache-control": "no-store"}
    if secure:
        wanted["strict-transport-security"] = f"max-age={_YEAR}"
    extra = [(name.encode(), value.encode()) for name, value in wanted.items()]
    return headers + [(name, value) for name, value in extra if name not in given]
