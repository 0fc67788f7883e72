# Job 'nightly claims' for Kubeflow Pipelines 2, written by AIOS Workbench. Do not edit; regenerate with:
#   aios promote claims.ipynb --target kfp
# Bundle 5555555555555555.
# What Kubeflow Pipelines 2 cannot express of this job:
# - missed runs: the job wants 'latest', the target does 'skip'
# - overlap: a tick waits for the run before it, it is not skipped; the job wants 'queue'
# - starting: ticks before 2026-03-01T06:00 are not held back; deploy it then
# - events: claims.ready starts nothing there; let what tells the event start it
# - dependencies: it does not wait for extract; draw that edge in the target
# - lateness: nobody is told of a late or an absent run; set that in the target's own monitoring
# - slo: it is not judged there, and no version is rolled back by it
# - approvals: whoever deploys these files puts the version to work; review them as you approve
# - human gates: a task cannot wait for a person; a gate that nobody has decided beforehand
#   (`gates:` in job.yaml) ends the run with exit code 6
# - alerts: the target's own notifications are used; set them there
# - retention: the target keeps its own history; `aios gc` cleans the workspace
# - timeouts: a task has none; the runner ends it itself
# - time zones: a recurring run is read in UTC; the schedule was converted
# - images: nightly-claims-79efa5:555555555555 must hold the bundle, aios-workbench and kfp; you
#   build it
from kfp import compiler, dsl

IMAGE = "nightly-claims-79efa5:555555555555"
BUNDLE = "/opt/aios/nightly-claims-79efa5/bundle"
PARAMETERS = '{"limit": 500, "note": "every night", "rows": [1, 2]}'
CRON = ["0 0 1 * * 1-5"]


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def notebook(bundle: str, parameters: str):
    import subprocess

    subprocess.run(["aios", "run-job", bundle, "--params", parameters], check=True)


@dsl.pipeline(name="nightly-claims-79efa5", description="nightly claims")
def pipeline(parameters: str = PARAMETERS):
    task = notebook(bundle=BUNDLE, parameters=parameters)
    task.set_caching_options(False)
    task.set_memory_limit("2560Mi")
    task.set_retry(2, backoff_duration="30s", backoff_factor=1.0)


def schedule(client, experiment_id):
    """Let a kfp.Client start the pipeline on time; six fields, the first are seconds, in UTC."""
    for number, cron in enumerate(CRON):
        client.create_recurring_run(
            experiment_id=experiment_id,
            job_name=f"nightly-claims-79efa5-{number}",
            cron_expression=cron,
            max_concurrency=3,
            no_catchup=True,
            pipeline_package_path="pipeline.yaml",
            enable_caching=False,
        )


if __name__ == "__main__":
    compiler.Compiler().compile(pipeline, "pipeline.yaml")
