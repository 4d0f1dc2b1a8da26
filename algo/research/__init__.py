"""Research: what a finished run says, in figures, pictures and a page."""
