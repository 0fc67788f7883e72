"""A systemd timer and its service."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from aios_workbench.errors import JobError
from aios_workbench.promote.targets import cron, proof
from aios_workbench.promote.targets.base import Check, Files, Target, Verification, common_limits
from aios_workbench.promote.targets.code import seconds
from aios_workbench.promote.targets.plan import Plan
from aios_workbench.promote.targets.promises import hard_memory, mebibytes


class Systemd(Target):
    """systemd, as a user's or the machine's units."""

    name = "systemd"
    title = "systemd timer"
    evidence = "schema"
    proof = "systemd-analyze verify and calendar; ExecStart's words are run by us, no service manager is"

    def limits(self, plan: Plan) -> list[str]:
        """Return what it cannot express."""
        found = common_limits(plan, missed=("latest", "skip"))
        if plan.spec.schedule and not plan.spec.schedule.startswith("*"):
            found.append("daylight saving: systemd's own rule for a time the clock skips or shows twice")
        return found

    def render(self, plan: Plan) -> Files:
        """Return two units, for ``~/.config/systemd/user`` or ``/etc/systemd/system``."""
        self.check(plan)
        spec = plan.spec
        if spec.ticks is None:
            raise JobError(f"a timer needs a schedule, and job {plan.title!r} has none; give --schedule")
        bundle = plan.bundle_at(str(Path(self.bundle.format(slug=plan.slug)).resolve()))
        head = self.header(plan)
        timer = [
            "[Unit]", f"Description={_plain(plan.title)}", "", "[Timer]",
            *(f"OnCalendar={expression}" for expression in cron.on_calendar(spec.ticks)),
            f"Persistent={'false' if spec.missed == 'skip' else 'true'}", "AccuracySec=1s", "",
            "[Install]", "WantedBy=timers.target",
        ]  # fmt: skip
        unit = ["[Unit]", f"Description={_plain(plan.title)}"]
        service = ["", "[Service]", "Type=oneshot", f"ExecStart={' '.join(map(_word, plan.command(bundle)))}"]
        if plan.workdir:
            service.append(f"WorkingDirectory={_plain(plan.workdir)}")
        if spec.timeout:
            # the runner ends the notebook first and says why; this ends a runner that hangs
            service.append(f"TimeoutStartSec={seconds(spec.timeout + 60)}")
        if hard := hard_memory(plan):
            service.append(f"MemoryMax={mebibytes(hard)}M")
        if spec.retries:
            window = ((spec.timeout or 86_400) + spec.retry_delay + 60) * (spec.retries + 1)
            unit += [f"StartLimitIntervalSec={seconds(window)}", f"StartLimitBurst={spec.retries + 1}"]
            service += ["Restart=on-failure", f"RestartSec={seconds(spec.retry_delay)}"]
            service.append("RestartPreventExitStatus=2 6")  # a wrong parameter; a person who has to decide
        name = f"{plan.slug}/aios-{plan.slug}"
        return {
            f"{name}.timer": head + "\n".join(timer) + "\n",
            f"{name}.service": head + "\n".join(unit + service) + "\n",
        }

    def verify(self, folder: Path, plan: Plan, *, execute: bool = False) -> Verification:
        """Let systemd read the units and the calendar; with `execute` run the words of ExecStart."""
        tool = shutil.which("systemd-analyze")
        if tool is None:
            missing = Check(
                "systemd-analyze", ok=False, level="schema", output="it is not installed on this machine"
            )
            return Verification(self.name, (missing,))
        base = folder / plan.slug / f"aios-{plan.slug}"
        units = [base.with_name(base.name + end) for end in (".timer", ".service")]
        checks = [proof.run("systemd-analyze verify", "schema", [tool, "verify", *units], silent=True)]
        lines = units[0].read_text(encoding="utf-8").splitlines()
        for line in lines:
            if line.startswith("OnCalendar="):
                command = [tool, "calendar", line.partition("=")[2]]
                checks.append(proof.run("systemd-analyze calendar", "schema", command))
        if execute and all(check.ok for check in checks):
            checks.append(
                proof.run("ExecStart", "schema", _words(units[1].read_text(encoding="utf-8")), cwd=folder)
            )
        return Verification(self.name, tuple(checks))


def _words(unit: str) -> list[str]:
    """Return the words of ExecStart, quotes, specifiers and dollars undone as systemd does."""
    [line] = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
    return [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(line.partition("=")[2])]


def _plain(text: str) -> str:
    return text.replace("%", "%%").replace("\\", "\\\\")


def _word(text: str) -> str:
    """Quote one word of ExecStart: specifiers, variables and escapes mean themselves."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"' if not text or not all(c.isalnum() or c in "/._-=:" for c in text) else text
