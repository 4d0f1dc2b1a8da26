"""SSI FastConnect Data v2: history and reference data over REST, live data over the hub.

The protocol parts do no I/O: `answers` and `history` (REST), `decode`, `events`, `minutes`, `channels` and
`books` (hub). The shells are `client` (REST) and `feed` (hub).
"""
