"""Budgets: what each team may spend, on which models, with a relay's own prices. One team is only watched.

cdk synth --app "python3 examples/budgets.py"
"""

from aws_cdk import App, Stack

from gateway_construct import AiGateway, Plan, Price, Upstream

app = App()
gateway = AiGateway(
    Stack(app, "BudgetsGateway"),
    "Gateway",
    upstreams=[Upstream.holysheep(), Upstream.openai()],
    models={"gpt-4": ["holysheep/gpt-4.1", "openai/gpt-4.1"], "mini": ["openai/gpt-4.1-mini"]},
    serve_unmapped_models=False,
    # USD per million tokens, as the relay's price page says them; what OpenAI charges is in the list of prices.
    prices={"holysheep/*": Price(input=2, output=8)},
)
gateway.add_consumer("search", plan=Plan(rate=20, tokens_per_day=2_000_000, usd_per_month=500))
# What would be refused is in the log, and nobody is refused: look for a month, then enforce.
gateway.add_consumer("trial", plan=Plan(rate=5, usd_per_day=5, models=["mini"], budget_mode="shadow"))
app.synth()
