"""An agent that takes the whole terminal and starts a command in a session of its own, without a terminal.

It writes down the keys that it gets, draws anew when the window changes, and ends with `q`.
"""

import os
import select
import signal
import subprocess
import sys
import termios
import tty

times = 0


def draw(*_):
    global times
    times += 1
    os.write(1, b"\x1b[2J\x1b[H<drawn %d>\r\n" % times)


def write(name, text):
    with open(name + ".new", "w") as file:
        file.write(text)
    os.rename(name + ".new", name)


is_terminal = os.isatty(0)
if is_terminal:
    before = termios.tcgetattr(0)
    tty.setraw(0)
signal.signal(signal.SIGWINCH, draw)
draw()
with open("said", "wb") as said:
    command = subprocess.Popen(
        [os.environ["KIBOSH"], "-c", sys.argv[1]],
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=said,
        start_new_session=True,
    )
write("agent", str(os.getpid()))
write("asker", str(command.pid))
keys = b""
while b"q" not in keys and (is_terminal or command.poll() is None):
    ready, _, _ = select.select([0] if is_terminal else [], [], [], 0.02)
    if ready:
        keys += os.read(0, 100)
        write("keys", keys.decode())
    if command.poll() is not None and not os.path.exists("done"):
        write("done", str(command.returncode))
if is_terminal:
    termios.tcsetattr(0, termios.TCSADRAIN, before)
print("<agent ended>")
