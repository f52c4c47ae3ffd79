// Is this webhook from Aureum? Two functions to copy, one for each signature. They need Node.js and no package.
//
//   verifyAureumSignature(body, headers, secrets)   // the body is genuine
//   verifyStandardWebhook(body, headers, secrets)   // and it was sent within the last five minutes
//
// `body` is the request's raw bytes (a Buffer), before anything parses them: express.raw({ type: '*/*' }), or
// Buffer.from(await request.arrayBuffer()). `headers` is request.headers, with fetch Object.fromEntries(request.headers).
// `secrets` is an array: your secret, or the old and the new one while you rotate. Both return nothing, or throw Refused.
//
//   node verify.mjs webhook-vectors.json
//
// prints what they make of each case of that file, one JSON document a line.
import { createHmac, timingSafeEqual } from 'node:crypto';

const TOLERANCE = 300; // seconds between our clock and yours, either way

/** The request is not to be trusted. `code` is one of "errors" in webhook-vectors.json. */
export class Refused extends Error {
  constructor(code) {
    super(code);
    this.name = 'Refused';
    this.code = code;
  }
}

/** Check X-Aureum-Signature: 64 lower-case hex digits, keyed with the whole text of the secret. */
export function verifyAureumSignature(body, headers, secrets) {
  // With an empty key, anybody could sign.
  if (secrets.length === 0 || !secrets.every(Boolean)) throw new Refused('bad_secret');
  const sent = header(headers, 'x-aureum-signature');
  if (!/^[0-9a-f]{64}$/.test(sent)) throw new Refused('bad_signature_format');
  const genuine = secrets.some((secret) => same(createHmac('sha256', secret).update(body).digest('hex'), sent));
  if (!genuine) throw new Refused('no_matching_signature');
}

/** Check webhook-id, webhook-timestamp and webhook-signature; `now` and `tolerance` are in seconds. */
export function verifyStandardWebhook(body, headers, secrets, now = Date.now() / 1000, tolerance = TOLERANCE) {
  const keys = secrets.map(standardKey);
  if (keys.length === 0) throw new Refused('bad_secret');
  const id = header(headers, 'webhook-id');
  const timestamp = header(headers, 'webhook-timestamp');
  const signatures = header(headers, 'webhook-signature');
  if (!/^[0-9]{1,15}$/.test(timestamp)) throw new Refused('bad_timestamp');
  const age = now - Number(timestamp);
  if (age > tolerance) throw new Refused('timestamp_too_old');
  if (age < -tolerance) throw new Refused('timestamp_too_new');
  const sent = signatures.split(' ').filter((one) => /^[A-Za-z0-9]+,[A-Za-z0-9+/]+={0,2}$/.test(one));
  if (sent.length === 0) throw new Refused('bad_signature_format');
  const genuine = keys.some((key) => {
    const expected = 'v1,' + createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
    return sent.some((one) => same(expected, one));
  });
  if (!genuine) throw new Refused('no_matching_signature');
}

/** Whether two texts are equal, in constant time. timingSafeEqual itself throws unless the lengths agree. */
function same(expected, sent) {
  const [a, b] = [Buffer.from(expected), Buffer.from(sent)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function header(headers, name) {
  const [, value] = Object.entries(headers).find(([key]) => key.toLowerCase() === name) ?? [];
  if (!value) throw new Refused('missing_header');
  return value;
}

/** The bytes that follow "whsec_" in base64; without that prefix or the padding they are understood, too. */
function standardKey(secret) {
  const encoded = secret.replace(/^whsec_/, '').replace(/=+$/, '');
  // Buffer.from skips whatever is not base64: look first.
  if (!/^[A-Za-z0-9+/]+$/.test(encoded) || encoded.length % 4 === 1) throw new Refused('bad_secret');
  return Buffer.from(encoded, 'base64');
}

function errorOf({ scheme, secrets, headers, body, body_base64: base64, now, tolerance }) {
  const bytes = base64 === undefined ? Buffer.from(body) : Buffer.from(base64, 'base64');
  try {
    if (scheme === 'x-aureum-signature') verifyAureumSignature(bytes, headers, secrets);
    else verifyStandardWebhook(bytes, headers, secrets, now, tolerance);
    return null;
  } catch (error) {
    if (error instanceof Refused) return error.code;
    throw error;
  }
}

const { readFileSync, realpathSync } = await import('node:fs');
if (process.argv[1] && realpathSync(process.argv[1]) === import.meta.filename) {
  for (const vector of JSON.parse(readFileSync(process.argv[2], 'utf8')).cases) {
    const error = errorOf(vector);
    console.log(JSON.stringify({ name: vector.name, valid: error === null, error }));
  }
}
