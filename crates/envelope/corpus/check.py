#!/usr/bin/env python3
"""A second implementation of cell v1, written from the format's description and from nothing else.

    check.py        recomputes every vector of v1-draft and says what differs
    check.py make   writes the vectors that the Rust code cannot make: refused.json and collision.json

Needs Python 3.9 and the package `cryptography` (AES-GCM, and AES on one block for the collision).
"""

import base64
import hashlib
import hmac
import json
import pathlib
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FOLDER = pathlib.Path(__file__).parent / "v1-draft"
SUITE = b"\x01"


def pae(*pieces):
    out = struct.pack("<Q", len(pieces))
    for piece in pieces:
        out += struct.pack("<Q", len(piece)) + piece
    return out


def expand(prk, info, length):
    """HKDF-Expand with SHA-256, RFC 5869 section 2.3."""
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.new(prk, block + info + bytes([counter]), hashlib.sha256).digest()
        out, counter = out + block, counter + 1
    return out[:length]


def sha256(data):
    return hashlib.sha256(data).digest()


def place(vector):
    row = vector["row"]
    return pae(vector["tenant"].encode(), vector["table"].encode(), bytes([row["type"]]), bytes.fromhex(row["value"]))


def okm(prk, label, salt, encoded_place):
    derived = expand(prk, label + SUITE + salt + encoded_place, 64)
    return derived[:32], derived[32:]


def pad(value, bucket):
    plain = b"\x00\x80" if value is None else b"\x01" + value + b"\x80"
    return plain + bytes(-len(plain) % bucket)


def start(key_id, ordinal, flags=0, suite=1, version=1):
    return bytes([0xFB, version, suite, flags]) + key_id + struct.pack(">H", ordinal)


def cell_aad(head, name, tag):
    return head + pae(name.encode(), bytes([tag]))


def nonce(ordinal):
    return bytes(10) + struct.pack(">H", ordinal)


def seal_cell(derived, salt, head, ordinal, aad, padded):
    key, commitment = derived
    return head + salt + commitment + AESGCM(key).encrypt(nonce(ordinal), padded, aad)


def value_of(field):
    return None if field["value"] is None else bytes.fromhex(field["value"])


def kind_and_bytes(field):
    value = value_of(field)
    return b"\x00" if value is None else b"\x01" + value


def header_and_tag(cell):
    return cell[:70] + cell[-16:]


def by_name(fields):
    return sorted(fields, key=lambda field: field["name"].encode())


def seal_digest(vector, cells):
    """cells: (name, bytes) of the whole record."""
    pieces = [struct.pack(">Q", vector["version"]), struct.pack(">I", len(cells))]
    for name, cell in sorted(cells, key=lambda pair: pair[0].encode()):
        pieces += [name.encode(), header_and_tag(cell)]
    pieces.append(struct.pack(">I", len(vector["clear"])))
    for field in by_name(vector["clear"]):
        pieces += [field["name"].encode(), bytes([field["type"]]), kind_and_bytes(field)]
    return sha256(pae(*pieces))


def salt_of(vector, info, written, beside):
    process_key, random = bytes.fromhex(vector["process_key"]), bytes.fromhex(vector["random"])
    data = pae(random, info[0], info[1], written, beside)
    return hmac.new(process_key, data, hashlib.sha256).digest()[:24]


def write(vector):
    """Salt, cells and record seal of one write."""
    key_id = bytes.fromhex(vector["key_id"])
    plaintexts, beside = [], [struct.pack(">I", len(vector["clear"]))]
    for ordinal, field in enumerate(vector["fields"]):
        padded = pad(value_of(field), field["bucket"])
        plaintexts += [struct.pack(">H", ordinal), field["name"].encode(), bytes([field["type"]]), padded]
    for field in by_name(vector["clear"]):
        beside += [field["name"].encode(), bytes([field["type"]]), kind_and_bytes(field)]
    with_seal = vector["record_seal"] is not None
    beside.append(struct.pack(">Q", vector["version"] if with_seal else 0))
    for kept in by_name(vector["kept"]):
        beside += [kept["name"].encode(), header_and_tag(bytes.fromhex(kept["cell"]))]
    info = b"bartizan/cell/v1" + SUITE + place(vector)
    salt = salt_of(vector, (key_id, info), sha256(pae(*plaintexts)), sha256(pae(*beside)))
    derived = okm(bytes.fromhex(vector["scope_key"]), b"bartizan/cell/v1", salt, place(vector))
    cells = []
    for ordinal, field in enumerate(vector["fields"]):
        head = start(key_id, ordinal)
        padded = pad(value_of(field), field["bucket"])
        aad = cell_aad(head, field["name"], field["type"])
        cells.append(seal_cell(derived, salt, head, ordinal, aad, padded))
    if not with_seal:
        return salt, cells, None
    record = [(field["name"], cell) for field, cell in zip(vector["fields"], cells)]
    record += [(kept["name"], bytes.fromhex(kept["cell"])) for kept in vector["kept"]]
    head = start(key_id, 0xFFFF)
    aad = head + pae(b"$seal", b"\x00", seal_digest(vector, record))
    return salt, cells, seal_cell(derived, salt, head, 0xFFFF, aad, b"\x01\x80")


def open_cell(vector, cell, name, tag):
    head, salt, commitment = cell[:14], cell[14:38], cell[38:70]
    key, expected = okm(bytes.fromhex(vector["scope_key"]), b"bartizan/cell/v1", salt, place(vector))
    assert commitment == expected, "commitment"
    ordinal = struct.unpack(">H", cell[12:14])[0]
    padded = AESGCM(key).decrypt(nonce(ordinal), cell[70:], cell_aad(head, name, tag))
    plain = padded.rstrip(b"\x00")
    assert plain[-1:] == b"\x80", "padding"
    kind, value = plain[0], plain[1:-1]
    assert kind == 1 or (kind == 0 and value == b""), "kind"
    return value if kind == 1 else None


def wrap(vector):
    master, key = bytes.fromhex(vector["master"]), bytes.fromhex(vector["key"])
    context = pae(
        b"bartizan/key/v1",
        vector["tenant"].encode(),
        (vector["subject"] or "").encode(),
        vector["purpose"].encode(),
        struct.pack(">I", vector["version"]),
        bytes.fromhex(vector["key_id"]),
    )
    payload = key + sha256(context)
    kek_id = expand(master, b"bartizan/kek/v1", 8)
    info = b"bartizan/wrap/v1" + SUITE + context
    salt = salt_of(vector, (kek_id, info), sha256(pae(payload)), sha256(pae()))
    wrap_key, commitment = okm(master, b"bartizan/wrap/v1", salt, context)
    head = b"\xfd\x01" + kek_id
    return kek_id, payload, head + salt + commitment + AESGCM(wrap_key).encrypt(bytes(12), payload, head)


def load(name):
    return json.loads((FOLDER / name).read_text())


def save(name, data):
    (FOLDER / name).write_text(json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


# What only this implementation makes.

BASE = {
    "scope_key": bytes(range(0x20, 0x40)).hex(),
    "key_id": "0102030405060708",
    "process_key": "50" * 32,
    "random": "52" * 24,
    "tenant": "north",
    "table": "patients",
    "row": {"type": 2, "value": b"p-17".hex()},
}
SALT = bytes(range(24))


def make_refused():
    derived = okm(bytes.fromhex(BASE["scope_key"]), b"bartizan/cell/v1", SALT, place(BASE))
    key_id = bytes.fromhex(BASE["key_id"])
    out = []

    def add(name, expect, padded, tag=2, field="ssn", head=None, ordinal=0, aad=None):
        head = head or start(key_id, ordinal)
        aad = aad or cell_aad(head, field, tag)
        cell = seal_cell(derived, SALT, head, ordinal, aad, padded)
        entry = dict(BASE, name=name, expect=expect, type=tag or 2, value=None, field=field, cell=cell.hex())
        out.append(entry)

    add("a sound cell", "ok", b"\x01x\x80")
    add("a sound cell of a high ordinal", "ok", b"\x01x\x80", ordinal=0xFFFE)
    add("no padding mark", "integrity", b"\x01x\x00\x00")
    add("zeros alone", "integrity", bytes(16))
    add("another padding mark", "integrity", b"\x01x\x81")
    add("kind 2", "integrity", b"\x02x\x80")
    add("kind 255", "integrity", b"\xffx\x80")
    add("null with a value", "integrity", b"\x00x\x80")
    add("a kind byte that is the padding mark", "integrity", b"\x80\x00")
    for name, tag, value in [
        ("text that is not utf-8", 2, b"\xff"),
        ("text with a surrogate", 2, b"\xed\xa0\x80"),
        ("i64 of 7 bytes", 3, bytes(7)),
        ("u64 of 9 bytes", 4, bytes(9)),
        ("bool 2", 5, b"\x02"),
        ("empty bool", 5, b""),
        ("date of 8 bytes", 6, bytes(8)),
        ("instant of 4 bytes", 7, bytes(4)),
        ("uuid of 15 bytes", 8, bytes(15)),
        ("decimal with leading zero", 9, b"01"),
        ("decimal minus zero", 9, b"-0"),
        ("decimal minus zero with scale", 9, b"-0.00"),
        ("decimal with exponent", 9, b"1e3"),
        ("json that is not utf-8", 10, b"\xc3\x28"),
    ]:
        add(name, "integrity", b"\x01" + value + b"\x80", tag=tag)
    add("a flag, authenticated", "format", b"\x01x\x80", head=start(key_id, 0, flags=1))
    add("suite 2, authenticated", "format", b"\x01x\x80", head=start(key_id, 0, suite=2))
    add("version 2, authenticated", "format", b"\x01x\x80", head=start(key_id, 0, version=2))
    add("a plaintext of one byte", "format", b"\x80")
    empty = dict(BASE, version=1, clear=[])
    for name, expect, padded, ordinal in [
        ("a sound record seal", "ok", b"\x01\x80", 0xFFFF),
        ("a record seal with a value", "integrity", b"\x01x\x80", 0xFFFF),
        ("a record seal that is null", "integrity", b"\x00\x80", 0xFFFF),
        ("a padded record seal", "integrity", b"\x01\x80\x00", 0xFFFF),
        ("a record seal of another ordinal", "integrity", b"\x01\x80", 0),
    ]:
        head = start(key_id, ordinal)
        aad = head + pae(b"$seal", b"\x00", seal_digest(empty, []))
        add(name, expect, padded, tag=0, field="$seal", head=head, ordinal=ordinal, aad=aad)
    save("refused.json", out)


def gf_mul(x, y):
    """In GF(2^128) as GCM has it (SP 800-38D section 6.3): bit 0 is the leftmost."""
    z, v = 0, y
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            z ^= v
        v = (v >> 1) ^ (0xE1 << 120 if v & 1 else 0)
    return z


def gf_inverse(x):
    """x^(2^128 - 2)."""
    result, square = 1 << 127, x
    for bit in range(128):
        if bit:
            result = gf_mul(result, square)
        square = gf_mul(square, square)
    return result


def blocks(data):
    data += bytes(-len(data) % 16)
    return [int.from_bytes(data[at : at + 16], "big") for at in range(0, len(data), 16)]


def ghash(h, data):
    y = 0
    for block in data:
        y = gf_mul(y ^ block, h)
    return y


def aes(key, block):
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def make_collision():
    """Three blocks of ciphertext whose tag verifies under two keys: the middle block makes the tags equal, and the salt is
    tried until the first and last byte decrypt to a kind byte and a padding mark under both."""
    keys = [bytes([0x61]) * 32, bytes([0x62]) * 32]
    key_id, ordinal = bytes.fromhex(BASE["key_id"]), 0
    head = start(key_id, ordinal)
    aad = cell_aad(head, "note", 1)
    counter = lambda n: nonce(ordinal) + struct.pack(">I", n)
    for trial in range(1 << 24):
        salt = struct.pack(">Q", trial) + bytes(16)
        derived = [okm(key, b"bartizan/cell/v1", salt, place(BASE)) for key in keys]
        first = [aes(key, counter(2))[0] for key, _ in derived]
        last = [aes(key, counter(4))[15] for key, _ in derived]
        if first[0] == first[1] and last[0] == last[1]:
            break
    ciphertext = bytearray(48)
    ciphertext[0] = first[0] ^ 1
    ciphertext[47] = last[0] ^ 0x80
    lengths = (len(aad) * 8) << 64 | 48 * 8

    def tag_without_middle(key):
        h = int.from_bytes(aes(key, bytes(16)), "big")
        data = blocks(aad) + blocks(bytes(ciphertext)) + [lengths]
        return h, ghash(h, data) ^ int.from_bytes(aes(key, counter(1)), "big")

    (h1, t1), (h2, t2) = (tag_without_middle(key) for key, _ in derived)
    # The middle block is followed by the last block and the lengths, so it is multiplied by h^3.
    cube = lambda h: gf_mul(gf_mul(h, h), h)
    middle = gf_mul(t1 ^ t2, gf_inverse(cube(h1) ^ cube(h2)))
    ciphertext[16:32] = middle.to_bytes(16, "big")
    tag = (t1 ^ gf_mul(middle, cube(h1))).to_bytes(16, "big")
    for key, _ in derived:
        padded = AESGCM(key).decrypt(nonce(ordinal), bytes(ciphertext) + tag, aad)
        assert padded[0] == 1 and padded[-1] == 0x80
    cell = head + salt + derived[0][1] + bytes(ciphertext) + tag
    entry = dict(BASE, scope_key=keys[0].hex(), other_scope_key=keys[1].hex(), cell=cell.hex())
    save("collision.json", entry)


def check():
    wrong, count = [], 0

    def same(what, ours, theirs):
        nonlocal count
        count += 1
        if ours != theirs:
            wrong.append(what)

    for vector in load("pae.json"):
        same("pae", pae(*map(bytes.fromhex, vector["pieces"])).hex(), vector["encoded"])
    for vector in load("text.json"):
        text = "bz1_" + base64.urlsafe_b64encode(bytes.fromhex(vector["cell"])).decode().rstrip("=")
        same("text", text, vector["text"])
    for vector in load("cells.json"):
        salt, cells, seal = write(vector)
        same(f"{vector['name']}: salt", salt.hex(), vector["salt"])
        same(f"{vector['name']}: record seal", seal and seal.hex(), vector["record_seal"])
        for field, cell in zip(vector["fields"], cells):
            same(f"{vector['name']}: {field['name']}", cell.hex(), field["cell"])
            opened = open_cell(vector, bytes.fromhex(field["cell"]), field["name"], field["type"])
            same(f"{vector['name']}: {field['name']} opens", opened, value_of(field))
    for vector in load("wraps.json"):
        kek_id, payload, wrapped = wrap(vector)
        same(f"{vector['name']}: kek id", kek_id.hex(), vector["kek_id"])
        same(f"{vector['name']}: payload", payload.hex(), vector["payload"])
        same(f"{vector['name']}: wrap", wrapped.hex(), vector["wrapped"])
    collision = load("collision.json")
    cell = bytes.fromhex(collision["cell"])
    for name in ["scope_key", "other_scope_key"]:
        key, commitment = okm(bytes.fromhex(collision[name]), b"bartizan/cell/v1", cell[14:38], place(collision))
        try:
            AESGCM(key).decrypt(nonce(0), cell[70:], cell_aad(cell[:14], "note", 1))
        except InvalidTag:
            wrong.append(f"collision: {name} does not open")
        same(f"collision: {name}", commitment == cell[38:70], name == "scope_key")
    for vector in load("refused.json"):
        if vector["expect"] == "ok" and vector["field"] != "$seal":
            same(vector["name"], open_cell(vector, bytes.fromhex(vector["cell"]), vector["field"], vector["type"]), b"x")
    for what in wrong:
        print(f"differs: {what}", file=sys.stderr)
    print(f"{count} values checked, {len(wrong)} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["make"]:
        make_refused()
        make_collision()
    sys.exit(check())
