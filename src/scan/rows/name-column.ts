const DIGEST_CHARACTERS = 40;
const DIGEST_BYTES = DIGEST_CHARACTERS / 2;
/** A name has at most 255 bytes on Linux; what is not UTF-8 takes up to three times that when shown. */
const SPARE_BYTES = 1024;
const AVERAGE_BYTES = 24;

/** Names by their row. A lone surrogate becomes U+FFFD. */
export interface Names {
  push(name: string): void;
  /** Of a row that was pushed. */
  at(row: number): string;
}

/** Names as they are: some 40 bytes more for each than in a column, which takes them apart and puts them together again at each look. */
export class PlainNames implements Names {
  readonly #names: string[] = [];

  push(name: string): void {
    this.#names.push(name.toWellFormed());
  }

  at(row: number): string {
    return this.#names[row] ?? '';
  }
}

/** Names as bytes, one after the other. A leading SHA-1 takes 20 bytes instead of 40 characters. */
export class NameColumn implements Names {
  #bytes: Buffer;
  readonly #ends: Uint32Array;
  /** 1 where the name begins with a packed digest. */
  readonly #packed: Uint8Array;
  #rows = 0;
  #used = 0;

  constructor(rows: number) {
    this.#bytes = Buffer.allocUnsafeSlow(rows * AVERAGE_BYTES + SPARE_BYTES);
    this.#ends = new Uint32Array(rows);
    this.#packed = new Uint8Array(rows);
  }

  push(name: string): void {
    if (this.#bytes.length - this.#used < SPARE_BYTES) this.#grow();
    const packed = packDigest(name, this.#bytes, this.#used);
    if (packed) this.#used += DIGEST_BYTES;
    const rest = packed ? name.slice(DIGEST_CHARACTERS) : name;
    if (rest !== '') this.#used += this.#bytes.write(rest, this.#used, 'utf8');
    this.#packed[this.#rows] = packed ? 1 : 0;
    this.#ends[this.#rows] = this.#used;
    this.#rows += 1;
  }

  at(row: number): string {
    const start = row === 0 ? 0 : (this.#ends[row - 1] ?? 0);
    const end = this.#ends[row] ?? start;
    if (this.#packed[row] !== 1) return this.#bytes.toString('utf8', start, end);
    const rest = start + DIGEST_BYTES;
    const digest = this.#bytes.toString('hex', start, rest);
    return end === rest ? digest : digest + this.#bytes.toString('utf8', rest, end);
  }

  #grow(): void {
    const larger = Buffer.allocUnsafeSlow(this.#bytes.length * 2);
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
  }
}

/**
 * Writes the 20 bytes of the lower-case hex digest that `name` begins with; false when it does not. By hand, because checking
 * with a pattern and writing with the `hex` encoding takes four times as long.
 */
function packDigest(name: string, into: Buffer, offset: number): boolean {
  if (name.length < DIGEST_CHARACTERS) return false;
  for (let byte = 0; byte < DIGEST_BYTES; byte += 1) {
    const high = nibble(name.charCodeAt(2 * byte));
    const low = nibble(name.charCodeAt(2 * byte + 1));
    if (high === -1 || low === -1) return false;
    into[offset + byte] = high * 16 + low;
  }
  return true;
}

function nibble(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1;
}
