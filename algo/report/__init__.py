"""What is said of a finished run: its figures, its pictures and its page."""
