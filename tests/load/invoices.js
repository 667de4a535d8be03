// Many invoices at once on the running stack: `make load`. It looks for what breaks under load (errors, double charges,
// invoices that never end), not for speed: the local stack has none.

import http from 'k6/http';
import { check, fail, sleep } from 'k6';

const PAID_SECONDS = 150; // a lost message is found by the sweep after two minutes

export const options = {
  scenarios: {
    invoices: {
      executor: 'constant-arrival-rate',
      exec: 'payAnInvoice',
      rate: Number(__ENV.RATE || 2),
      timeUnit: '1s',
      duration: __ENV.DURATION || '30s',
      preAllocatedVUs: 50,
      gracefulStop: `${PAID_SECONDS}s`,
    },
  },
  thresholds: { checks: ['rate==1'] },
};

const ITEMS = [
  { description: 'Plan', quantity: '1', unit_price: '100.00' },
  { description: 'Seats', quantity: '3', unit_price: '7.35' },
];
const TOTAL_MINOR = 12205;

export function payAnInvoice() {
  const unique = `${__VU}-${__ITER}-${Date.now()}`;
  const customer = post('/v1/customers', { name: 'Ana Souza', email: `load-${unique}@example.com` }, 201).id;
  const card = { type: 'credit_card', token: 'tok_visa', brand: 'visa', last4: '4242' };
  post(`/v1/customers/${customer}/payment-methods`, card, 201);
  const invoice = post('/v1/invoices', { customer_id: customer, currency: 'BRL', items: ITEMS }, 201).id;
  post(`/v1/invoices/${invoice}/charge`, {}, 202);

  check(untilSettled(invoice), { 'it is paid': (status) => status === 'paid' });
  const journal = http.get(`${__ENV.SANDBOX_URL}/charges?reference=${invoice}`, { tags: { name: 'journal' } });
  const captured = journal.json('data').filter((charge) => charge.status === 'captured');
  check(captured, {
    'it is charged once, in full': (charges) => charges.length === 1 && charges[0].amount_minor === TOTAL_MINOR,
  });
}

function untilSettled(invoice) {
  const deadline = Date.now() + PAID_SECONDS * 1000;
  let status = 'pending';
  while (status === 'pending' && Date.now() < deadline) {
    sleep(0.5);
    const answer = http.get(`${__ENV.API_URL}/v1/invoices/${invoice}`, request('GET /v1/invoices/{id}'));
    status = answer.status === 200 ? answer.json('status') : status;
  }
  return status;
}

function post(path, body, expected) {
  const named = request(`POST ${path.replace(/(cus|inv)_\w+/, '{id}')}`);
  named.headers['Idempotency-Key'] = `load-${__VU}-${__ITER}-${Date.now()}-${path}`;
  const answer = http.post(`${__ENV.API_URL}${path}`, JSON.stringify(body), named);
  const held = check(answer, { [`${named.tags.name} answers ${expected}`]: (given) => given.status === expected });
  return held ? answer.json() : fail(`${named.tags.name}: ${answer.status} ${answer.body}`);
}

function request(name) {
  const headers = { Authorization: `Bearer ${__ENV.OPERATOR_KEY}`, 'Content-Type': 'application/json' };
  return { headers, tags: { name } };
}
