/**
 * Where things are in the memory that the loop over plain rows in WebAssembly (rows.ts) shares with TypeScript
 * (wasm-rows.ts). Both compile this file, so that it holds numbers alone: offsets in bytes, and small codes.
 */

/** 32-bit integers from the beginning of the memory on. */
export const BUFFER = 0;
export const COLUMNS = 4;
export const COUNT = 8;
export const STARTS = 12;
export const ENDS = 16;
export const FLAGS = 20;
export const VALUES = 24;
export const NULLS = 28;
export const LEFT = 32;
export const OUTER = 36;
/** Bytes of the dialect; -1 for none. */
export const DELIMITER = 40;
export const QUOTE = 44;
export const ESCAPE = 48;
export const COMMENT = 52;
export const DOUBLE_QUOTE = 56;
export const HEADER_START = 60;
export const HEADER_MASK = 64;
export const LONGEST = 68;
/** Whether each row is to be handed over. */
export const JUDGES_ROWS = 72;
/** The list of words that look like a boolean. */
export const WORDS = 76;

/** What a call of `take` leaves behind. */
export const POSITION = 80;
/** Line ends since the call, those in cells among them. */
export const LINES = 84;
/** As many before the last row that was taken. */
export const LAST_LINES = 88;
export const RECORD_START = 92;
export const RECORD_END = 96;
export const LEFT_COUNT = 100;
export const FEEDS = 104;
export const PAIRS = 108;
/** Kinds of faults that do not count against the file, as the bits of {@link SETTLED}. */
export const ONLY_WARNS = 112;
/** What is to become of the cells that are left. */
export const MARKS = 116;

/** Keys of sound rows, which are told of many rows at once: their number, and where they and the rows are. */
export const KEY_COUNT = 136;
export const KEYS = 140;
export const KEY_ROWS = 144;
/** Rows that there is room for, and rows that are there. */
export const MOST_KEY_ROWS = 148;
export const KEY_ROW_COUNT = 152;
/** The header's start in the other quoting. */
export const OTHER_START = 156;
export const OTHER_MASK = 160;
/** Bytes of the row before what is compared with both. */
export const HEADER_OFFSET = 164;
/** A key: its column, whether it is an integer, and the secret of its hash. */
export const KEY_BYTES = 24;
export const KEY_CELL = 0;
export const KEY_IS_INTEGER = 4;
export const KEY_SECRET = 8;
/** A row: where it is, the lines before it, and for each key its hash, or its value as a double. */
export const KEY_ROW_START = 0;
export const KEY_ROW_END = 4;
export const KEY_ROW_LINES = 8;
export const KEY_ROW_HASHES = 16;
export const HASH_BYTES = 16;

/** Doubles: rows in which only settled faults were found, and those of them that do not only warn. */
export const FAULTY_ROWS = 120;
export const FAILING_ROWS = 128;

/** Tables, by byte: what it is outside of quotes, and where it makes a text odd. */
export const CLASSES = 256;
export const ODD_BYTES = 512;
/** Powers of ten from 0 to 15, as doubles. */
export const POWERS_OF_TEN = 768;
/** First days of the months, as 32-bit integers. */
export const MONTH_STARTS = 1024;
/** After the tables. */
export const DATA = 16_384;

/** A column, by the offset of what is known of it. */
export const COLUMN_BYTES = 128;
export const KIND = 0;
export const RULE = 1;
export const MAY_BE_EMPTY = 2;
export const INFERRED = 3;
export const RANGED = 4;
/** What the row's undeclared cell was counted as. */
export const SEEN = 5;
/** Kinds of faults of which the column lists no more, as bits: they are counted only. */
export const SETTLED = 6;
export const TYPE_ERROR = 1;
export const CONSTRAINT_ERROR = 2;
/** Bits of what is known of the column's cells. */
export const FACTS = 7;
/** A value may be one of the texts that mean null: cells are looked up before they are read. */
export const MAY_BE_MISSING = 1;
/** An empty cell is null, and breaks `required`. */
export const REQUIRED = 2;
/** A text that means null breaks nothing. */
export const NULL_IS_FINE = 4;
/** What is not in the list is not of the column's type. */
export const LISTS_TYPE = 8;
/** What is not in the list breaks `enum`, and no more can be wrong with it. */
export const LISTS_ENUM = 16;
/** The column holds any text, which may be odd. */
export const IS_TEXT = 32;
/** A text that does not match the pattern breaks nothing else. */
export const PATTERN_ALONE = 64;
export const LEAST = 8;
export const GREATEST = 16;
export const LOW = 24;
export const HIGH = 32;
export const NULL_COUNT = 40;
export const FEWEST_BYTES = 48;
export const MOST_BYTES = 52;
export const FIRST_PREFIX = 56;
export const LAST_PREFIX = 60;
/** Addresses; 0 for none. */
export const LIST = 64;
export const MISSING = 68;
export const PATTERN = 72;
export const FIRST_TEXT = 76;
export const LAST_TEXT = 80;
export const TALLIES = 84;
/** Doubles: faults that were counted only. */
export const TYPE_ERRORS = 88;
export const CONSTRAINT_ERRORS = 96;
/** Smallest and largest of the values that were counted as faults: {@link LOW} and {@link HIGH} keep all bounds. */
export const FAULTY_LOW = 104;
export const FAULTY_HIGH = 112;

/** Bits of what a text has to keep; the last one stands for whatever only TypeScript knows. */
export const RULE_LENGTH = 1;
export const RULE_PATTERN = 2;
export const RULE_OTHER = 4;

/** The first or the last text: its length, -1 for none, and its first bytes. */
export const TEXT_LENGTH = 0;
export const TEXT_BYTES = 4;
export const LONGEST_TEXT = 256;

/** Of what cells of one type look like, undeclared or unfit: cells, smallest and largest value, as doubles. */
export const TALLY_BYTES = 24;
export const TALLY_LOW = 8;
export const TALLY_HIGH = 16;

/** A list of texts: a mask for its slots, 16-bit numbers of entries from 1; and the entries. */
export const LIST_MASK = 0;
export const LIST_ENTRIES = 4;
export const LIST_SLOTS = 8;
/** Of an entry: its first eight bytes, its value, its length, whether it was seen, and the address of its bytes. */
export const ENTRY_BYTES = 32;
export const ENTRY_VALUE = 8;
export const ENTRY_LENGTH = 16;
export const ENTRY_SEEN = 20;
export const ENTRY_TEXT = 24;

/** A pattern: classes of bytes; states that accept; and links, two to the power of the shift for each state. */
export const PATTERN_SHIFT = 0;
export const PATTERN_START = 4;
export const PATTERN_CLASSES = 8;
export const PATTERN_ACCEPTS = 264;
export const PATTERN_LINKS = 520;
/** States that end a text: no text can match any more, or only TypeScript knows. */
export const STATE_DEAD = 0;
export const STATE_UNDECIDED = 1;
