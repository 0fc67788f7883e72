"""Where alerts go: addresses as apprise knows them, or variables of the environment that hold one."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from aios_workbench.errors import AlertNotTaken

_NAME = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)


def is_channel(text: str) -> bool:
    """Return whether a text is `$NAME` of an environment variable, or an address as apprise knows them.

    Examples
    --------
    >>> is_channel("$CLAIMS_ALERTS"), is_channel("mailto://user:secret@example.com"), is_channel("#ops")
    (True, True, False)
    """
    return bool(_NAME.fullmatch(text) or _URL.fullmatch(text))


def is_open(channel: str) -> bool:
    """Return whether an address stands in the file itself, with whatever password is in it."""
    return not channel.startswith("$")


def is_known(channel: str) -> bool:
    """Return whether apprise can send to an address; a variable's is not looked at."""
    import apprise

    return not is_open(channel) or bool(apprise.Apprise().add(channel))


def send_to(channels: Sequence[str], subject: str, body: str) -> None:
    """Send one text through every channel.

    Raises
    ------
    AlertNotTaken
        When a channel is not set, not known, or did not take it; its address is not told. The others have it.
    """
    import apprise

    wrong: dict[str, str] = {}
    for channel in channels:
        address = channel if is_open(channel) else os.environ.get(channel[1:], "")
        shown = f"{channel.partition('://')[0]}://…" if is_open(channel) else channel
        if not address:
            wrong[channel] = f"{shown} is not set where the worker runs"
            continue
        to = apprise.Apprise()
        if not to.add(address):
            wrong[channel] = f"{shown} is no address that apprise knows"
        elif not to.notify(title=subject, body=body, body_format=apprise.NotifyFormat.TEXT):
            wrong[channel] = f"{shown} did not take it"
    if wrong:
        raise AlertNotTaken("; ".join(wrong.values()), tuple(wrong))
