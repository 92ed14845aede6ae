// Pays one order at MoMo, or at an emulator of it, by a running `recourse serve`. Needs Node 18 or later alone.
//
//   recourse emulate --provider momo &
//   recourse serve --journal flows.db &
//   node pay.mjs --key cart-1 --order order-1 --amount 50000
//
// The program may be killed at any time and started again with the same arguments: the service knows
// what was sent, and nothing is sent twice.
import { randomBytes } from "node:crypto";
import http from "node:http";
import { parseArgs } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";

const { values: args } = parseArgs({
  options: {
    service: { type: "string", default: "http://127.0.0.1:8377" },
    provider: { type: "string", default: "http://127.0.0.1:8080" },
    merchant: { type: "string", default: "" }, // whose rules decide
    key: { type: "string" },
    order: { type: "string" },
    amount: { type: "string" },
  },
});

// call makes one request and never a second: node:http, for fetch follows redirects and retries on some
// connections. It returns the status, the headers and the body as text.
function call(url, body, timeout = 60_000) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, {
      method: body ? "POST" : "GET",
      headers: { "Content-Type": "application/json" },
      agent: false, // a connection of its own: none that the other side has closed
      signal: AbortSignal.timeout(timeout),
    }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (part) => { text += part; });
      answer.on("error", reject);
      answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
    });
    request.on("error", reject);
    request.end(body && JSON.stringify(body));
  });
}

// service asks the service. It may be restarted meanwhile: every call of it can be repeated.
async function service(url, body) {
  for (let again = 0; again < 600; again++) {
    const answer = await call(url, body).catch(() => ({ status: 503 }));
    if (answer.status !== 503) return { status: answer.status, step: { ...JSON.parse(answer.text), came: performance.now() } };
    await sleep(Math.min(1000, 50 * (again + 1)));
  }
  throw new Error("the service does not answer");
}

// fault is what an error proves: not_sent only where no connection came about, and so no byte left.
function fault(error) {
  if (["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"].includes(error.code)) return "not_sent";
  if (error.name === "TimeoutError" || error.cause?.name === "TimeoutError") return "timeout";
  return "reset";
}

// carryOut makes the one call that a step asks for, and returns the report.
async function carryOut(step, caller) {
  const report = { caller, command: step.command };
  const left = step.left_ms - (performance.now() - step.came);
  if (left <= 0) return { ...report, fault: "not_sent" }; // the program stood still: the flow may have gone on, and nothing must be sent any more
  const [path, body] = step.do === "send"
    ? ["/v2/gateway/api/tokenization/pay", { orderId: step.order_id, requestId: step.request_id, amount: step.payment.amount, orderInfo: step.data }]
    : ["/v2/gateway/api/query", { orderId: step.order_id, requestId: step.query_id }];
  try {
    const answer = await call(args.provider + path, body, Math.ceil(left));
    const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]));
    return { ...report, http_status: answer.status, headers, body: answer.text };
  } catch (error) {
    return { ...report, fault: fault(error) };
  }
}

const caller = `${Math.floor(Date.now() / 1000)}-${randomBytes(16).toString("hex")}`; // for this payment, in this run of this program
let report = {};
let { status, step } = await service(`${args.service}/v1/flows`, {
  caller, provider: "momo", operation: "pay", payment_key: args.key, order_id: args.order,
  merchant: args.merchant, amount: Number(args.amount), currency: "VND", data: "an order of the example",
});
while (status === 200 && step.do !== "end") {
  const flow = `${args.service}/v1/flows/${step.flow}`;
  if (step.do === "send" || step.do === "query") {
    if (report.command !== step.command) report = await carryOut(step, caller); // one that comes again is reported again, and not carried out
    ({ status, step } = await service(`${flow}/reports`, report));
    if (status === 409) { // the deadline passed meanwhile, or the service was started anew
      ({ status, step } = await service(`${flow}?caller=${caller}`));
    }
  } else {
    // A webhook may end the wait before.
    if (step.until) await sleep(Math.max(0, Math.min(10_000, Date.parse(step.until) - Date.now())));
    ({ status, step } = await service(`${flow}?wait_ms=10000&caller=${caller}`));
  }
}
if (status !== 200) {
  console.error(JSON.stringify(step));
  process.exit(2);
}
console.log(step.outcome, step.flow, step.reason ?? "");
process.exit({ succeeded: 0, failed: 1 }[step.outcome] ?? 3);
