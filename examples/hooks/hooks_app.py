"""A gateway with business rules of its own: who may use which model, and who pays for it. The rules are in policy/.

cdk synth --app "python3 examples/hooks/hooks_app.py"
"""

from pathlib import Path

from aws_cdk import App, Stack

from gateway_construct import AiGateway, Plan, Quota, Upstream

app = App()
stack = Stack(app, "GatewayWithHooks")
gateway = AiGateway(
    stack,
    "Gateway",
    upstreams=[Upstream.openai(), Upstream.anthropic()],
    models={"fast": ["openai/gpt-4.1-mini"], "careful": ["anthropic/claude-sonnet-4-5"]},
    # Otherwise a model could be asked for by the provider's name, of which the rules know nothing.
    serve_unmapped_models=False,
    hooks=Path(__file__).with_name("policy"),
)
gateway.add_consumer("web shop", plan=Plan(rate=50, burst=100))
gateway.add_consumer("reports", plan=Plan(rate=2, quota=Quota.per_month(100_000)))
key_ids = {name: consumer.key_id for name, consumer in gateway.consumers.items()}
gateway.function.add_environment("CONSUMERS", stack.to_json_string(key_ids))
app.synth()
