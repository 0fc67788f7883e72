"""The main job, end to end and headless: run, kill, resume, approve, promote, fire one tick, report.

    python -m aios_workbench.demo [--out aios-demo] [--path claims.csv] [--json] [--keep]

Nothing is acted: the worker is killed with SIGKILL in the middle of a step, and the schedule's tick is claimed
by two competing workers. Nobody waits for six o'clock: the job is promoted as of one minute before the last
tick (`promote(…, now=…)`), so that exactly one tick is due. Exit code 0 when every fact was checked and held.
"""
