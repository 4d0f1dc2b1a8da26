"""Markets for the sandbox: replayed bars, replayed quotes and trades, and a crowd that is made up."""
