"""SSI FastConnect Trading v2: credentials, signing, sign-in, REST and the order stream.

The protocol parts are sans-I/O (`signing`, `auth`, `wire`, `signalr`, `cursor`, `quota`, `outcome`): bytes
and moments in, decisions out. The shells (`session`, `rest`, `stream`) own the sockets.
"""
