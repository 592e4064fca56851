import { windows1252Character } from './text-source.ts';

/** Cells by which it is guessed. */
const MOST_CELLS = 200;

/** Letters beyond ASCII of languages by the script that they are mixed with. */
const WESTERN = [
  'äöüß',
  'àâæçéèêëîïôœùûüÿ',
  'áéíóúüñ',
  'àáâãçéêíóôõú',
  'àèéìíòóùú',
  'äåæéöøü',
  'áæéðíóúýþö',
  'áéëíïóöúü',
];
const CENTRAL = [
  'ąćęłńóśźż',
  'áčďéěíňóřšťúůýž',
  'áäčďéíĺľňóôŕšťúýž',
  'áéíóöőúüű',
  'ăâîşţ',
  'čćđšž',
  'äöüß',
];
const TURKISH = ['âçğıİîöşûü'];
const CYRILLIC = ['абвгдежзийклмнопрстуфхцчшщъыьэюяё', 'абвгдежзийклмнопрстуфхцчшщьюяєіїґ'];
const GREEK = ['αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋ'];

const CODE_PAGE_850 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯\u00b4\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0';

interface Candidate {
  /** As people write it. */
  readonly name: string;
  /** Characters of the bytes from 80 on; a space where there is none. */
  readonly characters: string;
  readonly languages: readonly ReadonlySet<string>[];
  /** Whether words mix its letters with those of ASCII. */
  readonly isLatin: boolean;
}

/** Encodings of one byte a character that old programs write, the most frequent first. */
const CANDIDATES: readonly (() => Candidate)[] = [
  ['Windows-1252', '', WESTERN, true],
  ['Windows-1250', 'windows-1250', CENTRAL, true],
  ['Windows-1251', 'windows-1251', CYRILLIC, false],
  ['Mac Roman', 'macintosh', WESTERN, true],
  ['code page 850 of DOS', CODE_PAGE_850, WESTERN, true],
  ['Windows-1254', 'windows-1254', TURKISH, true],
  ['Windows-1253', 'windows-1253', GREEK, false],
  ['code page 866 of DOS', 'ibm866', CYRILLIC, false],
  ['KOI8-R', 'koi8-r', CYRILLIC, false],
].map(([name, source, languages, isLatin]) => () => ({
  name: name as string,
  characters: charactersOf(source as string),
  languages: (languages as readonly string[]).map((letters) => new Set(letters)),
  isLatin: isLatin as boolean,
}));

/** @param source a label of the Encoding Standard, the characters themselves, or nothing for Windows-1252 */
function charactersOf(source: string): string {
  if (source.length === 0x80) return source;
  const bytes = Uint8Array.from({ length: 0x80 }, (_, index) => index + 0x80);
  if (source !== '')
    return new TextDecoder(source).decode(bytes).replace(/[\x80-\x9f\ufffd]/g, ' ');
  return Array.from(bytes, (byte) => windows1252Character(byte) ?? ' ').join('');
}

/** What stands beside words in any language, and of it what no letter follows. */
const SIGNS: ReadonlySet<string> = new Set('\u00a0£€§°©®™«»¿¡–—…•’‘“”×±µ·');
const ENDING_SIGNS: ReadonlySet<string> = new Set('£€§®™»”…');

/** Of the bytes that were seen an encoding must make sense of so many. */
const LEAST_SHARE = 0.75;

/**
 * Guesses in which encoding the cells are that are not UTF-8: in the one that makes letters of some language of their bytes,
 * in words whose capitals stand first. It is told of each cell in its turn, until it is settled.
 */
export class EncodingGuess {
  #candidates: readonly Candidate[] | undefined;
  #cells = 0;
  #bytes = 0;
  /** Bytes that each candidate explains by a language for each cell, and by each of its languages alone. */
  #byCell: number[] = [];
  #byLanguage: number[][] = [];
  #best: Candidate | undefined;

  /** Whether it has seen as many cells as it looks at. */
  get isSettled(): boolean {
    return this.#cells >= MOST_CELLS;
  }

  see(cell: Uint8Array): void {
    this.#cells++;
    const candidates = this.#begin();
    this.#bytes += cell.filter((byte) => byte >= 0x80).length;
    let most = 0;
    this.#best = undefined;
    candidates.forEach((candidate, place) => {
      const text = textOf(cell, candidate);
      const counts = candidate.languages.map((language) => explained(text, language, candidate));
      const tallies = (this.#byLanguage[place] ?? []).map((sum, at) => sum + (counts[at] ?? 0));
      const byCell = (this.#byCell[place] ?? 0) + Math.max(...counts);
      this.#byLanguage[place] = tallies;
      this.#byCell[place] = byCell;
      const score = byCell + Math.max(...tallies);
      if (score <= most || byCell < this.#bytes * LEAST_SHARE) return;
      most = score;
      this.#best = candidate;
    });
  }

  #begin(): readonly Candidate[] {
    if (this.#candidates === undefined) {
      this.#candidates = CANDIDATES.map((candidate) => candidate());
      this.#byLanguage = this.#candidates.map(({ languages }) => languages.map(() => 0));
    }
    return this.#candidates;
  }

  /** The encoding's name, and what a byte from 80 on is in it; undefined where none makes sense of most of what was seen. */
  of(byte: number): { readonly name: string; readonly character: string } | undefined {
    const best = this.#best;
    const character = best?.characters[byte - 0x80] ?? ' ';
    return best === undefined || character === ' ' ? undefined : { name: best.name, character };
  }
}

function textOf(bytes: Uint8Array, { characters }: Candidate): readonly string[] {
  return Array.from(bytes, (byte) =>
    byte < 0x80 ? String.fromCharCode(byte) : (characters[byte - 0x80] ?? ' '),
  );
}

/** Characters beyond ASCII that a language has where they stand. */
function explained(
  text: readonly string[],
  language: ReadonlySet<string>,
  { isLatin }: Candidate,
): number {
  return text.filter((character, at) => {
    if (character < '\x80') return false;
    const [before = ' ', after = ' '] = [text[at - 1], text[at + 1]];
    const lower = character.toLowerCase();
    if (!language.has(lower) && !language.has(character)) {
      // Within a word there is only an apostrophe.
      const isInWord = isLetter(before) && isLetter(after);
      const isWrong = isLetter(after) && ENDING_SIGNS.has(character);
      return SIGNS.has(character) && (character === '’' || !(isInWord || isWrong));
    }
    const isCapital = character !== lower;
    const isAstray = isCapital && isLetter(before) && (isLower(before) || isLower(after));
    const isMixed = !isLatin && (isAsciiLetter(before) || isAsciiLetter(after));
    return !isAstray && !isMixed;
  }).length;
}

function isLower(character: string): boolean {
  return character !== character.toUpperCase();
}

function isAsciiLetter(character: string): boolean {
  return /[a-z]/i.test(character);
}

function isLetter(character: string): boolean {
  return character.toLowerCase() !== character.toUpperCase();
}
