"""algo: algorithmic trading in Vietnam, from one strategy class to live orders."""
