"""An agent that takes the whole terminal and starts commands in sessions of their own, without a terminal.

It writes down the keys that it gets, draws anew on SIGWINCH (where `by-size` is there, only in a window of another size),
what stands in `paint` too, and ends with `q`.
"""

import os
import select
import signal
import subprocess
import sys
import termios
import tty

is_terminal = os.isatty(0)
times = 0
size = None


def draw(*_):
    global size, times
    before, size = size, os.get_terminal_size(0) if is_terminal else None
    if times > 0 and size == before and os.path.exists("by-size"):
        return
    times += 1
    write("times", str(times))
    os.write(1, b"\x1b[2J\x1b[H<drawn %d>\r\n" % times)
    if os.path.exists("paint"):
        with open("paint", "rb") as paint:
            os.write(1, paint.read())


def write(name, text):
    with open(name + ".new", "w") as file:
        file.write(text)
    os.rename(name + ".new", name)


if is_terminal:
    before = termios.tcgetattr(0)
    tty.setraw(0)
signal.signal(signal.SIGWINCH, draw)
draw()
with open("said", "wb") as said:
    commands = [
        subprocess.Popen(
            [os.environ["KIBOSH"], "-c", line],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        for line in sys.argv[1:]
    ]
write("agent", str(os.getpid()))
write("asker", str(commands[0].pid))
keys = b""
is_done = False
while b"q" not in keys and (is_terminal or not is_done):
    ready, _, _ = select.select([0] if is_terminal else [], [], [], 0.02)
    if ready:
        got = os.read(0, 100)
        if not got:
            break
        keys += got
        write("keys", keys.decode())
    if not is_done and all(command.poll() is not None for command in commands):
        is_done = True
        write("done", str(max(command.returncode for command in commands)))
if is_terminal:
    termios.tcsetattr(0, termios.TCSADRAIN, before)
print("<agent ended>")
