"""A gateway inside a team's stack: its key for a function, alarms on its metrics, the team's encryption key.

cdk synth --app "python3 examples/embedded_in_another_stack/search_app.py"
"""

from aws_cdk import App
from search_stack import SearchStack

app = App()
SearchStack(app, "Search")
app.synth()
