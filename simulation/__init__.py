"""A gateway's traffic as discrete events, from ten requests a day to ten million: `python -m simulation` writes docs/scale.md.

Arrivals, stream times and Lambda's instances are modelled. What an instance knows of its upstreams, when it asks the table,
what it writes and when it gives way is the gateway's own code, over a table in memory and a clock that the simulation moves.
"""
