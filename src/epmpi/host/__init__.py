"""The process and the machine it runs on: messages, signals, exit codes, memory."""
