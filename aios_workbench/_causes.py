"""Why a set-up failed, read from what pip, uv, yarn and the system print. Standard library only, as bootstrap."""

import re
import sys

#: what pip, uv, yarn and the system print -> (kind, what it means, next step)
CAUSES = (
    (
        r"No space left on device|ENOSPC|Disk quota exceeded|os error (28|122)\b|Errno (28|122)\b",
        "disk",
        "the disk is full",
        "free about 3 GB (`pip cache purge` and `uv cache clean` help), then call the same command again",
    ),
    (
        r"do not match the hashes|hash mismatch|YN0018",
        "hash",
        "a downloaded package is not the one requirements.lock or yarn.lock names",
        "clear the caches (`pip cache purge`, `uv cache clean`), call again; if it stays, tell your registry's keeper",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|invalid peer certificate|UnknownIssuer|SELF_SIGNED_CERT|self.signed certificate",
        "tls",
        "the package registry's certificate is not trusted here",
        "point pip at your organisation's CA file: `pip config set global.cert /path/to/ca.pem`",
    ),
    (
        (
            r"Max retries exceeded|NewConnectionError|name resolution|Failed to establish a new connection|"
            r"(Read|Connect)TimeoutError|timed? out|timeout was reached|error sending request|dns error|"
            r"failed to lookup|connection (refused|reset|closed)|tcp connect error|ENOTFOUND|ECONNREFUSED|"
            r"ECONNRESET|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|network is unreachable|ProxyError|Bad Gateway|"
            r"Service Unavailable|Gateway Time-?out"
        ),
        "registry",
        "the package registry does not answer",
        (
            "check the network, the proxy (HTTPS_PROXY) and `pip config get global.index-url` (npm: `npm config get "
            "registry`), then call the same command again: it goes on where it stopped"
        ),
    ),
    (
        r"No matching distribution|No solution found|was not found in the package registry|could not find a version",
        "missing",
        "the package registry answers, but lacks a package that requirements.lock names",
        "check that `pip config get global.index-url` points at a full index, and that it answers",
    ),
    (
        r"npm_builder|jlpm",
        "build",
        "the front end did not build",
        "mend what the output above names in labextension/, then call the same command again",
    ),
    (
        r"No module named '?pip\b|ensurepip is not available",
        "pip",
        "this Python has neither ensurepip nor pip, so no virtual environment can be made",
        "install them (Debian: `apt-get install python3-venv`), then call the same command again",
    ),
)


#: kinds that another installer would not mend
HOPELESS = ("disk", "hash", "registry", "build")


class SetupError(Exception):
    """Set-up cannot go on: `what` happened, the `step` to take next, and the failed command's output."""

    def __init__(self, what: str, step: str, kind: str = "", output: str = "") -> None:
        super().__init__(what)
        self.what, self.step, self.kind, self.output = what, step, kind, output

    def show(self) -> None:
        """Print it, the command's last lines first."""
        for line in self.output.splitlines()[-60:]:
            print(f"    {line}", file=sys.stderr)
        print(f"[aios] {self.what}.\n[aios] Next step: {self.step}.", file=sys.stderr, flush=True)


def explain(title: str, output: str, code: int) -> SetupError:
    """Turn a failed command's output into what happened and what to do next."""
    for pattern, kind, what, step in CAUSES:
        if re.search(pattern, output, re.IGNORECASE):
            return SetupError(f"{title}: {what}", step, kind, output)
    what, step = (
        f"the command ended with code {code}",
        "read its output above, then call the same command again",
    )
    if code in (-9, 137):
        what, step = (
            "the command was killed, most likely for want of memory",
            "close other programs, call again",
        )
    return SetupError(f"{title}: {what}", step, "unknown", output)
