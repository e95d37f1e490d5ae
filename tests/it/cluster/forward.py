"""Carries connections between network namespaces over sockets in the file system, which are in all of them.

forward.py FROM TO [FROM TO ...], each a port of 127.0.0.1 or a path. Says `ready`; ends when stdin does.
"""

import asyncio
import os
import sys
import threading


async def pour(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def connect(to):
    if to.isdigit():
        return await asyncio.open_connection("127.0.0.1", int(to))
    return await asyncio.open_unix_connection(to)


async def listen(at, to):
    async def carry(reader, writer):
        try:
            there, back = await connect(to)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pour(reader, back), pour(there, writer))

    if at.isdigit():
        await asyncio.start_server(carry, "127.0.0.1", int(at))
    else:
        await asyncio.start_unix_server(carry, at)


async def main(words):
    for at, to in zip(words[::2], words[1::2], strict=True):
        await listen(at, to)
    print("ready", flush=True)
    await asyncio.Event().wait()


def end_with_stdin():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_stdin, daemon=True).start()
asyncio.run(main(sys.argv[1:]))
