// Stripe's own check of a webhook, in Node. It reads notices from standard input, a JSON object a line, and
// says of each whether it is accepted, and with which header Stripe's test helper would send it.
import { createInterface } from "node:readline";
import Stripe from "stripe";

const stripe = new Stripe("sk_test_1");
for await (const line of createInterface({ input: process.stdin })) {
  const { payload, header, secret } = JSON.parse(line);
  let accepted = false, event = "";
  try {
    event = stripe.webhooks.constructEvent(payload, header, secret).type;
    accepted = true;
  } catch (e) {
    event = e.message;
  }
  const own = stripe.webhooks.generateTestHeaderString({ payload, secret });
  console.log(JSON.stringify({ accepted, event, own }));
}
