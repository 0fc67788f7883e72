# Job 'plain' for Kubeflow Pipelines 2, written by AIOS Workbench. Do not edit; regenerate with:
#   aios promote claims.ipynb --target kfp
# Bundle 5555555555555555.
# What Kubeflow Pipelines 2 cannot express of this job:
# - missed runs: the job wants 'latest', the target does 'skip'
# - overlap: a tick waits for the run before it, it is not skipped
# - images: plain:555555555555 must hold the bundle, aios-workbench and kfp; you build it
from kfp import compiler, dsl

IMAGE = "plain:555555555555"
BUNDLE = "/opt/aios/plain/bundle"
PARAMETERS = "{}"
CRON = ["0 0 6 * * *"]


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def notebook(bundle: str, parameters: str):
    import subprocess

    subprocess.run(["aios", "run-job", bundle, "--params", parameters], check=True)


@dsl.pipeline(name="plain", description="plain")
def pipeline(parameters: str = PARAMETERS):
    task = notebook(bundle=BUNDLE, parameters=parameters)
    task.set_caching_options(False)


def schedule(client, experiment_id):
    """Let a kfp.Client start the pipeline on time; six fields, the first are seconds, in UTC."""
    for number, cron in enumerate(CRON):
        client.create_recurring_run(
            experiment_id=experiment_id,
            job_name=f"plain-{number}",
            cron_expression=cron,
            max_concurrency=1,
            no_catchup=True,
            pipeline_package_path="pipeline.yaml",
            enable_caching=False,
        )


if __name__ == "__main__":
    compiler.Compiler().compile(pipeline, "pipeline.yaml")
