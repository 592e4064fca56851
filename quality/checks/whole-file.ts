import type { Check } from './check.ts';

export const HEADER_ONLY_CHECK: Check<'header-only'> = {
  kinds: ['header-only'],
  begin: (file) => ({
    end(found) {
      if (file.rows === 0 && found.count('header-only')) {
        found.listFile('header-only', 'The header is followed by no rows.');
      }
      return true;
    },
  }),
};

/** The byte that DOS programs wrote as the end of a file. */
export const END_OF_FILE_MARK = 0x1a;

export const END_MARK_CHECK: Check<'end-of-file-mark'> = {
  kinds: ['end-of-file-mark'],
  begin: (file) => ({
    end(found) {
      if (file.lastByte !== END_OF_FILE_MARK || !found.count('end-of-file-mark')) return true;
      const message = 'The file ends with 0x1A, the end-of-file mark of DOS.';
      found.listFile('end-of-file-mark', message, { record: file.records });
      return true;
    },
  }),
};

export const LINE_END_CHECK: Check<'mixed-line-ends'> = {
  kinds: ['mixed-line-ends'],
  begin: (file) => ({
    end(found) {
      const { lf, crlf, cr } = file.lineEnds;
      const others = lf + crlf + cr - Math.max(lf, crlf, cr);
      if (others === 0 || !found.count('mixed-line-ends', -1, others)) return true;
      const message = `Records end in more than one way: ${lf} with LF, ${crlf} with CRLF, ${cr} with CR.`;
      found.listFile('mixed-line-ends', message, file.otherLineEnd ?? {});
      return true;
    },
  }),
};
