# Job 'nightly claims' for Kubeflow Pipelines 2, written by AIOS Workbench. Do not edit; regenerate with:
#   aios promote claims.ipynb --target kfp
# Bundle 5555555555555555.
# What Kubeflow Pipelines 2 cannot express of this job:
# - overlap: a tick waits for the run before it, it is not skipped
# - human gates: a task cannot wait for a person; a gate that nobody has decided (`gates:` in
#   job.yaml, or `aios approve`) ends its task with exit code 6, and a new try of that task goes
#   on
# - alerts: the target's own notifications are used; set them there
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
def run_step(
    bundle: str, step: str, run: str, parameters: str, ref_1: str = "", ref_2: str = ""
) -> str:
    """Run one step; what goes on to the next task is a reference into the artifact store."""
    import subprocess

    command = ["aios", "run-step", bundle, step, "--run", run, "--params", parameters]
    for reference in [ref_1, ref_2]:
        if reference:
            command += ["--input", reference]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.splitlines()[-1]


@dsl.pipeline(name="nightly-claims-79efa5", description="nightly claims")
def pipeline(parameters: str = PARAMETERS):
    run = dsl.PIPELINE_JOB_ID_PLACEHOLDER
    load = run_step(bundle=BUNDLE, step="load", run=run, parameters=parameters)
    load.set_display_name("load").set_caching_options(False)
    load.set_retry(2, backoff_duration="5s")
    score = run_step(bundle=BUNDLE, step="score", run=run, parameters=parameters, ref_1=load.output)
    score.set_display_name("score").set_caching_options(False)
    check_it_fbd159 = run_step(
        bundle=BUNDLE, step="check it", run=run, parameters=parameters, ref_1=load.output
    )
    check_it_fbd159.set_display_name("check_it_fbd159").set_caching_options(False)
    report = run_step(
        bundle=BUNDLE,
        step="report",
        run=run,
        parameters=parameters,
        ref_1=score.output,
        ref_2=check_it_fbd159.output,
    )
    report.set_display_name("report").set_caching_options(False)


def schedule(client, experiment_id):
    """Let a kfp.Client start the pipeline on time; six fields, the first are seconds, in UTC."""
    for number, cron in enumerate(CRON):
        client.create_recurring_run(
            experiment_id=experiment_id,
            job_name=f"nightly-claims-79efa5-{number}",
            cron_expression=cron,
            max_concurrency=1,
            no_catchup=False,
            pipeline_package_path="pipeline.yaml",
            enable_caching=False,
        )


if __name__ == "__main__":
    compiler.Compiler().compile(pipeline, "pipeline.yaml")
