const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Where the items are: in a list that is the value of a key of the outermost object. */
const ITEMS_DEPTH = 2;

/** The key that a text ends with. */
const LAST_KEY = /("(?:[^"\\]|\\.)*")\s*:\s*$/;

interface ItemCutterOptions {
  /** Takes the text of one item, which may be no JSON. */
  readonly onItem: (text: string, bytes: number) => void;
  /** Of an item, and of what is around the items. */
  readonly limitBytes: number;
  /** Called when more than that has come. */
  readonly onTooLong: () => never;
}

/**
 * Cuts a JSON text into the elements of `items` of its outermost object and the frame around them, as its bytes come. Both together are
 * JSON exactly if the text is: the frame keeps every byte that is not in an element or between two. No more than one element is held.
 */
export class ItemCutter {
  readonly #options: ItemCutterOptions;
  readonly #frame: Buffer[] = [];
  #frameBytes = 0;
  #item: Buffer[] = [];
  #itemBytes = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #inItems = false;
  #items = 0;
  #lists = 0;

  constructor(options: ItemCutterOptions) {
    this.#options = options;
  }

  /** Of lists called `items`: of two, `JSON.parse` would keep the last. */
  get lists(): number {
    return this.#lists;
  }

  write(chunk: Buffer): void {
    let start = 0;
    for (let index = 0; index < chunk.length; index += 1) {
      const byte = chunk[index];
      if (this.#inString) this.#takeOfString(byte);
      else if (byte === QUOTE) this.#inString = true;
      else if (byte === COMMA || byte === OPEN_LIST || byte === OPEN_OBJECT || byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
        start = this.#takeMark(byte, chunk, { start, index });
      }
    }
    this.#hold(chunk.subarray(start));
  }

  /** What is around the items. An item that was not ended leaves it without its end, and so not JSON. */
  frame(): string {
    return Buffer.concat(this.#frame).toString('utf8');
  }

  #takeOfString(byte: number | undefined): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inString = false;
  }

  /** Where the piece begins that is held next. */
  #takeMark(byte: number, chunk: Buffer, { start, index }: { readonly start: number; readonly index: number }): number {
    if (byte === COMMA) {
      if (!this.#inItems || this.#depth !== ITEMS_DEPTH) return start;
      this.#hold(chunk.subarray(start, index));
      this.#endItem();
      return index + 1;
    }
    if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      this.#depth += 1;
      if (byte === OPEN_OBJECT || this.#inItems || this.#depth !== ITEMS_DEPTH) return start;
      this.#hold(chunk.subarray(start, index + 1));
      this.#inItems = this.#isAtItems();
      return index + 1;
    }
    this.#depth -= 1;
    if (!this.#inItems || this.#depth !== ITEMS_DEPTH - 1) return start;
    this.#hold(chunk.subarray(start, index));
    this.#endItems();
    return index;
  }

  #isAtItems(): boolean {
    const text = this.frame().slice(0, -1);
    const key = LAST_KEY.exec(text)?.[1];
    if (!text.trimStart().startsWith('{') || key === undefined || !isItems(key)) return false;
    this.#lists += 1;
    this.#items = 0;
    return true;
  }

  #endItem(): void {
    const text = Buffer.concat(this.#item).toString('utf8');
    const bytes = this.#itemBytes;
    this.#item = [];
    this.#itemBytes = 0;
    this.#items += 1;
    this.#options.onItem(text, bytes);
  }

  /** The byte that closes them is left to the frame: it may be the wrong one. */
  #endItems(): void {
    const isEmpty = this.#items === 0 && /^[ \t\r\n]*$/.test(Buffer.concat(this.#item).toString('utf8'));
    if (!isEmpty) this.#endItem();
    this.#item = [];
    this.#itemBytes = 0;
    this.#inItems = false;
  }

  #hold(piece: Buffer): void {
    if (piece.length === 0) return;
    if (this.#inItems) {
      this.#item.push(piece);
      this.#itemBytes += piece.length;
    } else {
      this.#frame.push(piece);
      this.#frameBytes += piece.length;
    }
    if (Math.max(this.#itemBytes, this.#frameBytes) > this.#options.limitBytes) this.#options.onTooLong();
  }
}

function isItems(key: string): boolean {
  try {
    return JSON.parse(key) === 'items';
  } catch {
    return false;
  }
}
