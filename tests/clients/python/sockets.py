"""PyPI `websockets`, unmodified, as somebody who means ill. Prints one JSON line a case: how the server ended it.

    python sockets.py '{"url":"ws://…/v1/stream","token":"…"}'
"""

import asyncio
import json
import sys

import websockets
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode

GIVEN = json.loads(sys.argv[1])
ALIVE = '{"id":9,"ping":{}}'


class Unchecked(Frame):
    """Goes around the library's own checks."""

    def check(self):
        pass


async def frame(socket, opcode, data, fin=True, rsv1=False):
    socket.transport.write(Unchecked(opcode, data, fin, rsv1).serialize(mask=True, extensions=[]))


async def letters(socket):
    await socket.send(letter for letter in ALIVE)


async def pings(socket):
    waiting = [await socket.ping(bytes([number]) * number) for number in range(10)]
    await asyncio.gather(*waiting)
    await socket.send(ALIVE)


CASES = {
    "whole": lambda socket: socket.send(ALIVE),
    "fragments": letters,
    "pings": pings,
    "binary": lambda socket: socket.send(b"\x01\x02"),
    "too large": lambda socket: socket.send(" " * 65_537),
    "no utf-8": lambda socket: frame(socket, Opcode.TEXT, b"\xed\xa0\x80"),
    "compressed": lambda socket: frame(socket, Opcode.TEXT, b"\xaa\x56", rsv1=True),
    "a fragment of nothing": lambda socket: frame(socket, Opcode.CONT, b"x"),
    "a fragmented ping": lambda socket: frame(socket, Opcode.PING, b"x", fin=False),
    "goodbye": lambda socket: socket.close(4321, "done"),
}


async def play(name, attack):
    seen = {"name": name, "extensions": None, "replies": 0, "code": None}
    async with connect(GIVEN["url"], compression="deflate", max_queue=None, proxy=None) as socket:
        seen["extensions"] = len(socket.protocol.extensions)
        await socket.send(json.dumps({"id": 1, "connect": {"token": GIVEN["token"]}}))
        await socket.recv()
        try:
            await attack(socket)
            async for message in socket:
                if '"id":9' in message:
                    seen["replies"] += 1
                    await socket.close(1000)
        except websockets.ConnectionClosed:
            pass
        seen["code"] = socket.close_code
    return seen


async def main():
    for name, attack in CASES.items():
        print(json.dumps(await asyncio.wait_for(play(name, attack), 30)), flush=True)


asyncio.run(main())
