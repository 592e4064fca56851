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
  signature('is encrypted by OpenPGP', 'decrypt it before the delivery', ascii('-----BEGIN PGP ')),
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
  const text = decodeText(head, 0, head.length).trimStart();
  return TEXT_FORMATS.find(({ begins }) => begins.test(text));
}
