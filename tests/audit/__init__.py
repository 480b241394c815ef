"""Who did what: which actions leave a line, and that a line which is changed, taken away or put in is found."""
