"""The protocol's own Python client, unmodified, driven by a test: orders come as JSON lines on stdin, what the
client reports goes as JSON lines to stdout. Knows nothing of Deskwire but its address.

    python driver.py '{"url":"ws://…/v1/stream","token":"…","data":{…},"refresh":true}'
"""

import asyncio
import json
import sys

from centrifuge import Client, ClientEventHandler, StreamPosition, SubscriptionEventHandler
from centrifuge.exceptions import ReplyError

OPTIONS = json.loads(sys.argv[1])
NOWHERE = "ws://127.0.0.1:1/"


def say(event, **rest):
    sys.stdout.write(json.dumps({"event": event, **rest}) + "\n")
    sys.stdout.flush()


def publication(channel, pub):
    data = pub.data
    say("publication", channel=channel, offset=pub.offset, type=data.get("type"), text=data.get("text"))


def subscribed(channel, context):
    position = context.stream_position
    say(
        "subscribed",
        channel=channel,
        recovered=context.recovered,
        was_recovering=context.was_recovering,
        offset=position.offset if position else 0,
        epoch=position.epoch if position else "",
    )


class Events(ClientEventHandler):
    async def on_connecting(self, context):
        say("connecting", code=context.code, reason=context.reason)

    async def on_connected(self, context):
        say("connected", client=context.client)

    async def on_disconnected(self, context):
        say("disconnected", code=context.code, reason=context.reason)

    async def on_error(self, context):
        say("error", code=context.code)

    async def on_subscribed(self, context):
        subscribed(context.channel, context)

    async def on_unsubscribed(self, context):
        say("unsubscribed", channel=context.channel)

    async def on_publication(self, context):
        publication(context.channel, context.pub)


class ChannelEvents(SubscriptionEventHandler):
    def __init__(self, channel):
        self.channel = channel

    async def on_subscribed(self, context):
        subscribed(self.channel, context)

    async def on_publication(self, context):
        publication(self.channel, context.pub)

    async def on_unsubscribed(self, context):
        say("unsubscribed", channel=self.channel, code=context.code)

    async def on_error(self, context):
        say("error", channel=self.channel, code=context.code)


class Driver:
    def __init__(self):
        self.tokens = asyncio.Queue()
        self.client = Client(
            OPTIONS["url"],
            events=Events(),
            token=OPTIONS["token"],
            get_token=self.wanted if OPTIONS.get("refresh") else None,
            data=OPTIONS.get("data"),
            min_reconnect_delay=0.02,
            max_reconnect_delay=0.2,
        )

    async def wanted(self):
        say("token_wanted")
        return await self.tokens.get()

    async def connect(self, order):
        await self.client.connect()

    async def disconnect(self, order):
        await self.client.disconnect()

    async def drop(self, order):
        # Every dial goes where nobody listens: the network is away.
        self.client._address = NOWHERE
        self.client._conn.transport.abort()

    async def release(self, order):
        self.client._address = OPTIONS["url"]

    async def pause(self, order):
        self.client._conn.transport.pause_reading()

    async def resume(self, order):
        self.client._conn.transport.resume_reading()

    async def token(self, order):
        await self.tokens.put(order["token"])

    async def subscribe(self, order):
        channel, since = order["channel"], order.get("since")

        async def state(_):
            return StreamPosition(offset=since["offset"], epoch=since["epoch"])

        subscription = self.client.new_subscription(
            channel, events=ChannelEvents(channel), get_state=state if since else None
        )
        await subscription.subscribe()

    async def rpc(self, order):
        try:
            say("reply", data=(await self.client.rpc(order["method"], order["data"])).data)
        except ReplyError as error:
            say("reply", error={"code": error.code, "message": error.message})

    async def history(self, order):
        page = await self.client.history(order["channel"], limit=order["limit"])
        say("reply", data={"offset": page.offset, "offsets": [one.offset for one in page.publications]})

    async def presence(self, order):
        result = await self.client.presence(order["channel"])
        say("reply", data=[one.user for one in result.clients.values()])

    async def run(self):
        lines = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        say("ready")
        running = set()
        while line := await lines.readline():
            order = json.loads(line)
            task = asyncio.create_task(getattr(self, order["do"])(order))
            running.add(task)
            task.add_done_callback(running.discard)


async def main():
    await Driver().run()


asyncio.run(main())
