"""The bench measures and writes; how fast it is, only a quiet machine can say."""
