"""Trading beside a real market: the asynchronous shell around the engine, recovery and operator."""
