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
