// Mercado Pago's own SDK for Node.js: as mercado_pago_oracle.py, which says what comes in and what goes out.

const { readFileSync } = require('node:fs');
const { InvalidWebhookSignatureError, WebhookSignatureValidator } = require('mercadopago');

const came = JSON.parse(readFileSync(0, 'utf8'));
try {
  WebhookSignatureValidator.validate({
    xSignature: came.signature,
    xRequestId: came.request_id,
    dataId: came.data_id,
    secret: came.secret,
    toleranceSeconds: came.tolerance_s ?? undefined,
    now: () => came.now_ms,
  });
} catch (refusal) {
  if (!(refusal instanceof InvalidWebhookSignatureError)) throw refusal;
  console.log(refusal.reason);
  process.exitCode = 1;
}
