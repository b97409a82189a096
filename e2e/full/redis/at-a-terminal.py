"""Types lines at a program that believes to be at a terminal: PROGRAM WORD... -- LINE...

Each line is typed when the program waits at its prompt. Prints what the program wrote.
"""
import fcntl
import os
import pty
import struct
import sys
import termios

split = sys.argv.index("--")
words, lines = sys.argv[1:split], sys.argv[split + 1 :]

child, terminal = pty.fork()
if child == 0:
    # A terminal without a size is asked where its cursor is, and this one does not answer.
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.execvp(words[0], words)

written = b""
seen = 0
for line in [*lines, None]:
    while line is None or b"> " not in written[seen:]:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # So Linux says that the program has ended.
            chunk = b""
        if chunk == b"":
            break
        written += chunk
    if line is not None:
        seen = len(written)
        os.write(terminal, line.encode() + b"\r")
        # It shows the prompt anew with every letter: what was typed must be seen first.
        while b"\n" not in written[seen:]:
            written += os.read(terminal, 65536)
        seen += written[seen:].rindex(b"\n")

sys.stdout.buffer.write(written)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
