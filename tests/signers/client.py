"""Uses a carrier through the vendor's own client and prints what it understood, as JSON."""

import json
import sys
from datetime import datetime, timedelta, timezone

from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

url, account, token, sender, recipient = sys.argv[1:]


class Redirected(TwilioHttpClient):
    """The vendor's transport, towards another host."""

    def request(self, method, uri, *rest, **more):
        return super().request(method, uri.replace("https://api.twilio.com", url), *rest, **more)


client = Client(account, token, http_client=Redirected())
created = client.messages.create(to=recipient, from_=sender, body="a" * 161)
fetched = client.messages(created.sid).fetch()
for number in range(4):
    client.messages.create(to=recipient, from_=sender, body=f"text {number}")
try:
    client.messages.create(to="bob", from_=sender, body="hello")
    error = None
except TwilioRestException as refused:
    error = [refused.status, refused.code]
today = datetime.now(timezone.utc).date()
before = datetime.now(timezone.utc) - timedelta(minutes=5)
inbound = [m for m in client.messages.list(to=sender) if m.direction == "inbound"]
print(
    json.dumps(
        {
            "status": created.status,
            "segments": created.num_segments,
            "created": type(created.date_created).__name__,
            "fetched": fetched.sid == created.sid and fetched.body == created.body,
            "error": error,
            "listed": len(client.messages.list(to=recipient, page_size=2)),
            "since": len(client.messages.list(to=recipient, date_sent_after=before, page_size=2)),
            "until": len(client.messages.list(to=recipient, date_sent_before=before)),
            "came_in": [m.body for m in client.messages.list(to=sender, from_=recipient, date_sent_after=before)],
            "media": [m.content_type for i in inbound for m in client.messages(i.sid).media.list()],
            "calls": [c.status for c in client.calls.list(to=sender, start_time_after=before, page_size=1)],
            "calls_before": len(client.calls.list(to=sender, start_time_before=before)),
            "started": [type(c.start_time).__name__ for c in client.calls.list(from_=recipient, status="failed")],
            "on_day": len([m for m in client.messages.list(page_size=2) if m.date_created.date() == today]),
        }
    )
)
