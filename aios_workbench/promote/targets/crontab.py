"""A line for crontab, with the zone and a lock."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from cronsim import CronSim

from aios_workbench.errors import JobError
from aios_workbench.promote.schedule import zone
from aios_workbench.promote.targets import cron, proof
from aios_workbench.promote.targets.base import Files, Target, Verification, common_limits
from aios_workbench.promote.targets.code import seconds
from aios_workbench.promote.targets.plan import Plan
from aios_workbench.promote.targets.quoting import shell

_LONGEST = 500


class Crontab(Target):
    """cron, as cronie and Debian have it."""

    name = "crontab"
    title = "crontab"
    evidence = "schema"
    proof = "the line read by cronsim, its command run by sh as cron would; no cron daemon is run"

    def limits(self, plan: Plan) -> list[str]:
        """Return what it cannot express."""
        found = common_limits(plan, missed=("skip",), keeps=("queue",))
        if plan.spec.timezone != "UTC":
            found.append(
                "time zones: CRON_TZ is read by cronie (Fedora, RHEL, Arch), not by Debian's cron, which runs on the "
                f"machine's own zone; there set that to {plan.spec.timezone}, or use the target systemd"
            )
        return found

    def render(self, plan: Plan) -> Files:
        """Return a file for ``crontab -l | cat - FILE | crontab -``."""
        self.check(plan)
        spec = plan.spec
        if spec.ticks is None:
            raise JobError(
                f"a crontab line needs a schedule, and job {plan.title!r} has none; give --schedule"
            )
        bundle = plan.bundle_at(str(Path(self.bundle.format(slug=plan.slug)).resolve()))
        command = plan.command(bundle, retries=True)
        if len(plan.parameters_json) > _LONGEST:
            del command[
                3:5
            ]  # Debian's cron takes lines of 998 characters; the bundle holds the parameters as well
        if spec.timeout:
            # the runner ends the notebook first and says why; this ends a runner that hangs
            whole = (spec.timeout + spec.retry_delay) * (spec.retries + 1) + 60
            command = ["timeout", f"{seconds(whole)}s", *command]
        lock = str(Path(bundle).parent / "lock")
        waits = [] if spec.overlap == "queue" else ["--nonblock", "--conflict-exit-code", "0"]
        line = shell(["flock", *waits, lock, *command])
        if plan.workdir:
            line = f"cd {shell([plan.workdir])} && {line}"
        line = line.replace("%", "\\%")  # cron takes a bare one for the end of the command
        text = f"{self.header(plan)}CRON_TZ={spec.timezone}\n{cron.plain(spec.ticks, self.title)} {line}\n"
        return {f"{plan.slug}/crontab": text}

    def verify(self, folder: Path, plan: Plan, *, execute: bool = False) -> Verification:
        """Read the line; with `execute` give its command to sh."""
        lines = (folder / plan.slug / "crontab").read_text(encoding="utf-8").splitlines()
        jobs = [line for line in lines if line and not line.startswith(("#", "CRON_TZ="))]
        zones = [line.partition("=")[2] for line in lines if line.startswith("CRON_TZ=")]
        problems = [] if len(jobs) == len(zones) == 1 else [f"{len(jobs)} lines, {len(zones)} zones"]
        command = ""
        for line in jobs[:1]:
            *fields, command = line.split(" ", 5)
            try:
                next(CronSim(" ".join(fields), dt.datetime.now(zone(zones[0]))))
            except Exception as e:  # noqa: BLE001 - whatever the reader says
                problems.append(f"{line}: {e}")
        checks = [proof.tried("cronsim reads the line", "schema", problems)]
        if execute and not problems:
            # cron cuts at a bare percent sign and takes the backslash from the others
            checks.append(proof.run("sh -c", "schema", ["/bin/sh", "-c", command.replace("\\%", "%")]))
        return Verification(self.name, tuple(checks))
