<?php

// Is this webhook from Aureum? Two functions to copy, one for each signature. They need PHP 7.4 and no package.
//
//   verifyAureumSignature($body, $headers, $secrets);   // the body is genuine
//   verifyStandardWebhook($body, $headers, $secrets);   // and it was sent within the last five minutes
//
// $body is the request's raw bytes, before anything parses them: file_get_contents('php://input'). $headers is an array
// of names, in any case, to values: getallheaders(). $secrets is an array: your secret, or the old and the new one while
// you rotate. Both return nothing, or throw Refused.
//
//   php verify.php webhook-vectors.json
//
// prints what they make of each case of that file, one JSON document a line.

declare(strict_types=1);

/** The request is not to be trusted. The message is a code, one of "errors" in webhook-vectors.json. */
final class Refused extends Exception
{
}

/** Check X-Aureum-Signature: 64 lower-case hex digits, keyed with the whole text of the secret. */
function verifyAureumSignature(string $body, array $headers, array $secrets): void
{
    if ($secrets === [] || in_array('', $secrets, true)) {
        throw new Refused('bad_secret'); // with an empty key, anybody could sign
    }
    $sent = webhookHeader($headers, 'x-aureum-signature');
    if (!preg_match('/\A[0-9a-f]{64}\z/', $sent)) {
        throw new Refused('bad_signature_format');
    }
    foreach ($secrets as $secret) {
        if (hash_equals(hash_hmac('sha256', $body, $secret), $sent)) {
            return;
        }
    }
    throw new Refused('no_matching_signature');
}

/** Check webhook-id, webhook-timestamp and webhook-signature; $now and $tolerance are in seconds. */
function verifyStandardWebhook(
    string $body,
    array $headers,
    array $secrets,
    ?int $now = null,
    int $tolerance = 300 // between our clock and yours, either way
): void {
    $keys = array_map('standardWebhookKey', $secrets);
    if ($keys === []) {
        throw new Refused('bad_secret');
    }
    $id = webhookHeader($headers, 'webhook-id');
    $timestamp = webhookHeader($headers, 'webhook-timestamp');
    $signatures = webhookHeader($headers, 'webhook-signature');
    if (!preg_match('/\A[0-9]{1,15}\z/', $timestamp)) {
        throw new Refused('bad_timestamp');
    }
    $age = ($now ?? time()) - (int) $timestamp;
    if ($age > $tolerance) {
        throw new Refused('timestamp_too_old');
    }
    if ($age < -$tolerance) {
        throw new Refused('timestamp_too_new');
    }
    $sent = preg_grep('~\A[A-Za-z0-9]+,[A-Za-z0-9+/]+={0,2}\z~', explode(' ', $signatures));
    if (!$sent) {
        throw new Refused('bad_signature_format');
    }
    foreach ($keys as $key) {
        $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
        foreach ($sent as $one) {
            if (hash_equals($expected, $one)) {
                return;
            }
        }
    }
    throw new Refused('no_matching_signature');
}

function webhookHeader(array $headers, string $name): string
{
    $value = array_change_key_case($headers, CASE_LOWER)[$name] ?? '';
    if ($value === '') {
        throw new Refused('missing_header');
    }
    return $value;
}

/** The bytes that follow "whsec_" in base64; without that prefix or the padding they are understood, too. */
function standardWebhookKey(string $secret): string
{
    $encoded = rtrim(preg_replace('/\Awhsec_/', '', $secret), '=');
    if (!preg_match('~\A[A-Za-z0-9+/]+\z~', $encoded) || strlen($encoded) % 4 === 1) {
        throw new Refused('bad_secret');
    }
    return base64_decode($encoded, true);
}

function errorOfWebhookCase(array $case): ?string
{
    $body = isset($case['body_base64']) ? base64_decode($case['body_base64'], true) : $case['body'];
    try {
        if ($case['scheme'] === 'x-aureum-signature') {
            verifyAureumSignature($body, $case['headers'], $case['secrets']);
        } else {
            verifyStandardWebhook($body, $case['headers'], $case['secrets'], $case['now'], $case['tolerance']);
        }
    } catch (Refused $refused) {
        return $refused->getMessage();
    }
    return null;
}

if (PHP_SAPI === 'cli' && realpath($_SERVER['SCRIPT_FILENAME']) === __FILE__) {
    $vectors = json_decode(file_get_contents($argv[1]), true, 512, JSON_THROW_ON_ERROR);
    foreach ($vectors['cases'] as $case) {
        $error = errorOfWebhookCase($case);
        echo json_encode(['name' => $case['name'], 'valid' => $error === null, 'error' => $error]), "\n";
    }
}
