"""Assemblies of other shapes than `app.py`'s: several gateways, nested stacks, what the embedded AWS does not have."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from aws_cdk import App, CustomResource, NestedStack, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from gateway_construct import AiGateway, Plan, Upstream, WebAcl
from tests.local_gateway import ENVIRONMENT, ROOT, running

pytestmark = pytest.mark.local

# Which the CDK CLI sets.
PATHS = "aws:cdk:enable-path-metadata"


def test_several_gateways_nested_ones_too(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path / "cdk.out"), context={PATHS: True})
    first = AiGateway(Stack(app, "First"), "Gateway", upstreams=[Upstream.openai()], web_acl=WebAcl())
    first.add_consumer("search", plan=Plan(rate=20, burst=40))
    AiGateway(NestedStack(Stack(app, "Outer"), "Inner"), "Gateway", upstreams=[Upstream.anthropic()])
    AiGateway(Stack(app, "Lonely"), "Gateway", upstreams=[Upstream.anthropic()], resilience=False)
    app.synth()
    with running(tmp_path / "cdk.out", scratch=tmp_path) as gateway:
        gateways = {found["label"].partition("/")[0]: found for found in gateway.facts["gateways"]}
        assert set(gateways) == {"First", "Outer", "Lonely"}
        assert gateways["First"]["label"] == "First/Gateway"
        assert set(gateways["First"]["keys"]) == {"search"}
        # A gateway without a consumer gets one, and says so.
        assert set(gateways["Outer"]["keys"]) == {"local"}
        assert gateway.printed("the stack has no consumer") == 2
        assert gateway.printed("(AWS::WAFv2::WebACLAssociation) is left out") == 1

        def status(of: str, key_of: str) -> int:
            key = next(iter(gateways[key_of]["keys"].values()))
            url = f"{gateways[of]['openai_base_url']}/models"
            return httpx.get(url, headers={"Authorization": f"Bearer {key}"}, trust_env=False).status_code

        assert (status("First", "First"), status("Outer", "Outer")) == (200, 200)
        assert (status("First", "Outer"), status("Outer", "First")) == (401, 401)

        def upstreams(*options: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "gateway_cli", "upstreams", "status", "--json", *options]
            environment = {**ENVIRONMENT, **gateway.aws_environment}
            return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)

        for options in (["--stack", "Outer"], ["--gateway", "Inner/Gateway"]):
            document = json.loads(upstreams(*options).stdout)
            assert document["gateway"] == "Outer/Inner/Gateway"
            # Which only the code of the nested stack's function tells.
            assert [line["name"] for line in document["upstreams"]] == ["anthropic"]
        several, without = upstreams(), upstreams("--stack", "Lonely")
        assert (several.returncode, without.returncode) == (1, 1)
        assert "(gateway First/Gateway, stack First)" in several.stderr
        assert "there is no gateway's table in the stack 'Lonely'; a gateway with resilience=False has none" in without.stderr


def test_a_gateway_among_other_things(tmp_path: Path) -> None:
    """What the embedded AWS cannot make is left out, custom resources included, and the gateway runs all the same."""
    app = App(outdir=str(tmp_path / "cdk.out"), context={PATHS: True, "@aws-cdk/aws-ec2:restrictDefaultSecurityGroup": True})
    stack = Stack(app, "Product")
    ec2.Vpc(stack, "Network", max_azs=1)
    for name in ("Uploads", "Reports"):
        s3.Bucket(stack, name, removal_policy=RemovalPolicy.DESTROY, auto_delete_objects=True)
    dynamodb.Table(stack, "Table", partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING))
    queue = sqs.Queue(stack, "Queue")
    code = lambda_.InlineCode("def handler(event, context): return {'statusCode': 200}")
    other = lambda_.Function(stack, "Other", runtime=lambda_.Runtime.PYTHON_3_13, handler="index.handler", code=code)
    queue.grant_send_messages(other)
    apigateway.LambdaRestApi(stack, "OtherApi", handler=other, cloud_watch_role=False)
    failing = lambda_.Function(
        stack,
        "Failing",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.InlineCode("def handler(event, context): raise RuntimeError('not in this account')"),
    )
    for name in ("Lookup", "AnotherLookup"):
        CustomResource(stack, name, resource_type="Custom::Lookup", service_token=failing.function_arn)
    AiGateway(stack, "Gateway", upstreams=[Upstream.openai()])
    app.synth()
    with running(tmp_path / "cdk.out", scratch=tmp_path) as gateway:
        assert [found["label"] for found in gateway.facts["gateways"]] == ["Product/Gateway"]
        assert gateway.printed("(Custom::VpcRestrictDefaultSG) is left out") == 1
        assert gateway.printed("(Custom::S3AutoDeleteObjects) is left out") == 2
        assert gateway.printed("(Custom::Lookup) is left out") == 2
        assert gateway.printed("the embedded AWS cannot make it: ") == 1
        assert gateway.printed("(AWS::EC2::NatGateway) is left out") == 1
        headers = {"Authorization": f"Bearer {gateway.key}"}
        assert httpx.get(f"{gateway.openai_base_url}/models", headers=headers, trust_env=False).status_code == 200
        assert gateway.client("dynamodb").list_tables()["TableNames"]
