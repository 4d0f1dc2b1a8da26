"""What the two services of SSI FastConnect share; trading and market data know nothing of each other.

`addresses`, `wire` (JSON, envelope, numbers), `limits`, `secret`, `tokens` and `signalr` (the hub's protocol)
do no I/O. The shells are `transport` (HTTP), `hub` (one connection to one hub) and `stream` (a hub kept
connected).
"""
