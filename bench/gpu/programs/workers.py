"""Further processes of a program: started before it uses CUDA, asked over a socket pair, gone when it is. Standard library only."""

import os
import socket
import struct
import subprocess
import sys

QUESTION = struct.Struct("<16sq")
ANSWER = struct.Struct("<?Q")


def exactly(connection, size):
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            raise ConnectionError("the other process is gone")
        parts += part
    return bytes(parts)


class Worker:
    """The program itself, started again with `arguments` and --worker. Sockets that it is to have besides are closed here."""

    def __init__(self, arguments, sockets=()):
        self.connection, theirs = socket.socketpair()
        handed = [theirs, *sockets]
        command = [sys.executable, *map(str, arguments), "--worker", str(theirs.fileno())]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[one.fileno() for one in handed])
        for one in handed:
            one.close()

    def begin(self, verb, number=0):
        self.connection.sendall(QUESTION.pack(verb.encode(), number))

    def end(self):
        good, size = ANSWER.unpack(exactly(self.connection, ANSWER.size))
        content = exactly(self.connection, size)
        if not good:
            raise RuntimeError(f"a worker failed: {content.decode()}")
        return content

    def ask(self, verb, number=0):
        self.begin(verb, number)
        return self.end()


def follow(descriptor, answers):
    """A worker's life: answers[verb](number) gives bytes."""
    connection = socket.socket(fileno=descriptor)
    while True:
        try:
            verb, number = QUESTION.unpack(exactly(connection, QUESTION.size))
        except ConnectionError:
            os._exit(0)  # with threads of a framework behind it
        try:
            good, content = True, answers[verb.rstrip(b"\0").decode()](number)
        except Exception as failure:  # noqa: BLE001  told to whoever asked
            good, content = False, f"{type(failure).__name__}: {failure}".encode()
        connection.sendall(ANSWER.pack(good, len(content)) + content)
