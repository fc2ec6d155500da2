"""The process and the machine it runs on: words, signals, exit codes, memory."""
