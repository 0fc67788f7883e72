"""AWS: a Step Functions state machine that runs a container on ECS, started by EventBridge Scheduler.

One CloudFormation template; what belongs to the account (cluster, subnets, roles) are its parameters.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aios_workbench.errors import JobError
from aios_workbench.promote.targets import cron, proof
from aios_workbench.promote.targets.base import Files, Target, Verification, common_limits
from aios_workbench.promote.targets.containers import bundle_in_image, image_limit, run_container
from aios_workbench.promote.targets.environments import clean, environment
from aios_workbench.promote.targets.plan import Plan
from aios_workbench.promote.targets.promises import hard_memory, mebibytes
from aios_workbench.promote.targets.quoting import to_yaml

_PARAMETERS = {
    "Cluster": "The ECS cluster's ARN",
    "Subnets": "Subnets of the task, separated by commas",
    "ExecutionRole": "The role by which ECS pulls the image and writes logs",
    "StateMachineRole": "The role that may run, stop and describe the task, and pass the roles on",
    "SchedulerRole": "The role that may start the state machine",
}


class StepFunctions(Target):
    """AWS Step Functions and EventBridge Scheduler."""

    name = "step-functions"
    title = "AWS Step Functions"
    evidence = "wire"
    proof = (
        "the stack created and the state machine executed by moto's peer of AWS; the container's command, as it "
        "reached ECS, is run by us"
    )

    def limits(self, plan: Plan) -> list[str]:
        """Return what it cannot express."""
        found = common_limits(
            plan, missed=("skip",),
            overlap="a tick starts an execution though the last one still runs" if plan.spec.schedule else "",
            side="any number of executions",
        )  # fmt: skip
        if plan.spec.schedule:
            found.append(
                "daylight saving: a time the clock skips is not run, one shown twice runs once (EventBridge's rule)"
            )
        return [*found, image_limit(plan)]

    def render(self, plan: Plan) -> Files:
        """Return one CloudFormation template."""
        self.check(plan)
        spec = plan.spec
        if len(plan.slug) > 58:
            raise JobError(
                f"the name of job {plan.title!r} is too long for EventBridge Scheduler (64 characters)"
            )
        bundle = bundle_in_image(plan)
        resources: dict[str, Any] = {
            "Task": {
                "Type": "AWS::ECS::TaskDefinition",
                "Properties": {
                    "Family": plan.slug,
                    "RequiresCompatibilities": ["FARGATE"],
                    "NetworkMode": "awsvpc",
                    **_size(plan),
                    "ExecutionRoleArn": {"Ref": "ExecutionRole"},
                    "ContainerDefinitions": [{
                        "Name": "notebook",
                        "Image": plan.container_image,
                        "EntryPoint": [plan.aios],
                        "Command": ["run-job", bundle],
                        "Essential": True,
                    }],
                },
            },
            "StateMachine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "StateMachineName": plan.slug,
                    "RoleArn": {"Ref": "StateMachineRole"},
                    "DefinitionString": {
                        "Fn::Sub": [
                            json.dumps(_definition(plan), indent=2) + "\n",
                            {"SubnetList": {"Fn::Join": [",", {"Ref": "Subnets"}]}},
                        ]
                    },
                },
            },
        }  # fmt: skip
        for number, expression in enumerate(cron.aws(spec.ticks) if spec.ticks else []):
            resources[f"Schedule{number or ''}"] = {
                "Type": "AWS::Scheduler::Schedule",
                "Properties": {
                    "Name": f"{plan.slug}-{number}" if number else plan.slug,
                    "ScheduleExpression": expression,
                    "ScheduleExpressionTimezone": spec.timezone,
                    "FlexibleTimeWindow": {"Mode": "OFF"},
                    "Target": {
                        "Arn": {"Ref": "StateMachine"},
                        "RoleArn": {"Ref": "SchedulerRole"},
                        "Input": json.dumps({"parameters": plan.parameters_json}),
                    },
                },
            }
        template = {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": f"AIOS Workbench job {plan.slug}",
            "Parameters": {
                name: {"Type": "String", "Description": told} for name, told in _PARAMETERS.items()
            },
            "Resources": resources,
        }
        template["Parameters"]["Subnets"]["Type"] = "CommaDelimitedList"  # type: ignore[index]
        return {f"{plan.slug}/template.yaml": f"{self.header(plan)}---\n{to_yaml(template)}"}

    def verify(self, folder: Path, plan: Plan, *, execute: bool = False) -> Verification:
        """Create the stack and execute the state machine in moto; with `execute` run what reached ECS."""
        tools = environment("tools")
        env = clean(AWS_DEFAULT_REGION="eu-central-1", AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x")  # noqa: S106
        command = [tools / "python", "-W", "ignore", "-c", _MOTO, folder / plan.slug / "template.yaml"]
        told = proof.run("stack, schedule and execution in moto", "wire", command, env=env)
        checks = [told]
        if execute and told.ok:
            reached = json.loads(next(x for x in told.output.splitlines() if x.startswith('{"entry"')))
            container = {"command": reached["entry"], "args": reached["command"]}
            bundle, env = folder / plan.slug / "bundle", clean(**reached["environment"])
            checks.append(
                run_container("the command that reached ECS", container, bundle, plan, folder, env=env)
            )
        return Verification(self.name, tuple(checks))


#: What Fargate has: units of processor, least and most memory in MiB, and the step between.
_SIZES = (
    (1024, 4096, 8192, 1024),
    (2048, 8192, 16384, 1024),
    (4096, 16384, 30720, 1024),
    (8192, 32768, 61440, 4096),
)


def _size(plan: Plan) -> dict[str, str]:
    """Return the smallest task that the job's cap on memory fits into.

    Raises
    ------
    JobError
        When there is none.
    """
    asked = mebibytes(hard_memory(plan) or 0)
    for cpu, least, most, step in _SIZES:
        if asked <= most:
            return {"Cpu": str(cpu), "Memory": str(max(least, -(-asked // step) * step))}
    raise JobError(f"Fargate has no task with {asked} MiB of memory for job {plan.title!r}; lower its memory")


def _definition(plan: Plan) -> dict[str, Any]:
    spec = plan.spec
    state: dict[str, Any] = {
        "Type": "Task",
        "Resource": "arn:aws:states:::ecs:runTask.sync",
        "Parameters": {
            "Cluster": "${Cluster}",
            "TaskDefinition": "${Task}",
            "LaunchType": "FARGATE",
            "NetworkConfiguration": {
                "AwsvpcConfiguration": {"Subnets.$": "States.StringSplit('${SubnetList}', ',')"}
            },
            "Overrides": {
                "ContainerOverrides": [
                    {
                        "Name": "notebook",
                        "Environment": [{"Name": "AIOS_JOB_PARAMETERS", "Value.$": "$.parameters"}],
                    }
                ]
            },
        },
        "End": True,
    }
    if spec.timeout:
        # the runner ends the notebook first and says why; this ends a runner that hangs
        state["TimeoutSeconds"] = round(spec.timeout) + 300
    if spec.retries:
        state["Retry"] = [{
            "ErrorEquals": ["States.ALL"], "IntervalSeconds": max(1, round(spec.retry_delay)),
            "MaxAttempts": spec.retries, "BackoffRate": 1.0,
        }]  # fmt: skip
    return {
        "Comment": f"AIOS Workbench job {plan.slug}",
        "StartAt": "Notebook",
        "States": {"Notebook": state},
    }


_MOTO = r"""
import json, sys, time
import boto3, yaml
from moto import mock_aws
from moto.stepfunctions.models import stepfunctions_backends
body = open(sys.argv[1], encoding="utf-8").read()
template = yaml.safe_load(body)
with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
    role = "arn:aws:iam::123456789012:role/r"
    cluster = boto3.client("ecs").create_cluster(clusterName="c")["cluster"]["clusterArn"]
    vpc = boto3.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = boto3.client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    given = {"Cluster": cluster, "Subnets": subnet}
    given |= dict.fromkeys(("ExecutionRole", "StateMachineRole", "SchedulerRole"), role)
    parameters = [{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()]
    cloud = boto3.client("cloudformation")
    cloud.create_stack(StackName="s", TemplateBody=body, Parameters=parameters)
    # moto's CloudFormation has no schedules: those go to its EventBridge Scheduler, below.
    made = cloud.describe_stack_resources(StackName="s")["StackResources"]
    [machine] = [r["PhysicalResourceId"] for r in made if r.get("LogicalResourceId") == "StateMachine"]
    # What CloudFormation made knows no execution; its definition goes to the backend that interprets it.
    backend = stepfunctions_backends["123456789012"]["eu-central-1"]
    definition = backend.describe_state_machine(machine).definition
    states = boto3.client("stepfunctions")
    machine = states.create_state_machine(name="executed", definition=definition, roleArn=role)["stateMachineArn"]
    text = json.dumps({"parameters": "{}"})
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Scheduler::Schedule":
            properties = {**resource["Properties"]}
            properties["Target"] = {**properties["Target"], "Arn": machine, "RoleArn": role}
            text = properties["Target"]["Input"]
            boto3.client("scheduler").create_schedule(**properties)
    run = states.start_execution(stateMachineArn=machine, input=text)["executionArn"]
    end = time.monotonic() + 60
    while time.monotonic() < end:
        history = states.get_execution_history(executionArn=run)["events"]
        scheduled = [e["taskScheduledEventDetails"] for e in history if "taskScheduledEventDetails" in e]
        if scheduled or states.describe_execution(executionArn=run)["status"] != "RUNNING":
            break
        time.sleep(0.1)
    if not scheduled:
        sys.exit("the state machine did not reach its task: " + json.dumps(history, default=str)[-3000:])
    sent = json.loads(scheduled[0]["parameters"])
    [override] = sent["Overrides"]["ContainerOverrides"]
    task = boto3.client("ecs").describe_task_definition(taskDefinition=sent["TaskDefinition"])["taskDefinition"]
    [container] = [c for c in task["containerDefinitions"] if c["name"] == override["Name"]]
    environment = {e["Name"]: e["Value"] for e in override["Environment"]}
    told = {"entry": container["entryPoint"], "command": container["command"], "environment": environment}
    print(json.dumps(told))
    sys.stdout.flush()
    import os
    os._exit(0)
"""
