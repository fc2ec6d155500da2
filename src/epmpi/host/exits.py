"""Exit codes of the command line, those of sysexits.h.

- 0: done;
- 2: wrong arguments or configuration, nothing has been changed; or a time limit too short for more
  than one step, with a checkpoint;
- 70: a number of the state was not finite (the last checkpoint is good);
- 71: memory ran out (the last checkpoint, if there is one, is good);
- 74: a file could not be written (the last checkpoint is good);
- 75: the run stopped before its end, at a time limit or by a signal, with a checkpoint, or stood
  still (`run.stall_limit`) and has the last one: resume it;
- 130: interrupted from the keyboard (Ctrl-C) with nothing to save.
"""

USER_ERROR = 2
STATE_ERROR = 70
MEMORY_ERROR = 71
OUTPUT_ERROR = 74
STOPPED = 75
INTERRUPTED = 130
