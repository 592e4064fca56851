import { MAX_CELLS } from '../scanner.ts';
import { decodeText } from '../text.ts';
import type { Check } from './check.ts';

/** Bytes by which a source is recognised: a page of HTML may begin with blanks and comments. */
export const SIGNATURE_BYTES = 512;

export const BYTE_ORDER_MARK = Uint8Array.of(0xef, 0xbb, 0xbf);

/** Why a file can't be read as UTF-8 text. */
export interface UnsupportedSource {
  /** What it is, as a message says it after "The file". */
  readonly what: string;
  /** Whether it is text in another encoding. */
  readonly encoding: boolean;
  readonly remedy: string;
}

const TEXT = 'export it as UTF-8';
const UNPACK = 'unpack it before the delivery';
const EXPORT = 'export the table as CSV';
const DECRYPT = 'decrypt it before the delivery';

const SIGNATURES: readonly (UnsupportedSource & { readonly bytes: readonly number[] })[] = [
  signature('is UTF-32, little-endian', TEXT, [0xff, 0xfe, 0, 0]),
  signature('is UTF-32, big-endian', TEXT, [0x00, 0x00, 0xfe, 0xff]),
  signature('is a gzip archive', UNPACK, [0x1f, 0x8b]),
  signature('is a zip archive or a spreadsheet', `${UNPACK}, or ${EXPORT}`, [0x50, 0x4b, 3, 4]),
  signature('is an empty zip archive', 'look at what packed it', [0x50, 0x4b, 5, 6]),
  signature('is a tar archive', UNPACK, [...Array(257).fill(undefined), ...ascii('ustar')]),
  signature('is a zstd archive', UNPACK, [0x28, 0xb5, 0x2f, 0xfd]),
  signature('is a bzip2 archive', UNPACK, [...ascii('BZh'), undefined, ...ascii('1AY&SY')]),
  signature('is an lz4 archive', UNPACK, [0x04, 0x22, 0x4d, 0x18]),
  signature('is an archive of compress (.Z)', UNPACK, [0x1f, 0x9d]),
  signature('is an xz archive', UNPACK, [0xfd, ...ascii('7zXZ'), 0]),
  signature('is a 7z archive', UNPACK, [...ascii('7z'), 0xbc, 0xaf, 0x27, 0x1c]),
  signature('is a RAR archive', UNPACK, [...ascii('Rar!'), 0x1a, 0x07]),
  signature(
    'is a workbook of Excel 97 to 2003, or another old Office file',
    EXPORT,
    [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1],
  ),
  signature('is a Parquet file', EXPORT, ascii('PAR1')),
  signature('is an Arrow file', EXPORT, ascii('ARROW1')),
  signature('is an Avro file', EXPORT, [...ascii('Obj'), 1]),
  signature('is an HDF5 file', EXPORT, [0x89, ...ascii('HDF'), 0x0d, 0x0a]),
  signature('is a file of SPSS', EXPORT, ascii('$FL2@(#)')),
  signature('is a database of Microsoft Access', EXPORT, [0, 1, 0, 0, ...ascii('Standard ')]),
  signature('is an SQLite database', EXPORT, ascii('SQLite format 3')),
  signature('is an RTF document', EXPORT, ascii('{\\rtf')),
  signature('is a PNG picture', EXPORT, [0x89, ...ascii('PNG')]),
  signature('is a JPEG picture', EXPORT, [0xff, 0xd8, 0xff]),
  signature('is an ORC file', EXPORT, [...ascii('ORC'), 0x08]),
  signature('is a file of SAS', EXPORT, [
    ...Array(12).fill(0),
    ...[0xc2, 0xea, 0x81, 0x60, 0xb3, 0x14, 0x11, 0xcf, 0xbd, 0x92],
  ]),
  signature('is a file of SAS', EXPORT, ascii('HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!')),
  signature('is a file of Stata', EXPORT, ascii('<stata_dta>')),
  signature('is a file of R', EXPORT, [
    ...ascii('RD'),
    undefined,
    undefined,
    0x0a,
    undefined,
    0x0a,
  ]),
  signature('is an array of NumPy', EXPORT, [0x93, ...ascii('NUMPY')]),
  signature('is encrypted by OpenPGP', DECRYPT, ascii('-----BEGIN PGP ')),
  signature('is encrypted by OpenSSL', DECRYPT, ascii('Salted__')),
  signature('is a certificate or a key', 'deliver the table itself', ascii('-----BEGIN ')),
  signature(
    'is a pointer of Git LFS, and not what it points at',
    'deliver the file itself (git lfs pull)',
    ascii('version https://git-lfs'),
  ),
];

const TEXT_FORMATS: readonly (UnsupportedSource & { readonly begins: RegExp })[] = [
  {
    what: 'is a PDF document',
    encoding: false,
    remedy: `${EXPORT} from where the document comes from`,
    begins: /^%PDF-/,
  },
  {
    what: 'is an HTML page, often that of a log-in or an error',
    encoding: false,
    remedy: 'look at what the download answered',
    begins:
      /^(?:<!--[\s\S]*?-->\s*)*<(?:!doctype html|html|head|body|table|div|script|title|meta|style|link|base|center|form|iframe|noscript|h[1-6])(?=[\s>])/i,
  },
  {
    what: 'is XML',
    encoding: false,
    remedy: `${EXPORT}, or look at what the download answered`,
    // S3 answers with an Error.
    begins: /^<(?:\?xml\s|Error>\s*<Code>)/,
  },
  {
    what: 'is JSON',
    encoding: false,
    remedy: EXPORT,
    begins: /^(?:\{\s*"(?:[^"\\]|\\.)*"\s*:|\[\s*[[{]\s*["\d[{}\]])/,
  },
  {
    what: 'is a script of SQL',
    encoding: false,
    remedy: EXPORT,
    // What dumps begin with: comments, settings of the session, then the first statement, with so much of it that no label
    // is taken for one: `Use of force` and `Create table` are words of tables, too.
    begins:
      /^(?:--[^\n]*\n\s*|\/\*[\s\S]*?\*\/;?\s*)*(?:INSERT\s+INTO\s+[\w.`"[\]]+\s*(?:\(|VALUES\b|SELECT\b)|CREATE\s+(?:\w+\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?[\w.`"[\]]+\s*\(|(?:CREATE|DROP)\s+(?:TABLE|DATABASE|SCHEMA)\s+IF\s+(?:NOT\s+)?EXISTS\s+[\w.`"[\]]+\s*;|ALTER\s+TABLE\s+[\w.`"[\]]+\s+(?:ADD|DROP|ALTER)\s|LOCK\s+TABLES\s+[\w.`"]+\s+WRITE\s*;|SET\s+[\w@.]+\s*=[^,;\n]*;[ \t]*\r?\n|PRAGMA\s+\w+\s*=[^,;\n]*;|BEGIN\s+TRANSACTION\s*;)/i,
  },
  {
    what: 'is YAML',
    encoding: false,
    remedy: EXPORT,
    begins:
      /^(?:%YAML [\d.]+\s+)?---[ \t]*(?:#[^\n]*)?\r?\n\s*(?:#[^\n]*\n\s*)*(?:- |[^\s,:]+:(?:\s|$))/,
  },
  {
    what: 'is a file of settings (INI)',
    encoding: false,
    remedy: EXPORT,
    // Two keys that differ, or another section: a label may have brackets, and a value below it an equals sign.
    begins:
      /^\[[^\]\r\n]+\]\r?\n(?:(?:[;#][^\n]*)?\n)*([\w.-]+(?: [\w.-]+)*)[ \t]*=[^\n]*\n(?:(?:[;#][^\n]*|\r)?\n)*(?:\[[^\]\r\n]+\]\r?\n|(?!\1[ \t]*=)[\w.-]+(?: [\w.-]+)*[ \t]*=)/,
  },
  {
    what: 'is a mail, or a page that was saved as one (MHTML)',
    encoding: false,
    remedy: EXPORT,
    begins: /^(?:[\w-]+: [^\n]*\n(?:[ \t][^\n]*\n)*)*MIME-Version: 1\.0\r?\n/i,
  },
  {
    what: 'is the whole answer of a web server, headers and all',
    encoding: false,
    remedy: 'deliver what follows the first empty line',
    begins: /^HTTP\/\d(?:\.\d)? \d{3}\b/,
  },
  {
    what: 'is PostScript',
    encoding: false,
    remedy: EXPORT,
    begins: /^%!PS-Adobe-/,
  },
  {
    what: 'is a spreadsheet (SYLK or DIF)',
    encoding: false,
    remedy: EXPORT,
    // The second record with so much of it that no row of `ID;Place` is taken for one, as `B;North`.
    begins:
      /^(?:ID;P[^\r\n]*\r?\n(?:P;PGeneral\b|[BC];[XY]\d+;|F;P\d+;|O;[A-Z]\d*;)|TABLE\r?\n0,1\r?\n")/,
  },
  {
    what: 'is a message of HL7',
    encoding: false,
    remedy: EXPORT,
    begins: /^MSH\|\^~\\&\|/,
  },
  {
    what: 'is the difference between two files',
    encoding: false,
    remedy: 'deliver the file itself',
    begins: /^(?:diff --git |--- [^\n]*\n\+\+\+ [^\n]*\n@@ )/,
  },
  {
    what: 'is a contact or a calendar (vCard, iCalendar)',
    encoding: false,
    remedy: EXPORT,
    begins: /^BEGIN:V(?:CARD|CALENDAR)\r?\n/i,
  },
];

function signature(
  what: string,
  remedy: string,
  bytes: readonly (number | undefined)[],
): UnsupportedSource & { bytes: readonly number[] } {
  // What may be any byte is -1.
  return { what, remedy, encoding: remedy === TEXT, bytes: bytes.map((byte) => byte ?? -1) };
}

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

const EBCDIC: UnsupportedSource = {
  what: 'is text in EBCDIC, as mainframes write it',
  encoding: true,
  remedy: TEXT,
};

/** Whether nearly all bytes are letters, digits, blanks and delimiters of EBCDIC, and none a blank, comma or line end of ASCII. */
function isEbcdic(head: Uint8Array): boolean {
  const isAscii = [0x20, 0x2c, 0x3b, 0x09, 0x0a].some((byte) => head.includes(byte));
  if (head.length < 16 || isAscii || !head.includes(0x6b)) return false;
  const known = head.filter((byte) => {
    const isWord = byte >= 0x81 && (byte & 0x0f) <= 9 && (byte < 0xb0 || byte >= 0xc0);
    return isWord || EBCDIC_SIGNS.has(byte);
  });
  return known.length >= head.length * 0.95 && known.some((byte) => byte >= 0x81);
}

/** Line ends, blank, point, hyphen, comma and underscore. */
const EBCDIC_SIGNS: ReadonlySet<number> = new Set([0x0d, 0x15, 0x25, 0x40, 0x4b, 0x60, 0x6b, 0x6d]);

const UTF_32: UnsupportedSource = {
  what: 'is UTF-32 without a byte order mark',
  encoding: true,
  remedy: TEXT,
};

/** Latin text in UTF-32 has three zero bytes of four, on the same places. */
function isUtf32WithoutMark(head: Uint8Array): boolean {
  if (head.length < 8) return false;
  return [0, 3].some((place) =>
    head.every((byte, index) => (index % 4 === place) === (byte !== 0)),
  );
}

/** Whether a file can be read at all. */
export const SOURCE_CHECK: Check<'source-error' | 'unsupported-format' | 'encoding-error'> = {
  kinds: ['source-error', 'unsupported-format', 'encoding-error'],
  begin: (file) => ({
    head(bytes, found) {
      const unsupported = unsupportedSource(bytes);
      if (unsupported === undefined) return true;
      const kind = unsupported.encoding ? 'encoding-error' : 'unsupported-format';
      if (found.count(kind)) {
        const subject = file.unpacked ? 'What the archive holds' : 'The file';
        const message = `${subject} ${unsupported.what}; ${unsupported.encoding ? 'UTF-8' : 'CSV'} text is needed: ${unsupported.remedy}.`;
        found.listFile(kind, message, unsupported.encoding ? { byte: 0 } : {});
      }
      return false;
    },
    header({ labelCount }, found) {
      if (labelCount <= MAX_CELLS || !found.count('source-error')) return;
      const message = `The header has ${labelCount} labels; at most ${MAX_CELLS} are read.`;
      found.listFile('source-error', message);
    },
    end(found) {
      if (file.columns !== undefined && (file.dialect.header || file.rows > 0)) return true;
      if (found.count('source-error')) {
        const message = file.bytes === 0 ? 'The file is empty.' : 'The file has no rows.';
        found.listFile('source-error', message);
      }
      return false;
    },
  }),
};

/** Why a file that begins like this can't be read as UTF-8 text, or undefined when it may be. */
export function unsupportedSource(head: Uint8Array): UnsupportedSource | undefined {
  const known = SIGNATURES.find(({ bytes }) =>
    bytes.every((byte, index) => byte < 0 || head[index] === byte),
  );
  if (known !== undefined) return known;
  if (isUtf32WithoutMark(head)) return UTF_32;
  if (isEbcdic(head)) return EBCDIC;
  const text = decodeText(head, 0, head.length).trimStart();
  return TEXT_FORMATS.find(({ begins }) => begins.test(text));
}
