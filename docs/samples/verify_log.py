"""Verifies a log of Aureum against signed checkpoints, with nothing but Python 3.9 or newer.

    python3 verify_log.py LOG.csv CHECKPOINTS.jsonl PUBLIC_KEY

LOG.csv comes from `aureum audit log`, or from psql with the statement in docs/how-to/prove-the-log.md. The checkpoints
come from the place that they were sent to, and the public key from the operator, on another way. Exit status: 0 if the
log is what was signed, 1 if it is not, 2 if the files cannot be read.
"""

import base64
import csv
import hashlib
import json
import struct
import sys
import uuid

KIND = "aureum checkpoint 1"


class NotProved(Exception):
    """The log is not the one that was signed, or nothing was signed of it."""


# Ed25519, RFC 8032: the field, the curve's constant, the order of its group, and the base point.
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
ORDER = 2**252 + 27742317777372353535851937790883648493


def recovered_x(y, sign):
    """The x of a point whose y and sign are known; None if there is no such point."""
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


BASE_Y = 4 * pow(5, -1, P) % P
BASE_X = recovered_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def add(p, q):
    """The sum of two points, each as (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiple(number, point):
    """*point* added to itself so many times."""
    total = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = add(total, point)
        point = add(point, point)
        number >>= 1
    return total


def is_same(p, q):
    """Whether two points are one."""
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def point_of(encoded):
    """The point that 32 bytes stand for; None if they stand for none."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    x = recovered_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def is_signed(public, message, signature):
    """Whether *signature* is that of *message* by the owner of the *public* key."""
    key = point_of(public)
    if key is None or len(signature) != 64:
        return False
    nonce, scalar = point_of(signature[:32]), int.from_bytes(signature[32:], "little")
    if nonce is None or scalar >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(digest, "little") % ORDER
    return is_same(multiple(scalar, BASE), add(nonce, multiple(challenge, key)))


def checkpoints_of(lines, public):
    """(tenant, position, hash, time) of each line, whose signature holds. Raises NotProved."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
            values = (KIND, said["tenant"], said["brokerage"], said["position"], said["hash"], said["at"])
            message = "".join(f"{value}\n" for value in values).encode()
            signature = base64.b64decode(said["signature"], validate=True)
            found = (uuid.UUID(said["tenant"]), int(said["position"]), bytes.fromhex(said["hash"]), said["at"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotProved(f"line {number} of the checkpoints is no checkpoint") from error
        if said["type"] != KIND or not is_signed(public, message, signature):
            raise NotProved(f"line {number} of the checkpoints is not signed with this key, or was altered")
        yield found


def linked(before, row):
    """The hash of an event after the hash *before*."""
    kind, data = row["type"].encode(), bytes.fromhex(row["data"])
    return hashlib.sha256(
        b"".join(
            (
                before,
                uuid.UUID(row["tenant_id"]).bytes,
                uuid.UUID(row["stream_id"]).bytes,
                struct.pack(">iqh", int(row["version"]), int(row["position"]), int(row["schema_version"])),
                bytes.fromhex(row["recorded_at"]),
                struct.pack(">i", len(kind)),
                kind,
                struct.pack(">i", len(data)),
                data,
                bytes.fromhex(row["metadata"]),
            )
        )
    ).digest()


def verified(rows, checkpoints):
    """(events, tenant) of a log that agrees with all checkpoints of its tenant. Raises NotProved."""
    position, before, tenant, signed = 0, b"", None, {}
    for row in rows:
        if tenant is None:
            tenant = uuid.UUID(row["tenant_id"])
            for whose, at_position, expected, at in checkpoints:
                if whose == tenant:
                    signed.setdefault(at_position, []).append((expected, at))
            if not signed:
                raise NotProved(f"there is no checkpoint of the tenant {tenant}, so nothing is proved")
        position += 1
        if uuid.UUID(row["tenant_id"]) != tenant or int(row["position"]) != position:
            raise NotProved(f"position {position} is missing")
        before = linked(before, row)
        if before != bytes.fromhex(row["hash"]):
            raise NotProved(f"the bytes at position {position} are not those that were appended")
        for expected, at in signed.get(position, ()):
            if expected != before:
                raise NotProved(f"the log was rewritten: position {position} is not what was signed at {at}")
    if tenant is None:
        raise NotProved("the log is empty")
    if max(signed) > position:
        at = signed[max(signed)][0][1]
        raise NotProved(f"the end was cut off: position {max(signed)} was signed at {at}, the log ends at {position}")
    return position, tenant


def main(arguments):
    if len(arguments) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    csv.field_size_limit(2**31 - 1)
    try:
        public = base64.b64decode(arguments[2], validate=True)
        with open(arguments[0], encoding="utf-8", newline="") as log, open(arguments[1], encoding="utf-8") as signed:
            events, tenant = verified(csv.DictReader(log, strict=True), list(checkpoints_of(signed, public)))
    except NotProved as error:
        print(f"NOT PROVED: {error}")
        return 1
    except (OSError, KeyError, TypeError, ValueError, struct.error, csv.Error) as error:
        print(f"The files cannot be read as a log and its checkpoints: {error!r}", file=sys.stderr)
        return 2
    print(f"{events} events of the tenant {tenant} are those that were signed.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
