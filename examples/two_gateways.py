"""Two gateways in one app: one for development with cheap models, one for production with a model map and its own limits.

cdk synth --app "python3 examples/two_gateways.py"
"""

from aws_cdk import App, RemovalPolicy, Stack
from aws_cdk.aws_logs import RetentionDays

from gateway_construct import AiGateway, Plan, Quota, Upstream

app = App()

development = AiGateway(
    Stack(app, "DevelopmentGateway"),
    "Gateway",
    upstreams=[Upstream.deepseek()],
    models={"gpt-4.1": ["deepseek/deepseek-chat"]},
    serve_unmapped_models=False,
    log_retention=RetentionDays.ONE_WEEK,
    log_removal_policy=RemovalPolicy.DESTROY,
)
development.add_consumer("developers", plan=Plan(rate=5, quota=Quota.per_day(2_000)))

production = AiGateway(
    Stack(app, "ProductionGateway", termination_protection=True),
    "Gateway",
    upstreams=[Upstream.openai(), Upstream.anthropic()],
    models={"fast": ["openai/gpt-4.1-mini"], "careful": ["anthropic/claude-sonnet-4-5"]},
    tracing=True,
)
production.add_consumer("web shop", plan=Plan(rate=50, burst=100))
production.add_consumer("reports", plan=Plan(rate=2, quota=Quota.per_month(100_000)))

app.synth()
