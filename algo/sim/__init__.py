"""A trading day of faults in a second: the production runtime on virtual time, against the sandbox."""
