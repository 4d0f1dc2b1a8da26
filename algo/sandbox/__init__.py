"""FastConnect on your own machine: SSI's protocols over the paper exchange."""
