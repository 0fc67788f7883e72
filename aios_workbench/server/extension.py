"""Routes and event schema, added to a running Jupyter server."""

from __future__ import annotations

import atexit
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.utils import url_path_join

from aios_workbench.server import (
    ask,
    jobs,
    jobs_backfill,
    jobs_runs,
    jobs_times,
    jobs_trial,
    jobs_versions,
    lessons,
    live,
    promote,
    promote_findings,
    promote_review,
    promote_run,
    promote_targets,
    runs,
)
from aios_workbench.server.base import UnknownHandler
from aios_workbench.server.places import Places
from aios_workbench.server.watch import Watchers, listening

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

SCHEMA = "urn:aios-workbench:changed"

#: Ids are ours: letters, digits, dash, underscore. A step's name is a person's: anything but a slash.
RUN = r"([A-Za-z0-9][A-Za-z0-9_-]{0,99})"
STEP = r"([^/]{1,600})"


def routes() -> list[tuple[str, Any]]:
    """Return path patterns below `<base>/aios/` with their handlers; the first that matches answers."""
    return [
        (r"ask", ask.AskHandler),
        (r"snapshot", live.SnapshotHandler),
        (r"events", live.EventsHandler),
        (r"runs", runs.RunsHandler),
        (rf"runs/{RUN}", runs.RunHandler),
        (rf"runs/{RUN}/(cancel|resume|rerun)", runs.RunActionHandler),
        (rf"runs/{RUN}/logs", runs.LogsHandler),
        (rf"runs/{RUN}/steps/{STEP}", runs.StepHandler),
        (rf"runs/{RUN}/gates/{STEP}", runs.GateHandler),
        (r"jobs", jobs.JobsHandler),
        (rf"jobs/{RUN}", jobs.JobHandler),
        (rf"jobs/{RUN}/(pause|resume|trigger)", jobs.JobActionHandler),
        (rf"jobs/{RUN}/parameters", jobs.ParametersHandler),
        (rf"jobs/{RUN}/runs", jobs.HistoryHandler),
        (rf"jobs/{RUN}/next", jobs_times.NextHandler),
        (rf"jobs/{RUN}/alerts", jobs_times.AlertsHandler),
        (rf"jobs/{RUN}/versions", jobs_versions.VersionsHandler),
        (rf"jobs/{RUN}/diff", jobs_versions.DiffHandler),
        (rf"jobs/{RUN}/rollback", jobs_versions.RollbackHandler),
        (rf"jobs/{RUN}/approvals", jobs_trial.ApprovalsHandler),
        (rf"jobs/{RUN}/rollout", jobs_trial.RolloutHandler),
        (rf"jobs/{RUN}/rollout/finish", jobs_trial.FinishRolloutHandler),
        (rf"jobs/{RUN}/backfills", jobs_backfill.BackfillsHandler),
        (rf"jobs/{RUN}/backfills/preview", jobs_backfill.BackfillPreviewHandler),
        (rf"jobs/{RUN}/backfills/{RUN}/(cancel|pause|resume)", jobs_backfill.BackfillActionHandler),
        (rf"jobs/{RUN}/runs/{RUN}", jobs_runs.JobRunHandler),
        (rf"jobs/{RUN}/runs/{RUN}/cancel", jobs.CancelHandler),
        (rf"jobs/{RUN}/runs/{RUN}/resume", jobs_runs.ResumeHandler),
        (rf"jobs/{RUN}/runs/{RUN}/log", jobs_runs.RunLogHandler),
        (rf"jobs/{RUN}/runs/{RUN}/cells/{RUN}/log", jobs_runs.CellLogHandler),
        (rf"jobs/{RUN}/runs/{RUN}/(html|notebook)", jobs.FileHandler),
        (r"tutorials/([0-9]{2}_[a-z0-9_]{1,60})", lessons.LessonHandler),
        (r"workers", jobs_times.WorkersHandler),
        (r"promote", promote.PromoteHandler),
        (r"promote/open", promote.OpenHandler),
        (r"promote/check", promote.CheckHandler),
        (r"promote/preview", promote.PreviewHandler),
        (r"promote/review", promote.ReviewHandler),
        (r"promote/mend", promote_findings.MendHandler),
        (r"promote/(files|write)", promote_targets.FilesHandler),
        (r"promote/badge", promote_review.BadgeHandler),
        (r"promote/clean-run", promote_run.StartHandler),
        (rf"promote/clean-run/{RUN}", promote_run.StateHandler),
        (rf"promote/clean-run/{RUN}/cancel", promote_run.CancelHandler),
        (r".*", UnknownHandler),
    ]


def attach(server_app: ServerApp) -> None:
    """Register schema and routes. No workspace is opened before a client asks for one."""
    events: Any = server_app.event_logger
    events.register_event_schema(Path(__file__).parent / "events" / "changed.yaml")
    places = Places(server_app.contents_manager)
    watchers = Watchers(
        places.find, lambda data: events.emit(schema_id=SCHEMA, data=data), lambda: listening(events, SCHEMA)
    )
    atexit.register(watchers.stop)
    server_app.web_app.settings["aios_watchers"] = watchers
    clean_runs = promote_run.CleanRuns()
    atexit.register(clean_runs.stop)
    server_app.web_app.settings["aios_clean_runs"] = clean_runs
    shared = {"places": places, "watchers": watchers}
    base = server_app.web_app.settings["base_url"]
    handlers = [(url_path_join(base, "aios", pattern), handler, shared) for pattern, handler in routes()]
    web_app: Any = server_app.web_app
    web_app.add_handlers(".*$", handlers)
    server_app.log.info("aios_workbench: %saios/ is served", base)
