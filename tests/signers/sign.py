"""Signs with the vendor's own library: one JSON object {token, url, pairs} a line in, one signature a line out."""

import json
import sys

from twilio.request_validator import RequestValidator


class Pairs:
    """Parameters whose names may repeat, as the library takes them from web frameworks."""

    def __init__(self, pairs):
        self.pairs = pairs

    def __iter__(self):
        return (name for name, _ in self.pairs)

    def __len__(self):
        return len(self.pairs)

    def getlist(self, name):
        return [value for key, value in self.pairs if key == name]


for line in sys.stdin:
    case = json.loads(line)
    print(RequestValidator(case["token"]).compute_signature(case["url"], Pairs(case["pairs"])))
