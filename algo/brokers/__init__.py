"""Where orders go: the paper exchange, and SSI through FastConnect."""
