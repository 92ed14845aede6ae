"""Pays one order at MoMo, or at an emulator of it, by a running `recourse serve`. Needs Python alone.

    recourse emulate --provider momo &
    recourse serve --journal flows.db &
    python3 pay.py --key cart-1 --order order-1 --amount 50000

The program may be killed at any time and started again with the same arguments: the service knows
what was sent, and nothing is sent twice.
"""

import argparse
import http.client
import json
import secrets
import socket
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for an answer: to follow it would be a second request."""

    def redirect_request(self, *_):
        return None


opener = urllib.request.build_opener(NoRedirect)


def call(url, body=None, timeout=60.0):
    """Sends JSON, or reads. Returns the HTTP status, the headers and the body as text."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with opener.open(request, timeout=timeout) as answer:
            return answer.status, dict(answer.headers), answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as answer:  # an answer like any other
        return answer.code, dict(answer.headers), answer.read().decode("utf-8", "replace")


def service(url, body=None):
    """Asks the service. It may be restarted meanwhile: every call of it can be repeated."""
    for again in range(600):
        try:
            status, _, text = call(url, body)
        except (OSError, http.client.HTTPException):
            status, text = 503, "no answer"
        if status == 503:
            time.sleep(min(1.0, 0.05 * (again + 1)))
            continue
        return status, json.loads(text) | {"came": time.monotonic()}
    sys.exit("the service does not answer")


def fault(error):
    """What an error proves: not_sent only where no connection came about, and so no byte left."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, (ConnectionRefusedError, socket.gaierror)):
        return "not_sent"
    if isinstance(reason, TimeoutError):
        return "timeout"
    return "reset"


def carry_out(step, provider, caller):
    """Makes the one call that a step asks for, and returns the report."""
    report = {"caller": caller, "command": step["command"]}
    left = step["left_ms"] / 1000 - (time.monotonic() - step["came"])
    if left <= 0:  # the program stood still: the flow may have gone on, and nothing must be sent any more
        return report | {"fault": "not_sent"}
    if step["do"] == "send":
        path = "/v2/gateway/api/tokenization/pay"
        body = {"orderId": step["order_id"], "requestId": step["request_id"], "amount": step["payment"]["amount"], "orderInfo": step["data"]}
    else:
        path = "/v2/gateway/api/query"
        body = {"orderId": step["order_id"], "requestId": step["query_id"]}
    try:
        status, headers, text = call(provider + path, body, timeout=left)
    except (OSError, http.client.HTTPException) as error:
        return report | {"fault": fault(error)}
    return report | {"http_status": status, "headers": headers, "body": text}


def pause(step):
    """Sleeps until a step is due, at most 10 seconds: a webhook may end the wait before."""
    until = step.get("until")
    if until:
        # Python 3.10 reads no more than six digits of a second.
        at = datetime.strptime(until[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
        time.sleep(max(0.0, min(10.0, (at - datetime.now(timezone.utc)).total_seconds())))


def pay(args):
    caller = f"{int(time.time())}-{secrets.token_hex(16)}"  # for this payment, in this run of this program
    start = {
        "caller": caller, "provider": "momo", "operation": "pay", "payment_key": args.key, "order_id": args.order,
        "merchant": args.merchant, "amount": args.amount, "currency": "VND", "data": "an order of the example",
    }
    report = {}
    status, step = service(args.service + "/v1/flows", start)
    while status == 200 and step["do"] != "end":
        flow = args.service + "/v1/flows/" + step["flow"]
        if step["do"] in ("send", "query"):
            if report.get("command") != step["command"]:  # one that comes again is reported again, and not carried out
                report = carry_out(step, args.provider, caller)
            status, next_step = service(flow + "/reports", report)
            if status == 409:  # the deadline passed meanwhile, or the service was started anew
                status, next_step = service(flow + "?caller=" + caller)
            step = next_step
        else:
            pause(step)
            status, step = service(flow + "?wait_ms=10000&caller=" + caller)
    if status != 200:
        sys.exit(json.dumps(step))
    return step


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--service", default="http://127.0.0.1:8377")
    parser.add_argument("--provider", default="http://127.0.0.1:8080")
    parser.add_argument("--merchant", default="", help="whose rules decide")
    parser.add_argument("--key", required=True)
    parser.add_argument("--order", required=True)
    parser.add_argument("--amount", type=int, required=True)
    step = pay(parser.parse_args())
    print(step["outcome"], step["flow"], step.get("reason", ""))
    sys.exit({"succeeded": 0, "failed": 1}.get(step["outcome"], 3))


if __name__ == "__main__":
    main()
