"""The smallest gateway: any model of OpenAI's, for one team.

cdk synth --app "python3 examples/smallest.py"
"""

from aws_cdk import App, Stack

from gateway_construct import AiGateway, Plan, Quota, Upstream

app = App()
gateway = AiGateway(Stack(app, "SmallestGateway"), "Gateway", upstreams=[Upstream.openai()])
gateway.add_consumer("search", plan=Plan(rate=20, burst=40, quota=Quota.per_day(50_000)))
app.synth()
